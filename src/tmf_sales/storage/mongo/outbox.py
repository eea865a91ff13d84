"""Moves events from the documents that they were written with to the event log.

This happens right after the commit, and in a sweep after a crash. Moving twice is harmless: an event is inserted only
if the log lacks its id, and entries are removed from an outbox only while its first entry is one of those moved. The
entries of one resource are inserted in order, so a reader that sees one also sees those before it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from pymongo import DeleteOne, UpdateOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError

from tmf_sales.storage.events import AUDIT_RECORD, BATCH_BYTES
from tmf_sales.storage.mongo.client import translated
from tmf_sales.storage.protocol import StorageUnavailable
from tmf_sales.storage.records import Change

Documents = AsyncCollection[dict[str, Any]]
Resource = tuple[str, str]
Waiting = dict[str, Any]
"""A record's `_id`, `born`, `outbox`, `outbox_size` and, of a tombstone, `deleted`."""
WAITING = {"outbox_size": {"$gte": 0}}

BATCH = 100
PAUSE, LONGEST_PAUSE = 0.005, 0.1
"""Seconds between batches, so that the next one is worth its insert: twice as long as a batch takes, within these."""
MOVED_LIMIT = 1024
"""Resources whose last batch is remembered; a worker has fewer requests at once."""
DUPLICATE = 11000

log = logging.getLogger(__name__)


def outbox_entries(change: Change) -> list[dict[str, Any]]:
    """Return the events of `change` as they wait in the document."""
    return [
        {
            "_id": event["eventId"],
            "revision": revision,
            "place": place,
            "type": event.get("eventType"),
            "text": orjson.dumps(event),
        }
        for place, (revision, event) in enumerate(change.all_events())
    ]


def size_of(entries: Sequence[Mapping[str, Any]]) -> int:
    return sum(len(entry["text"]) for entry in entries)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a read saw of a record: the events that waited in it. None are added while it has this revision."""

    revision: int
    born: int
    waiting: frozenset[str]


class Outbox:
    """Moves the events of woken resources in the background: one insert and one cleanup for all that wait.

    Events that this process has written are not read again, unless another process's events wait before them. `arrived`
    is called when events were added to the log; `now` gives seconds since 1970.
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
        self._waiting: dict[Resource, Waiting | None] = {}
        self._moving: Mapping[Resource, Waiting | None] = {}
        self._moved: dict[Resource, frozenset[str]] = {}
        self._task: asyncio.Task[None] | None = None

    def wake(self, kind: str, id: str) -> None:
        """Move the events of this resource soon."""
        self._wake((kind, id), None)

    def wake_written(self, kind: str, id: str, entries: list[dict[str, Any]], seen: Seen, *, deleted: bool) -> None:
        """Move these entries soon; they were just added to the record that `seen` describes."""
        resource = (kind, id)
        must_read = resource in self._waiting and self._waiting[resource] is None
        if must_read or not seen.waiting <= self._ids_of(resource):
            self._wake(resource, None)
            return
        before = self._waiting.get(resource)
        entries = [*before["outbox"], *entries] if before else entries
        record = {"_id": id, "born": seen.born, "outbox": entries, "outbox_size": size_of(entries)}
        self._wake(resource, {**record, "deleted": True} if deleted else record)

    async def close(self) -> None:
        """Finish the batch in progress; the next sweep finds the rest."""
        self._waiting.clear()
        if self._task is not None:
            await self._task

    async def sweep(self, *, everything: bool = False) -> int:
        """Move the events of all resources, for example after a crash; return how many.

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
        """Move all events of these resources to the log; return how many."""
        waiting = {"_id": {"$in": list(ids)}, **WAITING}
        members = {"outbox": 1, "outbox_size": 1, "deleted": 1, "born": 1}
        records: list[dict[str, Any]] = []
        count = size = 0
        with translated():
            async with self._resources[kind].find(waiting, members) as found:
                async for record in found:
                    record.setdefault("outbox", [])  # a tombstone whose events were moved before it was written
                    records.append(record)
                    size += record["outbox_size"]
                    if size >= BATCH_BYTES:
                        count += await self._pass_on(kind, records)
                        records, size = [], 0
            if records:
                count += await self._pass_on(kind, records)
        return count

    async def _pass_on(self, kind: str, records: Sequence[Waiting]) -> int:
        await self._insert(kind, records)
        if await _cut(self._resources[kind], records, {id for of, id in self._waiting if of == kind}):
            self._note_moved(kind, records)
        return sum(len(record["outbox"]) for record in records)

    def _note_moved(self, kind: str, records: Sequence[Waiting]) -> None:
        """Remember the last events moved of each resource: who read them before they left need not read again."""
        for record in records:
            self._moved.pop((kind, record["_id"]), None)
            self._moved[kind, record["_id"]] = frozenset(entry["_id"] for entry in record["outbox"])
        while len(self._moved) > MOVED_LIMIT:
            del self._moved[next(iter(self._moved))]

    async def _insert(self, kind: str, records: Sequence[Waiting]) -> None:
        """Insert the events in order; those that are in the log already stay as they are.

        Another process may insert the first events of a resource, with a later time than this one read before. So what
        follows a known event gets its time anew, and is placed after it.
        """
        waiting = [(record, entry) for record in records for entry in record["outbox"]]
        if not waiting:
            return
        while waiting:
            stored = datetime.fromtimestamp(self._now(), UTC)
            try:
                await self._log.insert_many([_event(kind, *each, stored) for each in waiting], ordered=True)
            except BulkWriteError as failure:
                waiting = waiting[_place_of_duplicate(failure) + 1 :]
            else:
                break
        self._arrived()

    def _wake(self, resource: Resource, record: Waiting | None) -> None:
        self._waiting[resource] = record
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())

    async def _work(self) -> None:
        while self._waiting:
            batch = {each: self._waiting.pop(each) for each in list(self._waiting)[:BATCH]}
            self._moving = batch
            started = time.monotonic()
            try:
                for kind in {kind for kind, _ in batch}:
                    await self._move_batch(kind, {id: record for (of, id), record in batch.items() if of == kind})
            except StorageUnavailable:
                log.warning("the events of %d resources wait for the next sweep", len(batch))
                # They wait in the documents before the newer events, so read those documents again.
                self._waiting |= dict.fromkeys(batch.keys() & self._waiting.keys())
            finally:
                self._moving = {}
            if self._waiting:
                await asyncio.sleep(min(max(PAUSE, 2 * (time.monotonic() - started)), LONGEST_PAUSE))

    async def _move_batch(self, kind: str, batch: Mapping[str, Waiting | None]) -> None:
        if unknown := [id for id, record in batch.items() if record is None]:
            await self.move(kind, unknown)
        with translated():
            for records in _in_pieces([record for record in batch.values() if record is not None]):
                await self._pass_on(kind, records)

    def _ids_of(self, resource: Resource) -> set[str]:
        """Return the ids of the resource's events that this process is about to move, or has moved last."""
        known = (self._moving.get(resource), self._waiting.get(resource))
        ids = {entry["_id"] for record in known if record is not None for entry in record["outbox"]}
        return ids | self._moved.get(resource, frozenset())

    def _is_under_way(self, kind: str, id: str) -> bool:
        return (kind, id) in self._moving or (kind, id) in self._waiting


