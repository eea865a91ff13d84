"""The event log and the delivery queues, on every store (the EventStore protocol in tmf_sales.storage.events)."""

from __future__ import annotations

import asyncio
import itertools
import time
import tracemalloc
from collections.abc import Collection
from pathlib import Path

import orjson
import pytest
from tests.storage.deviations import NOT_ATOMIC
from tests.storage.tickets import KINDS, delete, insert, ticket, update

from tmf_sales.storage.events import (
    AUDIT_RECORD,
    BEHIND,
    AttemptRecord,
    Backlog,
    DeliveryQueue,
    EventStore,
    FanOut,
    QueueKey,
    Step,
    StoredEvent,
    is_full,
)
from tmf_sales.storage.factory import open_store
from tmf_sales.storage.protocol import Storage
from tmf_sales.storage.records import Change, Document, Kind

NOW = 1_700_000_000.0
LATER = NOW + 10
SUBSCRIBES = Kind("listener", subscribes=True)


@pytest.fixture
def log(store: Storage) -> EventStore:
    return store.events


def event(id: str, **members: object) -> Document:
    return {"eventId": id, "eventTime": "2026-01-02T03:04:05.678Z", "eventType": "TicketChangeEvent"} | members


async def not_fanned_out(log: EventStore, count: int) -> list[StoredEvent]:
    """The next events, when there are so many: a store may move them on just after the write was answered."""
    async with asyncio.timeout(20):
        while len(found := await log.not_fanned_out(1000)) < count:
            log.arrived.clear()
            if len(found := await log.not_fanned_out(1000)) >= count:
                break
            await log.arrived.wait()
    return found


async def happen(store: Storage, log: EventStore, resource: str, *ids: str) -> list[StoredEvent]:
    """One event a write; answers all that are not fanned out yet."""
    waiting = len(await log.not_fanned_out(1000))
    stored = await store.get("ticket", resource)
    revision = stored.revision if stored else 0
    for number, id in enumerate(ids, start=revision):
        change = insert(resource, ticket(), event(id)) if number == 0 else update(resource, number, ticket(), event(id))
        await store.commit(change)
    return await not_fanned_out(log, waiting + len(ids))


async def fan(
    log: EventStore,
    events: list[StoredEvent],
    *subscriptions: str,
    leased: Collection[str] = ("a", "b"),
    owner: str = "me",
) -> list[DeliveryQueue]:
    return await log.fan_out([FanOut(each, subscriptions, leased) for each in events], owner, LATER, NOW)


async def claim(log: EventStore, owner: str = "other", now: float = NOW, **room: int) -> list[DeliveryQueue]:
    return await log.claim(owner, now + 10, now, room or {"a": 100})


def ids(events: list[StoredEvent]) -> list[str]:
    return [each.id for each in events]


def attempt(event: str, at: float = NOW, subscription: str = "a", status: int | None = 204) -> AttemptRecord:
    return AttemptRecord(subscription, event, at, 0.25, status, "an answer: é", None if status else "no answer in time")


async def test_an_event_is_in_the_log_with_the_write_that_it_tells_of(store: Storage, log: EventStore) -> None:
    before = time.time()
    await store.commit(insert("1", ticket(), event("e1", note="é"), event("e2")))
    await store.commit(update("1", 1, ticket(), event("e3")))

    found = await not_fanned_out(log, 3)

    assert ids(found) == ["e1", "e2", "e3"]
    assert [(each.kind, each.resource, each.revision) for each in found] == [
        ("ticket", "1", 1),
        ("ticket", "1", 1),
        ("ticket", "1", 2),
    ]
    assert found[0].document == event("e1", note="é")
    assert found[0].document is found[0].document
    assert orjson.loads(found[0].text) == event("e1", note="é")
    assert before - 60 < found[0].stored < time.time() + 60


@pytest.mark.deviation(NOT_ATOMIC)
async def test_orders_sort_as_things_happened_and_have_one_length(store: Storage, log: EventStore) -> None:
    found = await happen(store, log, "1", *(f"e{number}" for number in range(20)))
    orders = [each.order for each in found if each.resource == "1"]

    assert orders == sorted(set(orders))
    assert len({len(order) for order in orders}) == 1
    assert all(order.isascii() and order < order + BEHIND < behind for order, behind in itertools.pairwise(orders))


