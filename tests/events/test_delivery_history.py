"""What is shown of a subscription's deliveries: its state, a summary, and each attempt with request and response."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.events.delivery_world import START, parse

from tmf_sales.errors import NotFound
from tmf_sales.events.delivery.history import attempts, described_subscription, listed_subscriptions
from tmf_sales.events.ssrf_guard import LOOPBACK, SsrfGuard
from tmf_sales.events.subscription import Subscription
from tmf_sales.events.subscriptions import SUBSCRIPTION, SUBSCRIPTION_KIND, Hub
from tmf_sales.storage.events import AttemptRecord, FanOut, Step
from tmf_sales.storage.memory.events import MemoryEvents
from tmf_sales.storage.memory.store import MemoryStorage
from tmf_sales.storage.records import Change, Version

KIND = "ticket"
CALLBACK = "http://127.0.0.1:9000/events"
AT = "2023-11-14T22:13:20.000Z"


class World:
    """A hub above a store in memory, with one subscription that gets the size of tickets."""

    def __init__(self) -> None:
        self.store = MemoryStorage([SUBSCRIPTION_KIND])
        self.store.events = self.log = MemoryEvents(lambda: START)
        self.hub = Hub(self.store, parse, SsrfGuard(LOOPBACK), api_of={KIND: "tickets"})

    async def subscription(self, query: str = "size") -> Subscription:
        return (await self.hub.register("tickets", CALLBACK, query)).subscription

    async def attempt(self, subscription: Subscription, id: str, at: float, status: int | None) -> None:
        """Let an event of a resource of its own happen, and be tried once."""
        event = {"eventId": id, "eventType": "TicketChangeEvent", "size": 3, "event": {KIND: {"id": id}}}
        self.log.append(Change(KIND, id, 0, (), (event,)))
        (stored,) = await self.log.not_fanned_out(10)
        (queue,) = await self.log.fan_out([FanOut(stored, [subscription.id], [subscription.id])], "me", at + 9, at)
        error = None if status else "not reachable in time"
        record = AttemptRecord(subscription.id, id, at, 0.5, status, "body" if status else "", error)
        is_done = status is not None and status < 300
        await self.log.record(
            [Step(queue, f"{queue.last}~" if is_done else queue.first, not is_done, at + 5, record)], "me", at + 9
        )


@pytest.fixture
def world() -> World:
    return World()


async def test_a_subscription_without_attempts_has_no_rate(world: World) -> None:
    subscription = await world.subscription()

    assert await described_subscription(world.hub, subscription) == {
        **subscription.view(),
        "state": "active",
        "delivery": {"waiting": 0, "attempts": 0, "succeeded": 0},
    }


async def test_a_summary_has_the_rate_and_the_last_times(world: World) -> None:
    subscription = await world.subscription()
    await world.attempt(subscription, "e1", START, None)

    failed = (await described_subscription(world.hub, subscription))["delivery"]
    await world.attempt(subscription, "e2", START, 204)
    described = await described_subscription(world.hub, subscription)

    assert failed == {"waiting": 1, "attempts": 1, "succeeded": 0, "successRate": 0.0, "lastAttemptTime": AT}
    assert described["state"] == "failing"
    assert described["delivery"] == {
        "waiting": 1,
        "attempts": 2,
        "succeeded": 1,
        "successRate": 0.5,
        "lastAttemptTime": AT,
        "lastSuccessTime": AT,
    }
    assert [each["delivery"] for each in await listed_subscriptions(world.hub, [subscription])] == [{"waiting": 1}]


async def test_a_state_says_why_nothing_is_sent_and_since_when_it_fails(world: World) -> None:
    subscription = replace(await world.subscription(), disabled="it answered 410 Gone", failing_since=START)

    (listed,) = await listed_subscriptions(world.hub, [subscription])

    assert (listed["state"], listed["disabledReason"]) == ("disabled", "it answered 410 Gone")
    assert listed["failingSince"] == AT


async def test_an_attempt_has_what_was_sent_and_received(world: World) -> None:
    subscription = await world.subscription()
    await world.attempt(subscription, "e1", START, 500)
    alone = await world.hub.alone("tickets", subscription.id)

    (shown,) = await attempts(world.log, alone, subscription.id, CALLBACK, 10)

    headers = {
        "content-type": "application/json",
        "user-agent": "tmf-sales",
        "webhook-id": "e1",
        "webhook-timestamp": "1700000000",
        "resource-revision": "1",
    }
    assert shown == {
        "eventId": "e1",
        "attemptTime": AT,
        "duration": 0.5,
        "succeeded": False,
        "response": {"status": 500, "body": "body"},
        "request": {"url": CALLBACK, "headers": headers, "body": {"eventId": "e1", "size": 3}},
    }


async def test_an_attempt_without_a_response_says_why_and_one_of_a_removed_event_has_no_body(world: World) -> None:
    subscription = await world.subscription()
    await world.attempt(subscription, "e1", START, None)
    world.log._log.events.clear()
    alone = await world.hub.alone("tickets", subscription.id)

    (shown,) = await attempts(world.log, alone, subscription.id, CALLBACK, 10)

    assert shown["error"] == "not reachable in time"
    assert "response" not in shown
    assert "body" not in shown["request"]


async def test_an_event_that_the_subscription_does_not_get_any_more_is_not_shown(world: World) -> None:
    subscription = await world.subscription("4")
    await world.attempt(subscription, "e1", START, 204)
    alone = await world.hub.alone("tickets", subscription.id)

    (shown,) = await attempts(world.log, alone, subscription.id, CALLBACK, 10)

    assert "body" not in shown["request"]


async def test_a_disabled_subscription_is_found_alone_and_an_unreadable_one_is_not(world: World) -> None:
    subscription = await world.subscription()
    await world.hub.disable(subscription.id, "it answered 410 Gone")

    alone = await world.hub.alone("tickets", subscription.id)
    stored = await world.store.get(SUBSCRIPTION, subscription.id)
    assert stored is not None
    broken = Version(stored.revision + 1, {"id": subscription.id, "api": "tickets"})
    await world.store.commit(Change(SUBSCRIPTION, subscription.id, stored.revision, (broken,)))

    assert alone[subscription.id].disabled == "it answered 410 Gone"
    for id in (subscription.id, "unknown"):
        with pytest.raises(NotFound):
            await world.hub.alone("tickets", id)
