"""A bound on how long something may take, as `asyncio.timeout` sets it, at half its cost: every request has one.

Promise: what runs inside is cancelled when the time is over, and TimeoutError comes of that; a cancellation from
elsewhere stays one, also when both come together.
"""

from __future__ import annotations

import asyncio
from types import TracebackType


class Timeout:
    """`with Deadline(seconds):` in a task, around what it awaits."""

    __slots__ = ("_cancellations", "_is_over", "_seconds", "_task", "_timer")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a deadline is for what runs in a task")
        self._task, self._cancellations, self._is_over = task, task.cancelling(), False
        self._timer = asyncio.get_running_loop().call_later(self._seconds, self._end)

    def _end(self) -> None:
        self._is_over = True
        self._task.cancel()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._timer.cancel()
        if self._is_over and self._task.uncancel() <= self._cancellations and kind is asyncio.CancelledError:
            raise TimeoutError from error
