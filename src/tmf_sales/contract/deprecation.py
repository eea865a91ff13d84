"""Reads `x-deprecated`: an API, or an operation of it, that is going to be removed.

It stands at the root of a contract for all operations, or on one operation, where it replaces that of the root.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tmf_sales.contract.lint import Fault, Steps
from tmf_sales.values.datetimes import InvalidDateTime, canonical
from tmf_sales.values.messages import shown

DEPRECATED = "x-deprecated"
DATES, LINKS = ("since", "sunset"), ("documentation", "successor")
EXPECTED = "expected since (a date-time), and perhaps sunset (a date-time), documentation and successor (URLs)"


@dataclass(frozen=True, slots=True)
class Deprecation:
    """`since`: from when clients should leave it; `sunset`: from when it may be gone; the others are URLs."""

    since: datetime
    sunset: datetime | None = None
    documentation: str | None = None
    successor: str | None = None


def deprecation_of(document: Mapping[str, Any], operation: Mapping[str, Any]) -> Deprecation | None:
    """What a contract without faults says about one of its operations."""
    stated = operation.get(DEPRECATED, document.get(DEPRECATED))
    if stated is None:
        return None
    sunset = stated.get("sunset")
    return Deprecation(
        datetime.fromisoformat(canonical(stated["since"])),
        None if sunset is None else datetime.fromisoformat(canonical(sunset)),
        stated.get("documentation"),
        stated.get("successor"),
    )


def faults_of_deprecations(document: Mapping[str, Any]) -> Iterator[Fault]:
    """Check every `x-deprecated` of a contract."""
    yield from _faults_at((), document)
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if isinstance(operation, dict):
                yield from _faults_at(("paths", path, method), operation)


def _faults_at(place: Steps, node: Mapping[str, Any]) -> Iterator[Fault]:
    if DEPRECATED not in node:
        return
    stated, place = node[DEPRECATED], (*place, DEPRECATED)
    if not isinstance(stated, dict) or "since" not in stated or not stated.keys() <= {*DATES, *LINKS}:
        yield Fault(place, EXPECTED)
        return
    dates = dict[str, str]()
    for name, value in stated.items():
        if not isinstance(value, str) or (name in LINKS and not is_link_target(value)):
            yield Fault((*place, name), f"expected {'a date-time' if name in DATES else 'a URL'}, got {shown(value)}")
        elif name in DATES:
            try:
                dates[name] = canonical(value)
            except InvalidDateTime as error:
                yield Fault((*place, name), str(error))
    if len(dates) == len(DATES) and dates["sunset"] < dates["since"]:  # RFC 9745, 4
        yield Fault((*place, "sunset"), "expected no earlier date-time than that of since")


def is_link_target(text: str) -> bool:
    """Whether a text may stand between the < and > of a Link header."""
    return re.fullmatch(r"(/|https?://)[!#-;=?-~]*", text) is not None
