"""A kind of resource to store, small and unlike the real ones."""

from __future__ import annotations

from typing import Any

from tmf_sales.storage.conditions import Path
from tmf_sales.storage.protocol import Storage
from tmf_sales.storage.records import Change, Index, Kind, Version


def index(*paths: Path | tuple[Path, bool]) -> Index:
    """An index on paths; a pair with True is descending."""
    return Index(tuple(each if isinstance(each[0], tuple) else (each, False) for each in paths))


TICKET = Kind(
    "ticket",
    indexes=(
        index(("name",)),
        index(("party", "id")),
        index(("state",), (("date",), True)),
        index(("size", "amount")),
    ),
    lists=frozenset({("party",), ("note",)}),
)
KINDS = (TICKET, Kind("other"))


def ticket(**members: Any) -> dict[str, Any]:
    return {"name": "printer", "state": "open", **members}


def nested(levels: int) -> dict[str, Any]:
    """A document with so many objects inside each other."""
    document: dict[str, Any] = {}
    for _ in range(levels):
        document = {"a": document}
    return document


def insert(id: str, document: dict[str, Any], *events: dict[str, Any], kind: str = "ticket") -> Change:
    return Change(kind, id, 0, (Version(1, document),), events)


def update(id: str, revision: int, document: dict[str, Any], *events: dict[str, Any]) -> Change:
    """A change of the resource that is at `revision`."""
    return Change("ticket", id, revision, (Version(revision + 1, document),), events)


def delete(id: str, revision: int, *events: dict[str, Any]) -> Change:
    return Change("ticket", id, revision, (), events)


def event(id: str, **members: Any) -> dict[str, Any]:
    return {"eventId": id, "eventType": "TicketEvent", "eventTime": "2026-01-01T00:00:00.000Z", **members}


async def fill(store: Storage, documents: dict[str, dict[str, Any]]) -> None:
    for id, document in documents.items():
        await store.commit(insert(id, document))
