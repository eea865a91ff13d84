"""Reads what a client accepts: the Accept and Accept-Encoding headers (RFC 9110, 12.5)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, MutableMapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from tmf_sales.errors import NotAcceptable
from tmf_sales.http.fields import fields_of

Headers = Iterable[tuple[bytes, bytes]]

PROBLEM = "application/problem+json"
# The most specific first.
JSON_RANGES = ("application/json", "application/*", "*/*")
KNOWN_HEADERS = 256


def accepted(headers: Headers, name: bytes = b"accept") -> bytes:
    """The value of a header that may be repeated."""
    return b",".join(value for header, value in headers if header == name)


@lru_cache(maxsize=KNOWN_HEADERS)
def weights(accept: bytes) -> Mapping[str, float]:
    """The weight of each range of an Accept or Accept-Encoding header; an invalid weight counts as none."""
    found: dict[str, float] = {}
    for entry in accept.decode("latin-1").lower().split(","):
        media, *parameters = (part.strip() for part in entry.split(";"))
        text = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        found[media] = float(text) if re.fullmatch(r"[01](\.[0-9]{0,3})?", text) else 1.0
    return MappingProxyType(found)


def quality(named: Mapping[str, float], ranges: Iterable[str]) -> float:
    """The weight of the first range that the header names; 0 when it names none."""
    return next((named[media] for media in ranges if media in named), 0.0)


def prefers_stream(headers: Headers) -> bool:
    """Whether Accept names text/event-stream with a higher weight than JSON."""
    named = weights(accepted(headers))
    return quality(named, ("text/event-stream",)) > quality(named, JSON_RANGES)


def prefers_problem(headers: Headers) -> bool:
    """Whether errors are wanted as application/problem+json (RFC 9457).

    Accept must name it, with a higher weight than application/json: clients that list both alike know the TMF Error.
    """
    accept = accepted(headers)
    if b"problem" not in accept.lower():
        return False
    named = weights(accept)
    return named.get(PROBLEM, 0.0) > named.get("application/json", 0.0)


def reject_other_than_json(scope: MutableMapping[str, Any]) -> None:
    """RFC 9110, 12.5.1: the most specific range decides, weight 0 excludes; a missing Accept accepts everything.

    A client that only names application/problem+json has said how it wants errors, so its request is served.
    """
    accept = fields_of(scope).get(b"accept", b"")
    if accept in (b"", b"*/*", b"application/json"):
        return
    named = weights(accept)
    if not quality(named, JSON_RANGES if "application/json" in named else (PROBLEM, *JSON_RANGES)):
        raise NotAcceptable("Accept: expected application/json or a range that holds it")
