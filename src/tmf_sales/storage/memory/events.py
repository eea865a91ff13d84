"""The log and the lanes in plain dictionaries: the oracle of EventStore; nothing survives the process."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import orjson

from tmf_sales.storage.events import (
    BATCH_BYTES,
    AttemptRecord,
    EventStore,
    FanOut,
    Lane,
    LaneKey,
    Step,
    StoredEvent,
    is_of_type,
    up_to,
)
from tmf_sales.storage.protocol import Change


@dataclass(slots=True)
class _Lane:
    first: str
    last: str
    due: float
    failures: int = 0
    owner: str | None = None
    until: float = 0.0

    def seen(self, key: LaneKey) -> Lane:
        return Lane(key, self.first, self.last, self.failures)


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
        self._lanes: dict[LaneKey, _Lane] = {}
        self._attempts: list[AttemptRecord] = []
        self._count = 0

    def append(self, change: Change) -> None:
        """Put the events of a write into the log; the store calls it in the same step as the write."""
        for document in change.events:
            self._count += 1
            id, text = document["eventId"], orjson.dumps(document)
            order, revision = f"{self._count:016x}", change.expected_revision + 1
            event = StoredEvent(id, change.kind, change.id, revision, order, self._now(), text)
            self._log.events[id] = self._log.waiting[id] = event
        if change.events:
            self.arrived.set()

    async def unfanned(self, limit: int, size: int = BATCH_BYTES) -> list[StoredEvent]:
        return up_to(size, itertools.islice(self._log.waiting.values(), limit))

    async def sweep(self) -> int:
        return 0

    async def fan_out(self, fans: Sequence[FanOut], owner: str, until: float, now: float) -> list[Lane]:
        made: dict[LaneKey, None] = {}
        for fan in fans:
            if self._log.waiting.pop(fan.event.id, None) is None:
                continue
            for listener in fan.listeners:
                key = LaneKey(listener, fan.event.kind, fan.event.resource)
                if self._extend(key, fan.event, now) and listener in fan.leased:
                    self._lease(self._lanes[key], owner, until)
                    made[key] = None
        return [self._lanes[key].seen(key) for key in made]

    async def claim(self, owner: str, until: float, now: float, room: Mapping[str, int]) -> list[Lane]:
        left, claimed = dict(room), []
        for key, lane in sorted(self._lanes.items(), key=lambda item: item[1].due):
            free = lane.owner is None or lane.until <= now
            if free and lane.due <= now and left.get(key.listener, 0) > 0:
                left[key.listener] -= 1
                self._lease(lane, owner, until)
                claimed.append(lane.seen(key))
        return claimed

    async def events_of(self, lane: Lane, limit: int, size: int = BATCH_BYTES) -> list[StoredEvent]:
        of_resource = self._of_resource(lane.key.kind, lane.key.resource)
        found = (event for event in of_resource if lane.first <= event.order <= lane.last)
        return up_to(size, itertools.islice(found, limit))

    async def of_type(self, kind: str, resource: str, type: str, limit: int) -> list[StoredEvent]:
        return [each for each in self._of_resource(kind, resource) if is_of_type(each, type)][-limit:]

    async def record(self, steps: Sequence[Step], owner: str, until: float) -> list[Lane | None]:
        return [self._take(step, owner, until) for step in steps]

    async def renew(self, lanes: Sequence[Lane], owner: str, until: float) -> None:
        for each in lanes:
            lane = self._lanes.get(each.key)
            if lane is not None and lane.owner == owner:
                lane.until = until

    async def release(self, owner: str, now: float) -> None:
        for lane in self._lanes.values():
            if lane.owner == owner:
                lane.owner, lane.due = None, now

    async def rewind(self, listener: str, events: Sequence[StoredEvent], now: float) -> None:
        for event in events:
            key = LaneKey(listener, event.kind, event.resource)
            lane = self._lanes.setdefault(key, _Lane(event.order, event.order, now))
            lane.first, lane.last = min(lane.first, event.order), max(lane.last, event.order)
            lane.failures, lane.due, lane.owner = 0, now, None

    async def forget(self, listener: str) -> None:
        self._lanes = {key: lane for key, lane in self._lanes.items() if key.listener != listener}

    async def log(self, cursor: str | None, since: float, limit: int) -> tuple[list[StoredEvent], str | None]:
        page = [event for event in self._log.events.values() if event.stored >= since and event.order > (cursor or "")]
        return page[:limit], page[:limit][-1].order if page[:limit] else cursor

    async def attempts(self, *, listener: str | None, since: float, limit: int) -> list[AttemptRecord]:
        made = [each for each in self._attempts if each.at >= since and listener in (None, each.listener)]
        return made[::-1][:limit]

    async def waiting(self) -> Mapping[str, int]:
        counts: dict[str, int] = {}
        for key in self._lanes:
            counts[key.listener] = counts.get(key.listener, 0) + 1
        return counts

    async def expire(self, before: float) -> int:
        self._attempts = [each for each in self._attempts if each.at >= before]
        old = [event for event in self._log.events.values() if event.stored < before and self._is_done(event)]
        for event in old:
            del self._log.events[event.id]
        return len(old)

    def _extend(self, key: LaneKey, event: StoredEvent, now: float) -> bool:
        """Put the event into the lane; answer whether the lane was made for it."""
        lane = self._lanes.get(key)
        if lane is None:
            self._lanes[key] = _Lane(event.order, event.order, now)
            return True
        lane.last = max(lane.last, event.order)
        return False

    def _lease(self, lane: _Lane, owner: str, until: float) -> None:
        lane.owner, lane.until = owner, until

    def _take(self, step: Step, owner: str, until: float) -> Lane | None:
        if step.attempt is not None:
            self._attempts.append(step.attempt)
        lane = self._lanes.get(step.lane.key)
        if lane is None or lane.owner != owner or lane.first != step.lane.first:
            return None
        lane.first, lane.failures = step.first, step.failures
        if lane.first > lane.last:
            del self._lanes[step.lane.key]
            return None
        if step.due is not None:
            lane.owner, lane.due = None, step.due
            return None
        lane.until = until
        return lane.seen(step.lane.key)

    def _of_resource(self, kind: str, resource: str) -> Iterable[StoredEvent]:
        return (each for each in self._log.events.values() if (each.kind, each.resource) == (kind, resource))

    def _is_done(self, event: StoredEvent) -> bool:
        return event.id not in self._log.waiting and not any(
            (key.kind, key.resource) == (event.kind, event.resource) and lane.first <= event.order <= lane.last
            for key, lane in self._lanes.items()
        )
