"""Stores resources in MongoDB, the store that the design is made for.

Every write is one operation on one document with the revision in its filter, so it works on a standalone server, a
replica set and a sharded cluster. When commit returns, a majority has the write in its journal. The events of a write
wait in the document itself (`outbox`) until they are moved to the log; a deleted resource stays as a tombstone until
then.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pymongo
from bson import decode_all, decode_iter
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.command_cursor import AsyncRawBatchCommandCursor
from pymongo.asynchronous.cursor import AsyncRawBatchCursor

from tmf_sales.storage.conditions import Query, is_plain
from tmf_sales.storage.mongo.availability import Availability
from tmf_sales.storage.mongo.batches import Batches, Update
from tmf_sales.storage.mongo.client import check_uri, database_name, make_client, make_indexes, translated
from tmf_sales.storage.mongo.compile import ALIVE, compile_count, compile_sort, compile_sort_stages, compile_where
from tmf_sales.storage.mongo.events import COLLECTIONS, MongoEvents
from tmf_sales.storage.mongo.format import FORMAT, PREPARING_TIMEOUT, migrate
from tmf_sales.storage.mongo.kinds import collection_name, take_over_earlier_name, unknown_kinds
from tmf_sales.storage.mongo.outbox import Outbox, Seen, outbox_entries, size_of
from tmf_sales.storage.mongo.readiness import Readiness
from tmf_sales.storage.mongo.sharding import shard
from tmf_sales.storage.protocol import (
    OUTBOX_ENTRIES,
    OUTBOX_LIMIT,
    AlreadyExists,
    OutboxFull,
    RecordTooLarge,
    RevisionConflict,
    Storage,
    reject_too_large_record,
)
from tmf_sales.storage.records import Change, Document, Kind, Page, PageRows, Record, Row, Version
from tmf_sales.values.json_values import text_to_keep

PING_TIMEOUT = 0.8
"""Seconds; a probe wants its answer within one."""
DUPLICATE = 11000
CLEARINGS = 10
LOST_TOMBSTONES = {"deleted": True, "outbox_size": {"$exists": False}}
"""Tombstones that earlier releases could leave when a deletion without events met a move of events; none is needed."""
SEEN_LIMIT = 1024
"""Resources that were read and may be written soon; a worker has fewer requests at once."""

log = logging.getLogger(__name__)

Collection = AsyncCollection[dict[str, Any]]
RawCursor = AsyncRawBatchCursor[Any] | AsyncRawBatchCommandCursor[Any]  # of bytes, which pymongo's types do not know


class MongoStorage(Storage):
    """`statement_timeout` is in seconds and bounds every find, on the server and on the way to it."""

    format: int | None = FORMAT

    events: MongoEvents

    def __init__(
        self,
        uri: str,
        kinds: Sequence[Kind],
        statement_timeout: float = 2.0,
        now: Callable[[], float] = time.time,
    ) -> None:
        check_uri(uri)
        self._uri = uri
        self._kinds = {kind.name: kind for kind in kinds}
        self._statement_timeout = statement_timeout
        self._now = now
        self._seen: dict[tuple[str, str], Seen] = {}

    async def open(self) -> None:
        self._availability = Availability()
        self._client = make_client(self._uri, self._availability)
        self._availability.watch(self._client)
        self._database = self._client[database_name(self._uri)]
        self._readiness = Readiness(self._availability, self._prepare, self._write_something)
        self._resources: dict[str, Collection] = {name: self._database[collection_name(name)] for name in self._kinds}
        arrived = asyncio.Event()
        events = self._database["event"]
        self._batches = {name: Batches(each, events, self._readiness) for name, each in self._resources.items()}
        self._outbox = Outbox(self._resources, events, arrived.set, self._now)
        self.events = MongoEvents(self._database, self._outbox, arrived, self._ready, list(self._kinds), self._now)
        try:
            await self._readiness.open()
        except BaseException:
            await self._client.close()
            raise

    async def close(self) -> None:
        await self._readiness.close()
        await self._outbox.close()
        self._availability.watch(None)
        await self._client.close()

    async def ping(self) -> None:
        await self._ready()
        with translated(), pymongo.timeout(PING_TIMEOUT):
            await self._client.admin.command("ping")

    async def get(self, kind: str, id: str) -> Record | None:
        began = time.perf_counter()
        try:
            found = await self._batches[kind].read(id)
        finally:
            self.note_get(time.perf_counter() - began)
        if found is None or "document" not in found:
            return None
        self._note_seen(kind, found)
        return _stored(found)

    async def find(self, kind: str, query: Query) -> Page:
        collection = self._resources[kind]
        return await self._readiness.read(lambda: self._find(collection, query))

    async def _find(self, collection: Collection, query: Query) -> Page:
        where = compile_where(query.where)
        with pymongo.timeout(self._statement_timeout):
            found = PageRows(query)
            if query.limit:
                await self._read_page(collection, where, query, found)
            total = query.offset + len(found.rows)
            if found.is_cut or not query.is_last_page(len(found.rows)):
                bound: dict[str, Any] = {"limit": query.count_limit + 1} if query.count_limit else {}
                total = await collection.count_documents(compile_count(query.where), **bound)
        return found.page(query, total)

    async def _read_page(self, collection: Collection, where: Document, query: Query, found: PageRows) -> None:
        async with await self._cursor(collection, where, query) as batches:
            async for batch in batches:
                if query.fields is None:
                    found.read(_texts(batch), None)
                else:
                    found.extend([Row(each["_id"], _version(each)) for each in decode_all(batch)])
                if found.is_cut:
                    break

    async def _cursor(self, collection: Collection, where: Document, query: Query) -> RawCursor:
        order = compile_sort(query.sort)
        projection = _projection(query.fields)
        if order is not None:
            return collection.find_raw_batches(where, projection, sort=order, skip=query.offset, limit=query.limit)
        stages = [{"$match": where}, *compile_sort_stages(query.sort)]
        if query.offset:
            stages.append({"$skip": query.offset})
        stages += [{"$limit": query.limit}, {"$project": projection}]
        return await collection.aggregate_raw_batches(stages, allowDiskUse=True)

    async def commit(self, change: Change) -> int:
        reject_too_large_record(change.versions)
        collection = self._resources[change.kind]
        await self._ready()
        entries = _entries_that_fit(change)
        seen = self._seen.pop((change.kind, change.id), None)
        if change.expected_revision == 0:
            seen = Seen(0, await self._insert(change, entries), frozenset())
        elif change.versions:
            await self._replace(collection, change, entries)
            self._note_written(change, entries, seen)
        else:
            await self._delete(collection, change, entries)
        if entries and seen is not None and seen.revision == change.expected_revision:
            self._outbox.wake_written(change.kind, change.id, entries, seen, deleted=not change.versions)
        elif entries or not change.versions:
            self._outbox.wake(change.kind, change.id)
        return change.revision

    async def load(self, kind: str, records: Sequence[Record]) -> list[str]:
        for record in records:
            reject_too_large_record(record.versions)
        collection = self._resources[kind]
        await self._ready()
        waiting = [_loaded(record) for record in records]
        refused = await _insert_missing(collection, waiting)
        freed = [
            record for record in refused if await self._clear_tombstone(collection, Change(kind, record["_id"], 0, ()))
        ]
        refused_again = await _insert_missing(collection, freed)
        return [record["_id"] for record in refused if record not in freed or record in refused_again]

    async def unknown_kinds(self) -> Mapping[str, int]:
        await self._ready()
        with translated():
            return await unknown_kinds(self._database, self._kinds)

    async def walk(self, kind: str, after: str, limit: int) -> Sequence[Record]:
        collection = self._resources[kind]
        await self._ready()
        alive_after = {"_id": {"$gt": after}, **ALIVE}
        with translated():
            return [
                _stored(found)
                async for found in collection.find(alive_after, {"outbox": 0}, sort=[("_id", 1)], limit=limit)
            ]

    async def shard(self) -> list[str]:
        """Spread resources and events over a cluster's shards; return a line for each collection. See sharding.py."""
        await self._ready()
        return await shard(self._database, [*(each.name for each in self._resources.values()), *COLLECTIONS])

    def _note_seen(self, kind: str, found: Document) -> None:
        """Remember what a following write would otherwise read again, for the latest reads only."""
        waiting = frozenset(entry["_id"] for entry in found.get("outbox", ()))
        self._keep_seen(kind, found["_id"], Seen(found["revision"], found["born"], waiting))

    def _note_written(self, change: Change, entries: list[Document], seen: Seen | None) -> None:
        """Remember what a read would see now, because the next write of the resource may come without one.

        The outbox moves all that waited before together with these entries, so only they need be known.
        """
        if entries and seen is not None and seen.revision == change.expected_revision:
            waiting = frozenset(entry["_id"] for entry in entries)
            self._keep_seen(change.kind, change.id, Seen(change.revision, seen.born, waiting))

    def _keep_seen(self, kind: str, id: str, seen: Seen) -> None:
        self._seen[kind, id] = seen
        if len(self._seen) > SEEN_LIMIT:
            del self._seen[next(iter(self._seen))]

    async def _insert(self, change: Change, entries: list[Document]) -> int:
        """Insert the resource; return its creation time in microseconds since 1970."""
        if not change.versions:
            raise RevisionConflict(change.id)
        born = _now()
        record: dict[str, Any] = {"_id": change.id, "revision": 1, "born": born, **_content(change.versions)}
        if entries:
            record |= {"outbox": entries, "outbox_size": size_of(entries)}
        batches, size = self._batches[change.kind], _size(change, entries)
        try:
            await batches.insert(record, size)
        except AlreadyExists:
            if not await self._clear_tombstone(self._resources[change.kind], change):
                raise
            await batches.insert(record, size)
        return born

    async def _clear_tombstone(self, collection: Collection, change: Change) -> bool:
        """Move the events of a deleted resource that holds the id; return whether the id is free then.

        Another process may be half-way through moving the same events, so the check is repeated.
        """
        for _ in range(CLEARINGS):
            with translated():
                found = await collection.find_one({"_id": change.id}, {"deleted": 1})
            if found is None or not found.get("deleted"):
                return found is None
            await self._outbox.move(change.kind, [change.id])
        return False

    async def _replace(self, collection: Collection, change: Change, entries: list[Document]) -> None:
        content = _content(change.versions)
        update: dict[str, Any] = {"$set": {"revision": change.revision, **content}}
        if "others" not in content:
            update["$unset"] = {"others": ""}
        await self._update(collection, change, update, entries)

    async def _delete(self, collection: Collection, change: Change, entries: list[Document]) -> None:
        if not entries:
            record = {"_id": change.id, "revision": change.expected_revision, "outbox_size": {"$exists": False}}
            with translated():
                if (await collection.delete_one(record)).deleted_count:
                    return
        await self._update(
            collection,
            change,
            {
                "$set": {"revision": change.revision, "deleted": True},
                "$unset": {"document": "", "others": "", "changed": ""},
                "$inc": {"outbox_size": 0},  # a sweep finds the tombstone even if its last events were moved just now
            },
            entries,
        )

    async def _update(self, collection: Collection, change: Change, update: Document, entries: list[Document]) -> None:
        """Apply `update` and add the events if the revision is the expected one and the outbox has room for them."""
        record: dict[str, Any] = {
            "_id": change.id,
            "revision": change.expected_revision,
            "deleted": {"$exists": False},
        }
        if entries:
            size = size_of(entries)
            record[f"outbox.{OUTBOX_ENTRIES - len(entries)}"] = {"$exists": False}
            record["outbox_size"] = {"$not": {"$gt": OUTBOX_LIMIT - size}}
            update |= {"$push": {"outbox": {"$each": entries}}, "$inc": {"outbox_size": size}}
        batches = self._batches[change.kind]
        write = Update(record, update, entries[0]["_id"] if entries else "")
        try:
            if await batches.update(write, _size(change, entries)):
                return
            await self._reject_other_revision(collection, change)
        except RecordTooLarge:
            if not await self._outbox.move(change.kind, [change.id]):  # else it may fit without its events
                raise
        else:
            await self._outbox.move(change.kind, [change.id])
        if await batches.update_alone(write):
            return
        await self._reject_other_revision(collection, change)
        raise OutboxFull("the events of this resource must be moved on before it can change again")

    async def _reject_other_revision(self, collection: Collection, change: Change) -> None:
        with translated():
            found = await collection.find_one({"_id": change.id}, {"revision": 1, "deleted": 1})
        if found is None or found.get("deleted") or found["revision"] != change.expected_revision:
            raise RevisionConflict(change.id)

    async def _ready(self) -> None:
        await self._readiness.wait()

    async def _write_something(self) -> None:
        await self._database["setting"].update_one({"_id": "primary"}, {"$inc": {"confirmed": 1}}, upsert=True)

    async def _prepare(self) -> None:
        with translated():
            await migrate(self._database)
            with pymongo.timeout(PREPARING_TIMEOUT):
                for kind in self._kinds.values():
                    await take_over_earlier_name(self._database, kind)
                made = await asyncio.gather(
                    *(make_indexes(self._resources[name], _index_models(kind)) for name, kind in self._kinds.items()),
                    self.events.prepare(),
                )
                await asyncio.gather(*(each.delete_many(LOST_TOMBSTONES) for each in self._resources.values()))
        if any(made):
            log.warning("created %d indexes in the database %s", sum(made), self._database.name)


