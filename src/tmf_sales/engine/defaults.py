"""Applies defaults to new objects: the contract's defaults, initial states, and the numbers of list elements."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from tmf_sales.contract.types import TYPE_OF, ObjectType
from tmf_sales.storage.records import Document
from tmf_sales.values.json_values import json_type, own_copy

LONGEST_NUMBER = 15


def apply_defaults(document: Document, object_type: ObjectType, now: str) -> None:
    """Set the contract's defaults and the initial states in a new object and in the objects inside it."""
    for name, default in object_type.defaults:
        if name not in document:
            _set_default(document, name, default, now)
    for name, inner in object_type.entered:
        if name in document:
            _apply_defaults_inside(document[name], inner, now)


def _apply_defaults_inside(value: Any, object_type: ObjectType, now: str) -> None:
    if isinstance(value, dict):
        apply_defaults(value, object_type, now)
    elif isinstance(value, list):
        for element in value:
            if isinstance(element, dict):
                apply_defaults(element, object_type, now)
        if object_type.numbered:
            number_elements(value, object_type)


def _set_default(document: Document, name: str, default: Any, now: str) -> None:
    if not isinstance(default, str):
        document[name] = own_copy(default)  # a copy, as later steps change it in place
    elif default[:1] != "$":
        document[name] = default
    elif default == "$now":
        document[name] = now
    elif default.startswith(TYPE_OF):
        if (found := json_type(document.get(default.removeprefix(TYPE_OF)))) is not None:
            document[name] = found
    elif default[1:] in document:
        document[name] = document[default[1:]]


def number_elements(elements: list[Any], object_type: ObjectType) -> None:
    """Set members marked $nextNumber in elements that lack them: the next free number of the list, as text."""
    for name in object_type.numbered:
        number_missing(elements, name)


def number_missing(elements: list[Any], name: str) -> bool:
    """Set the member where it is missing: the next free number of the list, as text. Returns whether any lacked it."""
    objects = [element for element in elements if isinstance(element, dict)]
    if all(name in element for element in objects):
        return False
    taken = [int(element[name]) for element in objects if _is_number(element.get(name))]
    following = max(taken, default=0) + 1
    for element in objects:
        if name not in element:
            element[name] = str(following)
            following += 1
    return True


def _is_number(text: Any) -> bool:
    """Whether this text counts as a number. Longer ones are ignored, because int() and identifiers have a limit."""
    return isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER


def apply_defaults_to_new_elements(
    before: Document, after: Document, object_type: ObjectType, now: str, names: Container[str] | None = None
) -> None:
    """Set the defaults in elements that a patch added to keyed lists, at any depth, as for a new resource.

    `names`: the members of the document to look at; all by default.
    """
    for name, member in object_type.filled.items():
        if names is not None and name not in names:
            continue
        elements = after.get(name)
        if not member.is_list or member.object_type is None or not isinstance(elements, list):
            continue
        if not member.merge_key:
            number_elements(elements, member.object_type)
            continue
        stored = elements_by_key(before.get(name), member.merge_key)
        for element in elements:
            if isinstance(element, dict):
                key = element.get(member.merge_key)
                known = stored.get(key) if isinstance(key, str) else None
                if known is None:
                    apply_defaults(element, member.object_type, now)
                else:
                    apply_defaults_to_new_elements(known, element, member.object_type, now)
        number_elements(elements, member.object_type)


def elements_by_key(elements: Any, key: str) -> dict[Any, Document]:
    if not isinstance(elements, list):
        return {}
    return {
        element[key]: element for element in elements if isinstance(element, dict) and isinstance(element.get(key), str)
    }
