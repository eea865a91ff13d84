"""A cheaper `asyncio.timeout`: every request runs in one.

Guarantee: when the time is over, the code inside is cancelled and TimeoutError is raised. A cancellation from elsewhere
remains a cancellation, even when both happen at once.
"""

from __future__ import annotations

import asyncio
from types import TracebackType


class Timeout:
    """Limits the awaits of a task: `with Timeout(seconds):`."""

    __slots__ = ("_cancellations", "_has_ended", "_is_over", "_seconds", "_task", "_timer")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a timeout is for what runs in a task")
        self._task, self._cancellations, self._is_over = task, task.cancelling(), False
        self._has_ended = False
        self._timer = asyncio.get_running_loop().call_later(self._seconds, self._end)

    def expire(self) -> None:
        """End the time now, even after `disarm`; do nothing once the code inside has ended."""
        if not self._is_over and not self._has_ended:
            self._timer.cancel()
            self._end()

    def disarm(self) -> None:
        """Remove the limit: the code inside may take any time from now on."""
        self._timer.cancel()

    def _end(self) -> None:
        self._is_over = True
        self._task.cancel()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._timer.cancel()
        self._has_ended = True
        if self._is_over and self._task.uncancel() <= self._cancellations and kind is asyncio.CancelledError:
            raise TimeoutError from error
