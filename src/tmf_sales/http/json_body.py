"""Parses JSON bodies strictly: the service can store, find and return every accepted value unchanged.

Rejects NaN and infinity, duplicate names (RFC 7493, 2.3), lone surrogates, numbers that a double cannot hold exactly
(RFC 7493, 2.2), names with a special meaning in a document store, more than 64 levels, and more than 100,000 objects
and lists, which are counted before parsing. Ordinary bodies are parsed and scanned in C; only suspicious ones are
walked in Python.

Why not jiter 0.19 (`catch_duplicate_keys=True, allow_inf_nan=False`): it accepts 1e400 as infinity, and the scans for
depth, containers, names and numbers would still be needed. It takes 23 us for a quote of 4.6 KB before those scans;
this module takes 19 us with them.
"""

from __future__ import annotations

import codecs
import functools
import json
from collections.abc import Sequence
from typing import Any

import orjson

from tmf_sales.errors import MalformedBody
from tmf_sales.values.json_numbers import SAFE_LENGTH, find_inexact_number, may_have_inexact_numbers, why_not_exact
from tmf_sales.values.json_values import BAD_NAME, CONTAINER_LIMIT, bad_names, first_container
from tmf_sales.values.messages import SHOWN_LIMIT, json_pointer, shown

DEPTH_LIMIT = 64
WRITTEN_LEVELS = 254  # orjson writes at most so many nested objects and lists; tests/http/bodies/test_json_body.py
PLACE_LIMIT = 100
REASON_LIMIT = 60

