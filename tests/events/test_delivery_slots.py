"""Limits on open deliveries: in all, to one host, and fair between subscriptions."""

from __future__ import annotations

import asyncio
import resource

import pytest
from tests.events.delivery_world import World, until

from tmf_sales.events.delivery.slots import DeliverySlots, Slot, limit_by_open_files


class Deliveries:
    """Deliveries that wait for their slots, and those that have one, in order."""

    def __init__(self, slots: DeliverySlots) -> None:
        self.slots = slots
        self.open: list[Slot] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def _open(self, subscription: str, host: str) -> None:
        self.open.append(await self.slots.acquire(subscription, host))

    async def want(self, *wanted: tuple[str, str]) -> None:
        self.tasks += [asyncio.create_task(self._open(*each)) for each in wanted]
        await settle()

    async def end(self, slot: Slot, *, succeeded: bool = True) -> None:
        self.open.remove(slot)
        self.slots.release(slot, succeeded=succeeded)
        await settle()

    @property
    def who(self) -> list[str]:
        return [slot.subscription for slot in self.open]


async def settle() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def prove(slots: DeliverySlots, *subscriptions: str) -> None:
    for each in subscriptions:
        slots.release(await slots.acquire(each, each), succeeded=True)


async def test_no_more_deliveries_are_open_than_the_limit() -> None:
    slots = DeliverySlots(3, 3)
    await prove(slots, "a")
    deliveries = Deliveries(slots)
    await deliveries.want(*[("a", f"host{number}") for number in range(5)])
    assert len(deliveries.open) == 3

    await deliveries.end(deliveries.open[0])

    assert len(deliveries.open) == 3
    assert [slot.host for slot in deliveries.open] == ["host1", "host2", "host3"]


async def test_no_more_deliveries_are_open_to_one_host_than_its_limit() -> None:
    deliveries = Deliveries(DeliverySlots(20, 2))
    await deliveries.want(*[(f"at the host {number}", "host") for number in range(5)], ("elsewhere", "other"))
    assert deliveries.who == ["at the host 0", "at the host 1", "elsewhere"]

    await deliveries.end(deliveries.open[0])

    assert deliveries.who == ["at the host 1", "elsewhere", "at the host 2"]


async def test_subscriptions_take_turns() -> None:
    deliveries = Deliveries(DeliverySlots(2, 1))
    await deliveries.want(*[("many", "host")] * 4, ("few", "host"))
    for expected in ("many", "many", "few", "many", "many"):
        assert deliveries.who == [expected]
        await deliveries.end(deliveries.open[0], succeeded=False)
    assert deliveries.who == []


async def test_receivers_that_never_answer_leave_half_of_the_slots_to_those_that_do() -> None:
    slots = DeliverySlots(4, 4)
    await prove(slots, "good")
    deliveries = Deliveries(slots)
    await deliveries.want(*[(f"silent{number}", f"host{number}") for number in range(9)])
    assert deliveries.who == ["silent0", "silent1"]

    await deliveries.want(("good", "good"), ("good", "good"), ("good", "good"))

    assert deliveries.who == ["silent0", "silent1", "good", "good"]
    await deliveries.end(deliveries.open[0], succeeded=False)
    assert deliveries.who == ["silent1", "good", "good", "silent2"]


async def test_a_subscription_that_fails_has_to_prove_itself_again() -> None:
    slots = DeliverySlots(2, 2)
    await prove(slots, "a")
    slots.release(await slots.acquire("a", "host"), succeeded=False)
    assert not (await slots.acquire("a", "host")).is_proven


async def test_what_is_known_of_removed_subscriptions_is_dropped() -> None:
    slots = DeliverySlots(4, 4)
    await prove(slots, "stays", "goes")
    slots.forget_others(["stays"])
    assert (await slots.acquire("stays", "host")).is_proven
    assert not (await slots.acquire("goes", "host")).is_proven


async def test_a_delivery_that_is_cancelled_while_it_waits_keeps_no_slot() -> None:
    deliveries = Deliveries(DeliverySlots(2, 2))
    await deliveries.want(("a", "host"), ("b", "host"), ("c", "host"))
    assert deliveries.who == ["a"]
    deliveries.tasks[1].cancel()
    await settle()

    await deliveries.end(deliveries.open[0], succeeded=False)

    assert deliveries.who == ["c"]


async def test_a_delivery_that_is_cancelled_as_it_gets_its_slot_gives_it_back() -> None:
    slots = DeliverySlots(2, 2)
    first = await slots.acquire("a", "host")
    second = asyncio.create_task(slots.acquire("b", "host"))
    await settle()
    slots.release(first, succeeded=False)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    async with asyncio.timeout(5):
        await slots.acquire("c", "host")


async def test_a_host_whose_slots_others_have_taken_keeps_nobody_else_waiting() -> None:
    slots = DeliverySlots(4, 1)
    await prove(slots, "good")
    deliveries = Deliveries(slots)
    await deliveries.want(("x", "one"), ("y", "two"), ("z", "shared"), ("good", "shared"), ("good", "third"))
    assert deliveries.who == ["x", "y", "good", "good"]
    await deliveries.end(deliveries.open[0], succeeded=False)
    assert deliveries.who == ["y", "good", "good"]
    await deliveries.end(deliveries.open[1])
    assert sorted(deliveries.who) == ["good", "y", "z"]


def test_open_files_bound_the_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = {"now": 1024}
    monkeypatch.setattr(resource, "getrlimit", lambda _: (limits["now"], 4096))
    assert limit_by_open_files(128) == 128
    assert limit_by_open_files(512) == 256
    limits["now"] = 16
    assert limit_by_open_files(512) == 8
    limits["now"] = resource.RLIM_INFINITY
    assert limit_by_open_files(512) == 512


async def test_a_worker_opens_no_more_deliveries_than_its_limits_and_reaches_who_answers() -> None:
    world = World()
    await world.listen("good")
    world.happen("0", "e0")
    worker = world.worker(connections=8, per_host=8)
    await worker.turn()
    await worker.wait_until_idle()
    gates = []
    for number in range(12):
        await world.listen(f"silent{number}")
        gates.append(world.block(f"silent{number}"))
    world.happen("1", "e1")
    world.happen("2", "e2")

    await worker.turn()
    await until(lambda: world.got("good") == ["e0", "e1", "e2"])

    silent = [posted for posted in world.webhook.posted if "silent" in posted.callback]
    assert len(silent) == 4
    for gate in gates:
        gate.set()
    await worker.wait_until_idle()
    assert all(world.got(f"silent{number}") == ["e1", "e2"] for number in range(12))


async def test_a_subscription_removed_while_its_delivery_waits_gets_nothing() -> None:
    world = World()
    await world.listen("first")
    second = await world.listen("second")
    gate = world.block("first")
    world.happen("1", "e1")
    worker = world.worker(connections=8, per_host=1)
    await worker.turn()
    await until(lambda: world.got("first") == ["e1"])
    await world.hub.unregister("tickets", second)
    await worker.turn()
    gate.set()
    await worker.wait_until_idle()
    assert world.got("second") == []
