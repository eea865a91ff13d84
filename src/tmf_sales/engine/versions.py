"""Parses and compares version numbers, and the ids in paths that name a version.

A number is digits with dots, compared part by part: "1", "1.0" and "01" are the same version, and 1.10 is above 1.9. A
path names a version as `X:(version=1.0)`, `X(Version=1.0)` or `X (version=1)`; any other text is a plain id.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tmf_sales.errors import Conflict, InvalidParameter
from tmf_sales.storage.records import Version
from tmf_sales.values.messages import shown

Number = tuple[int, ...]

PARTS_LIMIT = 64
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)*", re.ASCII)
_VERSIONED_ID = re.compile(r"(?P<id>.+?) ?:?\((?:version|Version)=(?P<version>[^()]*)\)", re.DOTALL)


def number_of(text: str) -> Number:
    """The version as a tuple without trailing zeros, so that tuples compare as versions do. Raises ValueError."""
    if not _NUMBER.fullmatch(text) or len(text) > PARTS_LIMIT:
        raise ValueError(f"{shown(text)} is not a version: expected digits with dots, like 1 or 2.1")
    parts = [int(part) for part in text.split(".")]
    while len(parts) > 1 and parts[-1] == 0:
        parts.pop()
    return tuple(parts)


def split_id(id: str) -> tuple[str, Number | None]:
    """Split an id from a path into the id and the version; raises InvalidParameter for an invalid version."""
    if not id.endswith(")") or (match := _VERSIONED_ID.fullmatch(id)) is None:
        return id, None
    try:
        return match["id"], number_of(match["version"])
    except ValueError as error:
        raise InvalidParameter(f"id: {error}") from None


def number_in(version: Version, member: str) -> Number:
    return number_of(version.document[member])


def next_after(versions: Sequence[Version], member: str) -> str:
    """The number of a new version without one: the first part of the highest number plus one.

    Raises Conflict when that would be too long for a number.
    """
    following = str(number_in(versions[0], member)[0] + 1)
    if len(following) > PARTS_LIMIT:
        highest = versions[0].document[member]
        raise Conflict(f"/{member}: no number is above {shown(highest)}; expected one that is free")
    return following


def highest_first(versions: Sequence[Version], member: str) -> tuple[Version, ...]:
    """Sort versions as a record stores them: the current one, which has the highest number, comes first."""
    return tuple(sorted(versions, key=lambda version: number_in(version, member), reverse=True))
