"""Readers of the log share what one of them reads, and each gets every event once and in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest
from tests.events.delivery_world import World, until

from tmf_sales.events.event_tail import EventTail
from tmf_sales.storage.events import StoredEvent
from tmf_sales.storage.protocol import StorageUnavailable


@pytest.fixture
def world() -> World:
    return World()


def tail_of(world: World, *, poll: float = 0.0, heartbeat: float = 30.0) -> EventTail:
    return EventTail(lambda: world.events, ["ticket"], poll=poll, heartbeat=heartbeat)


class Reader:
    """Follows the log in a task and keeps the ids of what it got; a heartbeat is a dash."""

    def __init__(self, tail: EventTail, place: str) -> None:
        self.got: list[str] = []
        self.error: Exception | None = None
        self._batches: AsyncGenerator[list[StoredEvent], None] = tail.follow(place)
        self.task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        try:
            async for events in self._batches:
                self.got += [event.id for event in events] or ["-"]
        except StorageUnavailable as error:
            self.error = error

    async def end(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await self._batches.aclose()


async def test_readers_get_what_happens_after_they_came_in_order(world: World) -> None:
    world.happen("1", "before")
    tail = tail_of(world)
    readers = [Reader(tail, await world.events.end_of_log()) for _ in range(3)]
    await until(lambda: tail._last is not None)
    for number in range(250):
        world.happen(str(number % 7), f"e{number}")
        world.happen("1", f"other{number}", kind="order")

    await until(lambda: all(len(reader.got) == 250 for reader in readers))

    assert all(reader.got == [f"e{number}" for number in range(250)] for reader in readers)
    for reader in readers:
        await reader.end()
    assert tail._task is None


async def test_a_reader_that_comes_back_gets_what_it_missed(world: World) -> None:
    world.happen("1", "e1", "e2")
    tail = tail_of(world)
    first = Reader(tail, "")
    await until(lambda: first.got == ["e1", "e2"])
    await first.end()
    world.happen("1", "e3")
    world.happen("1", "e4")

    second = Reader(tail, await world.events.place_of("e2") or "")
    await until(lambda: second.got == ["e3", "e4"])
    world.happen("1", "e5")
    await until(lambda: second.got == ["e3", "e4", "e5"])
    await second.end()


async def test_readers_share_what_is_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    tail = tail_of(world)
    readers = [Reader(tail, await world.events.end_of_log()) for _ in range(20)]
    await until(lambda: tail._last is not None)
    read, calls = world.events.read_log, 0

    async def counted(*kinds: object, **rest: object) -> object:
        nonlocal calls
        found = await read(*kinds, **rest)  # type: ignore[arg-type]
        calls += bool(found[0])
        return found

    monkeypatch.setattr(world.events, "read_log", counted)
    for number in range(5):
        world.happen("1", f"e{number}")
        await until(lambda number=number: all(len(reader.got) == number + 1 for reader in readers))  # type: ignore[misc]

    assert calls == 5
    for reader in readers:
        await reader.end()


async def test_without_events_there_is_a_heartbeat(world: World) -> None:
    reader = Reader(tail_of(world, poll=30.0, heartbeat=0.001), await world.events.end_of_log())
    await until(lambda: reader.got[:2] == ["-", "-"])
    await reader.end()


@pytest.mark.parametrize("error", [StorageUnavailable("away"), ValueError("a defect")])
async def test_the_log_is_read_on_when_the_store_is_back(
    world: World, monkeypatch: pytest.MonkeyPatch, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    tail = tail_of(world)
    reader = Reader(tail, await world.events.end_of_log())
    await until(lambda: tail._last is not None)
    read = world.events.read_log
    failures = [error]

    async def fails_once(*kinds: object, **rest: object) -> object:
        if failures:
            raise failures.pop()
        return await read(*kinds, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(world.events, "read_log", fails_once)
    await until(lambda: not failures)
    world.happen("1", "e1")
    await until(lambda: reader.got == ["e1"])
    await reader.end()
    assert "event streams wait" in caplog.text


async def test_a_reader_that_is_behind_ends_when_the_store_is_away(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_kinds: object, **_rest: object) -> object:
        raise StorageUnavailable("away")

    monkeypatch.setattr(world.events, "read_log", away)
    reader = Reader(tail_of(world), "")
    await until(lambda: reader.error is not None)