async def test_a_deletion_tells_of_itself_too(store: Storage, log: EventStore) -> None:
    await store.commit(insert("1", ticket(), event("e1")))
    await store.commit(delete("1", 1, event("e2")))

    assert ids(await not_fanned_out(log, 2)) == ["e1", "e2"]
    assert await store.get("ticket", "1") is None


async def test_a_write_that_is_refused_tells_nothing(store: Storage, log: EventStore) -> None:
    await store.commit(insert("1", ticket(), event("e1")))
    for change in (insert("1", ticket(), event("no")), update("1", 7, ticket(), event("no"))):
        with pytest.raises(Exception):  # noqa: B017, PT011  which one is the storage suite's business
            await store.commit(change)
    await store.commit(update("1", 1, ticket(), event("e2")))

    assert ids(await not_fanned_out(log, 2)) == ["e1", "e2"]


async def test_writing_sets_arrived(store: Storage, log: EventStore) -> None:
    log.arrived.clear()
    await store.commit(insert("1", ticket(), event("e1")))

    async with asyncio.timeout(20):
        await log.arrived.wait()


async def test_unfanned_keeps_to_its_limit_and_leaves_none_out_between(store: Storage, log: EventStore) -> None:
    await happen(store, log, "1", "e1", "e2", "e3")

    assert ids(await log.not_fanned_out(2)) == ["e1", "e2"]


async def test_batches_end_where_their_texts_have_the_size_that_is_asked_for(store: Storage, log: EventStore) -> None:
    events = [event(id, note="x" * 1000) for id in ("e1", "e2", "e3", "e4")]
    await store.commit(insert("1", ticket(), *events))
    found = await not_fanned_out(log, 4)
    length = len(found[0].text)

    assert ids(await log.not_fanned_out(10, 2 * length)) == ["e1", "e2"]
    assert ids(await log.not_fanned_out(10, 2 * length + 1)) == ["e1", "e2", "e3"]
    assert ids(await log.not_fanned_out(10, 1)) == ["e1"]
    assert ids(await log.not_fanned_out(1, 2 * length)) == ["e1"]
    (delivery,) = await fan(log, found, "a")
    assert ids(await log.events_of(delivery, 10, 1)) == ["e1"]
    assert ids(await log.events_of(delivery, 10, 4 * length)) == ["e1", "e2", "e3", "e4"]


def test_a_batch_is_full_at_either_of_its_bounds() -> None:
    batch = [StoredEvent(str(number), "ticket", "1", 1, str(number), NOW, b"x" * 10) for number in range(3)]

    assert not is_full(batch, 4, 31)
    assert is_full(batch, 3, 31)
    assert is_full(batch, 4, 30)
    assert not is_full([], 1, 1)


async def test_events_of_one_type_are_found_among_all_of_a_resource(store: Storage, log: EventStore) -> None:
    def record(id: str) -> Document:
        return event(id) | {"eventType": "TheRecord"}

    decoys = [event("no1", note={"eventType": "TheRecord"}), event("no2", note='"eventType":"TheRecord"')]
    await store.commit(insert("1", ticket(), record("r1"), *decoys))
    await store.commit(update("1", 1, ticket(), event("no3"), record("r2"), record("r3")))
    await store.commit(insert("2", ticket(), record("no4")))
    await not_fanned_out(log, 7)

    assert ids(await log.of_type("ticket", "1", "TheRecord", 10)) == ["r1", "r2", "r3"]
    assert ids(await log.of_type("ticket", "1", "TheRecord", 2)) == ["r2", "r3"]
    assert ids(await log.of_type("ticket", "1", "TicketChangeEvent", 10)) == ["no1", "no2", "no3"]
    assert await log.of_type("order", "1", "TheRecord", 10) == []
    assert await log.of_type("ticket", "3", "TheRecord", 10) == []


async def test_events_of_other_types_are_not_in_memory_however_large_they_are(store: Storage, log: EventStore) -> None:
    for number in range(6):
        change = update("1", number, ticket(), event(f"e{number}", note="x" * 1_000_000))
        await store.commit(change if number else insert("1", ticket(), *change.events))
        await fan(log, await not_fanned_out(log, 1))
    tracemalloc.start()
    try:
        assert await log.of_type("ticket", "1", "TheRecord", 10) == []
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


