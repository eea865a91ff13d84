"""Stores quotes in a dictionary, for all contenders in Python, so that they give the same responses.

It has the contract's defaults that the sample needs, href, pages and merge patches, and nothing else: no ETag, no
lifecycle, no events, no durability. Pages are in the order of creation, which costs a dictionary nothing.
"""

from __future__ import annotations

import contextlib
import gc
import itertools
import json
import os
import uuid
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

BASE_PATH = "/tmf-api/quoteManagement/v4"
URL = f"http://127.0.0.1:{os.environ.get('BENCH_PORT', '0')}{BASE_PATH}/quote"
SCHEMAS = Path(os.environ.get("BENCH_SCHEMAS", "build/bench/schemas"))

Document = dict[str, Any]


def schema(name: str) -> Document:
    """Read one of the schemas that the benchmark wrote from the contract."""
    found: Document = json.loads((SCHEMAS / f"{name}.json").read_bytes())
    return found


@contextlib.asynccontextmanager
async def lifespan(_: Any) -> AsyncIterator[None]:
    """Exclude the objects made at start from garbage collection, as the service does, so that it slows down nobody."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    yield


class Quotes:
    def __init__(self) -> None:
        self._stored: dict[str, Document] = {}

    def create(self, body: Document) -> Document:
        id = str(uuid.uuid4())
        quote = {"id": id, "href": f"{URL}/{id}", **body}
        if "requestedQuoteCompletionDate" in body:
            quote.setdefault("expectedQuoteCompletionDate", body["requestedQuoteCompletionDate"])
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        for name, default in (("quoteDate", now), ("state", "inProgress"), ("version", "1")):
            quote.setdefault(name, default)
        for item in quote.get("quoteItem", ()):
            item.setdefault("state", "inProgress")
        self._stored[id] = quote
        return quote

    def get(self, id: str) -> Document:
        """Return the quote; raise KeyError."""
        return self._stored[id]

    def merged(self, id: str, patch: Document) -> Document:
        """A patched copy, which `replace` stores; raises KeyError."""
        merged: Document = merge(self._stored[id], patch)
        return merged

    def replace(self, quote: Document) -> None:
        self._stored[quote["id"]] = quote

    def page(self, limit: int) -> tuple[list[Document], int]:
        return list(itertools.islice(self._stored.values(), limit)), len(self._stored)

    def find(self, external_id: str, limit: int, fields: Iterable[str]) -> tuple[list[Document], int]:
        """A page of the quotes with this external id, with selected members only, and the total number."""
        names = ["id", "href", *fields]
        found = [quote for quote in self._stored.values() if quote.get("externalId") == external_id]
        return [{name: quote[name] for name in names if name in quote} for quote in found[:limit]], len(found)


def merge(target: Any, patch: Any) -> Any:
    """Apply a merge patch (RFC 7386); change neither argument."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge(merged.get(name), value)
    return merged
