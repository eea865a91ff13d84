"""Changes of one resource build on each other, are written together, and show nothing that is not committed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tmf_sales.engine.pending_changes import GROUP_BYTES, GROUP_LIMIT, RACES, Attempt, PendingChanges
from tmf_sales.engine.request import Response
from tmf_sales.errors import Conflict, Unavailable
from tmf_sales.storage.memory.store import MemoryStorage
from tmf_sales.storage.protocol import RECORD_LIMIT, NotStorable, RecordTooLarge, RevisionConflict, StorageUnavailable
from tmf_sales.storage.records import Change, Document, Kind, Record, Version

KIND = "thing"


class Store(MemoryStorage):
    """Commits when `commit_next` is called, or at once when open. `failures`: what the next commits raise, one each."""

    def __init__(self) -> None:
        super().__init__((Kind(KIND),))
        self.arrived: asyncio.Queue[tuple[Change, asyncio.Event]] = asyncio.Queue()
        self.failures: list[Exception | None] = []
        self.sizes: list[int] = []
        self.is_open = False

    async def commit(self, change: Change) -> int:
        if not self.is_open:
            released = asyncio.Event()
            self.arrived.put_nowait((change, released))
            await released.wait()
        if self.failures and (failure := self.failures.pop(0)) is not None:
            raise failure
        revision = await super().commit(change)
        self.sizes.append(len(change.earlier) + 1)
        return revision

    async def commit_next(self, failure: Exception | None = None) -> Change:
        """Let the commit that waits, or comes next, end, and all that follows from it happen."""
        change, released = await self.arrived.get()
        self.failures = [failure]
        released.set()
        await everything_else()
        return change

    def open(self) -> None:  # type: ignore[override]
        """Hold no commit any more."""
        self.is_open = True
        while not self.arrived.empty():
            self.arrived.get_nowait()[1].set()

    async def record(self) -> Record:
        record = await self.get(KIND, "x")
        assert record is not None
        return record

    async def write(self, document: Document) -> None:
        """Write as another process would."""
        record = await self.get(KIND, "x")
        revision = record.revision if record else 0
        await super().commit(Change(KIND, "x", revision, (Version(revision + 1, document),)))

    def reported(self) -> list[tuple[str, int]]:
        return [(event.id, event.revision) for event in self.events._log.events.values()]


async def everything_else() -> None:
    """Let all other tasks run until each of them waits."""
    for _ in range(50):
        await asyncio.sleep(0)


@pytest.fixture
async def store() -> Store:
    store = Store()
    await store.write({"names": []})
    return store


@pytest.fixture
def pending(store: Store) -> PendingChanges:
    async def commit(change: Change) -> None:
        await store.commit(change)

    return PendingChanges(commit)


Started = asyncio.Task[Response]
Start = Callable[..., Started]


@pytest.fixture
def start(store: Store, pending: PendingChanges) -> Start:
    """Starts a request that adds its name to the names, and returns them all. It may be delayed, or add bytes."""

    def started(name: str, after: asyncio.Event | None = None, size: int = 0) -> Started:
        async def make(uncommitted: Record | None) -> Attempt:
            record = uncommitted or await store.record()
            names = record.current.document["names"]
            if after is not None:
                await after.wait()
            if name in names:
                raise Conflict(f"{name} is taken")
            if name == "":
                return shown(names)
            return changed(record, [*names, name], size)

        return running(pending.answer("x", make))

    return started


def running(request: Coroutine[Any, Any, Response]) -> Started:
    return asyncio.get_running_loop().create_task(request)


def shown(names: list[str], change: Change | None = None) -> Attempt:
    return Attempt(Response(200, ",".join(names).encode()), change)


def changed(record: Record, names: list[str], size: int = 0) -> Attempt:
    version = Version(record.revision + 1, {"names": names, "filler": "." * size})
    event = {"eventId": names[-1], "eventTime": "", "eventType": "Changed"}
    return shown(names, Change(KIND, "x", record.revision, (version,), (event,), record.current))


async def names_in(store: Store) -> list[str]:
    names: list[str] = (await store.record()).current.document["names"]
    return names


async def text(request: Started) -> str:
    return (await request).text.decode()


async def texts(*requests: Started) -> list[str]:
    return [await text(request) for request in requests]


async def test_changes_that_come_during_a_commit_are_one_write(store: Store, start: Start) -> None:
    requests = [start(name) for name in "abcd"]
    await everything_else()

    first = await store.commit_next()
    second = await store.commit_next()

    assert await texts(*requests) == ["a", "a,b", "a,b,c", "a,b,c,d"]
    assert (first.revision, second.revision, second.expected_revision) == (2, 5, 2)
    assert (await store.record()).revision == 5
    assert store.reported() == [("a", 2), ("b", 3), ("c", 4), ("d", 5)]
    assert store.sizes == [1, 3]


async def test_nothing_is_answered_or_stored_before_its_commit(store: Store, start: Start) -> None:
    first, second, third = (start(name) for name in "abc")
    await everything_else()

    assert not any(request.done() for request in (first, second, third))
    assert await names_in(store) == []
    await store.commit_next()
    assert (first.done(), second.done(), third.done()) == (True, False, False)
    assert await names_in(store) == ["a"]
    await store.commit_next()
    assert await texts(second, third) == ["a,b", "a,b,c"]


async def test_what_builds_on_a_lost_race_starts_again(store: Store, start: Start) -> None:
    requests = [start(name) for name in "abc"]
    await everything_else()

    await store.write({"names": ["of another process"]})
    await store.commit_next(RevisionConflict())
    store.open()

    await asyncio.gather(*requests)
    assert await names_in(store) == ["of another process", "a", "b", "c"]
    assert store.reported() == [("a", 3), ("b", 4), ("c", 5)]


async def test_what_builds_on_a_write_with_an_unknown_outcome_starts_again(store: Store, start: Start) -> None:
    first, second, third = (start(name) for name in "abc")
    await everything_else()

    await store.commit_next(StorageUnavailable("away"))
    store.open()

    with pytest.raises(StorageUnavailable):
        await first
    assert await texts(second, third) == ["b", "b,c"]
    assert store.reported() == [("b", 2), ("c", 3)]


async def test_every_change_of_a_lost_group_starts_again(store: Store, start: Start) -> None:
    requests = [start(name) for name in "abc"]
    await everything_else()

    await store.commit_next()
    await store.write({"names": ["a", "of another process"]})
    await store.commit_next(RevisionConflict())
    store.open()

    await asyncio.gather(*requests)
    assert await names_in(store) == ["a", "of another process", "b", "c"]
    assert store.reported() == [("a", 2), ("b", 4), ("c", 5)]


async def test_every_change_of_a_group_with_an_unknown_outcome_fails(store: Store, start: Start) -> None:
    _first, second, third = (start(name) for name in "abc")
    await everything_else()

    await store.commit_next()
    await store.commit_next(StorageUnavailable("away"))

    for request in (second, third):
        with pytest.raises(StorageUnavailable):
            await request
    assert await names_in(store) == ["a"]


async def test_a_rejection_is_sent_when_what_it_is_due_to_is_committed(store: Store, start: Start) -> None:
    first, again = start("a"), start("a")
    await everything_else()

    assert not again.done()
    await store.commit_next()
    await first
    with pytest.raises(Conflict, match="a is taken"):
        await again


async def test_a_rejection_due_to_what_is_not_written_is_forgotten(store: Store, start: Start) -> None:
    first, again = start("a"), start("a")
    await everything_else()

    await store.commit_next(StorageUnavailable("away"))
    store.open()

    with pytest.raises(StorageUnavailable):
        await first
    assert await text(again) == "a"


async def test_a_response_without_a_change_is_sent_when_what_it_shows_is_committed(store: Store, start: Start) -> None:
    first, nothing = start("a"), start("")
    await everything_else()

    assert not nothing.done()
    await store.commit_next()
    assert await texts(first, nothing) == ["a", "a"]


async def test_a_response_without_a_change_never_shows_what_is_not_written(store: Store, start: Start) -> None:
    first, nothing = start("a"), start("")
    await everything_else()

    await store.commit_next(StorageUnavailable("away"))

    with pytest.raises(StorageUnavailable):
        await first
    assert await text(nothing) == ""


async def test_a_rejection_due_to_what_is_stored_is_sent_at_once(store: Store, start: Start) -> None:
    await store.write({"names": ["a"]})

    with pytest.raises(Conflict, match="a is taken"):
        await start("a")
    assert await text(start("")) == "a"


async def test_what_builds_on_the_change_of_a_cancelled_request_starts_again(store: Store, start: Start) -> None:
    first, second, third = (start(name) for name in "abc")
    await everything_else()

    first.cancel()
    await everything_else()
    store.open()

    assert await texts(second, third) == ["b", "b,c"]
    assert first.cancelled()
    assert await names_in(store) == ["b", "c"]


async def test_a_group_goes_on_when_one_of_its_requests_is_cancelled(store: Store, start: Start) -> None:
    first, second, third = (start(name) for name in "abc")
    await everything_else()

    second.cancel()
    await store.commit_next()
    await store.commit_next()

    assert await texts(first, third) == ["a", "a,b,c"]
    assert second.cancelled()
    assert await names_in(store) == ["a", "b", "c"]  # b was accepted before its client left


@pytest.mark.parametrize("failure", [NotStorable("rule"), RecordTooLarge()], ids=["not storable", "too large"])
async def test_changes_that_fail_together_are_tried_alone(store: Store, start: Start, failure: Exception) -> None:
    first, second, third = (start(name) for name in "abc")
    await everything_else()
    await store.commit_next()
    await store.commit_next(failure)

    await store.commit_next(failure)
    await store.commit_next()

    assert await text(first) == "a"
    with pytest.raises(type(failure)):
        await second
    assert await text(third) == "a,c"
    assert store.sizes == [1, 1]


async def test_a_change_that_fails_alone_is_not_tried_again(store: Store, start: Start) -> None:
    request = start("a")

    await store.commit_next(NotStorable("rule"))

    with pytest.raises(NotStorable):
        await request
    assert store.arrived.empty()


async def test_a_record_that_is_too_large_for_a_moment_is_rejected(
    store: Store, start: Start, pending: PendingChanges
) -> None:
    async def shorten(uncommitted: Record | None) -> Attempt:
        record = uncommitted or await store.record()
        return changed(record, [*record.current.document["names"], "short"])

    first, large, short = start("a"), start("b", size=RECORD_LIMIT), running(pending.answer("x", shorten))
    await everything_else()
    store.open()

    with pytest.raises(RecordTooLarge):
        await large
    assert await text(first) == "a"
    assert await text(short) == "a,short"


async def test_a_change_that_was_made_while_what_it_builds_on_failed_starts_again(store: Store, start: Start) -> None:
    go_on = asyncio.Event()
    first = start("a")
    await everything_else()
    second = start("b", after=go_on)
    await everything_else()

    await store.write({"names": ["of another process"]})
    await store.commit_next(RevisionConflict())
    go_on.set()
    store.open()

    await asyncio.gather(first, second)
    assert sorted(await names_in(store)) == ["a", "b", "of another process"]


async def test_a_change_that_was_made_while_what_it_builds_on_was_written_follows_it(
    store: Store, start: Start
) -> None:
    go_on = asyncio.Event()
    first = start("a")
    await everything_else()
    second = start("b", after=go_on)
    await everything_else()

    await store.commit_next()
    go_on.set()
    await store.commit_next()

    assert await texts(first, second) == ["a", "a,b"]
    assert store.sizes == [1, 1]


@pytest.mark.parametrize(
    ("size", "most"), [(0, GROUP_LIMIT), (GROUP_BYTES // 2, 2)], ids=["number of changes", "bytes"]
)
async def test_a_group_has_a_limit(store: Store, start: Start, size: int, most: int) -> None:
    requests = [start(str(number), size=size) for number in range(1 + most + 1)]
    await everything_else()
    store.open()

    await asyncio.gather(*requests)

    assert store.sizes == [1, most, 1]
    assert await names_in(store) == [str(number) for number in range(1 + most + 1)]


async def test_who_is_alone_waits_for_changes_under_way_and_lets_none_begin(
    store: Store, start: Start, pending: PendingChanges
) -> None:
    is_alone, go_on = asyncio.Event(), asyncio.Event()

    async def be_alone() -> None:
        async with pending.alone("x"):
            is_alone.set()
            assert await names_in(store) == ["a", "b"]
            await go_on.wait()

    first, second = start("a"), start("b")
    await everything_else()
    alone = asyncio.create_task(be_alone())
    await everything_else()
    third = start("c")

    await store.commit_next()
    assert not is_alone.is_set()
    await store.commit_next()
    assert is_alone.is_set()
    assert store.arrived.empty()
    go_on.set()
    await alone
    await store.commit_next()
    assert await texts(first, second, third) == ["a", "a,b", "a,b,c"]


async def test_changes_of_other_resources_do_not_wait(store: Store, start: Start, pending: PendingChanges) -> None:
    async def make(uncommitted: Record | None) -> Attempt:
        return shown(["y"])

    first = start("a")
    await everything_else()

    assert (await pending.answer("y", make)).text == b"y"
    assert not first.done()
    await store.commit_next()
    await first


async def test_races_that_are_lost_for_ever_are_given_up(store: Store, start: Start) -> None:
    store.open()
    store.failures = [RevisionConflict()] * RACES

    with pytest.raises(Unavailable, match="Too many concurrent changes"):
        await start("a")
    assert store.failures == []


async def test_an_attempt_has_a_response_or_a_rejection() -> None:
    with pytest.raises(TypeError):
        Attempt().answer()
