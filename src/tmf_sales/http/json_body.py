"""Reads a JSON text so strictly that whatever is accepted can be stored, found and sent on unchanged.

Promise: no NaN or infinity, no duplicate names (RFC 7493, 2.3), no lone surrogates, no integer that doubles cannot hold
(RFC 7493, 2.2), no name that a document store gives a meaning to, at most 64 levels and 100,000 objects and lists. The
usual body costs two passes in C; only a suspicious one is walked in Python.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import orjson

from tmf_sales.errors import MalformedBody
from tmf_sales.json_values import BAD_NAME, bad_names
from tmf_sales.messages import SHOWN_LIMIT, json_pointer, shown

DEPTH_LIMIT = 64
CONTAINER_LIMIT = 100_000  # each costs some microseconds in which the worker does nothing else; 1,000 items have 6,000
INTEGER_LIMIT = 2**53 - 1
PLACE_LIMIT = 100

_DIGITS_AS_ZERO = bytes(ord("0") if chr(code).isdecimal() else code for code in range(128)) + bytes(range(128, 256))
_MANY_DIGITS = b"0" * 20
_NAME_WITH_DOT = re.compile(rb'"\.')  # found in half the time that `in` takes
_NO_MARKS = bytes(set(range(256)) - set(b"[{:$\\"))


def parse_json_body(text: bytes, depth_limit: int = DEPTH_LIMIT, container_limit: int = CONTAINER_LIMIT) -> Any:
    """The JSON value; raises MalformedBody with the place, as line and column or as JSON pointer."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise MalformedBody(_place_of_error(error, text)) from None
    marks = text.translate(None, _NO_MARKS)  # what is looked for in it is found at once
    most_containers = marks.count(b"[") + marks.count(b"{")
    if most_containers > depth_limit and _may_be_deep(value, depth_limit):
        _reject_depth(value, depth_limit)
    if most_containers > container_limit:
        _reject_many_containers(value, container_limit)
    try:
        written = orjson.dumps(value, option=orjson.OPT_STRICT_INTEGER)
    except orjson.JSONEncodeError:
        _reject_large_integers(text)
        raise
    if written != text and _may_hide_duplicates(written, marks, text):
        _reject_duplicates(text)
    if _NAME_WITH_DOT.search(text) or (b"$" in marks and b'"$' in text) or (b"\\" in marks and b"\\u00" in text):
        _reject_names(value)
    if _may_have_many_digits(text) and _MANY_DIGITS in text.translate(_DIGITS_AS_ZERO):
        _reject_large_integers(text)
    return value


def _place_of_error(error: orjson.JSONDecodeError, text: bytes) -> str:
    if not text.strip():
        return "line 1, column 1: the body is empty"
    try:
        text.decode()
    except UnicodeDecodeError as no_text:  # orjson says the first line and column then
        before = text[: no_text.start].decode()
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        return f"line {line}, column {column}: this is not UTF-8 (RFC 8259, 8.1)"
    return f"line {error.lineno}, column {error.colno}: expected strict JSON in UTF-8 (RFC 8259)"


def _may_hide_duplicates(written: bytes, marks: bytes, text: bytes) -> bool:
    """A dropped duplicate takes a colon with it; only an escaped colon could make up for that, so it counts too."""
    return written.count(b":") != marks.count(b":") or (b"\\" in marks and b"\\u003" in text)


def _may_be_deep(value: Any, limit: int) -> bool:
    """Whether anything stands inside so many containers; texts hold no raw line breaks, so indentation tells depth."""
    try:
        return b"\n" + b"  " * limit in orjson.dumps(value, option=orjson.OPT_INDENT_2)
    except orjson.JSONEncodeError:  # It writes 254 levels at most.
        return True


def _reject_depth(value: Any, limit: int) -> None:
    level, depth = [value], 0
    while level := [child for parent in level for child in _containers_in(parent)]:
        depth += 1
        if depth >= limit:
            _, place = _first(value, lambda _, depth: depth >= limit)
            raise MalformedBody(f"{_shown(place)}: the body is nested more than {limit} levels deep")


