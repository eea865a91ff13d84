"""Promises of the delivery: at least once, in order per resource, nobody waits for another's listener."""

import json
from typing import Any

import pytest
from tests.events.delivery_world import START, World, turn, until

from tmf_sales.events.delivery.retry import DISABLE_AFTER, RETRY_DELAYS
from tmf_sales.events.delivery.webhook import Attempt
from tmf_sales.events.signing import read_secrets, written_secret
from tmf_sales.events.subscriptions import SUBSCRIPTION
from tmf_sales.storage.records import Record, Version


@pytest.fixture
def world() -> World:
    return World()


async def test_an_event_reaches_every_listener_of_its_api_byte_for_byte(world: World) -> None:
    await world.listen("a")
    await world.listen("b")
    await world.listen("other", api="orders")
    world.happen("42", "e1", note="é")

    await turn(world.worker())

    assert (world.got("a"), world.got("b"), world.got("other")) == (["e1"], ["e1"], [])
    message = world.webhook.posted[0].message
    assert message.body == '{"eventId":"e1","eventType":"X","note":"é"}'.encode()
    assert message.headers == (("resource-revision", "1"),)


async def test_delivered_events_are_not_sent_again(world: World) -> None:
    await world.listen("a")
    world.happen("42", "e1")
    worker = world.worker()
    for _ in range(3):
        await turn(worker)

    assert world.got("a") == ["e1"]
    assert await world.events.waiting() == {}


async def test_a_listener_that_cannot_be_read_keeps_no_event_from_the_others(world: World) -> None:
    await world.listen("a")
    broken = {"id": "1", "api": "tickets", "callback": "http://127.0.0.1/b", "query": None, "owner": "me"}
    await world.store.load(SUBSCRIPTION, [Record("1", 1, (Version(1, broken),))])
    world.happen("42", "e1")

    await turn(world.worker())

    assert (world.got("a"), world.got("b")) == (["e1"], [])


async def test_a_query_decides_what_a_listener_gets_and_fields_what_of_it(world: World) -> None:
    await world.listen("seven", query="7")
    await world.listen("size", query="size")
    world.happen("1", "e1", size=7, more=1)
    world.happen("1", "e2", size=8)

    await turn(world.worker())

    assert world.got("seven") == ["e1"]
    assert [json.loads(p.message.body) for p in world.webhook.posted if p.callback.endswith("/size")] == [
        {"eventId": "e1", "size": 7},
        {"eventId": "e2", "size": 8},
    ]


async def test_events_of_a_kind_that_no_api_has_go_nowhere(world: World) -> None:
    await world.listen("a")
    world.happen("1", "e1", kind="unknown")

    await turn(world.worker())

    assert world.got("a") == []
    assert await world.events.not_fanned_out(1) == []


async def test_events_of_one_resource_go_out_in_their_order_one_after_the_other(world: World) -> None:
    await world.listen("a")
    gate = world.block("a")
    world.happen("42", "e1", "e2")
    worker = world.worker()
    await worker.turn()
    await until(lambda: world.got("a") == ["e1"])
    world.happen("42", "e3")
    await worker.turn()
    assert world.got("a") == ["e1"]

    gate.set()
    await worker.wait_until_idle()

    assert world.got("a") == ["e1", "e2", "e3"]


async def test_a_failing_event_holds_back_only_its_resource_and_its_listener(world: World) -> None:
    await world.listen("a")
    await world.listen("b")
    world.answer("a", 500, 204)
    world.happen("1", "e1", "e2")
    worker = world.worker()
    await turn(worker)
    world.happen("2", "f1")
    world.happen("1", "e3")
    await turn(worker)

    assert world.got("a") == ["e1", "f1"]
    assert world.got("b") == ["e1", "e2", "f1", "e3"]

    world.time += 6
    await turn(worker)

    assert world.got("a") == ["e1", "f1", "e1", "e2", "e3"]


async def test_retries_follow_the_schedule_and_keep_the_id(world: World) -> None:
    await world.listen("a")
    world.answer("a", 500)
    world.happen("1", "e1")
    worker = world.worker()
    await turn(worker)
    for delay in (5, 300, 1800, 7200, 18000, 36000, 36000):
        before = len(world.got("a"))
        world.time += delay - 1
        await turn(worker)
        assert len(world.got("a")) == before
        world.time += 1
        await turn(worker)
        assert len(world.got("a")) == before + 1

    assert set(world.got("a")) == {"e1"}


async def test_retry_after_is_honoured(world: World) -> None:
    await world.listen("a")
    world.answer("a", Attempt(START, 0.1, status=503, retry_after=60.0), 204)
    world.happen("1", "e1")
    worker = world.worker()
    await turn(worker)
    world.time += 59
    await turn(worker)
    assert world.got("a") == ["e1"]

    world.time += 1
    await turn(worker)

    assert world.got("a") == ["e1", "e1"]


