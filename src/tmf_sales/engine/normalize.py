"""Normalizes documents: converts every date-time to the canonical form in which it is stored.

Also checks two rules that no schema can express: keys of list elements are unique, and no period ends before it begins.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from tmf_sales.contract.types import Member, ObjectType, Steps
from tmf_sales.engine.compiled_walks import FunctionOf, Walk
from tmf_sales.storage.records import Document
from tmf_sales.values import datetimes
from tmf_sales.values.messages import Violation, json_pointer


def normalize(document: Document, object_type: ObjectType, names: Collection[str] | None = None) -> list[Violation]:
    """Normalize every date-time in place; returns invalid date-times, broken x-ordered rules and duplicate keys.

    `names`: the members of the document to look at, in its order; all by default.
    """
    try:
        _NORMALIZATION.of(object_type)(document, document if names is None else names)
    except ValueError:  # something is invalid, so a slower walk finds all of it and its places
        found: list[Violation] = []
        _normalize(document, object_type, (), found, names)
        return found
    return []


def _statements(object_type: ObjectType, function_of: FunctionOf) -> Iterator[str]:
    """The statements that normalize an object in place, and raise ValueError where something may be invalid."""
    for name, member in object_type.normalized.items():
        kind = "list" if member.is_list else "str" if member.object_type is None else "dict"
        yield f"if {name!r} in names and type(value := document[{name!r}]) is {kind}:"
        if kind == "dict" and member.object_type is not None:
            yield f"    {function_of(member.object_type)}(value, value)"
        elif kind == "str":
            yield "    if not is_canonical(value):"
            yield f"        document[{name!r}] = date_time(value)"
        elif member.object_type is not None:
            yield "    for element in value:"
            yield "        if type(element) is dict:"
            yield f"            {function_of(member.object_type)}(element, element)"
        else:
            yield "    value[:] = [date_time(element) if type(element) is str else element for element in value]"
        if member.is_list and member.merge_key:
            yield f"    reject_doubtful_keys(value, {member.merge_key!r})"
    if object_type.ordered is not None:
        first, second = object_type.ordered
        yield f"if {first!r} in document and {second!r} in document:"
        yield f"    reject_doubtful_order(document[{first!r}], document[{second!r}])"


def _normalize(
    document: Document,
    object_type: ObjectType,
    place: Steps,
    found: list[Violation],
    names: Collection[str] | None = None,
) -> None:
    visits = object_type.normalized
    for name in document if names is None else names:
        if name not in visits:  # true of most members
            continue
        value, member = document[name], visits[name]
        if isinstance(value, str):
            if member.object_type is None and not member.is_list and not datetimes.is_canonical(value):
                document[name] = _date_time(value, (*place, name), found)
        elif isinstance(value, list):
            if member.is_list:
                _normalize_list(value, member, (*place, name), found)
        elif isinstance(value, dict) and member.object_type is not None and not member.is_list:
            _normalize(value, member.object_type, (*place, name), found)
    if object_type.ordered and object_type.ordered[1] in document:
        _check_order(document, object_type.ordered, place, found)


def _normalize_list(elements: list[Any], member: Member, place: Steps, found: list[Violation]) -> None:
    if member.object_type is not None:
        for number, element in enumerate(elements):
            if isinstance(element, dict):
                _normalize(element, member.object_type, (*place, number), found)
    elif member.is_date_time:
        for number, element in enumerate(elements):
            if isinstance(element, str):
                elements[number] = _date_time(element, (*place, number), found)
    if member.merge_key:
        _check_unique(elements, member.merge_key, place, found)


def _date_time(text: str, place: Steps, found: list[Violation]) -> str:
    try:
        return _canonical(text)
    except ValueError as error:
        found.append(Violation(json_pointer(place), str(error)))
        return text


def _canonical(text: str) -> str:
    """The canonical text. A misplaced leap second stays as it is, as the contract rejects it; raises ValueError."""
    return text if datetimes.is_misplaced_leap_second(text) else datetimes.canonical(text)


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


def _reject_doubtful_keys(elements: list[Any], key: str) -> None:
    """Raise ValueError unless the keys of all elements that have one are different texts."""
    seen: set[str] = set()
    for element in elements:
        if type(element) is dict and key in element:
            found = element[key]
            if type(found) is not str or found in seen:
                raise ValueError(key)
            seen.add(found)


def _reject_doubtful_order(first: Any, second: Any) -> None:
    """Raise ValueError unless these are two texts of the same length in order."""
    if type(first) is not str or type(second) is not str or len(first) != len(second) or first > second:
        raise ValueError(first, second)


_NORMALIZATION = Walk(
    "normalization",
    "document, names",
    _statements,
    {
        "date_time": _canonical,
        "is_canonical": datetimes.is_canonical,
        "reject_doubtful_keys": _reject_doubtful_keys,
        "reject_doubtful_order": _reject_doubtful_order,
    },
)
