"""The way of events out of the documents that they were written with, into the log.

It happens right after the commit, and by a sweep after a crash; moving twice is harmless, because an event is inserted
only if its id is not there, and an outbox is cut only while its first entry is one that was moved. The entries of one
resource are inserted in their order, so whoever sees one sees those before it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from pymongo import DeleteOne, UpdateOne
from pymongo.asynchronous.collection import AsyncCollection

from tmf_sales.storage.events import BATCH_BYTES
from tmf_sales.storage.mongo.client import translated
from tmf_sales.storage.protocol import Change, StorageUnavailable

Documents = AsyncCollection[dict[str, Any]]
Resource = tuple[str, str]
WAITING = {"outbox_size": {"$gte": 0}}

BATCH = 100

log = logging.getLogger(__name__)


def outbox_entries(change: Change) -> list[dict[str, Any]]:
    """The events of `change` as they wait in the document."""
    revision = change.expected_revision + 1
    return [
        {
            "_id": event["eventId"],
            "revision": revision,
            "place": place,
            "type": event.get("eventType"),
            "text": orjson.dumps(event),
        }
        for place, event in enumerate(change.events)
    ]


def size_of(entries: Sequence[Mapping[str, Any]]) -> int:
    return sum(len(entry["text"]) for entry in entries)


class Outbox:
    """Moves the events of the resources that it is told of, in the background, a batch at a time.

    `arrived` is called when events have come into the log; `now` gives seconds since 1970.
    """

    def __init__(
        self,
        resources: Mapping[str, Documents],
        log_of_events: Documents,
        arrived: Callable[[], None],
        now: Callable[[], float],
    ) -> None:
        self._resources = resources
        self._log = log_of_events
        self._arrived = arrived
        self._now = now
        self._waiting: dict[Resource, None] = {}
        self._moving: frozenset[Resource] = frozenset()
        self._task: asyncio.Task[None] | None = None

    def wake(self, kind: str, id: str) -> None:
        """Move the events of this resource soon."""
        self._waiting[(kind, id)] = None
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())

    async def close(self) -> None:
        """Finish the batch under way; what is left is found by the next sweep."""
        self._waiting.clear()
        if self._task is not None:
            await self._task

    async def sweep(self, *, everything: bool = False) -> int:
        """Move what waits anywhere, for example after a crash; return how many events.

        `everything`: also what this process is moving already.
        """
        count = 0
        for kind, collection in self._resources.items():
            last = ""
            while True:
                with translated():
                    ids = {"_id": {"$gt": last}, **WAITING}
                    found = await collection.find(ids, {"_id": 1}, sort=[("_id", 1)], limit=BATCH).to_list()
                left = [each["_id"] for each in found if everything or not self._is_under_way(kind, each["_id"])]
                count += await self.move(kind, left) if left else 0
                if len(found) < BATCH:
                    break
                last = found[-1]["_id"]
        return count

    async def move(self, kind: str, ids: Collection[str]) -> int:
        """Move all events of these resources on; answer how many."""
        waiting = {"_id": {"$in": list(ids)}, **WAITING}
        members = {"outbox": 1, "outbox_size": 1, "deleted": 1, "born": 1}
        records: list[dict[str, Any]] = []
        count = size = 0
        with translated():
            async with self._resources[kind].find(waiting, members) as found:
                async for record in found:
                    records.append(record)
                    size += record["outbox_size"]
                    if size >= BATCH_BYTES:
                        count += await self._pass_on(kind, records)
                        records, size = [], 0
            if records:
                count += await self._pass_on(kind, records)
        return count

    async def _pass_on(self, kind: str, records: Sequence[dict[str, Any]]) -> int:
        await self._insert(kind, records)
        await _cut(self._resources[kind], records)
        return sum(len(record["outbox"]) for record in records)

    async def _insert(self, kind: str, records: Sequence[dict[str, Any]]) -> None:
        stored = datetime.fromtimestamp(self._now(), UTC)
        upserts = [_upsert(kind, record, entry, stored) for record in records for entry in record["outbox"]]
        if upserts:
            await self._log.bulk_write(upserts, ordered=True)
            self._arrived()

    async def _work(self) -> None:
        while self._waiting:
            batch = list(self._waiting)[:BATCH]
            self._moving = frozenset(batch)
            for each in batch:
                del self._waiting[each]
            try:
                for kind in {kind for kind, _ in batch}:
                    await self.move(kind, [id for of, id in batch if of == kind])
            except StorageUnavailable:
                log.warning("the events of %d resources wait for the next sweep", len(batch))
            finally:
                self._moving = frozenset()

    def _is_under_way(self, kind: str, id: str) -> bool:
        return (kind, id) in self._moving or (kind, id) in self._waiting


def _upsert(kind: str, record: dict[str, Any], entry: dict[str, Any], stored: datetime) -> UpdateOne:
    # `born`, when the resource was made (microseconds), is for an id that is used again after a deletion.
    order = f"{record['born']:016x}-{entry['revision']:012x}-{entry['place']:04x}"
    event = {
        "kind": kind,
        "resource": record["_id"],
        "revision": entry["revision"],
        "order": order,
        "place": f"{int(stored.timestamp() * 1000):012x}-{order}-{entry['_id']}",
        "stored": stored,
        "fanned": False,
        "type": entry.get("type"),  # an earlier release wrote none
        "text": entry["text"],
    }
    return UpdateOne({"_id": entry["_id"]}, {"$setOnInsert": event}, upsert=True)


async def _cut(collection: Documents, records: Sequence[dict[str, Any]]) -> None:
    """Take the moved entries out of the outboxes unless somebody else has; entries that came since stay."""
    result = await collection.bulk_write([_emptied(record) for record in records], ordered=False)
    if result.matched_count + result.deleted_count == len(records):
        return
    # Somebody pushed an entry in between, or moved these.
    pulls = [_pulled(record) for record in records if record["outbox"]]
    if pulls:
        await collection.bulk_write(pulls, ordered=False)


def _emptied(record: dict[str, Any]) -> UpdateOne | DeleteOne:
    seen = {"_id": record["_id"], "outbox_size": record["outbox_size"]}
    if record["outbox"]:
        seen["outbox.0._id"] = record["outbox"][0]["_id"]
    if record.get("deleted"):
        return DeleteOne({**seen, "deleted": True})
    return UpdateOne(seen, {"$unset": {"outbox": "", "outbox_size": ""}})


def _pulled(record: dict[str, Any]) -> UpdateOne:
    moved = [entry["_id"] for entry in record["outbox"]]
    return UpdateOne(
        {"_id": record["_id"], "outbox.0._id": moved[0]},
        {"$pull": {"outbox": {"_id": {"$in": moved}}}, "$inc": {"outbox_size": -size_of(record["outbox"])}},
    )