async def test_every_attempt_is_recorded(world: World) -> None:
    id = await world.listen("a")
    world.answer("a", Attempt(START, 0.25, status=500, answer="oh"), Attempt(START, 1.0, error="no answer in time"))
    world.happen("1", "e1")
    worker = world.worker()
    await turn(worker)
    world.time += 5
    await turn(worker)

    last, first = await world.events.attempts(subscription=id, since=0, limit=10)
    assert (first.event, first.at, first.duration, first.status, first.answer) == ("e1", START, 0.25, 500, "oh")
    assert (last.status, last.error) == (None, "no answer in time")


async def test_a_listener_that_is_gone_is_disabled(world: World) -> None:
    id = await world.listen("a")
    world.answer("a", 410)
    world.happen("1", "e1", "e2")
    worker = world.worker()
    await turn(worker)
    world.happen("2", "e3")
    await turn(worker)

    assert world.got("a") == ["e1"]
    assert (await world.hub.get("tickets", id)).disabled == "it answered 410 Gone"
    assert await world.events.waiting() == {}


async def test_a_listener_that_fails_for_five_days_is_disabled(world: World) -> None:
    id = await world.listen("a")
    world.answer("a", 500)
    world.happen("1", "e1")
    worker = world.worker()
    for delay in (*RETRY_DELAYS, *[RETRY_DELAYS[-1]] * 20):
        await turn(worker)
        assert (await world.hub.get("tickets", id)).disabled is None or world.time >= START + DISABLE_AFTER
        world.time += delay

    assert (await world.hub.get("tickets", id)).disabled == "it failed for 120 hours"
    assert await world.events.waiting() == {}
    assert len(world.got("a")) < 20


async def test_a_failure_that_another_worker_made_good_is_forgotten(world: World) -> None:
    id = await world.listen("a")
    one, two = world.worker("one"), world.worker("two")
    world.answer("a", 500, 204)
    world.happen("1", "e1")
    await turn(one)
    while world.time < START + DISABLE_AFTER + 3600:
        world.time += 3600
        world.happen("1", f"at {world.time}")
        await turn(two)
    assert await world.events.waiting() == {}

    world.answer("a", 500, 500, 204)
    world.happen("1", "last")
    for _ in range(3):
        await turn(one)
        world.time += 300

    subscription = await world.hub.get("tickets", id)
    assert (subscription.disabled, subscription.failing_since) == (None, None)
    assert world.got("a")[-3:] == ["last"] * 3


async def test_what_is_written_of_a_failure_counts_and_not_what_a_worker_remembers(world: World) -> None:
    id = await world.listen("a")
    worker = world.worker()
    world.answer("a", 500)
    world.happen("1", "e1")
    for delay in (*RETRY_DELAYS, *[RETRY_DELAYS[-1]] * 9):
        await turn(worker)
        world.time += delay
    assert (await world.hub.get("tickets", id)).failing_since == START
    await world.hub.note_success(id)  # what another worker does
    first_since_then = world.time
    for _ in range(2):
        await turn(worker)
        world.time += RETRY_DELAYS[-1]

    subscription = await world.hub.get("tickets", id)
    assert (subscription.disabled, subscription.failing_since) == (None, first_since_then)


