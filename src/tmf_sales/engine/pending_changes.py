"""Lets the changes of one resource build on each other before they are committed, and commits them together.

While a commit of a resource is under way, further changes of it are made from its result and wait; then all of them are
one write. This is only about speed: the store's compare-and-set prevents lost updates. What a client sees is committed:
a response, or a rejection, that depends on a change is sent when the store has confirmed that change. If a write fails,
all that was built on it starts again from the stored resource, one request at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple
from weakref import WeakValueDictionary

from tmf_sales.engine.request import Response
from tmf_sales.errors import Unavailable
from tmf_sales.storage.protocol import RevisionConflict, StorageUnavailable
from tmf_sales.storage.records import Change, Record, Version, merged

RACES = 200
GROUP_LIMIT = 50
GROUP_BYTES = 1024 * 1024
"""A group takes no further change when its documents have so many bytes, because MongoDB holds 4 MB of waiting events.

So only its last change can exceed the size of a record; that is the one whose versions the store checks and writes.
"""


class Attempt(NamedTuple):
    """What a request comes to: its response or rejection, and the change to commit before the response is sent."""

    response: Response | None = None
    change: Change | None = None
    rejection: Exception | None = None

    def answer(self) -> Response:
        """Return the response, or raise the rejection."""
        if self.response is None:
            raise self.rejection or TypeError("an attempt needs a response or a rejection")
        return self.response


Make = Callable[[Record | None], Awaitable[Attempt]]
"""Makes an attempt from this record, which is not committed yet; None: from what is stored."""

Commit = Callable[[Change], Awaitable[None]]


class PendingChanges:
    """The changes of one type's resources that this process is making. `commit` may raise RevisionConflict."""

    def __init__(self, commit: Commit) -> None:
        self._commit = commit
        self._resources: WeakValueDictionary[str, _Resource] = WeakValueDictionary()

    async def answer(self, id: str, make: Make) -> Response:
        """Make a change of this resource, commit it and return the response. Requests run in order of arrival.

        Raises what `make` and the commit raise, and Unavailable when other processes win too many races.
        """
        resource = self._resource(id)
        response = await resource.answer_with_others(make)
        if response is None:
            async with resource.alone():
                response = await self._answer_alone(make)
        return response

    @asynccontextmanager
    async def alone(self, id: str) -> AsyncIterator[None]:
        """Wait until no other change of this resource is under way in this process, and let none begin."""
        async with self._resource(id).alone():
            yield

    async def _answer_alone(self, make: Make) -> Response:
        for _ in range(1, RACES):  # the attempt with others was the first one
            attempt = await make(None)
            try:
                if attempt.change is not None:
                    await self._commit(attempt.change)
            except RevisionConflict:
                continue
            return attempt.answer()
        raise too_many_races()

    def _resource(self, id: str) -> _Resource:
        resource = self._resources.get(id)
        if resource is None:
            resource = self._resources[id] = _Resource(self._commit)
        return resource


def too_many_races() -> Unavailable:
    return Unavailable("Too many concurrent changes of this resource")


class _NotWritten(Exception):
    """The failure of a group until its outcome is known; it remains when the group is given up."""


_NOT_WRITTEN = _NotWritten()


class _Group:
    """Changes of one resource, each made from the one before, which are written together or not at all."""

    __slots__ = ("changes", "ended", "failure")

    def __init__(self, first: Change) -> None:
        self.changes = [first]
        self.ended = asyncio.Event()
        self.failure: Exception | None = _NOT_WRITTEN

    @property
    def is_full(self) -> bool:
        size = sum([len(version.text) for change in self.changes for version in change.versions])
        return len(self.changes) >= GROUP_LIMIT or size >= GROUP_BYTES

    @property
    def has_failed(self) -> bool:
        return self.ended.is_set() and self.failure is not None

    @property
    def record(self) -> Record:
        """The resource after these changes, made of its text as if it had been stored and read."""
        last = self.changes[-1]
        return Record(last.id, last.revision, tuple([Version(each.revision, text=each.text) for each in last.versions]))

    def raise_final_failure(self) -> None:
        """Raise the failure if starting again cannot help: it has one change alone, or the store is not available."""
        is_of_one = len(self.changes) == 1 and not isinstance(self.failure, RevisionConflict | _NotWritten)
        if self.failure is not None and (is_of_one or isinstance(self.failure, StorageUnavailable)):
            raise self.failure


class _Resource:
    """The changes of one resource: the group that is being written, and the one that waits for it and builds on it."""

    def __init__(self, commit: Commit) -> None:
        self._commit = commit
        self._lock = asyncio.Lock()
        self._writing: _Group | None = None
        self._waiting: _Group | None = None
        self._task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        async with self._lock:
            if last := self._waiting or self._writing:
                await last.ended.wait()
            yield

    async def answer_with_others(self, make: Make) -> Response | None:
        """Return None when the request must start again, because its change, or what it saw, was not written."""
        async with self._lock:
            while self._writing and self._waiting and self._waiting.is_full:
                await self._writing.ended.wait()
            base = self._waiting or self._writing
            attempt = await make(None) if base is None else await _made_from(base, make)
            if base is not None and base.has_failed:
                return None
            is_first = self._writing is None
            group = base if attempt.change is None else self._add(attempt.change)
        if group is not None:
            if attempt.change is not None and is_first:
                await self._write(group)
            else:
                await group.ended.wait()
            if group.failure is not None:
                if attempt.change is not None:
                    group.raise_final_failure()
                return None
        return attempt.answer()

    def _add(self, change: Change) -> _Group:
        if self._writing is None:
            self._writing = _Group(change)
            return self._writing
        if self._waiting is None:
            self._waiting = _Group(change)
        else:
            self._waiting.changes.append(change)
        return self._waiting

    async def _write(self, group: _Group) -> None:
        try:
            await self._commit(merged(group.changes))
            group.failure = None
        except Exception as failure:  # noqa: BLE001  the requests of the group raise it, or start again
            group.failure = failure
        finally:
            self._end(group)

    def _end(self, group: _Group) -> None:
        """Let the requests of the group go on, and write the group that waits, or give it up if it builds on a failure.

        That one is written by a task of its own, because any of its requests may be cancelled.
        """
        following, self._writing, self._waiting = self._waiting, None, None
        group.ended.set()
        if following is not None and group.failure is None:
            self._writing = following
            self._task = asyncio.create_task(self._write(following))
        elif following is not None:
            following.ended.set()


async def _made_from(base: _Group, make: Make) -> Attempt:
    """Make an attempt; a rejection is not raised yet, because it may be due to changes that are never written."""
    try:
        return await make(base.record)
    except Exception as rejection:  # noqa: BLE001  it is raised once the changes are written
        return Attempt(rejection=rejection)
