"""The way of events out of the documents that they were written with, into the collection of events.

It happens right after the commit, and by a sweep after a crash; moving twice is harmless, because an event is inserted
only if its id is not there, and an outbox is only cut while its first entry is the one that was moved. The entries of
one resource are inserted in their order, so whoever sees one sees those before it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from pymongo import UpdateOne
from pymongo.asynchronous.collection import AsyncCollection

from tmf_sales.storage import Change, Document, StorageUnavailable
from tmf_sales.storage.mongo_client import translated

Collection = AsyncCollection[dict[str, Any]]
Resource = tuple[str, str]

BATCH = 100

log = logging.getLogger(__name__)


def outbox_entries(change: Change) -> list[dict[str, Any]]:
    """The events of `change` as they wait in the document."""
    revision = change.expected_revision + 1
    return [
        {"_id": event["eventId"], "revision": revision, "place": place, "event": event}
        for place, event in enumerate(change.events)
    ]


def size_of(events: Sequence[Document]) -> int:
    return sum(len(orjson.dumps(event)) for event in events)


class Outbox:
    """Moves the events of the resources that it is told of, in the background, a batch at a time."""

    def __init__(self, resources: Mapping[str, Collection], events: Collection) -> None:
        self._resources = resources
        self._events = events
        self._waiting: dict[Resource, None] = {}
        self._task: asyncio.Task[None] | None = None
        self.moved = asyncio.Event()

    def wake(self, kind: str, id: str) -> None:
        """Move the events of this resource soon."""
        self._waiting[(kind, id)] = None
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())

    async def close(self) -> None:
        """Finish the batch under way; what is left is found by the next sweep."""
        if self._task is not None:
            self._waiting.clear()
            await self._task

    async def sweep(self) -> int:
        """Move what waits anywhere, for example after a crash; answer how many events."""
        count = 0
        for kind, collection in self._resources.items():
            while True:
                with translated():
                    found = await collection.find({"outbox_size": {"$gte": 0}}, {"_id": 1}).limit(BATCH).to_list()
                count += sum([await self.move(kind, each["_id"]) for each in found])
                if len(found) < BATCH:
                    break
        return count

    async def move(self, kind: str, id: str) -> int:
        """Move all events of one resource on; answer how many."""
        collection = self._resources[kind]
        with translated():
            found = await collection.find_one(
                {"_id": id, "outbox_size": {"$gte": 0}}, {"outbox": 1, "outbox_size": 1, "deleted": 1, "born": 1}
            )
            if found is None:
                return 0
            await self._insert(kind, found)
            await _cut(collection, found)
        return len(found["outbox"])

    async def _insert(self, kind: str, found: dict[str, Any]) -> None:
        now = datetime.now(UTC)
        upserts = [
            UpdateOne(
                {"_id": entry["_id"]},
                {
                    "$setOnInsert": {
                        "kind": kind,
                        "resource": found["_id"],
                        "revision": entry["revision"],
                        "order": _order(found["born"], entry),
                        "stored": now,
                        "fanned": False,
                        "event": entry["event"],
                    }
                },
                upsert=True,
            )
            for entry in found["outbox"]
        ]
        if upserts:
            await self._events.bulk_write(upserts, ordered=True)
            self.moved.set()

    async def _work(self) -> None:
        while self._waiting:
            kind, id = next(iter(self._waiting))
            del self._waiting[(kind, id)]
            try:
                await self.move(kind, id)
            except StorageUnavailable:
                log.warning("events of %s %s wait for the next sweep", kind, id)


def _order(born: int, entry: dict[str, Any]) -> str:
    """Text that sorts as the events of one resource happened.

    `born`, when the resource was made (microseconds), is for an id that is used again after a deletion.
    """
    return f"{born:016x}-{entry['revision']:012x}-{entry['place']:04x}"


async def _cut(collection: Collection, found: dict[str, Any]) -> None:
    """Take the moved entries out of the outbox unless somebody else has; entries that came since stay."""
    entries, size = found["outbox"], found["outbox_size"]
    seen = {"_id": found["_id"], "outbox_size": size, **({"outbox.0._id": entries[0]["_id"]} if entries else {})}
    if found.get("deleted"):
        await collection.delete_one({**seen, "deleted": True})
        return
    emptied = await collection.update_one(seen, {"$unset": {"outbox": "", "outbox_size": ""}})
    if emptied.matched_count or not entries:
        return
    # Between the two reads somebody pushed another entry, or moved these.
    moved = [entry["_id"] for entry in entries]
    await collection.update_one(
        {"_id": found["_id"], "outbox.0._id": moved[0]},
        {"$pull": {"outbox": {"_id": {"$in": moved}}}, "$inc": {"outbox_size": -size}},
    )