async def test_a_success_in_the_last_moment_keeps_a_listener(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    id = await world.listen("a")
    world.answer("a", 500)
    world.happen("1", "e1")
    await world.hub.note_failure(id, START - DISABLE_AFTER)
    worker = world.worker()
    for delay in RETRY_DELAYS[:2]:  # the first failures of an event disable nobody
        await turn(worker)
        world.time += delay
    assert (await world.hub.get("tickets", id)).disabled is None
    disable = world.hub.disable_failing

    async def too_late(*arguments: Any) -> bool:
        await world.hub.note_success(id)
        return await disable(*arguments)

    monkeypatch.setattr(world.hub, "disable_failing", too_late)
    await turn(worker)

    assert (await world.hub.get("tickets", id)).disabled is None
    assert await world.events.waiting() == {id: 1}


async def test_a_failure_is_written_down_although_each_try_is_far_from_the_one_before(world: World) -> None:
    id = await world.listen("a")
    world.answer("a", 500)
    world.happen("1", "e1")
    for number in range(3):
        await turn(world.worker())
        world.time += 36000 if number < 2 else 0

    assert (await world.hub.get("tickets", id)).failing_since == world.time


async def test_the_days_of_failure_are_counted_over_restarts_and_end_with_a_success(world: World) -> None:
    id = await world.listen("a")
    world.answer("a", 500)
    world.happen("1", "e1")
    await turn(world.worker())
    world.time += 5
    first = world.worker()
    await turn(first)
    world.time += 300
    await turn(first)
    assert (await world.hub.get("tickets", id)).failing_since == START + 5

    world.time += 3600
    second = world.worker()
    await turn(second)
    assert (await world.hub.get("tickets", id)).failing_since == START + 5

    world.answer("a", 204)
    world.time += 7200
    await turn(second)
    assert (await world.hub.get("tickets", id)).failing_since is None


async def test_an_unregistered_listener_gets_nothing_more(world: World) -> None:
    id = await world.listen("a")
    world.answer("a", 500)
    world.happen("1", "e1")
    await turn(world.worker())
    await world.hub.unregister("tickets", id)

    await turn(world.worker())

    assert world.got("a") == ["e1"]
    assert await world.events.waiting() == {}


async def test_a_listener_unregistered_within_a_lane_gets_nothing_more(world: World) -> None:
    id = await world.listen("a")
    gate = world.block("a")
    world.happen("1", "e1", "e2")
    worker = world.worker()
    await worker.turn()
    await until(lambda: world.got("a") == ["e1"])
    await world.hub.unregister("tickets", id)
    await worker.turn()
    gate.set()
    await worker.wait_until_idle()

    assert world.got("a") == ["e1"]


async def test_a_replay_sends_again_with_the_same_ids(world: World) -> None:
    id = await world.listen("a", query="1")
    world.happen("1", "e1", "e2", size=1)
    world.happen("1", "e3", size=2)
    world.happen("2", "f1", size=1)
    worker = world.worker()
    await turn(worker)

    stored, _ = await world.events.log(None, 0, 100)
    await world.events.rewind(id, [event for event in stored if event.id in {"e2", "e3", "f1"}], world.time)
    await turn(worker)

    assert sorted(world.got("a")) == ["e1", "e2", "e2", "f1", "f1"]


async def test_a_replay_wins_over_a_delivery_under_way(world: World) -> None:
    id = await world.listen("a")
    world.happen("1", "e1", "e2", "e3")
    worker = world.worker()
    await turn(worker)
    gate = world.block("a")
    world.happen("1", "e4")
    await worker.turn()
    await until(lambda: world.got("a")[3:] == ["e4"])
    stored, _ = await world.events.log(None, 0, 2)
    await world.events.rewind(id, stored, world.time)
    gate.set()
    await worker.wait_until_idle()
    await turn(worker)

    assert world.got("a")[3:] == ["e4", "e1", "e2", "e3", "e4"]


async def test_listeners_without_a_secret_of_their_own_get_the_services_signature(world: World) -> None:
    shared = read_secrets(written_secret(b"s" * 32))
    await world.listen("plain")
    world.hub._own_secrets = True
    await world.listen("own")
    world.happen("1", "e1")

    await turn(world.worker(secrets=shared))

    secrets = {posted.callback.rpartition("/")[2]: posted.secrets for posted in world.webhook.posted}
    assert secrets["plain"] == shared
    assert len(secrets["own"]) == 1
    assert secrets["own"] != shared


async def test_queues_longer_than_a_batch_are_worked_off(world: World) -> None:
    await world.listen("a")
    ids = [f"e{number}" for number in range(120)]
    gate = world.block("a")
    world.happen("1", *ids[:5])
    worker = world.worker()
    await worker.turn()
    world.happen("1", *ids[5:])
    await worker.turn()
    gate.set()
    await worker.wait_until_idle()

    assert world.got("a") == ids


async def test_a_subscription_that_fails_and_recovers_is_one_line_each(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    id = await world.listen("a")
    away = Attempt(START, 0.1, None, error="no answer in time")
    world.answer("a", 500, away, 500, 204)
    world.happen("1", "e1")
    worker = world.worker()
    for _ in range(5):
        await turn(worker)
        world.time += max(RETRY_DELAYS[:4])
    world.happen("1", "e2")
    await turn(worker)

    lines = [record.getMessage() for record in caplog.records if id in record.getMessage()]
    assert lines == [
        f"subscription {id} fails: the response has status 500",
        f"subscription {id} receives events again",
    ]
    assert set(world.got("a")) == {"e1", "e2"}


async def test_a_subscription_that_fails_for_another_process_recovers_with_a_line(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    id = await world.listen("a")
    await world.hub.note_failure(id, START - 100)
    world.happen("1", "e1", "e2")

    await turn(world.worker())

    assert [record.getMessage() for record in caplog.records] == [f"subscription {id} receives events again"]
