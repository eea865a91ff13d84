"""Follows the event log for any number of readers: one task polls the store, and all readers share its last batch.

A reader gets every event after its starting place, once and in the order of the log. It asks for the next batch when
it is done with one, so a slow reader holds one batch and reads later ones from the store.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Callable, Collection
from typing import NamedTuple

from tmf_sales.errors import Unavailable
from tmf_sales.storage.events import EventStore, StoredEvent

BATCH = 100
BATCH_BYTES = 1024 * 1024
POLL = 0.25
HEARTBEAT = 15.0

log = logging.getLogger(__name__)


class _Batch(NamedTuple):
    """The events after the place `begin`, up to and including the one at `end`."""

    begin: str
    end: str
    events: list[StoredEvent]


class EventTail:
    """Reads the events of some kinds of resources. `store` returns the log, which exists once the store is open."""

    def __init__(
        self,
        store: Callable[[], EventStore],
        kinds: Collection[str],
        *,
        poll: float = POLL,
        heartbeat: float = HEARTBEAT,
    ) -> None:
        self._store = store
        self._kinds = tuple(kinds)
        self._poll = poll
        self._heartbeat = heartbeat
        self._readers = 0
        self._task: asyncio.Task[None] | None = None
        self._last: _Batch | None = None
        self._changed = asyncio.Event()

    async def follow(self, place: str) -> AsyncGenerator[list[StoredEvent], None]:
        """Yield the events after the place in batches, without end; an empty batch when nothing came for a while.

        Raises StorageUnavailable.
        """
        self._readers += 1
        if self._task is None:
            self._task = asyncio.create_task(self._read_for_all())
        try:
            while True:
                changed = self._changed
                events, place = await self._after(place)
                if events or not await self._wait_for(changed):
                    yield events
        finally:
            self._readers -= 1
            if not self._readers and self._task is not None:
                await self._stop(self._task)

    async def _after(self, place: str) -> tuple[list[StoredEvent], str]:
        last = self._last
        if last is not None and last.begin == place:
            return last.events, last.end
        if last is not None and last.end == place:
            return [], place
        return await self._read(place)

    async def _read(self, place: str) -> tuple[list[StoredEvent], str]:
        return await self._store().read_log(self._kinds, place=place, settled=True, limit=BATCH, size=BATCH_BYTES)

    async def _wait_for(self, changed: asyncio.Event) -> bool:
        """Return whether anything new arrived within the heartbeat interval."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._heartbeat):
                await changed.wait()
                return True
        return False

    async def _read_for_all(self) -> None:
        place: str | None = None
        while True:
            events: list[StoredEvent] = []
            try:
                if place is None:
                    place = await self._store().end_of_log()
                begin = place
                events, place = await self._read(begin)
            except Unavailable as error:
                log.warning("event streams wait: %s", error.message)
            except Exception:
                log.exception("event streams wait after an unexpected error")
            else:
                if events or self._last is None:
                    self._last = _Batch(begin, place, events)
                    self._changed.set()
                    self._changed = asyncio.Event()
            if not events:
                await asyncio.sleep(self._poll)

    async def _stop(self, task: asyncio.Task[None]) -> None:
        self._task = self._last = None
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
