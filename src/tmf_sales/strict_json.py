"""Reads a JSON text so strictly that whatever is accepted can be stored, found and sent on unchanged.

Promise: no NaN or infinity, no duplicate names (RFC 7493, 2.3), no lone surrogates, no integer that doubles cannot hold
(RFC 7493, 2.2), no name that a document store gives a meaning to, at most 64 levels. The usual body costs two passes in
C; only a suspicious one is walked in Python.
"""

from __future__ import annotations

import json
from typing import Any

import orjson

from tmf_sales.errors import QUOTE_LIMIT, MalformedBody, quoted

DEPTH_LIMIT = 64
INTEGER_LIMIT = 2**53 - 1

_DIGITS_AS_ZERO = bytes(ord("0") if chr(code).isdecimal() else code for code in range(128)) + bytes(range(128, 256))
_MANY_DIGITS = b"0" * 20
_NO_MARKS = bytes(set(range(256)) - set(b"[{:$\\"))


def parse_strictly(text: bytes, depth_limit: int = DEPTH_LIMIT) -> Any:
    """The JSON value; raises MalformedBody with line and column, or the name and the rule that it breaks."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise MalformedBody(_place_of_error(error, text)) from None
    marks = text.translate(None, _NO_MARKS)  # what is looked for in it is found at once
    if marks.count(b"[") + marks.count(b"{") > depth_limit and _may_be_deep(value, depth_limit):
        _refuse_depth(value, depth_limit)
    try:
        written = orjson.dumps(value, option=orjson.OPT_STRICT_INTEGER)
    except orjson.JSONEncodeError:
        _refuse_large_integers(text)
        raise
    if written != text and _may_hide_duplicates(written, marks, text):
        _refuse_duplicates(text)
    if b'".' in text or (b"$" in marks and b'"$' in text) or (b"\\" in marks and b"\\u00" in text):
        _refuse_names(value)
    if _may_have_many_digits(text) and _MANY_DIGITS in text.translate(_DIGITS_AS_ZERO):
        _refuse_large_integers(text)
    return value


def _place_of_error(error: orjson.JSONDecodeError, text: bytes) -> str:
    if not text.strip():
        return "line 1, column 1: the body is empty"
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


def _refuse_depth(value: Any, limit: int) -> None:
    level, depth = [value], 0
    while level := [child for parent in level for child in _containers_in(parent)]:
        depth += 1
        if depth >= limit:
            raise MalformedBody(f"the body is nested more than {limit} levels deep")


def _containers_in(value: Any) -> list[Any]:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [child for child in children if isinstance(child, dict | list)]


def _refuse_duplicates(text: bytes) -> None:
    def refuse(pairs: list[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise MalformedBody(f"the member name {quoted(name)} is there twice in one object")
            seen.add(name)

    # Numbers are not converted: Python's own limit on digits would raise before the rule below can say it.
    json.loads(text, object_pairs_hook=refuse, parse_int=str, parse_float=str)


def _refuse_names(value: Any) -> None:
    level = [value]
    while level:
        for parent in level:
            for name in parent if isinstance(parent, dict) else ():
                if name.startswith(("$", ".")) or "\0" in name:
                    raise MalformedBody(f"the member name {quoted(name)} starts with $ or . or holds a NUL character")
        level = [child for parent in level for child in _containers_in(parent)]


def _may_have_many_digits(text: bytes) -> bool:
    """Whether 20 digits may follow each other, as in an integer that 64 bits cannot hold and that was read as a double:
    then every fifth byte is a digit, four times in a row.
    """
    return b"0000" in text[::5].translate(_DIGITS_AS_ZERO)


def _refuse_large_integers(text: bytes) -> None:
    """By how it is written: 1e30 and 1.0 are doubles anyway, and stay what they are."""

    def refuse(digits: str) -> None:
        if len(digits.removeprefix("-")) > 16 or abs(int(digits)) > INTEGER_LIMIT:
            raise MalformedBody(f"the number {digits[:QUOTE_LIMIT]} is beyond 2^53-1; send it as text")

    json.loads(text, parse_int=refuse, parse_float=str)
