"""Reads some members of a JSON object without parsing all of it: parsing costs more than all other work on a list."""

from __future__ import annotations

from typing import Any

import orjson


def read_members(text: bytes, names: frozenset[str]) -> dict[str, Any]:
    """Return the object, or a part of it with every member that has one of these names.

    `text`: an object as orjson writes it. Parses what comes before its first inner object and what comes after its last
    one; parses all of it when a name may be between them.
    """
    try:
        found = _members_before(text, text.find(b"{", 1)) | _members_after(text, text.rfind(b"}", 0, -1))
    except orjson.JSONDecodeError:
        return orjson.loads(text)  # type: ignore[no-any-return]
    for name in names.difference(found):
        if orjson.dumps(name) + b":" in text:
            return orjson.loads(text)  # type: ignore[no-any-return]
    return found


def _members_before(text: bytes, brace: int) -> dict[str, Any]:
    """Return members that end before the first inner brace.

    A text that is cut before a comma and closed is valid only if the comma is between two members of the object itself.
    """
    cut = text.rfind(b',"', 0, brace) if brace > 0 else 0
    return orjson.loads(text[:cut] + b"}") if cut > 0 else {}


def _members_after(text: bytes, brace: int) -> dict[str, Any]:
    """Return members that begin after the last inner brace.

    What follows a comma is valid only if the comma is between two members of the object itself: inside a string, an odd
    number of quotation marks would follow, and inside a list, an element without a name.
    """
    cut = text.find(b',"', brace) if brace > 0 else 0
    return orjson.loads(b"{" + text[cut + 1 :]) if cut > 0 else {}
