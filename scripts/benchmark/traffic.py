"""The requests that every contender gets: the kinds that are timed, and bad ones that all must reject."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from scripts.benchmark.contenders.packages import ROOT
from scripts.benchmark.contenders.schemas import BASE_PATH
from scripts.benchmark.figures import (
    FILTER,
    GET,
    GET_100,
    JSON_PATCH,
    JSONPATH,
    LIST,
    PATCH_ONE,
    POST,
    POST_16_KB,
    POST_100,
    SORTED,
)

STORED = 500
PER_EXTERNAL_ID = 20
PATCHED = 50
TEXTS_OF_ONE = 40
"""More than there are connections, as the requests of several may be served in any order."""
NOTES = 14
KB = 1024
QUOTES = f"{BASE_PATH}/quote"
FIELDS = "state,category,externalId,quoteDate"
ADDING = "quoteItem[?(@.action=='add')]"
LISTS = {
    LIST: "limit=20",
    FILTER: f"externalId=order-7&limit=20&fields={FIELDS}",
    SORTED: "sort=-quoteDate&limit=20",
    JSONPATH: f"filter={quote(ADDING)}&limit=20",
}
"""The query of each kind of list."""
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


def creation_of_items(count: int) -> Sent:
    """The creation of a quote whose items are all like the first one of the example."""
    first, *_ = SAMPLE["quoteItem"]
    return creation(quoteItem=[{**first, "id": str(number + 1)} for number in range(count)])


def creation_of_16_kb() -> Sent:
    """The creation of the example with NOTES notes, whose texts make the body 16 KB long."""
    [note] = SAMPLE["note"]

    def with_texts(length: int) -> Sent:
        text = (note["text"] + ". ") * (length // len(note["text"]) + 1)
        return creation(note=[{**note, "id": str(number + 1), "text": text[:length]} for number in range(NOTES)])

    return with_texts((16 * KB - len(with_texts(0).body)) // NOTES)


def creations(count: int = STORED) -> list[Sent]:
    """The creations that fill the store before the reads."""
    return [creation(externalId=f"order-{number % (count // PER_EXTERNAL_ID)}") for number in range(count)]


_CREATIONS: Mapping[str, Callable[[], Sent]] = {
    POST: creation,
    POST_16_KB: creation_of_16_kb,
    POST_100: lambda: creation_of_items(100),
}


def sent(request: str, ids: Sequence[str], first: int = 0) -> list[Sent]:
    """The requests of one kind, to be sent in turn. `first`: the number of the first text of patches.

    Patches are repeated with several texts, so that each one changes something. Those that follow patches of the same
    documents must begin with another number: a patch that changes nothing costs less.
    """
    if request in (GET, GET_100):
        return [Sent("GET", f"{QUOTES}/{id}") for id in ids]
    if request in LISTS:
        return [Sent("GET", f"{QUOTES}?{LISTS[request]}")]
    if request in _CREATIONS:
        return [_CREATIONS[request]()]
    documents, texts = (1, TEXTS_OF_ONE) if request == PATCH_ONE else (PATCHED, 2)
    return [_patch(request, id, f"offer {first + number}") for number in range(texts) for id in ids[:documents]]


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
