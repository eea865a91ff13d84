"""Reads and writes the records of one kind; what arrives at the same time goes to the server in one command.

A command costs the driver more processor time than the record in it. Each caller gets the result of its own record: a
write that its batch did not make, for whatever reason, is made again alone, and its error comes from there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pymongo import InsertOne, ReadPreference, UpdateOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError, OperationFailure
from pymongo.read_concern import ReadConcern

from tmf_sales.storage.grouped import Gathered
from tmf_sales.storage.mongo.client import TOO_DEEP, UNENCODABLE, reject_unconfirmed, translated
from tmf_sales.storage.mongo.readiness import Readiness
from tmf_sales.storage.records import Document

Collection = AsyncCollection[dict[str, Any]]

MOST = 32
LARGE = 64 * 1024
"""Bytes. A larger write goes alone: a batch then fits into one message, which is encoded before any of it is sent."""
AS_WRITTEN: dict[str, Any] = {"read_preference": ReadPreference.PRIMARY, "read_concern": ReadConcern("local")}
"""Options of a read that sees every write which the primary has answered, whatever the store's URL says."""
WITHOUT_EVENTS = {"outbox.text": 0, "outbox.type": 0, "outbox.revision": 0, "outbox.place": 0}


class Update(NamedTuple):
    """An update of the record that `where` describes. `event`: the id of an event that it adds, or empty."""

    where: Document
    change: Document
    event: str


class Batches:
    """Batches for one collection. `events` is the log, to which the events of a record are moved."""

    def __init__(self, collection: Collection, events: Collection, readiness: Readiness) -> None:
        self._collection = collection
        self._as_written = collection.with_options(**AS_WRITTEN), events.with_options(**AS_WRITTEN)
        self._readiness = readiness
        self._reads: Gathered[str, Document | None] = Gathered(self._read, MOST)
        self._inserts: Gathered[Document, bool] = Gathered(self._insert, MOST)
        self._updates: Gathered[Update, bool | None] = Gathered(self._update, MOST)

    async def read(self, id: str) -> Document | None:
        """Return the record with only the ids of its events. Raises StorageUnavailable."""
        return await self._reads.done(id)

    async def insert(self, record: Document, size: int) -> None:
        """Insert the record, of about `size` bytes. Raises AlreadyExists, and the other errors of `translated`."""
        if size > LARGE or not await self._inserts.done(record):
            await self._insert_alone(record)

    async def update(self, update: Update, size: int) -> bool:
        """Update the record by about `size` bytes; return False when it is not as expected. Raises as `insert` does."""
        made = await self._updates.done(update) if update.event and size <= LARGE else None
        return await self.update_alone(update) if made is None else made

    async def update_alone(self, update: Update) -> bool:
        """Do what `update` does by a command of its own."""
        with translated():
            return bool((await self._collection.update_one(update.where, update.change)).matched_count)

    async def _insert_alone(self, record: Document) -> None:
        with translated():
            await self._collection.insert_one(record)

    async def _read(self, ids: Sequence[str]) -> Sequence[Document | None]:
        return await self._readiness.read(lambda: self._find(ids))

    async def _find(self, ids: Sequence[str]) -> Sequence[Document | None]:
        if len(ids) == 1:
            return [await self._collection.find_one({"_id": ids[0]}, WITHOUT_EVENTS)]
        found = self._collection.find({"_id": {"$in": list(set(ids))}}, WITHOUT_EVENTS)
        records = {each["_id"]: each for each in await found.to_list()}
        return [records.get(id) for id in ids]

    async def _insert(self, records: Sequence[Document]) -> Sequence[bool]:
        """Return for each record whether it was inserted."""
        if len(records) == 1:
            await self._insert_alone(records[0])
            return [True]
        result = await self._send([InsertOne(each) for each in records])
        if result is None:
            return [False] * len(records)
        failed = {each["index"] for each in result["writeErrors"]}
        return [place not in failed for place in range(len(records))]

    async def _update(self, updates: Sequence[Update]) -> Sequence[bool | None]:
        """Return for each update whether the record was as expected; None for one of several that was not made."""
        if len(updates) == 1:
            return [await self.update_alone(updates[0])]
        result = await self._send([UpdateOne(*each[:2]) for each in updates])
        if result is None:
            return [None] * len(updates)
        if result["nMatched"] == len(updates):
            return [True] * len(updates)
        added = await self._readiness.read(lambda: self._added_events(updates))
        return [True if each.event in added else None for each in updates]

    async def _send(self, operations: Sequence[InsertOne[Document] | UpdateOne]) -> Mapping[str, Any] | None:
        """Return the server's result; None if it executed nothing. Raises StorageUnavailable when that is unknown."""
        with translated():
            try:
                return (await self._collection.bulk_write(operations, ordered=False)).bulk_api_result
            except UNENCODABLE:
                return None
            except BulkWriteError as failure:
                reject_unconfirmed(failure)
                return failure.details
            except OperationFailure as failure:
                if failure.code != TOO_DEEP:
                    raise
                return None

    async def _added_events(self, updates: Sequence[Update]) -> set[str]:
        """Return which of the updates' events are stored. An event goes to the log before it leaves its record.

        An update that a read does not show yet would be made twice.
        """
        records, log = self._as_written
        found = records.find({"_id": {"$in": [each.where["_id"] for each in updates]}}, {"outbox._id": 1})
        waiting = {entry["_id"] for record in await found.to_list() for entry in record.get("outbox", ())}
        others = [each.event for each in updates if each.event not in waiting]
        moved = await log.find({"_id": {"$in": others}}, {"_id": 1}).to_list()
        return waiting | {each["_id"] for each in moved}
