"""A body, or what a patch made, brought into the one form in which documents are kept; and what is wrong with it.

Promise: date-times have one form, misprints that the contract marks x-lenient are read as what was meant, and what no
schema can say is found: two elements with one key, a period that ends before it begins, members that nobody knows.
"""

from __future__ import annotations

from typing import Any

from tmf_sales import datetimes
from tmf_sales.contract.types import Member, Shape, Steps
from tmf_sales.errors import Violation, json_pointer
from tmf_sales.storage.protocol import Document


def forgive(body: Document, shape: Shape) -> None:
    """Read the misprints that the contract marks x-lenient as what was meant, in place."""
    for name, member in shape.lenient.items():
        value = body.get(name)
        if member.lenient == "booleanText" and value in ("true", "false"):
            body[name] = value == "true"
        elif member.lenient == "emptyAsMissing" and value == "":
            del body[name]
        elif member.shape is not None:
            for inner in value if isinstance(value, list) else [value]:
                if isinstance(inner, dict):
                    forgive(inner, member.shape)


def settle(document: Document, shape: Shape, place: Steps, found: list[Violation]) -> None:
    """Bring every date-time into its one form, in place; collect what breaks x-ordered or a list's unique key."""
    visits = shape.settled
    for name in document:
        if name not in visits:  # most members: this is what the walk mostly does
            continue
        value, member = document[name], visits[name]
        if isinstance(value, str):
            if member.shape is None and not member.is_list and not datetimes.is_canonical(value):
                document[name] = _instant(value, (*place, name), found)
        elif isinstance(value, list):
            if member.is_list:
                _settle_list(value, member, (*place, name), found)
        elif isinstance(value, dict) and member.shape is not None and not member.is_list:
            settle(value, member.shape, (*place, name), found)
    if shape.ordered and shape.ordered[1] in document:
        _check_order(document, shape.ordered, place, found)


def _settle_list(elements: list[Any], member: Member, place: Steps, found: list[Violation]) -> None:
    if member.shape is not None:
        for number, element in enumerate(elements):
            if isinstance(element, dict):
                settle(element, member.shape, (*place, number), found)
    elif member.is_instant:
        for number, element in enumerate(elements):
            if isinstance(element, str):
                elements[number] = _instant(element, (*place, number), found)
    if member.merge_key:
        _check_unique(elements, member.merge_key, place, found)


def _instant(text: str, place: Steps, found: list[Violation]) -> str:
    try:
        return datetimes.canonical(text)
    except ValueError as error:
        found.append(Violation(json_pointer(place), str(error)))
        return text


def _check_unique(elements: list[Any], key: str, place: Steps, found: list[Violation]) -> None:
    seen: dict[str, int] = {}
    for number, element in enumerate(elements):
        value = element.get(key) if isinstance(element, dict) else None
        if not isinstance(value, str):
            continue
        if value in seen:
            text = f"is the same as that of element {seen[value]}; it must be unique in its list"
            found.append(Violation(json_pointer((*place, number, key)), text))
        seen.setdefault(value, number)


def _check_order(document: Document, ordered: tuple[str, str], place: Steps, found: list[Violation]) -> None:
    first, second = document.get(ordered[0]), document.get(ordered[1])
    if isinstance(first, str) and isinstance(second, str) and len(first) == len(second) and first > second:
        found.append(Violation(json_pointer((*place, ordered[1])), f"must not be before {ordered[0]}"))
