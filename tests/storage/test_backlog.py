"""The backlog: how many events no subscription, or not every subscription, has received, and how old they are."""

from __future__ import annotations

import time

import pytest
from tests.storage.test_delivery_queues import LATER, NOW, attempt, fan, happen

from tmf_sales.storage.events import BEHIND, Backlog, EventStore, Step
from tmf_sales.storage.mongo import events as mongo_events
from tmf_sales.storage.protocol import Storage


@pytest.fixture
def log(store: Storage) -> EventStore:
    return store.events


async def test_an_empty_log_has_no_backlog(log: EventStore) -> None:
    assert await log.backlog() == Backlog(0, None)


async def test_events_are_pending_until_every_subscription_has_them(store: Storage, log: EventStore) -> None:
    found = await happen(store, log, "1", "e1", "e2")
    oldest = found[0].stored
    assert await log.backlog() == Backlog(2, oldest)

    first, second = await fan(log, found, "a", "b")
    assert await log.backlog() == Backlog(2, oldest)

    await log.record([Step(first, found[0].order + BEHIND, attempt=attempt("e1"))], "me", LATER)
    assert await log.backlog() == Backlog(2, oldest)

    await log.record([Step(second, found[0].order + BEHIND, attempt=attempt("e1"))], "me", LATER)
    left = await log.backlog()
    assert left == Backlog(1, found[1].stored)

    for subscription in ("a", "b"):
        await log.forget(subscription)
    assert await log.backlog() == Backlog(0, None)


async def test_new_events_add_to_those_that_wait_for_a_retry(store: Storage, log: EventStore) -> None:
    found = await happen(store, log, "1", "e1")
    [queue] = await fan(log, found, "a")
    await log.record([Step(queue, queue.first, 1, NOW + 60, attempt("e1", status=None))], "me", LATER)
    for resource, id in (("2", "e2"), ("1", "e3"), ("3", "e4")):
        await happen(store, log, resource, id)

    backlog = await log.backlog()

    assert backlog.events == 4
    assert backlog.oldest == found[0].stored
    assert backlog.oldest is not None
    assert backlog.oldest <= time.time()


async def test_an_event_that_nobody_wants_is_not_pending(store: Storage, log: EventStore) -> None:
    await fan(log, await happen(store, log, "1", "e1"))

    assert await log.backlog() == Backlog(0, None)


async def test_many_queues_are_counted_in_several_steps(
    store: Storage, log: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mongo_events, "RESOURCES_AT_ONCE", 2)
    for number in range(5):
        await fan(log, await happen(store, log, str(number), f"e{number}"), "a")

    assert (await log.backlog()).events == 5


async def test_queues_beyond_those_that_mongodb_counts_have_one_event_at_least(
    store: Storage, log: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mongo_events, "QUEUES_COUNTED", 2)
    for number in range(3):
        await fan(log, await happen(store, log, str(number), f"e{number}"), "a")

    assert (await log.backlog()).events == 3