def _reject_many_containers(value: Any, limit: int) -> None:
    """Counted here because brackets may also stand in texts."""
    level, found = [value], 0
    while level := [child for parent in level for child in _containers_in(parent)]:
        found += len(level)
        if found >= limit:
            raise MalformedBody(f"the body has more than {limit} objects and lists")


def _containers_in(value: Any) -> list[Any]:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [child for child in children if isinstance(child, dict | list)]


def _first(value: Any, is_it: Callable[[Any, int], bool]) -> tuple[Any, list[str | int]]:
    """The first container, in the order of the text, that `is_it` says yes to, with its depth, and the way to it.

    There must be one. Nothing is made for each element, as a body may have a million of them.
    """
    steps: list[str | int] = []
    found, unfinished = value, [_inner(value)]
    while not is_it(found, len(steps)):
        for step, child in unfinished[-1]:
            if isinstance(child, dict | list):
                steps.append(step)
                found = child
                unfinished.append(_inner(child))
                break
        else:
            unfinished.pop()
            steps.pop()
            found = None
    return found, steps


def _inner(container: Any) -> Iterator[tuple[str | int, Any]]:
    if isinstance(container, dict):
        return iter(container.items())
    return iter(enumerate(container) if isinstance(container, list) else ())


def _shown(steps: Sequence[str | int]) -> str:
    """A JSON pointer of limited length."""
    pointer = json_pointer(steps) or "the body"
    return pointer if len(pointer) <= PLACE_LIMIT else f"{pointer[:PLACE_LIMIT]}..."


class _Object(dict[str, Any]):
    """An object of the text, and the name that is there twice in it."""

    twice: str | None = None


def _reject_duplicates(text: bytes) -> None:
    doubled = False

    def look(pairs: list[tuple[str, Any]]) -> _Object:
        nonlocal doubled
        members = _Object()
        for name, value in pairs:
            if name in members and members.twice is None:
                members.twice = name
                doubled = True
            members[name] = value
        return members

    # Numbers are not converted: Python's own limit on digits would raise before the rule below can say it.
    value = json.loads(text, object_pairs_hook=look, parse_int=str, parse_float=str)
    if doubled:
        found, place = _first(value, lambda each, _: isinstance(each, _Object) and each.twice is not None)
        raise MalformedBody(f"{_shown(place)}: the member name {shown(found.twice)} is there twice in one object")


def _reject_names(value: Any) -> None:
    name = next(bad_names([value]), None)
    if name is not None:
        _, place = _first(value, lambda each, _: isinstance(each, dict) and name in each)
        raise MalformedBody(f"{_shown(place)}: the member name {shown(name)} {BAD_NAME}")


def _may_have_many_digits(text: bytes) -> bool:
    """Whether 20 digits may follow each other, as in an integer that 64 bits cannot hold and that was read as a double:
    then every fifth byte is a digit, four times in a row.
    """
    return b"0000" in text[::5].translate(_DIGITS_AS_ZERO)


class _LargeInteger(str):
    """Digits of an integer that doubles cannot hold."""


def _reject_large_integers(text: bytes) -> None:
    """By how it is written: 1e30 and 1.0 are doubles anyway, and stay what they are."""
    found = False

    def read(digits: str) -> str:
        nonlocal found
        if len(digits.removeprefix("-")) > 16 or abs(int(digits)) > INTEGER_LIMIT:
            found = True
            return _LargeInteger(digits)
        return digits

    value = json.loads(text, parse_int=read, parse_float=str)
    if found:
        container, place = _first([value], lambda each, _: any(_large_ones(each)))
        step, digits = next(_large_ones(container))
        where = _shown([*place, step][1:])
        raise MalformedBody(f"{where}: the number {digits[:SHOWN_LIMIT]} is beyond 2^53-1; send it as text")


def _large_ones(container: Any) -> Iterator[tuple[str | int, str]]:
    return ((step, child) for step, child in _inner(container) if isinstance(child, _LargeInteger))
