"""What was sent against what came back: what the server adds is welcome, and date-times are compared as instants."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

# What `fields` never hides: they say which resource it is, and of what class.
ALWAYS_THERE = {"id", "href", "@type", "@baseType", "@schemaLocation"}


def missing(sent: Any, got: Any, place: str = "") -> list[str]:
    """Where what was sent did not come back, as JSON pointers."""
    if isinstance(sent, dict) and isinstance(got, dict):
        return [fault for name, value in sent.items() for fault in missing(value, got.get(name), f"{place}/{name}")]
    if isinstance(sent, list) and isinstance(got, list) and len(sent) == len(got):
        pairs = enumerate(zip(sent, got, strict=True))
        return [fault for at, (ours, theirs) in pairs for fault in missing(ours, theirs, f"{place}/{at}")]
    return [] if same(sent, got) else [place or "/"]


def same(sent: Any, got: Any) -> bool:
    if isinstance(sent, bool) or isinstance(got, bool):
        return sent is got
    return bool(sent == got) or (instant(sent) is not None and instant(sent) == instant(got))


def instant(value: Any) -> datetime | None:
    """The moment that a date-time text names (RFC 3339); without an offset it is none."""
    if not isinstance(value, str) or len(value) < 19 or value[4:5] != "-":
        return None
    try:
        moment = datetime.fromisoformat(value.upper().replace("Z", "+00:00"))
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def at(document: Any, path: str) -> Any:
    """The value at a dotted path, in the first element of each array on the way."""
    for name in path.split("."):
        if isinstance(document, list):
            document = document[0] if document else None
        document = document.get(name) if isinstance(document, dict) else None
    return document
