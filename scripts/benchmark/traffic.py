"""The requests that every contender gets: the kinds that are timed, and bad ones that all must reject."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scripts.benchmark.contenders.packages import ROOT
from scripts.benchmark.contenders.schemas import BASE_PATH
from scripts.benchmark.figures import FILTER, GET, JSON_PATCH, LIST, POST

STORED = 500
PER_EXTERNAL_ID = 20
PATCHED = 50
QUOTES = f"{BASE_PATH}/quote"
FIELDS = "state,category,externalId,quoteDate"
JSON, MERGE_PATCH = "application/json", "application/merge-patch+json"
OPERATIONS = "application/json-patch+json"
SAMPLE: dict[str, Any] = json.loads((ROOT / "tests/samples/tmf648-create-request.json").read_text())


@dataclass(frozen=True, slots=True)
class Sent:
    """One request; without a media type it has no body."""

    method: str
    path: str
    type: str = ""
    body: bytes = b""

    def text(self, port: int) -> bytes:
        head = f"{self.method} {self.path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        if self.type:
            head += f"Content-Type: {self.type}\r\nContent-Length: {len(self.body)}\r\n"
        return head.encode() + b"\r\n" + self.body


def creation(**changes: Any) -> Sent:
    """The creation of the specification's example, with these members replaced."""
    return Sent("POST", QUOTES, JSON, json.dumps({**SAMPLE, **changes}).encode())


def creations(count: int = STORED) -> list[Sent]:
    """The creations that fill the store before the reads."""
    return [creation(externalId=f"order-{number % (count // PER_EXTERNAL_ID)}") for number in range(count)]


def sent(request: str, ids: Sequence[str]) -> list[Sent]:
    """The requests of one kind, to be sent in turn."""
    if request == GET:
        return [Sent("GET", f"{QUOTES}/{id}") for id in ids]
    if request == LIST:
        return [Sent("GET", f"{QUOTES}?limit=20")]
    if request == FILTER:
        return [Sent("GET", f"{QUOTES}?externalId=order-7&limit=20&fields={FIELDS}")]
    if request == POST:
        return [creation()]
    # They are sent in turn and repeated, so that each one changes something.
    return [_patch(request, id, f"offer {number}") for number in range(2) for id in ids[:PATCHED]]


def _patch(request: str, id: str, description: str) -> Sent:
    if request == JSON_PATCH:
        operations = [{"op": "replace", "path": "/description", "value": description}]
        return Sent("PATCH", f"{QUOTES}/{id}", OPERATIONS, json.dumps(operations).encode())
    return Sent("PATCH", f"{QUOTES}/{id}", MERGE_PATCH, json.dumps({"description": description}).encode())


def bad_requests() -> dict[str, Sent]:
    """Requests that violate the contract, by their fault; each one gets 400."""
    first, *others = SAMPLE["quoteItem"]
    return {
        "a member that may not be sent": creation(href="http://127.0.0.1/quote/1"),
        "a text against its pattern": creation(version="abc"),
        "a number as text": creation(quoteItem=[{**first, "quantity": "2"}, *others]),
        "an item in a state": creation(quoteItem=[{**first, "state": "approved"}, *others]),
        "a list that is too short": creation(quoteItem=[]),
        "a limit below its bound": Sent("GET", f"{QUOTES}?limit=-1"),
        "a body that is no JSON": Sent("POST", QUOTES, JSON, b"{"),
    }
