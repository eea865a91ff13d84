"""Events are delivered to a subscription again: one, or those since a time, within bounds."""

from __future__ import annotations

import pytest
from tests.events.delivery_world import START, parse

from tmf_sales.events import replay as replay_module
from tmf_sales.events.replay import Replay, TooManyEvents
from tmf_sales.events.ssrf_guard import LOOPBACK, SsrfGuard
from tmf_sales.events.subscriptions import SUBSCRIPTION_KIND, Hub
from tmf_sales.storage.memory.events import MemoryEvents
from tmf_sales.storage.memory.store import MemoryStorage
from tmf_sales.storage.protocol import TookTooLong
from tmf_sales.storage.records import Change

KIND = "ticket"


class World:
    """A subscription to tickets of the size 1, and a log with a clock of its own."""

    def __init__(self) -> None:
        self.time = START
        store = MemoryStorage([SUBSCRIPTION_KIND])
        store.events = self.log = MemoryEvents(lambda: self.time)
        self.hub = Hub(store, parse, SsrfGuard(LOOPBACK), api_of={KIND: "tickets"})
        self.subscription = ""

    async def replay(self) -> Replay:
        registered = await self.hub.register("tickets", "http://127.0.0.1:9000/", "1")
        self.subscription = registered.subscription.id
        alone = await self.hub.alone("tickets", self.subscription)
        return Replay(self.log, alone, self.subscription, [KIND])

    def happen(self, id: str, resource: str = "r", size: int = 1) -> None:
        event = {"eventId": id, "eventType": "TicketChangeEvent", "size": size, "event": {KIND: {"id": resource}}}
        self.log.append(Change(KIND, resource, 0, (), (event,)))

    async def waiting(self) -> list[str]:
        queues = await self.log.claim("me", START + 100, START + 50, {self.subscription: 1000})
        return [event.id for queue in queues for event in await self.log.events_of(queue, 1000)]


@pytest.fixture
def world() -> World:
    return World()


async def test_one_event_is_delivered_again(world: World) -> None:
    replay = await world.replay()
    world.happen("e1")
    world.happen("e2", resource="other")

    assert await replay.event("e1", START)

    assert await world.waiting() == ["e1"]


@pytest.mark.parametrize("id", ["unwanted", "unknown"])
async def test_an_event_that_the_subscription_does_not_get_is_not_delivered(world: World, id: str) -> None:
    replay = await world.replay()
    world.happen("unwanted", size=2)

    assert not await replay.event(id, START)
    assert await world.waiting() == []


async def test_events_since_a_time_are_delivered_again_in_order(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay_module, "BATCH", 2)
    replay = await world.replay()
    for number in range(6):
        world.time = START + number
        world.happen(f"e{number}", size=2 if number == 4 else 1)

    assert await replay.since(START + 2, world.time, 10.0) == 3

    assert [id for id in await world.waiting() if id != "e4"] == ["e2", "e3", "e5"]


async def test_a_log_that_is_read_to_its_beginning_ends_the_search(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay_module, "BATCH", 1)
    replay = await world.replay()
    world.happen("old")
    world.time = START + 3600
    world.happen("new")

    assert await replay.since(START + 1800, world.time, 10.0) == 1
    assert await replay.since(0.0, world.time, 10.0) == 2


async def test_too_many_events_are_rejected_before_any_is_delivered(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay_module, "REPLAY_LIMIT", 2)
    replay = await world.replay()
    for number in range(3):
        world.happen(f"e{number}")

    with pytest.raises(TooManyEvents):
        await replay.since(0.0, START, 10.0)
    assert await world.waiting() == []


async def test_a_search_that_takes_too_long_is_given_up(world: World) -> None:
    replay = await world.replay()
    world.happen("e1")

    with pytest.raises(TookTooLong):
        await replay.since(0.0, START, -1.0)
    assert await world.waiting() == []