_WIDE = "UTF-16 or UTF-32"
_BYTE_ORDER_MARKS = {codecs.BOM_UTF8: "UTF-8", codecs.BOM_UTF16_LE: _WIDE, codecs.BOM_UTF16_BE: _WIDE}
# Marks: the characters by which a text is found suspicious, with one for all that may stand before a name, one for both
# closing brackets, one for all digits and one for exponents. Leaving out the others only joins what stands apart, so no
# suspicious text passes as harmless.
_MARKS = bytes.maketrans(b"{[]123456789E", b",,}000000000e")
_NO_MARKS = bytes(set(range(256)) - set(b'{}[]0123456789.eE-:,$\\"'))
_NAME_WITH_DOT = b',".'
_MANY_DIGITS, _SMALL_EXPONENT = b"0" * (SAFE_LENGTH + 1), b"e-000"
_HALF_OF_THEM = b"0" * ((SAFE_LENGTH + 1) // 2)  # are in a row before or after the point
_NO_BRACKETS = bytes(set(range(256)) - set(b'[{"'))


def parse_json_body(text: bytes, depth_limit: int = DEPTH_LIMIT, container_limit: int = CONTAINER_LIMIT) -> Any:
    """Return the JSON value; raise MalformedBody with the place, as line and column or as JSON pointer."""
    marks = text.translate(_MARKS, _NO_MARKS)  # short, so searching it is cheap
    most_containers = marks.count(b"}")  # JSON closes them all
    if most_containers > container_limit and _count_containers(text) > container_limit:
        raise MalformedBody(f"the body has more than {container_limit} objects and lists")
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise MalformedBody(_describe_syntax_error(error, text)) from None
    try:
        written = _written(value, depth_limit if most_containers > depth_limit else None)
    except orjson.JSONEncodeError:
        _reject_depth(value, depth_limit)
        _reject_inexact_numbers(text)
        _reject_duplicates(text)  # the first inexact number is in a member that a later one of the same name replaces
        raise
    if written != text and _may_hide_duplicates(written, marks, text):
        _reject_duplicates(text)
    if _has(marks, _NAME_WITH_DOT) or (b"$" in marks and b'"$' in text) or (b"\\" in marks and b"\\u00" in text):
        _reject_names(value)
    if _may_be_inexact(marks) and may_have_inexact_numbers(text):
        _reject_inexact_numbers(text)
    return value


def _has(marks: bytes, sought: bytes) -> bool:
    """Search backwards: CPython compares the first character first then, and takes a quarter of the time of `in`."""
    return marks.rfind(sought) >= 0


def _may_be_inexact(marks: bytes) -> bool:
    if _has(marks, _HALF_OF_THEM) and _MANY_DIGITS in marks.replace(b".", b""):
        return True
    return _has(marks, _SMALL_EXPONENT)


def _count_brackets(text: bytes) -> int:
    return text.count(b"[") + text.count(b"{")


def _count_containers(text: bytes) -> int:
    """Count the objects and lists of a JSON text without parsing it: the brackets outside strings."""
    without_escapes = text.replace(rb"\\", b"").replace(rb"\"", b"")
    quoted = without_escapes.translate(None, _NO_BRACKETS).replace(b'""', b"")  # keeps what is inside and outside
    return sum(_count_brackets(outside) for outside in quoted.split(b'"')[::2])


def _describe_syntax_error(error: orjson.JSONDecodeError, text: bytes) -> str:
    if not text.strip():
        return "line 1, column 1: the body is empty"
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if text.startswith(mark):
            return f"line 1, column 1: the body starts with a byte order mark of {encoding}; send UTF-8 without one"
    try:
        text.decode()
    except UnicodeDecodeError as not_utf8:  # orjson always reports line 1, column 1 for this
        before = text[: not_utf8.start].decode()
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        return f"line {line}, column {column}: this is not UTF-8 (RFC 8259, 8.1)"
    if b"\0" in text[:4]:
        return f"line 1, column 1: this looks like {_WIDE}; send UTF-8 (RFC 8259, 8.1)"
    if str(error).startswith("number is infinity"):
        _reject_inexact_numbers(text)
        return f"line {error.lineno}, column {error.colno}: the number is larger than a double holds"
    return f"line {error.lineno}, column {error.colno}: expected strict JSON in UTF-8 (RFC 8259): {_reason(error)}"


def _reason(error: orjson.JSONDecodeError) -> str:
    """The parser's message without the place and without the literal it guesses; bounded in length."""
    found = error.msg.partition(": line ")[0]
    return "invalid literal" if found.startswith("invalid literal") else found[:REASON_LIMIT]


def _may_hide_duplicates(written: bytes, marks: bytes, text: bytes) -> bool:
    """A dropped duplicate loses a colon. Only an escaped colon could hide that, so such bodies are suspicious too."""
    return written.count(b":") != marks.count(b":") or (b"\\" in marks and b"\\u003" in text)


class _Value:
    """Marks the place of a value inside the lists of `_lists_around`."""


@functools.cache
def _lists_around(depth_limit: int) -> Any:
    """Nested lists with a place for a value: orjson can write them unless the value is deeper than the limit."""
    nested: Any = _Value()
    for _ in range(WRITTEN_LEVELS - depth_limit):
        nested = [nested]
    return nested


def _written(value: Any, depth_limit: int | None) -> bytes:
    """The value as JSON; raises JSONEncodeError if it has an integer beyond 2^53-1, or more levels than the limit."""
    if depth_limit is None:
        return orjson.dumps(value, option=orjson.OPT_STRICT_INTEGER)
    around = WRITTEN_LEVELS - depth_limit
    text = orjson.dumps(_lists_around(depth_limit), lambda _: value, option=orjson.OPT_STRICT_INTEGER)
    return text[around:-around]


def _reject_depth(value: Any, limit: int) -> None:
    level, depth = [value], 0
    while level := [child for parent in level for child in _containers_in(parent)]:
        depth += 1
        if depth >= limit:
            _, place = first_container(value, lambda _, depth: depth >= limit)
            raise MalformedBody(f"{_shown(place)}: the body is nested more than {limit} levels deep")


def _containers_in(value: Any) -> list[Any]:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [child for child in children if isinstance(child, dict | list)]


def _shown(steps: Sequence[str | int]) -> str:
    """A JSON pointer of limited length."""
    pointer = json_pointer(steps) or "the body"
    return pointer if len(pointer) <= PLACE_LIMIT else f"{pointer[:PLACE_LIMIT]}..."


class _Object(dict[str, Any]):
    """A JSON object that remembers the name it contains twice."""

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

    # Numbers stay text: Python's limit on digits would raise before the number check can report the place.
    value = json.loads(text, object_pairs_hook=look, parse_int=str, parse_float=str)
    if doubled:
        found, place = first_container(value, lambda each, _: isinstance(each, _Object) and each.twice is not None)
        raise MalformedBody(f"{_shown(place)}: the member name {shown(found.twice)} is there twice in one object")


def _reject_names(value: Any) -> None:
    name = next(bad_names([value]), None)
    if name is not None:
        _, place = first_container(value, lambda each, _: isinstance(each, dict) and name in each)
        raise MalformedBody(f"{_shown(place)}: the member name {shown(name)} {BAD_NAME}")


def _reject_inexact_numbers(text: bytes) -> None:
    if (found := find_inexact_number(text)) is not None:
        place, digits = found
        raise MalformedBody(
            f"{_shown(place)}: the number {digits[:SHOWN_LIMIT]} {why_not_exact(digits)}; send it as text"
        )