async def test_a_fanned_event_is_in_the_lanes_of_its_listeners_and_no_longer_unfanned(
    store: Storage, log: EventStore
) -> None:
    events = await happen(store, log, "1", "e1", "e2")

    deliveries = await fan(log, events, "a", "b")

    assert {delivery.key for delivery in deliveries} == {QueueKey("a", "ticket", "1"), QueueKey("b", "ticket", "1")}
    assert {(delivery.first, delivery.last, delivery.failures) for delivery in deliveries} == {
        (events[0].order, events[1].order, 0)
    }
    assert await log.not_fanned_out(10) == []
    assert dict(await log.waiting()) == {"a": 1, "b": 1}
    assert ids(await log.events_of(deliveries[0], 10)) == ["e1", "e2"]
    assert ids(await log.events_of(deliveries[0], 1)) == ["e1"]


async def test_an_event_without_listeners_is_in_no_lane(store: Storage, log: EventStore) -> None:
    assert await fan(log, await happen(store, log, "1", "e1")) == []
    assert await log.not_fanned_out(10) == []
    assert dict(await log.waiting()) == {}


async def test_fanning_out_again_changes_nothing(store: Storage, log: EventStore) -> None:
    events = await happen(store, log, "1", "e1", "e2")
    (delivery,) = await fan(log, events, "a")
    await log.record([Step(delivery, events[0].order + BEHIND)], "me", LATER)

    assert await fan(log, events, "a", owner="other") == []
    (left,) = await claim(log, now=LATER)
    assert (left.first, left.last) == (events[0].order + BEHIND, events[1].order)


async def test_a_lane_that_is_there_only_grows(store: Storage, log: EventStore) -> None:
    first = await happen(store, log, "1", "e1")
    (delivery,) = await fan(log, first, "a")
    await log.record([Step(delivery, delivery.first, failures=3, due=NOW + 100)], "me", LATER)
    second = await happen(store, log, "1", "e2")

    assert await fan(log, second, "a") == []
    assert await claim(log, now=NOW + 99) == []
    (left,) = await claim(log, now=NOW + 100)
    assert (left.first, left.last, left.failures) == (first[0].order, second[0].order, 3)


async def test_queues_are_leased_at_once_only_when_asked(store: Storage, log: EventStore) -> None:
    deliveries = await fan(log, await happen(store, log, "1", "e1"), "a", "b", leased=["b"])

    assert [delivery.key.subscription for delivery in deliveries] == ["b"]
    assert [delivery.key.subscription for delivery in await claim(log, a=9, b=9)] == ["a"]


async def test_a_leased_lane_is_claimed_by_nobody_until_the_lease_has_run_out(store: Storage, log: EventStore) -> None:
    await fan(log, await happen(store, log, "1", "e1"), "a")

    assert await claim(log, now=LATER - 0.001) == []
    assert len(await claim(log, now=LATER)) == 1
    assert await claim(log, owner="third", now=LATER) == []


async def test_no_listener_has_more_lanes_claimed_than_its_room(store: Storage, log: EventStore) -> None:
    for number in range(6):
        events = await happen(store, log, f"r{number}", f"e{number}")
    await fan(log, events, "a", "b", "c", leased=())

    claimed = [delivery.key.subscription for delivery in await claim(log, a=2, b=5, d=5)]

    assert sorted(claimed) == ["a"] * 2 + ["b"] * 5
    assert sorted(delivery.key.subscription for delivery in await claim(log, a=100, b=100)) == ["a"] * 4 + ["b"]


async def test_those_due_longest_are_claimed_first(store: Storage, log: EventStore) -> None:
    for number in range(4):
        events = await happen(store, log, f"r{number}", f"e{number}")
    deliveries = await fan(log, events, "a")
    steps = [Step(delivery, delivery.first, 1, due=NOW - int(delivery.key.resource[1:])) for delivery in deliveries]
    await log.record(steps, "me", LATER)

    assert {delivery.key.resource for delivery in await claim(log, a=2)} == {"r3", "r2"}


@pytest.mark.deviation(NOT_ATOMIC)
async def test_many_workers_at_once_never_claim_the_same_lane(store: Storage, log: EventStore) -> None:
    for number in range(30):
        events = await happen(store, log, f"r{number}", f"e{number}")
    await fan(log, events, "a", leased=())

    claimed = await asyncio.gather(*(claim(log, owner=f"w{number}", a=10) for number in range(8)))

    keys = [delivery.key for deliveries in claimed for delivery in deliveries]
    assert len(keys) == len(set(keys))
    assert len(keys) + len(await claim(log, a=100)) == 30


