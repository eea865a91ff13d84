"""The time limit of one query of the memory store, which shares the event loop with other requests."""

from __future__ import annotations

import asyncio
import time

from tmf_sales.storage.protocol import TookTooLong

LONGEST_TURN = 0.02  # seconds


class Deadline:
    """Ends a query after its time limit, and lets other tasks run meanwhile."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._end = time.monotonic() + limit
        self._next_pause = time.monotonic() + LONGEST_TURN

    def reject_when_late(self) -> None:
        if time.monotonic() >= self._end:
            raise TookTooLong(f"more than {self._limit:g} s; narrow the query")

    async def give_way(self) -> None:
        """Let other tasks run now and then; raises TookTooLong when the time is up."""
        self.reject_when_late()
        if time.monotonic() >= self._next_pause:
            await asyncio.sleep(0)
            self._next_pause = time.monotonic() + LONGEST_TURN
