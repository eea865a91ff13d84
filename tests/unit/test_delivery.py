"""Promises of tmf_sales.events.delivery: at least once, in order per resource, nobody waits for another's listener."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pytest

from tmf_sales.events import delivery as delivery_module
from tmf_sales.events.address_guard import LOOPBACK, AddressGuard
from tmf_sales.events.courier import Recorder
from tmf_sales.events.delivery import Delivery, DeliverySettings
from tmf_sales.events.hub import LISTENER_KIND, Hub
from tmf_sales.events.schedule import DISABLE_AFTER
from tmf_sales.events.signing import Secret, read_secrets, written_secret
from tmf_sales.events.webhook import Attempt, Message, Webhook
from tmf_sales.storage import Change, Document, StorageUnavailable
from tmf_sales.storage.criteria import EVERYTHING, Compare, Condition, Operator
from tmf_sales.storage.events import BEHIND, FanOut, Lane, Step
from tmf_sales.storage.memory import MemoryStorage
from tmf_sales.storage.memory_events import MemoryEvents

START = 1_700_000_000.0
Outcome = int | Attempt


class OnlyTheSize:
    """The selection of the tests."""

    def select(self, document: Document) -> Document:
        return {"eventId": document["eventId"], "size": document["size"]}


class Parsed(NamedTuple):
    condition: Condition = EVERYTHING
    selection: OnlyTheSize | None = None


def parse(api: str, raw: str) -> Parsed:
    """The query language of the tests: `size` selects, `NUMBER` is a filter on the member size."""
    return Parsed(selection=OnlyTheSize()) if raw == "size" else Parsed(Compare(("size",), Operator.EQ, int(raw)))


class Posted(NamedTuple):
    callback: str
    message: Message
    secrets: Sequence[Secret]


class FakeWebhook(Webhook):
    """Answers by `outcomes` of a callback: the next one each time, the last for ever; default 204."""

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__(AddressGuard())
        self.now = now
        self.posted: list[Posted] = []
        self.outcomes: dict[str, list[Outcome]] = {}
        self.blocked: dict[str, asyncio.Event] = {}
        self.most_at_once: dict[str, int] = {}
        self._at_once: dict[str, int] = {}

    async def post(self, callback: str, message: Message, secrets: Sequence[Secret] = ()) -> Attempt:
        self.posted.append(Posted(callback, message, secrets))
        self._at_once[callback] = self._at_once.get(callback, 0) + 1
        self.most_at_once[callback] = max(self.most_at_once.get(callback, 0), self._at_once[callback])
        try:
            if callback in self.blocked:
                await self.blocked[callback].wait()
        finally:
            self._at_once[callback] -= 1
        outcomes = self.outcomes.get(callback, [204])
        outcome = outcomes.pop(0) if len(outcomes) > 1 else outcomes[0]
        return Attempt(self.now(), 0.01, status=outcome) if isinstance(outcome, int) else outcome

    def ids(self, callback: str) -> list[str]:
        return [posted.message.id for posted in self.posted if posted.callback == callback]


@dataclass
class World:
    """A store, a hub, a webhook that is told what to answer, and one clock for all."""

    time: float = START
    store: MemoryStorage = field(default_factory=lambda: MemoryStorage([LISTENER_KIND]))
    numbers: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.events = MemoryEvents(self.now)
        self.webhook = FakeWebhook(self.now)
        self.hub = Hub(self.store, parse, AddressGuard(LOOPBACK), api_of={"ticket": "tickets", "order": "orders"})

    def now(self) -> float:
        return self.time

    def worker(self, owner: str = "one", **settings: Any) -> Delivery:
        chosen = DeliverySettings(**{"poll": 0.0, **settings})
        return Delivery(self.events, self.hub, self.webhook, chosen, now=self.now, chance=lambda: 0.5, owner=owner)

    async def listen(self, name: str, query: str | None = None, api: str = "tickets") -> str:
        return (await self.hub.register(api, f"http://127.0.0.1/{name}", query)).listener.id

    def happen(self, resource: str, *ids: str, kind: str = "ticket", **members: Any) -> None:
        for id in ids:
            revision = self.numbers[resource] = self.numbers.get(resource, 0) + 1
            event = {"eventId": id, "eventType": "X", **members}
            self.events.append(Change(kind, resource, revision - 1, (), (event,)))

    def got(self, name: str) -> list[str]:
        return self.webhook.ids(f"http://127.0.0.1/{name}")

    def answer(self, name: str, *outcomes: Outcome) -> None:
        self.webhook.outcomes[f"http://127.0.0.1/{name}"] = list(outcomes)

    def block(self, name: str) -> asyncio.Event:
        return self.webhook.blocked.setdefault(f"http://127.0.0.1/{name}", asyncio.Event())


@pytest.fixture
def world() -> World:
    return World()


async def turn(worker: Delivery) -> None:
    await worker.turn()
    await worker.settle()


@pytest.fixture
async def running(world: World) -> AsyncIterator[Delivery]:
    """A worker that runs by itself."""
    worker = world.worker(poll=30.0)
    task = asyncio.create_task(worker.run())
    yield worker
    worker.stop()
    await task


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  what is waited for happens in other tasks of this loop
            await asyncio.sleep(0)


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
    assert await world.events.unfanned(1) == []


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
    await worker.settle()

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

    last, first = await world.events.attempts(listener=id, since=0, limit=10)
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
    while world.time < START + DISABLE_AFTER:
        await turn(worker)
        world.time += 36000
    await turn(worker)

    assert (await world.hub.get("tickets", id)).disabled == "it failed for 120 hours"
    assert await world.events.waiting() == {}


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
    await worker.settle()

    assert world.got("a") == ["e1"]


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

    lanes = await world.events.claim(
        "other", world.time + 10, world.time, dict.fromkeys(await world.events.waiting(), 100)
    )
    assert len(lanes) == 99 - delivery_module.CONCURRENCY_OF_FAILING * delivery_module.LANES_PER_POST
    gate.set()
    await worker.settle()


async def test_two_workers_share_the_work_without_sending_twice(world: World) -> None:
    await world.listen("a")
    for number in range(50):
        world.happen(f"r{number}", f"e{number}", f"f{number}")
    one, two = world.worker("one", concurrency=2), world.worker("two", concurrency=2)
    while len(world.got("a")) < 100:
        await asyncio.gather(one.turn(), two.turn())
        await asyncio.gather(one.settle(), two.settle())

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
    await other.settle()
    await killed.settle()

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
    await worker.settle()
    await other.settle()

    assert world.got("a") == ["e1"]


async def test_a_clock_that_is_set_back_stops_nothing(world: World) -> None:
    await world.listen("a")
    worker = world.worker(poll=1.0)
    await turn(worker)
    world.time -= 1_000_000
    world.happen("1", "e1")
    await world.events.fan_out(
        [FanOut((await world.events.unfanned(1))[0], list(worker._courier.listeners.ids()))], "x", 0, world.time
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

    (lane,) = await world.events.claim(
        "next", world.time + 1, world.time, dict.fromkeys(await world.events.waiting(), 9)
    )
    assert lane.key.resource == "1"


async def test_a_store_that_is_away_for_a_while_loses_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.listen("a")
    world.happen("1", "e1")
    record, unfanned = world.events.record, world.events.unfanned

    async def is_away(*_: object) -> Any:
        raise StorageUnavailable("away")

    monkeypatch.setattr(world.events, "unfanned", is_away)
    worker = world.worker(poll=0.001)
    task = asyncio.create_task(worker.run())
    await asyncio.sleep(0)
    monkeypatch.setattr(world.events, "unfanned", unfanned)
    monkeypatch.setattr(world.events, "record", is_away)
    await until(lambda: world.got("a") == ["e1"])
    await worker.settle()
    monkeypatch.setattr(world.events, "record", record)
    world.time += 11
    await until(lambda: world.got("a") == ["e1", "e1"])
    worker.stop()
    await task

    assert await world.events.waiting() == {}


async def test_a_defect_is_logged_and_the_worker_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await world.listen("a")
    world.happen("1", "e1")

    async def record(steps: Sequence[Step], owner: str, until: float) -> list[Lane | None]:
        raise ZeroDivisionError

    monkeypatch.setattr(world.events, "record", record)
    await turn(world.worker())

    assert "failed by a defect" in caplog.text


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
    await worker.settle()
    await turn(worker)

    assert world.got("a")[3:] == ["e4", "e1", "e2", "e3", "e4"]


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
    await worker.settle()

    assert [event.id for event in stored] == ["e2"]  # it still has to be delivered


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


async def test_lanes_longer_than_a_batch_are_worked_off(world: World) -> None:
    await world.listen("a")
    ids = [f"e{number}" for number in range(120)]
    gate = world.block("a")
    world.happen("1", *ids[:5])
    worker = world.worker()
    await worker.turn()
    world.happen("1", *ids[5:])
    await worker.turn()
    gate.set()
    await worker.settle()

    assert world.got("a") == ids


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


async def test_more_events_than_a_batch_are_all_fanned_out_in_one_turn(world: World) -> None:
    await world.listen("a")
    ids = [f"e{number}" for number in range(2 * delivery_module.FAN_OUT_BATCH)]
    world.happen("1", *ids)
    await turn(world.worker())

    assert world.got("a") == ids


@pytest.mark.parametrize("is_away", [False, True])
async def test_who_no_longer_waits_for_a_record_does_not_disturb_the_others(world: World, is_away: bool) -> None:
    await world.listen("a")
    world.happen("1", "e1")
    world.happen("2", "f1")
    (listener,) = (await world.hub.active()).ids()
    fans = [FanOut(event, [listener], [listener]) for event in await world.events.unfanned(2)]
    lanes = await world.events.fan_out(fans, "one", world.time + 10, world.time)
    gate, record = asyncio.Event(), world.events.record

    async def record_later(steps: Sequence[Step], owner: str, until: float) -> list[Lane | None]:
        await gate.wait()
        if is_away:
            raise StorageUnavailable("away")
        return await record(steps, owner, until)

    world.events.record = record_later  # type: ignore[method-assign]
    recorder = Recorder(world.events, "one", lambda: world.time + 10)
    impatient, patient = (asyncio.create_task(recorder.record(Step(lane, lane.last + BEHIND))) for lane in lanes)
    await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.sleep(0)
    gate.set()
    if is_away:
        with pytest.raises(StorageUnavailable):
            await patient
    else:
        assert await patient is None
