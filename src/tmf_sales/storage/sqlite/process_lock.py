"""A fair lock between processes that write to one SQLite file.

SQLite's own busy handler lets a writer starve. Here a writer first waits for the front lock, then for the turn lock, so
the writer that waits longest writes next. The operating system releases both locks when a process dies.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

if sys.platform == "win32":  # pragma: no cover - tests run it with a stand-in for msvcrt in a process of their own
    import msvcrt

    RETRY_SECONDS = 0.001

    def acquire(descriptor: int) -> None:
        """Wait for the lock on the first byte; LK_LOCK itself would give up after ten seconds."""
        while True:
            os.lseek(descriptor, 0, os.SEEK_SET)
            try:
                msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            except OSError:
                time.sleep(RETRY_SECONDS)
            else:
                return

    def release(descriptor: int) -> None:
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def acquire(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)

    def release(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


class ProcessLock:
    """The lock beside the database file, in the files PATH-front and PATH-turn."""

    def __init__(self, path: str) -> None:
        flags = os.O_RDWR | os.O_CREAT
        self._front = os.open(f"{path}-front", flags, 0o600)
        self._turn = os.open(f"{path}-turn", flags, 0o600)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold the lock. The wait has no time limit, so call this off the event loop."""
        acquire(self._front)
        try:
            acquire(self._turn)
        finally:
            release(self._front)
        try:
            yield
        finally:
            release(self._turn)

    def close(self) -> None:
        os.close(self._front)
        os.close(self._turn)