def _in_pieces(records: Sequence[Waiting]) -> Iterator[list[Waiting]]:
    piece: list[Waiting] = []
    size = 0
    for record in records:
        piece.append(record)
        size += record["outbox_size"]
        if size >= BATCH_BYTES:
            yield piece
            piece, size = [], 0
    if piece:
        yield piece


def _event(kind: str, record: Waiting, entry: dict[str, Any], stored: datetime) -> dict[str, Any]:
    # `born`, the creation time in microseconds, keeps the order when an id is used again after a deletion.
    order = f"{record['born']:016x}-{entry['revision']:012x}-{entry['place']:04x}"
    return {
        "_id": entry["_id"],
        "kind": kind,
        "resource": record["_id"],
        "revision": entry["revision"],
        "order": order,
        "place": f"{int(stored.timestamp() * 1000):012x}-{order}-{entry['_id']}",
        "stored": stored,
        "fanned": None if entry.get("type") == AUDIT_RECORD else False,  # audit records are never fanned out
        "type": entry.get("type"),  # earlier releases wrote none
        "text": entry["text"],
    }


def _place_of_duplicate(failure: BulkWriteError) -> int:
    """Return where an ordered insert found a taken id. Raises the failure when it has another cause."""
    first = next(iter(failure.details["writeErrors"]), None)
    if first is None or first["code"] != DUPLICATE or failure.details.get("writeConcernErrors"):
        raise failure
    return int(first["index"])


async def _cut(collection: Documents, records: Sequence[Waiting], grown: Collection[str] = ()) -> bool:
    """Remove the moved entries from the outboxes; newer entries stay. Return False if another process removed some.

    `grown`: the ids of resources to whose outbox this process has added entries since.
    """
    changes = [_pulled(each) if each["_id"] in grown and each["outbox"] else _emptied(each) for each in records]
    result = await collection.bulk_write(changes, ordered=False)
    left = len(records) - result.matched_count - result.deleted_count
    if not left:
        return True
    # An entry was added in between, or another process moved these.
    pulls = [_pulled(record) for record in records if record["outbox"]]
    return bool(pulls) and (await collection.bulk_write(pulls, ordered=False)).matched_count == left


def _emptied(record: dict[str, Any]) -> UpdateOne | DeleteOne:
    seen = {"_id": record["_id"], "outbox_size": record["outbox_size"]}
    if record["outbox"]:
        seen["outbox.0._id"] = record["outbox"][0]["_id"]
    if record.get("deleted"):
        return DeleteOne({**seen, "deleted": True})
    # A tombstone keeps the members by which a sweep finds it.
    return UpdateOne({**seen, "deleted": {"$exists": False}}, {"$unset": {"outbox": "", "outbox_size": ""}})


def _pulled(record: dict[str, Any]) -> UpdateOne:
    moved = [entry["_id"] for entry in record["outbox"]]
    return UpdateOne(
        {"_id": record["_id"], "outbox.0._id": moved[0]},
        {"$pull": {"outbox": {"_id": {"$in": moved}}}, "$inc": {"outbox_size": -size_of(record["outbox"])}},
    )
