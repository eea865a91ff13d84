"""Decides whether the store can be used: it has a primary, it is prepared, and the primary is confirmed.

Until a majority has a write of a newly elected primary, its majority reads may be older than what the last primary has
answered. So each process makes one such write for each primary before it reads there, and reads never go back. A router
hides the elections of its shards; there the guarantee is that of the router.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from tmf_sales.storage.mongo.availability import Availability
from tmf_sales.storage.mongo.client import translated
from tmf_sales.storage.protocol import StorageUnavailable, StoreRefused

READS = 3
PREPARE_AGAIN = 10.0
"""Seconds after which a store that was rejected is looked at again: somebody may have put it in order."""

Found = TypeVar("Found")
Action = Callable[[], Coroutine[Any, Any, None]]

log = logging.getLogger(__name__)


class Readiness:
    """`prepare` brings the store into its form and may raise StoreRefused; `confirm` makes a write of a majority."""

    def __init__(
        self, availability: Availability, prepare: Action, confirm: Action, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._availability = availability
        self._preparing = _Shared(prepare)
        self._confirming = _Shared(self._confirm)
        self._write = confirm
        self._clock = clock
        self._is_prepared = False
        self._confirmed: object = None
        self._rejection: str | None = None
        self._rejected_until = 0.0

    async def open(self) -> None:
        """Prepare the store if it can be reached. Raises StoreRefused."""
        with contextlib.suppress(StorageUnavailable):
            await self._availability.wait()
            await self._preparing()
            self._is_prepared = True

    async def close(self) -> None:
        await self._preparing.cancel()
        await self._confirming.cancel()

    async def wait(self) -> None:
        """Return when the store can be used. Raises StorageUnavailable, with the reason, when it cannot."""
        await self._availability.wait()
        if not self._is_prepared:
            await self._prepare()
        if self._availability.primary() != self._confirmed:
            await self._confirming()

    async def read(self, call: Callable[[], Awaitable[Found]]) -> Found:
        """Return what `call` reads from a confirmed primary; the driver may try it again at another one by itself."""
        for _ in range(READS):
            await self.wait()
            confirmed = self._confirmed
            with translated():
                found = await call()
            if self._availability.primary() == confirmed:
                return found
        raise StorageUnavailable("the primary of the store changes too often")

    async def _prepare(self) -> None:
        if self._rejection is not None and self._clock() < self._rejected_until:
            raise StorageUnavailable(self._rejection)
        try:
            await self._preparing()
        except StoreRefused as error:
            rejection = f"the store cannot be used: {error}"
            if rejection != self._rejection:
                log.warning("%s", rejection)
            self._rejection, self._rejected_until = rejection, self._clock() + PREPARE_AGAIN
            raise StorageUnavailable(rejection) from error
        if self._rejection is not None:
            log.warning("the store is ready now")
        self._rejection = None
        self._is_prepared = True

    async def _confirm(self) -> None:
        primary = self._availability.primary()
        with translated():
            await self._write()
        self._confirmed = primary


class _Shared:
    """Runs the action once for all who wait for it at a time; who gives up does not end it for the others."""

    def __init__(self, action: Action) -> None:
        self._action = action
        self._task: asyncio.Task[None] | None = None

    async def __call__(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._action())
            self._task.add_done_callback(lambda task: task.cancelled() or task.exception())
        await asyncio.shield(self._task)

    async def cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
