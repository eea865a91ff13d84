"""Checks that all contenders give the same responses and rejections, as a comparison of speed requires."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from http.client import HTTPConnection, HTTPResponse
from typing import Any

from scripts.benchmark.figures import FILTER, GET, LIST, PATCH, POST
from scripts.benchmark.processes import Running
from scripts.benchmark.traffic import Sent, bad_requests, sent

_DATE_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})")
OWN = {"id", "href", "quoteDate"}
OWN_IN_LIST = {*OWN, "externalId"}
"""The service orders quotes by id, which begins with the millisecond: those of one millisecond come in any order."""

PAGE = 20

Answers = Mapping[str, Any]


class Unequal(Exception):
    """Raised when two contenders respond differently, so that comparing their speed is meaningless."""


def answers_of(server: Running, ids: Sequence[str]) -> dict[str, Any]:
    """The responses to one request of each kind, and the statuses of the responses to bad requests."""
    with contextlib.closing(server.connect()) as connection:
        refusals = dict(_refusals(connection))
    return {**answers_to(server, ids, (GET, LIST, FILTER, POST, PATCH)), **refusals}


def answers_to(server: Running, ids: Sequence[str], requests: Sequence[str]) -> dict[str, Any]:
    """The responses to one request of each of these kinds."""
    with contextlib.closing(server.connect()) as connection:
        return dict(_one_of_each(connection, ids, requests))


def _one_of_each(connection: HTTPConnection, ids: Sequence[str], requests: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """The responses without the values that must differ: ids, the host, the time of creation."""
    for request in requests:
        answer = exchanged(connection, sent(request, ids)[0])
        body = json.loads(answer.read())
        counts = [answer.getheader(name) for name in ("X-Total-Count", "X-Result-Count")]
        location = answer.getheader("Location")
        if location is not None and location != body["href"]:
            raise Unequal(f"Location is {location}, href {body['href']}")
        yield (
            request,
            [_kind_of_success(answer.status), counts, comparable(body, OWN_IN_LIST if request == LIST else OWN)],
        )


def _refusals(connection: HTTPConnection) -> Iterator[tuple[str, int]]:
    for fault, request in bad_requests().items():
        answer = exchanged(connection, request)
        answer.read()
        yield fault, answer.status


def exchanged(connection: HTTPConnection, request: Sent) -> HTTPResponse:
    connection.request(
        request.method, request.path, request.body, {"Content-Type": request.type} if request.type else {}
    )
    return connection.getresponse()


def _kind_of_success(status: int) -> int:
    """Treat 206 as 200: for a part of a list the service returns 206, as TMF630 has it, the others 200."""
    return 200 if status == 206 else status


def comparable(value: Any, own: Collection[str] = ()) -> Any:
    """Replace the `own` members, which each server generates, by their names in a quote or a list of quotes."""
    if isinstance(value, list):
        return [comparable(each, own) for each in value]
    if isinstance(value, dict):
        return {name: name if name in own else comparable(inner) for name, inner in value.items()}
    if isinstance(value, str) and _DATE_TIME.fullmatch(value):
        return datetime.fromisoformat(value).timestamp()
    return value


def reject_other_pages(page: bytes) -> None:
    """Raise RuntimeError unless the page has the expected length: an empty page costs next to nothing."""
    if (length := len(json.loads(page))) != PAGE:
        raise RuntimeError(f"expected a page of {PAGE}, found {length}")


def refuse_unequal(answers: Mapping[str, Answers]) -> None:
    """Raise Unequal unless all contenders gave the same responses."""
    (first, expected), *others = answers.items()
    for name, found in others:
        for request, answer in expected.items():
            if found[request] != answer:
                place, mine, theirs = first_difference(answer, found[request])
                raise Unequal(
                    f"{request}: at {place or 'all'} {name} answers {theirs!r:.200}, but {first} {mine!r:.200}"
                )


def first_difference(one: Any, other: Any, place: str = "") -> tuple[str, Any, Any]:
    """The place where two unequal values first differ, and both values there."""
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        one, other = dict(enumerate(one)), dict(enumerate(other))
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        name = next(name for name in one if one[name] != other[name])
        return first_difference(one[name], other[name], f"{place}/{name}")
    return place, one, other
