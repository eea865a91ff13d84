"""A cheaper `asyncio.timeout`: every request runs in one, and one timer of the event loop serves them all.

Guarantee: when the time is over, the code inside is cancelled and TimeoutError is raised. A cancellation from elsewhere
remains a cancellation, even when both happen at once.
"""

from __future__ import annotations

import asyncio
from types import TracebackType


class Timeouts:
    """Timeouts of the same length in seconds; they end in the order in which they began."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ends: dict[Timeout, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, timeout: Timeout, loop: asyncio.AbstractEventLoop) -> None:
        if loop is not self._loop:
            self._loop, self._timer = loop, None
            self._ends.clear()
        end = loop.time() + self._seconds
        self._ends[timeout] = end
        if self._timer is None:
            self._timer = loop.call_at(end, self._expire_due, loop)

    def remove(self, timeout: Timeout) -> None:
        self._ends.pop(timeout, None)

    def _expire_due(self, loop: asyncio.AbstractEventLoop) -> None:
        """End those whose time is over, and wait for the next one that is still under way."""
        self._timer = None
        for timeout, end in list(self._ends.items()):
            if end > loop.time():
                self._timer = loop.call_at(end, self._expire_due, loop)
                return
            timeout.expire()


class Timeout:
    """Limits the awaits of a task: `with Timeout(timeouts):`."""

    __slots__ = ("_cancellations", "_has_ended", "_is_over", "_task", "_timeouts")

    def __init__(self, timeouts: Timeouts) -> None:
        self._timeouts = timeouts

    def __enter__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a timeout is for what runs in a task")
        self._task, self._cancellations = task, task.cancelling()
        self._is_over = self._has_ended = False
        self._timeouts.add(self, task.get_loop())  # the running loop, which asyncio asks the system for

    def expire(self) -> None:
        """End the time now, even after `disarm`; do nothing once the code inside has ended."""
        if not self._is_over and not self._has_ended:
            self._timeouts.remove(self)
            self._is_over = True
            self._task.cancel()

    def disarm(self) -> None:
        """Remove the limit: the code inside may take any time from now on."""
        self._timeouts.remove(self)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._timeouts.remove(self)
        self._has_ended = True
        if self._is_over and self._task.uncancel() <= self._cancellations and kind is asyncio.CancelledError:
            raise TimeoutError from error
