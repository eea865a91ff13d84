"""Applies a merge patch (RFC 7386) to a document, with one exception that a contract may declare.

A list whose elements have a key (`x-merge-key`) still replaces the stored list, but each element with a known key is a
merge patch of the stored element: members it leaves out are kept, null removes a member. Pure: it changes neither
input, and the result shares nothing with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from json_merge_patch import merge  # type: ignore[import-untyped]

from tmf_sales.contract.types import ObjectType
from tmf_sales.errors import InvalidPatch
from tmf_sales.storage.records import Document
from tmf_sales.values.json_values import own_copy


@dataclass(frozen=True, slots=True)
class Keyed:
    """Merge keys at and below one member. `key`: the member that identifies the elements of the list.

    `key` is None for an object or a list without a key. `inside`: the same for the members inside; for recursive types
    this mapping contains itself.
    """

    key: str | None = None
    inside: Mapping[str, Keyed] = field(default_factory=dict, repr=False)


MergeKeys = Mapping[str, Keyed]
NO_KEYS: MergeKeys = {}


def merge_keys_of(object_type: ObjectType) -> MergeKeys:
    """Collect the x-merge-key of a type and of the types inside it."""
    return _merge_keys(object_type, {})


def _merge_keys(object_type: ObjectType, made: dict[str, dict[str, Keyed]]) -> dict[str, Keyed]:
    if object_type.name in made:  # the type is recursive
        return made[object_type.name]
    keys = made[object_type.name] = {}
    for name, member in object_type.members.items():
        inside = _merge_keys(member.object_type, made) if member.object_type else {}
        if member.merge_key or (inside and not member.is_list):
            keys[name] = Keyed(member.merge_key if member.is_list else None, inside)
    return keys


def apply_merge_patch(
    document: Document, patch: Any, keys: MergeKeys = NO_KEYS, copied: Document | None = None
) -> Document:
    """Apply the patch and return the patched document; raises InvalidPatch when the patch is not an object.

    `copied`: a deep copy of the document, if there is one already; it is changed.
    """
    if not isinstance(patch, dict):
        raise InvalidPatch("the body: expected an object, as a resource cannot become anything else")
    # The result gets values of the patch; only objects and lists can change in it later.
    own = {name: own_copy(value) if isinstance(value, dict | list) else value for name, value in patch.items()}
    return _merged(document, own, keys, copied)


def _merged(stored: Any, patch: Document, keys: MergeKeys, copied: Document | None = None) -> Document:
    """Merge `patch` into a copy of `stored`. `patch` is changed, and the result may share parts with it."""
    _normalize_keyed_lists(stored, patch, keys)
    merged: Document = merge(own_copy(stored) if copied is None else copied, patch)
    return merged


def _normalize_keyed_lists(stored: Any, patch: Document, keys: MergeKeys) -> None:
    """Replace keyed lists in the patch by their merged result, so that RFC 7386 may replace the whole list."""
    for name in patch.keys() & keys.keys():
        keyed, wanted = keys[name], patch[name]
        known = stored.get(name) if isinstance(stored, dict) else None
        if isinstance(wanted, list) and keyed.key is not None:
            patch[name] = _merged_elements(_by_key(known, keyed.key), wanted, keyed.key, keyed.inside)
        elif isinstance(wanted, dict):
            _normalize_keyed_lists(known, wanted, keyed.inside)


def _by_key(elements: Any, key: str) -> dict[str, Document]:
    if not isinstance(elements, list):
        return {}
    return {found: element for element in elements if (found := _key_of(element, key)) is not None}


def _key_of(element: Any, key: str) -> str | None:
    found = element.get(key) if isinstance(element, dict) else None
    return found if isinstance(found, str) else None


def _merged_elements(known: Mapping[str, Document], wanted: list[Any], key: str, inside: MergeKeys) -> list[Any]:
    """Merge each element; a new element is a merge patch of an empty object, so its nulls are dropped (RFC 7386)."""
    return [
        _merged(known.get(_key_of(element, key) or "", {}), element, inside) if isinstance(element, dict) else element
        for element in wanted
    ]
