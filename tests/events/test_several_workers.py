"""Promises of the delivery's workers: they share the work, take over, wake, stop, and survive what fails."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import pytest
from tests.events.delivery_world import World, turn, until

from tmf_sales.events.delivery import worker as delivery_module
from tmf_sales.events.delivery.sender import Recorder
from tmf_sales.events.delivery.worker import Delivery
from tmf_sales.storage.events import BATCH_BYTES, BEHIND, DeliveryQueue, FanOut, Step, StoredEvent
from tmf_sales.storage.protocol import StorageUnavailable


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def running(world: World) -> AsyncIterator[Delivery]:
    """A worker that runs by itself."""
    worker = world.worker(poll=30.0)
    task = asyncio.create_task(worker.run())
    yield worker
    worker.stop()
    await task


async def test_a_slow_listener_delays_nobody_else_and_has_few_posts_at_once(world: World) -> None:
    await world.listen("slow")
    await world.listen("quick")
    gate = world.block("slow")
    worker = world.worker(concurrency=3)
    for number in range(100):
        world.happen(f"r{number}", f"e{number}")
    async with asyncio.timeout(10):
        while len(world.got("quick")) < 100:
            await worker.turn()
            await asyncio.sleep(0)

    assert len(world.got("slow")) == 3
    gate.set()
    while len(world.got("slow")) < 100:
        await turn(worker)
    assert world.webhook.most_at_once["http://127.0.0.1/slow"] == 3


async def test_a_failing_listener_has_fewer_lanes_taken_up(world: World) -> None:
    await world.listen("a")
    world.answer("a", 500)
    world.happen("0", "e0")
    worker = world.worker(concurrency=10)
    await turn(worker)
    gate = world.block("a")
    for number in range(1, 100):
        world.happen(f"r{number}", f"e{number}")
    await worker.turn()

    deliveries = await world.events.claim(
        "other", world.time + 10, world.time, dict.fromkeys(await world.events.waiting(), 100)
    )
    assert len(deliveries) == 99 - delivery_module.CONCURRENCY_OF_FAILING * delivery_module.QUEUES_PER_POST
    gate.set()
    await worker.wait_until_idle()


async def test_two_workers_share_the_work_without_sending_twice(world: World) -> None:
    await world.listen("a")
    for number in range(50):
        world.happen(f"r{number}", f"e{number}", f"f{number}")
    one, two = world.worker("one", concurrency=2), world.worker("two", concurrency=2)
    while len(world.got("a")) < 100:
        await asyncio.gather(one.turn(), two.turn())
        await asyncio.gather(one.wait_until_idle(), two.wait_until_idle())

    assert sorted(world.got("a")) == sorted(f"{letter}{number}" for letter in "ef" for number in range(50))


async def test_the_lanes_of_a_killed_worker_are_taken_over_when_its_lease_has_run_out(world: World) -> None:
    await world.listen("a")
    gate = world.block("a")
    world.happen("1", "e1", "e2")
    killed, other = world.worker("killed", lease=10.0), world.worker("other")
    await killed.turn()
    await until(lambda: world.got("a") == ["e1"])
    world.time += 9
    await other.turn()
    assert world.got("a") == ["e1"]

    world.time += 1
    await other.turn()
    await until(lambda: world.got("a") == ["e1", "e1"])
    gate.set()
    await other.wait_until_idle()
    await killed.wait_until_idle()

    assert world.got("a") == ["e1", "e1", "e2"]


async def test_a_long_post_keeps_its_lease(world: World) -> None:
    await world.listen("a")
    gate = world.block("a")
    world.happen("1", "e1")
    worker, other = world.worker("one", lease=10.0), world.worker("other")
    await worker.turn()
    await until(lambda: world.got("a") == ["e1"])
    for _ in range(4):
        world.time += 4
        await worker.turn()
        await other.turn()
    gate.set()
    await worker.wait_until_idle()
    await other.wait_until_idle()

    assert world.got("a") == ["e1"]


async def test_a_clock_that_is_set_back_stops_nothing(world: World) -> None:
    await world.listen("a")
    worker = world.worker(poll=1.0)
    await turn(worker)
    world.time -= 1_000_000
    world.happen("1", "e1")
    await world.events.fan_out(
        [FanOut((await world.events.not_fanned_out(1))[0], list(worker._sender.subscriptions.ids()))],
        "x",
        0,
        world.time,
    )
    await turn(worker)

    assert world.got("a") == ["e1"]


async def test_a_worker_wakes_at_once_for_the_events_of_its_process(world: World, running: Delivery) -> None:
    await world.listen("a")
    world.happen("1", "e1")
    await until(lambda: world.got("a") == ["e1"])
    world.happen("1", "e2")
    await until(lambda: world.got("a") == ["e1", "e2"])


async def test_a_stopped_worker_lets_the_post_under_way_end_and_gives_its_lanes_back(world: World) -> None:
    await world.listen("a")
    gate = world.block("a")
    world.happen("1", "e1", "e2")
    worker = world.worker(poll=30.0)
    task = asyncio.create_task(worker.run())
    await until(lambda: world.got("a") == ["e1"])
    worker.stop()
    gate.set()
    await task
    assert world.got("a") == ["e1"]

    await turn(world.worker("next"))

    assert world.got("a") == ["e1", "e2"]


async def test_a_worker_that_may_wait_no_longer_breaks_off(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery_module, "GRACE", 0.01)
    await world.listen("a")
    world.block("a")
    world.happen("1", "e1")
    worker = world.worker(poll=30.0)
    task = asyncio.create_task(worker.run())
    await until(lambda: world.got("a") == ["e1"])
    worker.stop()
    await task

    (delivery,) = await world.events.claim(
        "next", world.time + 1, world.time, dict.fromkeys(await world.events.waiting(), 9)
    )
    assert delivery.key.resource == "1"


async def test_a_store_that_is_away_for_a_while_loses_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.listen("a")
    world.happen("1", "e1")
    record, not_fanned_out = world.events.record, world.events.not_fanned_out

    async def is_away(*_: object) -> Any:
        raise StorageUnavailable("away")

    monkeypatch.setattr(world.events, "not_fanned_out", is_away)
    worker = world.worker(poll=0.001)
    task = asyncio.create_task(worker.run())
    await asyncio.sleep(0)
    monkeypatch.setattr(world.events, "not_fanned_out", not_fanned_out)
    monkeypatch.setattr(world.events, "record", is_away)
    await until(lambda: world.got("a") == ["e1"])
    await worker.wait_until_idle()
    monkeypatch.setattr(world.events, "record", record)
    world.time += 1  # less than the lease
    async with asyncio.timeout(60):
        while await world.events.waiting():
            await asyncio.sleep(0)
            world.time += 0.0001  # a queue that is given back is due a moment later
    worker.stop()
    await task

    assert len(world.got("a")) > 1
    assert set(world.got("a")) == {"e1"}


async def test_queues_left_while_the_store_was_away_are_due_when_it_is_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.listen("a")
    world.happen("1", "e1")
    record, renew = world.events.record, world.events.renew

    async def is_away(*_: object) -> Any:
        raise StorageUnavailable("away")

    worker, other = world.worker("one", lease=10.0), world.worker("other")
    monkeypatch.setattr(world.events, "record", is_away)
    await turn(worker)
    monkeypatch.setattr(world.events, "renew", is_away)
    with pytest.raises(StorageUnavailable):
        await worker.turn()
    await turn(other)
    assert world.got("a") == ["e1"], "the lease runs"

    monkeypatch.setattr(world.events, "record", record)
    monkeypatch.setattr(world.events, "renew", renew)
    await turn(worker)

    assert world.got("a") == ["e1", "e1"]
    assert await world.events.waiting() == {}


async def test_a_defect_is_logged_and_the_worker_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await world.listen("a")
    world.happen("1", "e1")

    async def record(steps: Sequence[Step], owner: str, until: float) -> list[DeliveryQueue | None]:
        raise ZeroDivisionError

    monkeypatch.setattr(world.events, "record", record)
    await turn(world.worker())

    assert "failed with an unexpected error" in caplog.text


async def test_what_the_log_has_lost_is_not_waited_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.listen("a")
    world.answer("a", 500)
    world.happen("1", "e1")
    worker = world.worker()
    await turn(worker)
    world.events._log.events.clear()
    world.time += 5
    await turn(worker)

    assert await world.events.waiting() == {}


async def test_delivered_events_are_removed_after_the_retention(world: World) -> None:
    await world.listen("a")
    world.answer("a", 204, 500)
    world.happen("1", "e1")
    worker = world.worker(retention=100.0)
    await turn(worker)
    world.happen("2", "e2")
    await turn(worker)
    world.time += delivery_module.EXPIRE_EVERY
    await worker.turn()
    stored, _ = await world.events.log(None, 0, 100)
    await worker.wait_until_idle()

    assert [event.id for event in stored] == ["e2"]  # it still has to be delivered


async def test_what_a_crash_left_in_documents_is_moved_on_and_delivered(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.listen("a")
    left = iter([1])

    async def sweep() -> int:
        for _ in left:
            world.happen("1", "e1")
            return 1
        return 0

    monkeypatch.setattr(world.events, "sweep", sweep)
    await turn(world.worker())

    assert world.got("a") == ["e1"]


async def test_more_events_than_a_batch_are_all_fanned_out(world: World, running: Delivery) -> None:
    await world.listen("a")
    ids = [f"e{number}" for number in range(2 * delivery_module.FAN_OUT_BATCH + 1)]
    world.happen("1", *ids)
    await until(lambda: world.got("a") == ids)


async def test_a_batch_that_ends_because_its_events_are_large_is_followed_by_the_next(
    world: World, running: Delivery
) -> None:
    await world.listen("a")
    world.happen("1", "e1", "e2", "e3", "e4", "e5", note="x" * (BATCH_BYTES // 2))
    assert [each.id for each in await world.events.not_fanned_out(100)] == ["e1", "e2"]

    await until(lambda: len(world.got("a")) == 5)

    assert world.got("a") == ["e1", "e2", "e3", "e4", "e5"]


async def test_a_backlog_that_lasts_holds_up_neither_leases_nor_retries_nor_house_keeping(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.listen("a")
    gate = world.block("a")
    worker = world.worker(lease=10.0)
    called: list[str] = []
    for name in ("claim", "renew", "sweep", "expire"):
        monkeypatch.setattr(world.events, name, noting(called, name, getattr(world.events, name)))
    for number in range(3):  # each turn finds another full batch behind the one that it fans out
        world.happen(str(number), *(f"{number}-{each}" for each in range(2 * delivery_module.FAN_OUT_BATCH)))
        async with asyncio.timeout(10):
            await worker.turn()
        assert len(await world.events.not_fanned_out(1)) == 1
        world.time += delivery_module.EXPIRE_EVERY

    gate.set()
    await worker.wait_until_idle()
    assert {name: called.count(name) for name in called} == {"claim": 3, "renew": 3, "sweep": 3, "expire": 3}


async def test_a_worker_with_a_backlog_that_never_ends_can_be_stopped(world: World) -> None:
    not_fanned_out = world.events.not_fanned_out
    taken = 0

    async def never_empty(limit: int, size: int = BATCH_BYTES) -> list[StoredEvent]:
        nonlocal taken
        taken += 1
        await asyncio.sleep(0)
        world.happen("1", *(f"{taken}-{number}" for number in range(limit)))
        return await not_fanned_out(limit, size)

    world.events.not_fanned_out = never_empty  # type: ignore[method-assign]
    worker = world.worker(poll=30.0)
    task = asyncio.create_task(worker.run())
    await until(lambda: taken > 3)
    worker.stop()
    async with asyncio.timeout(10):
        await task


def noting(called: list[str], name: str, method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    async def calls(*arguments: Any) -> Any:
        called.append(name)
        return await method(*arguments)

    return calls


@pytest.mark.parametrize("is_away", [False, True])
async def test_who_no_longer_waits_for_a_record_does_not_disturb_the_others(world: World, is_away: bool) -> None:
    await world.listen("a")
    world.happen("1", "e1")
    world.happen("2", "f1")
    (subscription,) = (await world.hub.active()).ids()
    fans = [FanOut(event, [subscription], [subscription]) for event in await world.events.not_fanned_out(2)]
    deliveries = await world.events.fan_out(fans, "one", world.time + 10, world.time)
    gate, record = asyncio.Event(), world.events.record

    async def record_later(steps: Sequence[Step], owner: str, until: float) -> list[DeliveryQueue | None]:
        await gate.wait()
        if is_away:
            raise StorageUnavailable("away")
        return await record(steps, owner, until)

    world.events.record = record_later  # type: ignore[method-assign]
    recorder = Recorder(world.events, "one", lambda: world.time + 10)
    impatient, patient = (
        asyncio.create_task(recorder.record(Step(delivery, delivery.last + BEHIND))) for delivery in deliveries
    )
    await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.sleep(0)
    gate.set()
    if is_away:
        with pytest.raises(StorageUnavailable):
            await patient
    else:
        assert await patient is None


async def test_a_turn_that_fails_by_a_defect_is_followed_by_the_next(
    world: World, running: Delivery, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await world.listen("a")
    not_fanned_out = world.events.not_fanned_out

    async def fails_once(limit: int) -> Any:
        monkeypatch.setattr(world.events, "not_fanned_out", not_fanned_out)
        raise ZeroDivisionError

    monkeypatch.setattr(world.events, "not_fanned_out", fails_once)
    world.happen("1", "e1")
    await until(lambda: "failed with an unexpected error" in caplog.text)
    world.happen("1", "e2")
    await until(lambda: world.got("a") == ["e1", "e2"])


async def test_an_outage_of_the_store_is_one_line_for_all_rounds(
    world: World, running: Delivery, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rounds = 0

    async def away(_limit: int) -> Any:
        nonlocal rounds
        rounds += 1
        await asyncio.sleep(0)
        if rounds < 3:
            world.events.arrived.set()  # the next round begins at once
        raise StorageUnavailable("away")

    monkeypatch.setattr(world.events, "not_fanned_out", away)
    world.events.arrived.set()
    await until(lambda: rounds == 3)

    assert caplog.text.count("delivery waits for the store: away") == 1