async def test_a_success_moves_the_lane_on_and_the_last_one_removes_it(store: Storage, log: EventStore) -> None:
    events = await happen(store, log, "1", "e1", "e2")
    (delivery,) = await fan(log, events, "a")

    (left,) = await log.record([Step(delivery, events[0].order + BEHIND, attempt=attempt("e1"))], "me", LATER + 10)
    assert left is not None
    assert ids(await log.events_of(left, 10)) == ["e2"]
    assert await claim(log, now=LATER + 9) == []

    assert await log.record([Step(left, events[1].order + BEHIND, attempt=attempt("e2"))], "me", LATER) == [None]
    assert dict(await log.waiting()) == {}


async def test_what_came_meanwhile_is_still_in_the_lane(store: Storage, log: EventStore) -> None:
    events = await happen(store, log, "1", "e1")
    (delivery,) = await fan(log, events, "a")
    more = await happen(store, log, "1", "e2")
    await fan(log, more, "a")

    (left,) = await log.record([Step(delivery, events[0].order + BEHIND)], "me", LATER)

    assert left is not None
    assert ids(await log.events_of(left, 10)) == ["e2"]


async def test_a_failure_gives_the_lane_back_until_it_is_due(store: Storage, log: EventStore) -> None:
    (delivery,) = await fan(log, await happen(store, log, "1", "e1"), "a")

    step = Step(delivery, delivery.first, failures=1, due=NOW + 5, attempt=attempt("e1", status=None))
    assert await log.record([step], "me", LATER) == [None]

    assert await claim(log, now=NOW + 4.9) == []
    (left,) = await claim(log, now=NOW + 5)
    assert left == DeliveryQueue(delivery.key, delivery.first, delivery.last, 1)


async def test_steps_are_answered_in_their_order(store: Storage, log: EventStore) -> None:
    await happen(store, log, "1", "e1", "e2")
    events = await happen(store, log, "2", "f1")
    deliveries = sorted(await fan(log, events, "a"), key=lambda delivery: delivery.key)

    answers = await log.record([Step(delivery, delivery.first + BEHIND) for delivery in deliveries], "me", LATER)

    assert [answer and answer.key.resource for answer in answers] == ["1", None]


async def test_a_step_of_an_owner_that_lost_the_lane_counts_for_nothing_but_its_attempt(
    store: Storage, log: EventStore
) -> None:
    (delivery,) = await fan(log, await happen(store, log, "1", "e1"), "a")
    (taken,) = await claim(log, now=LATER)

    assert await log.record([Step(delivery, delivery.last + BEHIND, attempt=attempt("e1"))], "me", LATER) == [None]
    assert dict(await log.waiting()) == {"a": 1}
    assert len(await log.attempts(subscription="a", since=0, limit=10)) == 1
    assert await log.record([Step(taken, taken.last + BEHIND)], "other", LATER) == [None]
    assert dict(await log.waiting()) == {}


async def test_a_lease_can_be_extended_by_its_owner_only(store: Storage, log: EventStore) -> None:
    (delivery,) = await fan(log, await happen(store, log, "1", "e1"), "a")
    await log.renew([delivery], "somebody", LATER + 100)
    await log.renew([delivery], "me", LATER + 5)

    assert await claim(log, now=LATER + 4) == []
    assert len(await claim(log, now=LATER + 5)) == 1


async def test_released_lanes_are_free_at_once(store: Storage, log: EventStore) -> None:
    await fan(log, await happen(store, log, "1", "e1"), "a")
    await fan(log, await happen(store, log, "2", "f1"), "a", owner="third")
    await log.release("me", NOW)

    assert [delivery.key.resource for delivery in await claim(log)] == ["1"]


async def test_a_replay_makes_lanes_for_what_was_delivered(store: Storage, log: EventStore) -> None:
    events = await happen(store, log, "1", "e1", "e2", "e3")
    (delivery,) = await fan(log, events, "a")
    await log.record([Step(delivery, delivery.last + BEHIND)], "me", LATER)

    await log.rewind("a", events[1:], NOW)

    (again,) = await claim(log)
    assert ids(await log.events_of(again, 10)) == ["e2", "e3"]


