"""Keeps the event log and delivery queues in plain dictionaries: the reference EventStore, lost with the process."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import orjson

from tmf_sales.storage.events import (
    AUDIT_RECORD,
    BATCH_BYTES,
    EVENT_END,
    AttemptRecord,
    Backlog,
    DeliveryQueue,
    EventStore,
    FanOut,
    QueueKey,
    SharedText,
    Step,
    StoredEvent,
    is_of_type,
    up_to,
)
from tmf_sales.storage.records import Change, Document


@dataclass(slots=True)
class _DeliveryQueue:
    first: str
    last: str
    due: float
    failures: int = 0
    owner: str | None = None
    until: float = 0.0

    def seen(self, key: QueueKey) -> DeliveryQueue:
        return DeliveryQueue(key, self.first, self.last, self.failures)


@dataclass(slots=True)
class _Log:
    events: dict[str, StoredEvent] = field(default_factory=dict)
    waiting: dict[str, StoredEvent] = field(default_factory=dict)


class MemoryEvents(EventStore):
    """Every method is atomic because none of them awaits anything. `now` gives seconds since 1970."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self.arrived = asyncio.Event()
        self._now = now
        self._log = _Log()
        self._lanes: dict[QueueKey, _DeliveryQueue] = {}
        self._attempts: list[AttemptRecord] = []
        self._count = 0
        self._starts: dict[str, str] = {}

    def append(self, change: Change, *, is_awaited: bool = True) -> None:
        """Add the events of a write to the log; the store calls this in the same step as the write.

        `is_awaited`: there are subscriptions; else the events need no delivery.
        """
        events = change.all_events()
        for revision, document in events:
            self._count += 1
            id, text, order = document["eventId"], _text_to_keep(document, change), f"{self._count:016x}"
            event = StoredEvent(id, change.kind, change.id, revision, order, self._now(), text)
            self._log.events[id] = event
            if is_awaited and document.get("eventType") != AUDIT_RECORD:
                self._log.waiting[id] = event
        if events:
            self.arrived.set()

    async def not_fanned_out(self, limit: int, size: int = BATCH_BYTES) -> list[StoredEvent]:
        return up_to(size, itertools.islice(self._log.waiting.values(), limit))

    async def sweep(self, *, everything: bool = False) -> int:
        return 0

    async def start_now(self, subscription: str) -> None:
        await self.forget(subscription)
        self._starts[subscription] = f"{self._count:016x}"

    async def fan_out(self, fans: Sequence[FanOut], owner: str, until: float, now: float) -> list[DeliveryQueue]:
        made: dict[QueueKey, None] = {}
        for fan in fans:
            if self._log.waiting.pop(fan.event.id, None) is None:
                continue
            for subscription in fan.subscriptions:
                if fan.event.order <= self._starts.get(subscription, ""):
                    continue
                key = QueueKey(subscription, fan.event.kind, fan.event.resource)
                if self._extend(key, fan.event, now) and subscription in fan.leased:
                    self._lease(self._lanes[key], owner, until)
                    made[key] = None
        return [self._lanes[key].seen(key) for key in made]

    async def claim(self, owner: str, until: float, now: float, room: Mapping[str, int]) -> list[DeliveryQueue]:
        left, claimed = dict(room), []
        for key, delivery in sorted(self._lanes.items(), key=lambda item: item[1].due):
            free = delivery.owner is None or delivery.until <= now
            if free and delivery.due <= now and left.get(key.subscription, 0) > 0:
                left[key.subscription] -= 1
                self._lease(delivery, owner, until)
                claimed.append(delivery.seen(key))
        return claimed

    async def events_of(self, delivery: DeliveryQueue, limit: int, size: int = BATCH_BYTES) -> list[StoredEvent]:
        of_resource = self._of_resource(delivery.key.kind, delivery.key.resource)
        found = (event for event in of_resource if delivery.first <= event.order <= delivery.last)
        return up_to(size, itertools.islice(found, limit))

    async def of_type(self, kind: str, resource: str, type: str, limit: int) -> list[StoredEvent]:
        return [each for each in self._of_resource(kind, resource) if is_of_type(each, type)][-limit:]

    async def record(self, steps: Sequence[Step], owner: str, until: float) -> list[DeliveryQueue | None]:
        return [self._take(step, owner, until) for step in steps]

    async def renew(self, deliveries: Sequence[DeliveryQueue], owner: str, until: float) -> None:
        for each in deliveries:
            delivery = self._lanes.get(each.key)
            if delivery is not None and delivery.owner == owner:
                delivery.until = until

    async def release(self, owner: str, now: float) -> None:
        for delivery in self._lanes.values():
            if delivery.owner == owner:
                delivery.owner, delivery.due = None, now

    async def rewind(self, subscription: str, events: Sequence[StoredEvent], now: float) -> None:
        for event in events:
            key = QueueKey(subscription, event.kind, event.resource)
            delivery = self._lanes.setdefault(key, _DeliveryQueue(event.order, event.order, now))
            delivery.first, delivery.last = min(delivery.first, event.order), max(delivery.last, event.order)
            delivery.failures, delivery.due, delivery.owner = 0, now, None

    async def forget(self, subscription: str) -> None:
        self._lanes = {key: delivery for key, delivery in self._lanes.items() if key.subscription != subscription}

    async def log(self, cursor: str | None, since: float, limit: int) -> tuple[list[StoredEvent], str | None]:
        page = [event for event in self._log.events.values() if event.stored >= since and event.order > (cursor or "")]
        return page[:limit], page[:limit][-1].order if page[:limit] else cursor

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
        events = self._log.events.values()
        if newest_first:
            behind: Iterator[StoredEvent] = (each for each in reversed(events) if place is None or each.order < place)
        else:
            # The newest events are at the end: a reader that follows the log need not search all of it.
            newer = itertools.takewhile(lambda each: each.order > (place or ""), reversed(events))
            behind = reversed(list(newer)) if place else iter(events)
        found = up_to(size, itertools.islice((each for each in behind if each.kind in kinds), limit))
        return found, found[-1].order if found else place or ""

    async def place_of(self, id: str) -> str | None:
        event = self._log.events.get(id)
        return event.order if event is not None else None

    async def with_ids(self, ids: Collection[str], size: int = BATCH_BYTES) -> list[StoredEvent]:
        return up_to(size, (event for id in dict.fromkeys(ids) if (event := self._log.events.get(id)) is not None))

    async def end_of_log(self) -> str:
        return f"{self._count:016x}"

    async def attempts(self, *, subscription: str | None, since: float, limit: int) -> list[AttemptRecord]:
        made = [each for each in self._attempts if each.at >= since and subscription in (None, each.subscription)]
        return made[::-1][:limit]

    async def waiting(self) -> Mapping[str, int]:
        counts: dict[str, int] = {}
        for key in self._lanes:
            counts[key.subscription] = counts.get(key.subscription, 0) + 1
        return counts

    async def retrying(self) -> set[str]:
        return {key.subscription for key, delivery in self._lanes.items() if delivery.failures}

    async def backlog(self) -> Backlog:
        queues: dict[tuple[str, str], list[_DeliveryQueue]] = {}
        for key, queue in self._lanes.items():
            queues.setdefault((key.kind, key.resource), []).append(queue)
        pending = [
            event.stored
            for event in self._log.events.values()
            if event.id in self._log.waiting
            or (
                not is_of_type(event, AUDIT_RECORD)
                and any(each.first <= event.order <= each.last for each in queues.get((event.kind, event.resource), ()))
            )
        ]
        return Backlog(len(pending), min(pending, default=None))

    async def rewrite(self, texts: Mapping[str, bytes]) -> int:
        found = [self._log.events[id] for id in texts if id in self._log.events]
        for event in found:
            new = StoredEvent(
                event.id, event.kind, event.resource, event.revision, event.order, event.stored, texts[event.id]
            )
            self._log.events[event.id] = new
            if event.id in self._log.waiting:
                self._log.waiting[event.id] = new
        return len(found)

    async def expire(self, before: float, audit_before: float | None = None) -> int:
        if not self._log.waiting:
            self._starts.clear()
        self._attempts = [each for each in self._attempts if each.at >= before]
        kept_since = before if audit_before is None else audit_before
        old = [
            event
            for event in self._log.events.values()
            if (
                event.stored < kept_since
                if is_of_type(event, AUDIT_RECORD)
                else event.stored < before and self._is_done(event)
            )
        ]
        for event in old:
            del self._log.events[event.id]
        return len(old)

    def _extend(self, key: QueueKey, event: StoredEvent, now: float) -> bool:
        """Put the event into the queue; return whether the queue was created for it."""
        delivery = self._lanes.get(key)
        if delivery is None:
            self._lanes[key] = _DeliveryQueue(event.order, event.order, now)
            return True
        delivery.last = max(delivery.last, event.order)
        return False

    def _lease(self, delivery: _DeliveryQueue, owner: str, until: float) -> None:
        delivery.owner, delivery.until = owner, until

    def _take(self, step: Step, owner: str, until: float) -> DeliveryQueue | None:
        if step.attempt is not None:
            self._attempts.append(step.attempt)
        delivery = self._lanes.get(step.delivery.key)
        if delivery is None or delivery.owner != owner or delivery.first != step.delivery.first:
            return None
        delivery.first, delivery.failures = step.first, step.failures
        if delivery.first > delivery.last:
            del self._lanes[step.delivery.key]
            return None
        if step.due is not None:
            delivery.owner, delivery.due = None, step.due
            return None
        delivery.until = until
        return delivery.seen(step.delivery.key)

    def _of_resource(self, kind: str, resource: str) -> Iterable[StoredEvent]:
        return (each for each in self._log.events.values() if (each.kind, each.resource) == (kind, resource))

    def _is_done(self, event: StoredEvent) -> bool:
        return event.id not in self._log.waiting and not any(
            (key.kind, key.resource) == (event.kind, event.resource) and delivery.first <= event.order <= delivery.last
            for key, delivery in self._lanes.items()
        )


def _text_to_keep(event: Document, change: Change) -> bytes | SharedText:
    """The text of an event. Most end with the current version, which differs only at its beginning, by its href.

    To keep a second copy of each document would double the memory, and new memory costs more than this comparison.
    """
    text = orjson.dumps(event)
    if change.versions:
        document = change.versions[0].text
        begin = document.find(b',"')  # after the id
        shared = document[begin:]
        if text.endswith(EVENT_END) and text.endswith(shared, 0, -len(EVENT_END)):
            return text[: -len(shared) - len(EVENT_END)], document, begin
    return b"".join((text, b""))  # a copy of its own size, see text_to_keep