def _index_models(kind: Kind) -> list[pymongo.IndexModel]:
    """Return the contract's indexes, each ending in the id that breaks ties, and those of a sweep and of counting.

    Counting all resources needs an index that holds one key for each and that no update changes.
    """
    models = [pymongo.IndexModel([("outbox_size", 1)], sparse=True), pymongo.IndexModel([("deleted", 1)])]
    for index in kind.indexes:
        keys = [(f"document.{'.'.join(path)}", -1 if down else 1) for path, down in index.paths]
        models.append(pymongo.IndexModel([*keys, ("_id", 1)]))
    return models


def _now() -> int:
    """Microseconds since 1970."""
    return time.time_ns() // 1000


def _stored(found: dict[str, Any]) -> Record:
    return Record(found["_id"], found["revision"], (_version(found), *map(_version, found.get("others", ()))))


def _version(found: dict[str, Any]) -> Version:
    return Version(found["changed"], found["document"])


def _texts(batch: bytes) -> Iterator[tuple[str, int, bytes, None]]:
    """Return whole documents as text, which is what a list sends.

    Each is decoded when its turn comes: all documents of a page would not stay in the processor's cache.
    """
    for found in decode_iter(batch):
        yield found["_id"], found["changed"], text_to_keep(found["document"]), None


