"""Merge patch: (document, patch) -> document, as RFC 7386 says, with one exception that a contract declares.

A list whose elements are identified by a member (`x-merge-key`) is still the new list, but an element with a known
key is itself a merge patch of the stored one: what it leaves out is kept, null removes. Promise: pure; neither input is
changed, nor shared with the result.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from json_merge_patch import merge  # type: ignore[import-untyped]

from tmf_sales.contract.types import ObjectType
from tmf_sales.errors import InvalidPatch
from tmf_sales.json_values import own_copy
from tmf_sales.storage.protocol import Document


@dataclass(frozen=True, slots=True)
class Keyed:
    """What a member holds: `key` names the member that identifies the elements of a list (None: an object, or a list
    like any other); `inside` says the same of the members within. A mapping may hold itself, for types that nest.
    """

    key: str | None = None
    inside: Mapping[str, Keyed] = field(default_factory=dict, repr=False)


MergeKeys = Mapping[str, Keyed]
NO_KEYS: MergeKeys = {}


def merge_keys_of(object_type: ObjectType) -> MergeKeys:
    """What the contract marks x-merge-key in a type, at any depth."""
    return _merge_keys(object_type, {})


def _merge_keys(object_type: ObjectType, made: dict[str, dict[str, Keyed]]) -> dict[str, Keyed]:
    if object_type.name in made:  # types may hold themselves
        return made[object_type.name]
    keys = made[object_type.name] = {}
    for name, member in object_type.members.items():
        inside = _merge_keys(member.object_type, made) if member.object_type else {}
        if member.merge_key or (inside and not member.is_list):
            keys[name] = Keyed(member.merge_key if member.is_list else None, inside)
    return keys


def apply_merge_patch(document: Document, patch: Any, keys: MergeKeys = NO_KEYS) -> Document:
    """The patched document; raises InvalidPatch when the patch is not an object."""
    if not isinstance(patch, dict):
        raise InvalidPatch("the body: expected an object, as a resource cannot become anything else")
    return _merged(document, own_copy(patch), keys)


def _merged(stored: Any, patch: Document, keys: MergeKeys) -> Document:
    """The merge; `patch` is a copy of which the result may keep parts, `stored` is not."""
    _normalize_keyed_lists(stored, patch, keys)
    merged: Document = merge(own_copy(stored), patch)
    return merged


def _normalize_keyed_lists(stored: Any, patch: Document, keys: MergeKeys) -> None:
    """Put in the patch the lists as they shall be, so that RFC 7386's replacement of lists is right for them too."""
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
    """A new element is a merge patch of nothing, as RFC 7386 has it for a new object: nulls in it fall away."""
    return [
        _merged(known.get(_key_of(element, key) or "", {}), element, inside) if isinstance(element, dict) else element
        for element in wanted
    ]
