"""What metrics say of the store: read when asked, not too often, and never as if it were known when it is not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tmf_sales.app.context import Context, create_context
from tmf_sales.configuration.settings import Settings
from tmf_sales.errors import Unavailable
from tmf_sales.storage.events import Backlog
from tmf_sales.storage.records import Change, Version
from tmf_sales.telemetry import store_gauges
from tmf_sales.telemetry.numbers import Numbers
from tmf_sales.telemetry.store_gauges import StoreGauges

QUOTE = "tmf648/quote"


class World:
    """Gauges of a memory store, with a clock and a store that can go away."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.time = 1_000_000.0
        self.is_up = True
        numbers = Numbers()
        self.gauges = StoreGauges(numbers, context.apis, context.store, context.hub, self._is_up, lambda: self.time)
        numbers.share(1)

    async def _is_up(self) -> bool:
        return self.is_up

    async def add_quote(self, id: str, state: str) -> None:
        document = {"id": id, "state": state}
        event = {"eventId": f"event of {id}", "eventTime": "", "eventType": "QuoteCreateEvent"}
        await self.context.store.commit(Change(QUOTE, id, 0, (Version(1, document),), (event,)))


@pytest.fixture
async def world() -> AsyncIterator[World]:
    context = create_context(Settings(store="memory:"))
    await context.store.open()
    made = World(context)
    yield made
    await made.gauges.close()
    await context.store.close()


async def test_resources_are_counted_by_state_at_most_once_a_minute(world: World) -> None:
    await world.add_quote("1", "pending")
    await world.gauges.refresh()
    await world.add_quote("2", "pending")
    world.time += 59
    await world.gauges.refresh()
    assert world.gauges.resources()[QUOTE, "pending"] == 1

    world.time += 1
    await world.gauges.refresh()

    assert world.gauges.resources()[QUOTE, "pending"] == 2
    assert world.gauges.resources()[QUOTE, "approved"] == 0


async def test_events_and_subscriptions_are_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.add_quote("1", "pending")
    for path in ("one", "two", "three", "four"):
        await world.context.hub.register("tmf648", f"http://127.0.0.1:9/{path}", None)
    one, two, three, _ = await world.context.hub.subscriptions()
    await world.context.hub.disable(one.id, "it answered 410 Gone")
    await world.context.hub.note_failure(two.id, 1.0)
    monkeypatch.setattr(world.context.store.events, "retrying", returning({three.id}))
    monkeypatch.setattr(world.context.store.events, "backlog", returning(Backlog(3, world.time - 8)))

    await world.gauges.refresh()

    assert world.gauges.pending == 3
    assert world.gauges.oldest_seconds == 8
    assert world.gauges.subscriptions() == {"active": 1, "failing": 2, "disabled": 1}


def returning(value: object) -> Callable[[], Any]:
    async def give() -> object:
        return value

    return give


async def test_without_pending_events_the_oldest_is_0_seconds_old(world: World) -> None:
    await world.gauges.refresh()

    assert (world.gauges.pending, world.gauges.oldest_seconds) == (0, 0.0)


async def test_what_was_pending_is_not_known_while_the_store_is_away(world: World) -> None:
    await world.context.hub.register("tmf648", "http://127.0.0.1:9/one", None)  # else nobody waits for the event
    await world.add_quote("1", "pending")
    await world.gauges.refresh()
    assert world.gauges.pending == 1
    world.is_up = False

    await world.gauges.refresh()

    assert world.gauges.up is False
    assert world.gauges.pending is None
    assert world.gauges.oldest_seconds is None
    assert world.gauges.subscriptions() == {}

    world.is_up = True
    await world.gauges.refresh()
    assert world.gauges.pending == 1


@pytest.mark.parametrize(
    ("failure", "level"), [(Unavailable("The query took too long"), "INFO"), (ValueError("a defect"), "ERROR")]
)
async def test_a_read_that_fails_is_logged_and_harms_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, failure: Exception, level: str
) -> None:
    async def fail() -> None:
        raise failure

    caplog.set_level("INFO", "tmf_sales")
    monkeypatch.setattr(world.context.store.events, "backlog", fail)

    await world.gauges.refresh()

    assert world.gauges.pending is None
    assert world.gauges.up is True
    assert [record.levelname for record in caplog.records if record.name == store_gauges.__name__] == [level]


async def test_a_scrape_does_not_wait_for_a_slow_store(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = asyncio.Event()

    async def slow() -> Backlog:
        await answer.wait()
        return Backlog(2, None)

    monkeypatch.setattr(store_gauges, "PATIENCE", 0.0)
    monkeypatch.setattr(world.context.store.events, "backlog", slow)

    await world.gauges.refresh()
    assert world.gauges.pending is None
    world.time += 100
    await world.gauges.refresh()  # starts no second read
    answer.set()
    monkeypatch.setattr(store_gauges, "PATIENCE", 60.0)
    await world.gauges.refresh()

    assert world.gauges.pending == 2
