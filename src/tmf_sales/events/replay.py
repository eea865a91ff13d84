"""Delivers stored events to a subscription again: one event, or those that were stored since a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Iterator, Sequence

from tmf_sales.events.subscription import ActiveSubscriptions
from tmf_sales.storage.events import EventStore, StoredEvent
from tmf_sales.storage.protocol import TookTooLong

BATCH = 100
BATCH_BYTES = 1024 * 1024
REPLAY_LIMIT = 10_000
CLOCK_DIFFERENCE = 5.0
"""The log of several processes is in order but for so many seconds by which their clocks may differ."""


class TooManyEvents(Exception):
    """Raised when more events would be delivered again than one replay may have."""


class Replay:
    """Replays to one subscription, which is the only one of `subscriptions`. `kinds`: those of its API."""

    def __init__(
        self, store: EventStore, subscriptions: ActiveSubscriptions, subscription: str, kinds: Collection[str]
    ) -> None:
        self._store = store
        self._subscriptions = subscriptions
        self._subscription = subscription
        self._kinds = kinds

    async def event(self, id: str, now: float) -> bool:
        """Deliver one event again; return False when the log lacks it or the subscription does not want it."""
        found = [event for event in await self._store.with_ids([id]) if self._wants(event)]
        await self._store.rewind(self._subscription, found, now)
        return bool(found)

    async def since(self, start: float, now: float, time_limit: float) -> int:
        """Deliver again what was stored at `start` or later (seconds since 1970); return the number of events.

        Raises TooManyEvents or TookTooLong, without having delivered any event again.
        """
        found = await self._wanted_since(start, time_limit)
        for batch in _in_batches(found):
            await self._store.rewind(self._subscription, batch, now)
        return len(found)

    async def _wanted_since(self, start: float, time_limit: float) -> list[StoredEvent]:
        found: list[StoredEvent] = []
        end, place = time.monotonic() + time_limit, None
        while True:
            events, place = await self._store.read_log(
                self._kinds, place=place, newest_first=True, limit=BATCH, size=BATCH_BYTES
            )
            found += (_without_text(each) for each in events if each.stored >= start and self._wants(each))
            if len(found) > REPLAY_LIMIT:
                raise TooManyEvents
            if not events or events[-1].stored < start - CLOCK_DIFFERENCE:
                return found[::-1]
            if time.monotonic() > end:
                raise TookTooLong("the log has too many events to look through; ask for a later time")
            await asyncio.sleep(0)

    def _wants(self, event: StoredEvent) -> bool:
        return self._subscriptions.wants(self._subscription, event.kind, event.document)


def _without_text(event: StoredEvent) -> StoredEvent:
    """What the delivery queues need of an event, so that many fit into memory."""
    return StoredEvent(event.id, event.kind, event.resource, event.revision, event.order, event.stored, b"")


def _in_batches(events: Sequence[StoredEvent]) -> Iterator[Sequence[StoredEvent]]:
    for start in range(0, len(events), BATCH):
        yield events[start : start + BATCH]