async def test_a_replay_wins_over_a_delivery_under_way(store: Storage, log: EventStore) -> None:
    events = await happen(store, log, "1", "e1", "e2")
    (delivery,) = await fan(log, events, "a")
    (left,) = await log.record([Step(delivery, events[0].order + BEHIND)], "me", LATER)
    assert left is not None
    await log.rewind("a", events[:1], NOW)

    assert await log.record([Step(left, events[1].order + BEHIND)], "me", LATER) == [None]
    (again,) = await claim(log)
    assert ids(await log.events_of(again, 10)) == ["e1", "e2"]


async def test_a_replay_ends_waiting_for_a_retry(store: Storage, log: EventStore) -> None:
    events = await happen(store, log, "1", "e1")
    (delivery,) = await fan(log, events, "a")
    await log.record([Step(delivery, delivery.first, 4, due=NOW + 1000)], "me", LATER)
    await log.rewind("a", events, NOW)

    (again,) = await claim(log)
    assert again.failures == 0


async def test_the_lanes_of_a_listener_can_be_forgotten(store: Storage, log: EventStore) -> None:
    (delivery, _) = sorted(
        await fan(log, await happen(store, log, "1", "e1"), "a", "b"), key=lambda delivery: delivery.key
    )
    await log.forget("a")

    assert dict(await log.waiting()) == {"b": 1}
    assert await log.record([Step(delivery, delivery.last + BEHIND)], "me", LATER) == [None]


@pytest.mark.deviation(NOT_ATOMIC)
async def test_the_log_is_read_page_by_page_and_goes_on_with_what_is_new(store: Storage, log: EventStore) -> None:
    await happen(store, log, "1", "e1", "e2", "e3")

    page, cursor = await log.log(None, 0, 2)
    assert ids(page) == ["e1", "e2"]
    page, cursor = await log.log(cursor, 0, 2)
    assert ids(page) == ["e3"]
    page, cursor = await log.log(cursor, 0, 2)
    assert page == []
    await happen(store, log, "2", "f1")
    page, cursor = await log.log(cursor, 0, 2)
    assert ids(page) == ["f1"]
    assert await log.log(None, time.time() + 1000, 2) == ([], None)


async def test_attempts_are_kept_the_newest_first(store: Storage, log: EventStore) -> None:
    deliveries = await fan(log, await happen(store, log, "1", "e1"), "a", "b")
    tries = [attempt("e1", NOW + number, delivery.key.subscription, None) for number, delivery in enumerate(deliveries)]
    steps = [Step(delivery, delivery.first, 1, NOW, one) for delivery, one in zip(deliveries, tries, strict=True)]
    await log.record(steps, "me", LATER)

    assert await log.attempts(subscription=None, since=NOW, limit=10) == tries[::-1]
    assert await log.attempts(subscription=None, since=NOW, limit=1) == tries[1:]
    assert await log.attempts(subscription=None, since=NOW + 0.5, limit=10) == tries[1:]
    assert await log.attempts(subscription=tries[0].subscription, since=0, limit=10) == tries[:1]


async def test_what_is_old_and_done_is_removed(store: Storage, log: EventStore) -> None:
    done = await happen(store, log, "1", "e1")
    (delivery,) = await fan(log, done, "a")
    await log.record([Step(delivery, delivery.last + BEHIND, attempt=attempt("e1"))], "me", LATER)
    await fan(log, await happen(store, log, "2", "f1"), "a")
    await happen(store, log, "3", "g1")

    assert await log.expire(NOW - 1) == 0
    assert len(await log.attempts(subscription=None, since=0, limit=10)) == 1
    assert await log.expire(time.time() + 1000) == 1
    assert ids((await log.log(None, 0, 10))[0]) == ["f1", "g1"]
    assert await log.attempts(subscription=None, since=0, limit=10) == []


