"""The only thread of a process that writes to the SQLite file; it puts all waiting writes into one transaction.

A write returns after the fsync of its own group. Processes take the write lock in the order of a queue made of two lock
files, because SQLite's busy handler lets a writer starve.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

from tmf_sales.storage.protocol import StorageUnavailable
from tmf_sales.storage.sqlite.process_lock import ProcessLock
from tmf_sales.storage.sqlite.schema import transaction

T = TypeVar("T")
Job = Callable[[sqlite3.Connection], T]

GROUP_LIMIT = 512
WRITE_TIMEOUT = 8.0

log = logging.getLogger(__name__)


class _Waiting(NamedTuple):
    job: Job[Any]
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[Any]


class _Outcome(NamedTuple):
    waiting: _Waiting
    result: Any = None
    error: Exception | None = None

    def tell(self) -> None:
        if self.waiting.answer.done():  # The caller timed out before the write finished.
            return
        if self.error is not None:
            self.waiting.answer.set_exception(self.error)
        else:
            self.waiting.answer.set_result(self.result)


class _HalfWritten(Exception):
    """Raised when a job has failed after it has changed something, which has to be undone without the other jobs."""


class Writer:
    """Takes jobs from any event loop and runs them in groups.

    A job is a function of the connection, and of nothing that it changes: it may be run a second time after a rollback.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        turn: ProcessLock,
        reject_if_gone: Callable[[], None],
        note_failure: Callable[[sqlite3.Error], None] = lambda _: None,
    ) -> None:
        """`reject_if_gone` raises StorageUnavailable when the file was moved or deleted: a write would be lost.

        `note_failure` is called with each failure of the database.
        """
        self._note_failure = note_failure
        self._connection = connection
        self._turn = turn
        self._reject_if_gone = reject_if_gone
        self.has_failed = False  # set by each write that the database rejects
        self._is_closing = False
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="sqlite-writer", daemon=True)
        self._thread.start()

    async def run(self, job: Job[T]) -> T:
        """Run `job` in a transaction; return or raise its result once the transaction is on the disk.

        Raises StorageUnavailable when the outcome is not known.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        self._queue.put(_Waiting(job, loop, answer))
        timer = loop.call_later(WRITE_TIMEOUT, give_up, answer)
        try:
            return await answer
        finally:
            timer.cancel()

    async def close(self) -> None:
        """Finish the waiting jobs and stop."""
        self._queue.put(None)
        await asyncio.get_running_loop().run_in_executor(None, self._thread.join, WRITE_TIMEOUT)

    def _work(self) -> None:
        while not self._is_closing:
            first = self._queue.get()
            if first is None:
                return
            _tell(self._commit([first]))

    def _take_waiting(self, group: list[_Waiting]) -> None:
        """Add the jobs that wait by now to the group."""
        while len(group) < GROUP_LIMIT:
            try:
                waiting = self._queue.get_nowait()
            except queue.Empty:
                return
            if waiting is None:
                self._is_closing = True
                return
            group.append(waiting)

    def _commit(self, group: list[_Waiting]) -> list[_Outcome]:
        """Write the group, and what has come to wait by the time at which it is this process's turn."""
        try:
            try:
                return self._in_one_transaction(group, self._run)
            except _HalfWritten:
                return self._in_one_transaction(group, self._run_in_savepoint)
        except StorageUnavailable as gone:
            log.error("nothing is written: %s", gone.message)  # noqa: TRY400 - the message says all
            return [_Outcome(each, error=gone) for each in group]
        except (sqlite3.Error, OSError) as failure:
            self.has_failed = True
            log.exception("writing to the store failed")
            if isinstance(failure, sqlite3.Error):
                self._note_failure(failure)
            return [_Outcome(each, error=StorageUnavailable("the store could not write")) for each in group]

    def _in_one_transaction(self, group: list[_Waiting], run: Callable[[_Waiting], _Outcome]) -> list[_Outcome]:
        with self._turn.taken():
            self._take_waiting(group)
            with transaction(self._connection):
                outcomes = [run(each) for each in group]
                self._reject_if_gone()
        return outcomes

    def _run(self, waiting: _Waiting) -> _Outcome:
        """Run one job. Raise _HalfWritten if it fails after it has changed something.

        A savepoint for each job would cost more than the job: SQLite copies each page that is changed within one.
        """
        changes = self._connection.total_changes
        try:
            return _Outcome(waiting, waiting.job(self._connection))
        except Exception as error:  # Any failure belongs to this job and to no other.
            if not self._connection.in_transaction:  # SQLite rolled back all of it, as for a full disk.
                raise
            if self._connection.total_changes != changes:
                raise _HalfWritten from error
            return self._failed(waiting, error)

    def _run_in_savepoint(self, waiting: _Waiting) -> _Outcome:
        """Run one job so that its failure undoes only its own writes."""
        execute = self._connection.execute
        execute("SAVEPOINT job")
        try:
            outcome = _Outcome(waiting, waiting.job(self._connection))
        except Exception as error:  # Any failure belongs to this job and to no other.
            if not self._connection.in_transaction:  # SQLite rolled back all of it, as for a full disk.
                raise
            execute("ROLLBACK TO job")
            outcome = self._failed(waiting, error)
        execute("RELEASE job")
        return outcome

    def _failed(self, waiting: _Waiting, error: Exception) -> _Outcome:
        if isinstance(error, sqlite3.Error):
            self.has_failed = True
            log.error("a write to the store failed", exc_info=error)
            self._note_failure(error)
            error = StorageUnavailable("the store could not write")
        return _Outcome(waiting, error=error)


def give_up(answer: asyncio.Future[Any]) -> None:
    """End the wait for a write whose time is over, unless it has been confirmed in the same turn of the event loop."""
    if not answer.done():
        text = "the store did not confirm the write in time; its outcome is not known"
        answer.set_exception(StorageUnavailable(text))


def _tell(outcomes: Sequence[_Outcome]) -> None:
    """Give every caller its result, waking each event loop once."""
    for loop in {outcome.waiting.loop for outcome in outcomes}:
        mine = [outcome for outcome in outcomes if outcome.waiting.loop is loop]
        if not loop.is_closed():
            loop.call_soon_threadsafe(_tell_here, mine)


def _tell_here(outcomes: Sequence[_Outcome]) -> None:
    for outcome in outcomes:
        outcome.tell()
