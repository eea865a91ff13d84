"""Applies defaults to new objects: the contract's defaults, initial states, and the numbers of list elements."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Any

from tmf_sales.contract.types import TYPE_OF, ObjectType
from tmf_sales.engine.compiled_walks import FunctionOf, Walk
from tmf_sales.storage.records import Document
from tmf_sales.values.json_values import json_type, own_copy

LONGEST_NUMBER = 15


def apply_defaults(document: Document, object_type: ObjectType, now: str) -> None:
    """Set the contract's defaults and the initial states in a new object and in the objects inside it."""
    _DEFAULTS.of(object_type)(document, now)


def _statements(object_type: ObjectType, function_of: FunctionOf) -> Iterator[str]:
    for name, default in object_type.defaults:
        yield f"if {name!r} not in document:"
        yield f"    {_setting(name, default)}"
    for name, inner in object_type.entered:
        apply = function_of(inner)
        yield f"if {name!r} in document:"
        yield f"    value = document[{name!r}]"
        yield "    if type(value) is dict:"
        yield f"        {apply}(value, now)"
        yield "    elif type(value) is list:"
        yield from _for_elements(apply, inner.numbered)


def _for_elements(apply: str, numbered: tuple[str, ...]) -> Iterator[str]:
    """The statements for the elements of a list. Free numbers are only looked for where an element lacks its own."""
    yield "        lacks_number = False"
    yield "        for element in value:"
    yield "            if type(element) is dict:"
    yield f"                {apply}(element, now)"
    if numbered:
        lacking = " or ".join(f"{name!r} not in element" for name in numbered)
        yield f"                if {lacking}: lacks_number = True"
        yield "        if lacks_number:"
        yield from (f"            number_missing(value, {name!r})" for name in numbered)


def _setting(name: str, default: Any) -> str:
    """The statement that sets a missing member."""
    if isinstance(default, dict | list):  # a copy, as later steps change it in place
        return f"document[{name!r}] = own_copy({own_copy(default)!r})"
    if not isinstance(default, str) or default[:1] != "$":
        return f"document[{name!r}] = {own_copy(default)!r}"
    if default == "$now":
        return f"document[{name!r}] = now"
    if default.startswith(TYPE_OF):
        kind = f"json_type(document.get({default.removeprefix(TYPE_OF)!r}))"
        return f"if (kind := {kind}) is not None: document[{name!r}] = kind"
    return f"if {default[1:]!r} in document: document[{name!r}] = document[{default[1:]!r}]"


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


_DEFAULTS = Walk(
    "defaults",
    "document, now",
    _statements,
    {"json_type": json_type, "number_missing": number_missing, "own_copy": own_copy},
)