@pytest.mark.deviation(NOT_ATOMIC)
async def test_what_is_old_is_removed_a_few_at_a_time(
    store: Storage, log: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("sqlite.events", "mongo.events"):
        monkeypatch.setattr(f"tmf_sales.storage.{module}.EXPIRE_BATCH", 2)
    await fan(log, await happen(store, log, "1", *(f"e{number}" for number in range(5))))

    assert await log.expire(time.time() + 1000) == 5


async def test_audit_records_are_kept_longer_or_shorter_than_events(store: Storage, log: EventStore) -> None:
    await store.commit(insert("1", ticket(), event("e1"), event("a1", eventType=AUDIT_RECORD)))
    await fan(log, await not_fanned_out(log, 1))
    later = time.time() + 1000

    assert await log.expire(0, later) == 1
    assert ids((await log.log(None, 0, 10))[0]) == ["e1"]

    await store.commit(update("1", 1, ticket(), event("e2"), event("a2", eventType=AUDIT_RECORD)))
    await fan(log, await not_fanned_out(log, 1))
    assert await log.expire(later, 0) == 2
    assert ids((await log.log(None, 0, 10))[0]) == ["a2"]
    assert await log.expire(later) == 1


async def test_audit_records_are_never_fanned_out(store: Storage, log: EventStore) -> None:
    await store.commit(insert("1", ticket(), event("a1", eventType=AUDIT_RECORD), event("e1")))

    assert ids(await not_fanned_out(log, 1)) == ["e1"]


async def test_the_texts_of_events_are_replaced_where_they_are(store: Storage, log: EventStore) -> None:
    fanned = await happen(store, log, "1", "e1", "e2")
    await fan(log, fanned[:1], "a")
    new = {id: orjson.dumps(event(id, title="new")) for id in ("e1", "e2")}

    assert await log.rewrite({**new, "unknown": b"{}"}) == 2

    found, _ = await log.log(None, 0, 10)
    assert [(each.id, each.order, each.text) for each in found] == [
        (each.id, each.order, new[each.id]) for each in fanned
    ]
    assert [each.text for each in await log.not_fanned_out(10)] == [new["e2"]]
    assert await log.rewrite({}) == 0


async def test_replaying_nothing_changes_nothing(log: EventStore) -> None:
    await log.rewind("a", [], NOW)

    assert dict(await log.waiting()) == {}
    assert await log.record([], "me", LATER) == []


async def test_a_sweep_finds_nothing_where_nothing_was_left(store: Storage, log: EventStore) -> None:
    await happen(store, log, "1", "e1")

    assert await log.sweep() == 0


@pytest.mark.deviation(NOT_ATOMIC)
async def test_a_new_subscription_is_left_out_of_events_written_before_it(store: Storage, log: EventStore) -> None:
    await store.commit(insert("1", ticket(), event("e1")))  # it may still be in the document
    await log.start_now("a")
    events = await happen(store, log, "2", "f1")
    await store.commit(update("1", 1, ticket(), event("e2")))
    events = await not_fanned_out(log, 3)

    await fan(log, events, "a", "b")

    taken = {delivery.key: delivery for delivery in await claim(log, "me", LATER, a=10, b=10)}
    got = {key: ids(await log.events_of(delivery, 10)) for key, delivery in taken.items()}
    assert got == {
        ("a", "ticket", "1"): ["e2"],
        ("a", "ticket", "2"): ["f1"],
        ("b", "ticket", "1"): ["e1", "e2"],
        ("b", "ticket", "2"): ["f1"],
    }


async def test_what_waits_for_an_earlier_subscription_with_the_same_id_is_removed(
    store: Storage, log: EventStore
) -> None:
    await fan(log, await happen(store, log, "1", "e1"), "a", "b", leased=())

    await log.start_now("a")

    assert dict(await log.waiting()) == {"b": 1}


async def test_the_start_of_a_subscription_is_kept_until_all_earlier_events_are_fanned_out(
    store: Storage, log: EventStore
) -> None:
    events = await happen(store, log, "1", "e1")
    await log.start_now("a")
    await log.expire(NOW)

    await fan(log, events, "a", "b")
    await log.expire(NOW)
    await fan(log, await happen(store, log, "1", "e2"), "a")

    deliveries = await claim(log, "me", LATER, a=10)
    assert [ids(await log.events_of(each, 10)) for each in deliveries] == [["e2"]]


async def test_subscriptions_whose_last_attempt_failed_are_retrying(store: Storage, log: EventStore) -> None:
    first, second = await fan(log, await happen(store, log, "1", "e1"), "a", "b")
    assert await log.retrying() == set()

    await log.record([Step(first, first.first, failures=1, due=LATER)], "me", LATER)
    await log.record([Step(second, second.last + BEHIND)], "me", LATER)

    assert await log.retrying() == {first.key.subscription}


async def read_all(log: EventStore, count: int, kinds: Collection[str] = ("ticket",)) -> list[str]:
    """The log read forward in small pages, until it has so many events: a store may show them a moment late."""
    found: list[str] = []
    place = ""
    async with asyncio.timeout(20):
        while len(found) < count:
            page, place = await log.read_log(kinds, place=place, settled=True, limit=2)
            found += ids(page)
    return found


async def test_the_log_is_read_forward_from_a_place_and_backward_from_its_end(store: Storage, log: EventStore) -> None:
    await happen(store, log, "1", "e1", "e2", "e3")
    await happen(store, log, "2", "f1")
    everything = await read_all(log, 4)
    assert sorted(everything) == ["e1", "e2", "e3", "f1"]

    newest, place = await log.read_log(["ticket"], newest_first=True, limit=3)
    oldest, end = await log.read_log(["ticket"], newest_first=True, place=place, limit=3)
    nothing, still = await log.read_log(["ticket"], newest_first=True, place=end, limit=3)

    assert ids(newest) + ids(oldest) == everything[::-1]
    assert (nothing, still) == ([], end)
    assert (await log.read_log(["other"], limit=3))[0] == []
    assert (await log.read_log([], limit=3))[0] == []


async def test_a_page_of_the_log_is_bounded_in_bytes(store: Storage, log: EventStore) -> None:
    await happen(store, log, "1", "e1", "e2", "e3")
    everything = await read_all(log, 3)

    page, place = await log.read_log(["ticket"], limit=10, size=1)
    rest, _ = await log.read_log(["ticket"], place=place, limit=10)

    assert (ids(page), ids(rest)) == (everything[:1], everything[1:])


async def test_the_place_of_an_event_is_where_the_next_one_is_read(store: Storage, log: EventStore) -> None:
    await happen(store, log, "1", "e1", "e2", "e3")
    everything = await read_all(log, 3)

    place = await log.place_of(everything[1])

    assert ids((await log.read_log(["ticket"], place=place, limit=10))[0]) == everything[2:]
    assert await log.place_of("unknown") is None


async def test_behind_the_end_of_the_log_is_what_comes_later(store: Storage, log: EventStore) -> None:
    await happen(store, log, "1", "e1")
    place = await log.end_of_log()
    assert (await log.read_log(["ticket"], place=place, limit=10))[0] == []
    await happen(store, log, "1", "e2")

    async with asyncio.timeout(20):
        while not (page := (await log.read_log(["ticket"], place=place, limit=10))[0]):
            pass

    assert ids(page) == ["e2"]


async def test_events_are_found_by_their_ids_as_far_as_their_size_allows(store: Storage, log: EventStore) -> None:
    first, second = await happen(store, log, "1", "e1", "e2")

    assert await log.with_ids([]) == []
    assert ids(await log.with_ids(["e2", "unknown", "e1", "e2"])) == ["e2", "e1"]
    assert (await log.with_ids(["e1"]))[0].text == first.text
    assert ids(await log.with_ids(["e2", "e1"], size=len(second.text))) == ["e2"]


@pytest.mark.parametrize("url", ["memory:", "sqlite"])
async def test_an_event_waits_for_nobody_while_there_are_no_subscriptions(url: str, tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/store.sqlite" if url == "sqlite" else url, (*KINDS, SUBSCRIBES))
    await store.open()
    try:
        await store.commit(insert("1", ticket(), event("before")))
        assert await store.events.not_fanned_out(10) == []
        assert await store.events.backlog() == Backlog(0, None)

        await store.commit(insert("a", {}, kind=SUBSCRIBES.name))
        await store.commit(update("1", 1, ticket(), event("while")))
        assert ids(await store.events.not_fanned_out(10)) == ["while"]

        await store.commit(Change(SUBSCRIBES.name, "a", 1, ()))
        await store.commit(update("1", 2, ticket(), event("after")))
        assert ids(await store.events.not_fanned_out(10)) == ["while"]

        found, _ = await store.events.read_log(["ticket"], limit=10)
        assert ids(found) == ["before", "while", "after"]
        await fan(store.events, await store.events.not_fanned_out(10))
        assert await store.events.expire(time.time() + 1) == 3
    finally:
        await store.close()
