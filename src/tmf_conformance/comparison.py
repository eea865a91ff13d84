"""Compares sent values with returned ones: ignores additional members, compares date-times as points in time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

# Attributes that `fields` never hides: they identify the resource and its class.
ALWAYS_THERE = {"id", "href", "@type", "@baseType", "@schemaLocation"}


def missing(sent: Any, received: Any, place: str = "") -> list[str]:
    """JSON pointers to the values that were sent and did not come back."""
    if isinstance(sent, dict) and isinstance(received, dict):
        return [
            found for name, value in sent.items() for found in missing(value, received.get(name), f"{place}/{name}")
        ]
    if isinstance(sent, list) and isinstance(received, list) and len(sent) == len(received):
        pairs = enumerate(zip(sent, received, strict=True))
        return [found for index, (ours, theirs) in pairs for found in missing(ours, theirs, f"{place}/{index}")]
    return [] if same(sent, received) else [place or "/"]


def same(sent: Any, received: Any) -> bool:
    if isinstance(sent, bool) or isinstance(received, bool):
        return sent is received
    if sent == received:
        return True
    moment = parse_date_time(sent)
    return moment is not None and moment == parse_date_time(received)


def parse_date_time(value: Any) -> datetime | None:
    """The point in time of an RFC 3339 date-time; None for anything else, a date-time without offset included."""
    if not isinstance(value, str) or len(value) < 19 or value[4:5] != "-":
        return None
    try:
        moment = datetime.fromisoformat(value.upper().replace("Z", "+00:00"))
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def value_at(document: Any, path: str) -> Any:
    """The value at a dotted path, in the first element of each array on the way."""
    for name in path.split("."):
        if isinstance(document, list):
            document = document[0] if document else None
        document = document.get(name) if isinstance(document, dict) else None
    return document


def values_at(document: Any, path: str) -> Iterator[Any]:
    """All values at a dotted path, in every element of each array on the way."""
    if isinstance(document, list):
        for element in document:
            yield from values_at(element, path)
    elif not path:
        if document is not None:
            yield document
    elif isinstance(document, dict):
        name, _, rest = path.partition(".")
        yield from values_at(document.get(name), rest)
