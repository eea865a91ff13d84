"""Keeps the event log and delivery queues in MongoDB; each step is one operation on one document.

Two workers that fan out the same event at the same time do the same to its queues; at worst it is delivered twice.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from pymongo import IndexModel, ReturnDocument, UpdateOne, WriteConcern
from pymongo.asynchronous.database import AsyncDatabase

from tmf_sales.storage.events import (
    BATCH_BYTES,
    AttemptRecord,
    Backlog,
    DeliveryQueue,
    EventStore,
    FanOut,
    QueueKey,
    Step,
    StoredEvent,
    is_of_type,
)
from tmf_sales.storage.mongo.client import make_indexes, translated
from tmf_sales.storage.mongo.outbox import Outbox

COLLECTIONS = ("event", "lane", "attempt")
KEPT = {"expires": {"$exists": False}}
FREE = {"owner": None, "until": 0.0}
EXPIRE_BATCH = 1000
QUEUES_COUNTED = 10_000
"""Of so many queues the events are counted; each further one counts as one event, which it has at least."""
RESOURCES_AT_ONCE = 100
SETTLED_AFTER = 1.0
"""After so many seconds no process inserts events with an earlier place any more."""
EVENT_INDEXES = [
    IndexModel([("order", 1)], partialFilterExpression={"fanned": False}, name="unfanned"),
    IndexModel([("kind", 1), ("resource", 1), ("order", 1)], name="resource"),
    IndexModel([("place", 1)], name="place"),
    IndexModel([("fanned", 1), ("place", 1)], name="done"),
    # The server removes the events that expire() has marked, in its own time.
    IndexModel([("expires", 1)], expireAfterSeconds=0, name="expires"),
]
LANE_INDEXES = [IndexModel([("listener", 1), ("due", 1)], name="due")]
ATTEMPT_INDEXES = [
    IndexModel([("at", 1)], name="at"),
    IndexModel([("listener", 1), ("at", 1)], name="listener"),
]


class MongoEvents(EventStore):
    """`ready` raises StorageUnavailable when the server cannot be reached; `now` gives seconds since 1970.

    `kinds`: only their events are delivered.
    """

    def __init__(
        self,
        database: AsyncDatabase[dict[str, Any]],
        outbox: Outbox,
        arrived: asyncio.Event,
        ready: Callable[[], Any],
        kinds: Sequence[str],
        now: Callable[[], float] = time.time,
    ) -> None:
        self.arrived = arrived
        self._of_known_kind = {"kind": {"$in": list(kinds)}}
        self._outbox = outbox
        self._ready = ready
        self._now = now
        self._events, self._lanes, self._attempts = (database[name] for name in COLLECTIONS)
        # The step that follows waits for a majority, which then has the attempts, too: they are earlier in the oplog.
        self._new_attempts = self._attempts.with_options(write_concern=WriteConcern(w=1))

    async def prepare(self) -> int:
        """Create the indexes that are missing; return how many."""
        made = await asyncio.gather(
            make_indexes(self._events, EVENT_INDEXES),
            make_indexes(self._lanes, LANE_INDEXES),
            make_indexes(self._attempts, ATTEMPT_INDEXES),
        )
        return sum(made)

    async def not_fanned_out(self, limit: int, size: int = BATCH_BYTES) -> list[StoredEvent]:
        return await self._batch({"fanned": False, **self._of_known_kind}, limit, size)

    async def sweep(self, *, everything: bool = False) -> int:
        await self._ready()
        return await self._outbox.sweep(everything=everything)

    async def start_now(self, subscription: str) -> None:
        # There is no order of all writes, so the existing events are marked, once all of them are in the log.
        await self._ready()
        await self._outbox.sweep(everything=True)
        with translated():
            await self._lanes.delete_many({"listener": subscription})
            await self._events.update_many({"fanned": False}, {"$addToSet": {"earlier_than": subscription}})

    async def fan_out(self, fans: Sequence[FanOut], owner: str, until: float, now: float) -> list[DeliveryQueue]:
        await self._ready()
        with translated():
            unfanned = {"_id": {"$in": [fan.event.id for fan in fans]}, "fanned": False}
            if not any(fan.subscriptions for fan in fans):
                await self._events.update_many(unfanned, {"$set": {"fanned": True}})
                return []
            found = await self._events.find(unfanned, {"earlier_than": 1}).to_list()
            new = {each["_id"]: each.get("earlier_than", ()) for each in found}
            upserts: list[UpdateOne] = []
            for fan in fans:
                for subscription in fan.subscriptions if fan.event.id in new else ():
                    if subscription in new[fan.event.id]:
                        continue
                    key = QueueKey(subscription, fan.event.kind, fan.event.resource)
                    lease = {"owner": owner, "until": until} if subscription in fan.leased else FREE
                    upserts.append(_extended(key, fan.event.order, now, lease))
            made: set[str] = set()
            if upserts:
                made = set((await self._lanes.bulk_write(upserts, ordered=True)).upserted_ids.values())  # type: ignore[union-attr]
            await self._events.update_many({"_id": {"$in": list(new)}}, {"$set": {"fanned": True}})
            if not made:
                return []
            deliveries = await self._lanes.find({"_id": {"$in": list(made)}, "owner": owner}).to_list()
        return [_delivery_queue(delivery) for delivery in deliveries]

    async def claim(self, owner: str, until: float, now: float, room: Mapping[str, int]) -> list[DeliveryQueue]:
        await self._ready()
        is_due = {"due": {"$lte": now}, "until": {"$lte": now}, **self._of_known_kind}
        with translated():
            stages: list[dict[str, Any]] = [
                {"$match": {"listener": {"$in": list(room)}, **is_due}},
                {"$group": {"_id": "$listener"}},
            ]
            ids: list[str] = []
            for subscription in [each["_id"] for each in await (await self._lanes.aggregate(stages)).to_list()]:
                due = self._lanes.find({"listener": subscription, **is_due}, {"_id": 1}, sort=[("due", 1)])
                ids += [each["_id"] for each in await due.limit(room[subscription]).to_list()]
            if not ids:
                return []
            # Each queue goes to the worker whose mark it has: the first of several to write one.
            mark = uuid.uuid4().hex
            lease = {"owner": owner, "until": until, "mark": mark}
            await self._lanes.update_many({"_id": {"$in": ids}, **is_due}, {"$set": lease})
            claimed = await self._lanes.find({"_id": {"$in": ids}, "mark": mark}, sort=[("due", 1)]).to_list()
        return [_delivery_queue(delivery) for delivery in claimed]

    async def events_of(self, delivery: DeliveryQueue, limit: int, size: int = BATCH_BYTES) -> list[StoredEvent]:
        of_lane = {
            "kind": delivery.key.kind,
            "resource": delivery.key.resource,
            "order": {"$gte": delivery.first, "$lte": delivery.last},
        }
        return await self._batch(of_lane, limit, size)

    async def of_type(self, kind: str, resource: str, type: str, limit: int) -> list[StoredEvent]:
        await self._ready()
        # Earlier releases stored no type beside the text: null finds these events, too.
        where = {"kind": kind, "resource": resource, "type": {"$in": [type, None]}}
        found: list[StoredEvent] = []
        with translated():
            async with self._events.find(where, sort=[("order", -1)]) as cursor:
                async for each in cursor:
                    event = _event(each)
                    if is_of_type(event, type):
                        found.append(event)
                    if len(found) == limit:
                        break
        return found[::-1]

    async def record(self, steps: Sequence[Step], owner: str, until: float) -> list[DeliveryQueue | None]:
        await self._ready()
        made = [_attempt_document(step.attempt) for step in steps if step.attempt is not None]
        if made:
            with translated():
                await self._new_attempts.insert_many(made)
        return await asyncio.gather(*(self._take(step, owner, until) for step in steps))

    async def renew(self, deliveries: Sequence[DeliveryQueue], owner: str, until: float) -> None:
        await self._ready()
        with translated():
            mine = {"_id": {"$in": [queue_id(delivery.key) for delivery in deliveries]}, "owner": owner}
            await self._lanes.update_many(mine, {"$set": {"until": until}})

    async def release(self, owner: str, now: float) -> None:
        await self._ready()
        with translated():
            await self._lanes.update_many({"owner": owner}, {"$set": {**FREE, "due": now}})

    async def rewind(self, subscription: str, events: Sequence[StoredEvent], now: float) -> None:
        await self._ready()
        upserts = [
            UpdateOne(
                {"_id": queue_id(key)},
                {
                    "$min": {"first": each.order},
                    "$max": {"last": each.order},
                    "$set": {**FREE, "due": now, "failures": 0},
                    "$setOnInsert": _key_document(key),
                },
                upsert=True,
            )
            for each in events
            for key in [QueueKey(subscription, each.kind, each.resource)]
        ]
        with translated():
            if upserts:
                await self._lanes.bulk_write(upserts, ordered=True)

    async def forget(self, subscription: str) -> None:
        await self._ready()
        with translated():
            await self._lanes.delete_many({"listener": subscription})

    async def log(self, cursor: str | None, since: float, limit: int) -> tuple[list[StoredEvent], str | None]:
        """See EventStore. With several writing processes, a page may miss an event that took long to move."""
        await self._ready()
        page = {"place": {"$gt": cursor or ""}, "stored": {"$gte": _date(since)}, **KEPT}
        with translated():
            found = await self._events.find(page, sort=[("place", 1)], limit=limit).to_list()
        return [_event(each) for each in found], found[-1]["place"] if found else cursor

    async def read_log(
        self,
        kinds: Collection[str],
        *,
        place: str | None = None,
        newest_first: bool = False,
        settled: bool = False,
        limit: int,
        size: int = BATCH_BYTES,
    ) -> tuple[list[StoredEvent], str]:
        await self._ready()
        bounds: dict[str, str] = {"$lt" if newest_first else "$gt": place} if place else {}
        if settled:
            bounds["$lt"] = _place_at(self._now() - SETTLED_AFTER)
        where = {"kind": {"$in": list(kinds)}, **({"place": bounds} if bounds else {}), **KEPT}
        found: list[StoredEvent] = []
        last = place or ""
        with translated():
            way = -1 if newest_first else 1
            async with self._events.find(where, sort=[("place", way)], limit=limit) as cursor:
                async for each in cursor:
                    found.append(_event(each))
                    last = each["place"]
                    size -= len(found[-1].text)
                    if size <= 0:
                        break
        return found, last

    async def place_of(self, id: str) -> str | None:
        await self._ready()
        with translated():
            found = await self._events.find_one({"_id": id, **KEPT}, {"place": 1})
        return found["place"] if found is not None else None

    async def with_ids(self, ids: Collection[str], size: int = BATCH_BYTES) -> list[StoredEvent]:
        await self._ready()
        found: list[StoredEvent] = []
        with translated():
            # One at a time, so that no more texts are in memory than `size` allows.
            for id in dict.fromkeys(ids):
                if size > 0 and (each := await self._events.find_one({"_id": id, **KEPT})) is not None:
                    found.append(_event(each))
                    size -= len(found[-1].text)
        return found

    async def end_of_log(self) -> str:
        return _place_at(self._now())

    async def attempts(self, *, subscription: str | None, since: float, limit: int) -> list[AttemptRecord]:
        await self._ready()
        where = {"at": {"$gte": since}, **({} if subscription is None else {"listener": subscription})}
        with translated():
            found = await self._attempts.find(where, {"_id": 0}, sort=[("at", -1)], limit=limit).to_list()
        return [_attempt(each) for each in found]

    async def waiting(self) -> Mapping[str, int]:
        await self._ready()
        with translated():
            counts = await self._lanes.aggregate([{"$group": {"_id": "$listener", "count": {"$sum": 1}}}])
            return {each["_id"]: each["count"] for each in await counts.to_list()}

    async def retrying(self) -> set[str]:
        await self._ready()
        with translated():
            return set(await self._lanes.distinct("listener", {"failures": {"$gt": 0}}))

    async def backlog(self) -> Backlog:
        """See EventStore. Beyond QUEUES_COUNTED queues, there may be more pending events than are counted."""
        await self._ready()
        with translated():
            found = await self._count({"fanned": False, **self._of_known_kind})
            spans: dict[tuple[str, str], list[dict[str, Any]]] = {}
            for queue in await self._lanes.find({}, limit=QUEUES_COUNTED).to_list():
                span = {"order": {"$gte": queue["first"], "$lte": queue["last"]}}
                spans.setdefault((queue["kind"], queue["resource"]), []).append(span)
            if sum(map(len, spans.values())) == QUEUES_COUNTED:
                further = await self._lanes.estimated_document_count() - QUEUES_COUNTED
                found = found.and_also(Backlog(max(0, further), None))
            of_resources = [
                {"kind": kind, "resource": resource, "fanned": True, "$or": queued}
                for (kind, resource), queued in spans.items()
            ]
            for begin in range(0, len(of_resources), RESOURCES_AT_ONCE):
                found = found.and_also(await self._count({"$or": of_resources[begin : begin + RESOURCES_AT_ONCE]}))
        return found

    async def _count(self, where: Mapping[str, Any]) -> Backlog:
        counting = {"$group": {"_id": None, "count": {"$sum": 1}, "oldest": {"$min": "$stored"}}}
        groups = await (await self._events.aggregate([{"$match": where}, counting])).to_list()
        if not groups:
            return Backlog(0, None)
        return Backlog(groups[0]["count"], groups[0]["oldest"].replace(tzinfo=UTC).timestamp())

    async def rewrite(self, texts: Mapping[str, bytes]) -> int:
        await self._ready()
        changes = [UpdateOne({"_id": id}, {"$set": {"text": text}}) for id, text in texts.items()]
        if not changes:
            return 0
        with translated():
            return (await self._events.bulk_write(changes, ordered=False)).matched_count

    async def expire(self, before: float, audit_before: float | None = None) -> int:
        await self._ready()
        with translated():
            await self._attempts.delete_many({"at": {"$lt": before}})
            held: dict[tuple[str, str], list[DeliveryQueue]] = {}
            for delivery in map(_delivery_queue, await self._lanes.find({}).to_list()):
                held.setdefault((delivery.key.kind, delivery.key.resource), []).append(delivery)
            count = await self._expire({"fanned": True}, before, held)
            return count + await self._expire({"fanned": None}, before if audit_before is None else audit_before, {})

    async def _expire(
        self,
        which: Mapping[str, Any],
        before: float,
        held: Mapping[tuple[str, str], Sequence[DeliveryQueue]],
    ) -> int:
        """Mark events that were stored before this time and are in no queue, so that the server removes them."""
        count, last = 0, ""
        while True:
            page = {**which, "place": {"$gt": last, "$lt": _place_at(before)}, "stored": {"$lt": _date(before)}, **KEPT}
            found = await self._events.find(page, {"text": 0}, sort=[("place", 1)], limit=EXPIRE_BATCH).to_list()
            done = [each["_id"] for each in found if not _is_in(held.get((each["kind"], each["resource"]), ()), each)]
            if done:
                marked = await self._events.update_many(
                    {"_id": {"$in": done}}, {"$set": {"expires": _date(self._now())}}
                )
                count += marked.modified_count
            if len(found) < EXPIRE_BATCH:
                return count
            last = found[-1]["place"]

    async def _batch(self, where: Mapping[str, Any], limit: int, size: int) -> list[StoredEvent]:
        await self._ready()
        found: list[StoredEvent] = []
        with translated():
            # All in one reply if they have less than 16 MB; by default the first one has 101.
            async with self._events.find(where, sort=[("order", 1)], limit=limit, batch_size=limit) as cursor:
                async for each in cursor:
                    found.append(_event(each))
                    size -= len(found[-1].text)
                    if size <= 0:
                        break
        return found

    async def _take(self, step: Step, owner: str, until: float) -> DeliveryQueue | None:
        """Record one step; see EventStore.record."""
        mine = {"_id": queue_id(step.delivery.key), "owner": owner, "first": step.delivery.first}
        changed: dict[str, Any] = {"first": step.first, "failures": step.failures}
        changed |= {"until": until} if step.due is None else {**FREE, "due": step.due}
        with translated():
            # A queue only grows while its owner holds it, so one that was known to be longer is not empty now.
            is_at_its_end = step.delivery.last < step.first
            if is_at_its_end and (await self._lanes.delete_one({**mine, "last": {"$lt": step.first}})).deleted_count:
                return None
            # An event that arrives between the two operations only makes the queue longer.
            found = await self._lanes.find_one_and_update(mine, {"$set": changed}, return_document=ReturnDocument.AFTER)
        return _delivery_queue(found) if found is not None and step.due is None else None


def queue_id(key: QueueKey) -> str:
    """Return the `_id` of a delivery queue."""
    return orjson.dumps(tuple(key)).decode()


def _extended(key: QueueKey, order: str, due: float, lease: Mapping[str, Any]) -> UpdateOne:
    """Put an event at the end of a queue, and create the queue if there is none."""
    made = {**_key_document(key), "first": order, "due": due, "failures": 0, **lease}
    return UpdateOne({"_id": queue_id(key)}, {"$max": {"last": order}, "$setOnInsert": made}, upsert=True)


def _delivery_queue(found: Mapping[str, Any]) -> DeliveryQueue:
    key = QueueKey(found["listener"], found["kind"], found["resource"])
    return DeliveryQueue(key, found["first"], found["last"], found["failures"])


def _event(found: Mapping[str, Any]) -> StoredEvent:
    return StoredEvent(
        found["_id"],
        found["kind"],
        found["resource"],
        found["revision"],
        found["order"],
        found["stored"].replace(tzinfo=UTC).timestamp(),
        found["text"],
    )


def _place_at(moment: float) -> str:
    """Return the prefix of the places of all events stored at this moment."""
    return f"{max(0, int(moment * 1000)):012x}"


def _is_in(deliveries: Sequence[DeliveryQueue], event: Mapping[str, Any]) -> bool:
    return any(delivery.first <= event["order"] <= delivery.last for delivery in deliveries)


def _key_document(key: QueueKey) -> dict[str, str]:
    """Return the key as it is stored; the member names are those of release 0.1.0."""
    return {"listener": key.subscription, "kind": key.kind, "resource": key.resource}


def _attempt_document(made: AttemptRecord) -> dict[str, Any]:
    named = {name: getattr(made, name) for name in AttemptRecord.__slots__}
    return {"listener": named.pop("subscription"), **named}


def _attempt(found: Mapping[str, Any]) -> AttemptRecord:
    named = dict(found)
    return AttemptRecord(named.pop("listener"), **named)


def _date(seconds: float) -> datetime:
    """Return the time as a BSON date; times outside its range are clamped."""
    return datetime.fromtimestamp(min(max(seconds, 0.0), 253402300799.0), UTC)
