"""Reads from the store what metrics say of it: pending events, subscriptions, resources by state.

Guarantee: a scrape waits for the store a second at most, and shows the last known values if it takes longer. All
workers together count pending events at most every five seconds, resources at most once a minute, and only if someone
scrapes.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence

from tmf_sales.contract.loader import Contract
from tmf_sales.contract.resource_type import ResourceType
from tmf_sales.errors import Unavailable
from tmf_sales.events.subscriptions import Hub
from tmf_sales.storage.conditions import EVERYTHING, Compare, Condition, Operator, Query
from tmf_sales.storage.protocol import Storage
from tmf_sales.telemetry.numbers import UNKNOWN, Numbers

PATIENCE = 1.0
EVENTS_EVERY = 5.0
RESOURCES_EVERY = 60.0
ACTIVE, FAILING, DISABLED = "active", "failing", "disabled"

log = logging.getLogger(__name__)


class StoreGauges:
    """The gauges on the board that come from the store. `is_up` says whether the store can read and write."""

    def __init__(
        self,
        numbers: Numbers,
        apis: Sequence[Contract],
        store: Storage,
        hub: Hub,
        is_up: Callable[[], Awaitable[bool]],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._numbers = numbers
        self._store = store
        self._hub = hub
        self._is_up = is_up
        self._now = now
        self._kinds = {resource.kind: resource for api in apis for resource in api.resources.values()}
        self._events_at = numbers.reserve_gauges()
        self._resources_at = numbers.reserve_gauges()
        self._pending = numbers.reserve_gauges()
        self._oldest = numbers.reserve_gauges()
        self._subscriptions = {state: numbers.reserve_gauges() for state in (ACTIVE, FAILING, DISABLED)}
        self._resources = {
            (kind, state): numbers.reserve_gauges()
            for kind, resource in self._kinds.items()
            for state, _ in conditions_of_states(resource)
        }
        self._work: dict[int, asyncio.Task[None]] = {}
        self.up: bool = False

    async def refresh(self) -> None:
        """Find out whether the store is up, and read anew what is out of date; return after a second at most."""
        self.up = await self._is_up()
        if not self.up:
            self._forget_events()
            return
        self._start(self._events_at, EVENTS_EVERY, self._read_events)
        self._start(self._resources_at, RESOURCES_EVERY, self._count_resources)
        if self._work:
            await asyncio.wait(list(self._work.values()), timeout=PATIENCE)

    async def close(self) -> None:
        """Stop reading; the store may be closed afterwards."""
        for task in self._work.values():
            task.cancel()
        await asyncio.gather(*self._work.values(), return_exceptions=True)

    @property
    def pending(self) -> float | None:
        return self._known(self._pending)

    @property
    def oldest_seconds(self) -> float | None:
        """The age of the oldest pending event; 0 without one, None if it is not known."""
        stored = self._known(self._oldest)
        return 0.0 if self.pending == 0 else None if stored is None else max(0.0, self._now() - stored)

    def subscriptions(self) -> dict[str, float]:
        values = {state: self._known(position) for state, position in self._subscriptions.items()}
        return {state: value for state, value in values.items() if value is not None}

    def resources(self) -> dict[tuple[str, str], float]:
        values = {key: self._known(position) for key, position in self._resources.items()}
        return {key: value for key, value in values.items() if value is not None}

    def _known(self, position: int) -> float | None:
        value = self._numbers.board[position]
        return None if math.isnan(value) else value

    def _start(self, begun: int, every: float, read: Callable[[], Awaitable[None]]) -> None:
        """Start reading unless some worker began less than `every` seconds ago; `begun`: when, on the board."""
        age = self._now() - self._numbers.board[begun]
        if begun in self._work or 0 <= age < every:
            return
        self._numbers.board[begun] = self._now()
        task = asyncio.ensure_future(self._guarded(read))
        self._work[begun] = task
        task.add_done_callback(lambda _: self._work.pop(begun))

    async def _guarded(self, read: Callable[[], Awaitable[None]]) -> None:
        try:
            await read()
        except Unavailable as error:
            log.info("the metrics of the store are not updated: %s", error.message)
        except Exception:
            log.exception("metrics cannot be read from the store")

    async def _read_events(self) -> None:
        backlog = await self._store.events.backlog()
        retrying = await self._hub.retrying()
        subscriptions = await self._hub.subscriptions()
        states = [
            DISABLED if each.disabled else FAILING if each.failing_since is not None or each.id in retrying else ACTIVE
            for each in subscriptions
        ]
        board = self._numbers.board
        board[self._pending] = backlog.events
        board[self._oldest] = UNKNOWN if backlog.oldest is None else backlog.oldest
        for state, position in self._subscriptions.items():
            board[position] = states.count(state)

    async def _count_resources(self) -> None:
        for kind, resource in self._kinds.items():
            for state, where in conditions_of_states(resource):
                page = await self._store.find(kind, Query(where, limit=0))
                self._numbers.board[self._resources[kind, state]] = page.total

    def _forget_events(self) -> None:
        """What was pending when the store could last be read is no longer true."""
        for position in (self._pending, self._oldest, self._events_at, *self._subscriptions.values()):
            self._numbers.board[position] = UNKNOWN


def conditions_of_states(resource: ResourceType) -> Iterator[tuple[str, Condition]]:
    """Each state of the resource's lifecycle and what resources in it satisfy; an empty name without a lifecycle."""
    member = resource.object_type.lifecycle_member
    if member is None or member.lifecycle is None:
        yield "", EVERYTHING
        return
    for state in member.lifecycle.states():
        yield state, Compare((member.name,), Operator.EQ, state)
