"""Finds and erases the personal data of a party in one document. Pure functions; no document is modified.

The contract says where personal data is (x-personal): `party` marks members whose objects refer to a party by their
id, `data` marks members that hold data about the parties of the resource. A document without a reference to the party
is not changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from tmf_sales.contract.types import PARTY, PERSONAL_DATA, Member, ObjectType, Steps
from tmf_sales.storage.records import Document
from tmf_sales.values.json_values import own_copy
from tmf_sales.values.messages import json_pointer

ERASED = "erased"
"""Takes the place of a party's id and of texts that are personal data."""

NOT_KEPT = ("href", "name")
"""The members of a reference that identify a party, beside its id."""


def may_mention(text: bytes, party: str) -> bool:
    """Return whether the id occurs in a JSON text as orjson writes it; much cheaper than parsing the text."""
    return orjson.dumps(party)[1:-1] in text


def refers_to(document: Document, object_type: ObjectType, party: str) -> bool:
    """Return whether the document refers to the party where the contract says that a reference is."""
    return any(True for _ in _references(document, object_type, party))


def erase(
    document: Document, object_type: ObjectType, party: str, *, references_only: bool = False
) -> tuple[Document, list[str]]:
    """Return the document without the party's data, and the JSON pointers to what was erased.

    A reference keeps its role and class; its id becomes `erased`. Of the members that hold personal data, texts become
    `erased` and all others are removed, unless `references_only`. Without a reference to the party nothing is erased.
    """
    if not refers_to(document, object_type, party):
        return document, []
    copy = own_copy(document)
    return copy, list(_erase(copy, object_type, party, references_only, ()))


def mentions(value: Any, party: str, place: Steps = ()) -> Iterator[str]:
    """Yield the JSON pointers of all texts that are the id of the party, or a URL or path that ends with it."""
    if isinstance(value, str):
        if value == party or value.endswith(f"/{party}"):
            yield json_pointer(place)
    elif isinstance(value, dict | list):
        for step, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from mentions(inner, party, (*place, step))


def _references(document: Document, object_type: ObjectType, party: str) -> Iterator[Document]:
    for member, inner, _ in _objects(document, object_type):
        if _is_reference(member, inner, party):
            yield inner
        elif member.object_type is not None:
            yield from _references(inner, member.object_type, party)


def _erase(
    document: Document, object_type: ObjectType, party: str, references_only: bool, place: Steps
) -> Iterator[str]:
    for member, inner, steps in _objects(document, object_type):
        if _is_reference(member, inner, party):
            kept = {name: value for name, value in inner.items() if _is_kept(name, member.object_type)}
            inner.clear()
            inner.update({"id": ERASED, **kept})
            yield json_pointer((*place, *steps))
        elif member.object_type is not None and (member.personal != PERSONAL_DATA or references_only):
            yield from _erase(inner, member.object_type, party, references_only, (*place, *steps))
    if not references_only:
        for name, member in object_type.personal.items():
            if member.personal == PERSONAL_DATA and document.get(name, ERASED) != ERASED:
                if isinstance(document[name], str):
                    document[name] = ERASED
                else:
                    del document[name]
                yield json_pointer((*place, name))


def _objects(document: Document, object_type: ObjectType) -> Iterator[tuple[Member, Document, Steps]]:
    """Yield the objects in members that are, or contain, personal data, each with its steps from the document."""
    for name, member in object_type.personal.items():
        value = document.get(name)
        if isinstance(value, dict):
            yield member, value, (name,)
        elif isinstance(value, list):
            yield from ((member, each, (name, place)) for place, each in enumerate(value) if isinstance(each, dict))


def _is_reference(member: Member, inner: Document, party: str) -> bool:
    return member.personal == PARTY and inner.get("id") == party


def _is_kept(name: str, object_type: ObjectType | None) -> bool:
    return object_type is not None and name in object_type.members and name != "id" and name not in NOT_KEPT