def _loaded(record: Record) -> dict[str, Any]:
    return {"_id": record.id, "revision": record.revision, "born": _now(), **_content(record.versions)}


async def _insert_missing(collection: Collection, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Insert each record whose id is free; return the others."""
    if not records:
        return []
    with translated():
        try:
            await collection.insert_many(records, ordered=False)
        except pymongo.errors.BulkWriteError as failure:
            refusals = failure.details["writeErrors"]
            if failure.details.get("writeConcernErrors") or any(each["code"] != DUPLICATE for each in refusals):
                raise
            return [records[each["index"]] for each in refusals]
    return []


def _content(versions: Sequence[Version]) -> dict[str, Any]:
    current, *others = versions
    content: dict[str, Any] = {"changed": current.revision, "document": current.document}
    if others:
        content["others"] = [{"changed": each.revision, "document": each.document} for each in others]
    return content


def _size(change: Change, entries: Sequence[Document]) -> int:
    """Return how many bytes the change writes, about."""
    return sum(len(version.text) for version in change.versions) + size_of(entries)


def _entries_that_fit(change: Change) -> list[dict[str, Any]]:
    """Return the events as they wait in the document. Raises OutboxFull when even an empty outbox cannot hold them."""
    entries = outbox_entries(change)
    if len(entries) > OUTBOX_ENTRIES or size_of(entries) > OUTBOX_LIMIT:
        raise OutboxFull("one write makes more events than can wait in a document")
    return entries


def _projection(fields: frozenset[str] | None) -> dict[str, Any]:
    """Return what a page reads of each record: all of the document when a projection cannot express a name."""
    if fields is None or not fields or not all(is_plain((name,)) for name in fields):
        return {"changed": 1, "document": 1}
    return {"changed": 1, **{f"document.{name}": 1 for name in sorted(fields)}}
