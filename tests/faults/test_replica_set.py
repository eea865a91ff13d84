"""Members of a replica set of three go and come back under two services, their writers, readers and a listener.

Whatever happens to the primary: each answered write stays, with its events, in order, and nothing else is there; reads
never go back; requests are answered again as soon as a majority has elected another primary.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.faults.event_load import LEADS, Load
from tests.faults.event_receiver import Receiver, receivers
from tests.faults.test_database_away import acknowledged, everything, settled_log, until, verify
from tests.faults.test_event_delivery import events_of
from tests.mongodb.proxy import Proxies
from tests.mongodb.replica_set import ReplicaSet
from tests.service import Service, start_service

CUT = "cut-off-worker"
"""The name by which proxies know the connections of one of the services."""
WRITERS = 3
PATIENCE = 180.0
LAG = 20.0
"""Seconds that the service may stay away after the set takes writes again: less than any timeout that nobody set."""
PATCH = {"Content-Type": "application/merge-patch+json"}


class Cluster:
    """A replica set behind proxies, so that a partition can be made."""

    def __init__(self, folder: Path) -> None:
        self.set = ReplicaSet(folder)
        self.proxies = Proxies([member.port for member in self.set.members])

    async def __aenter__(self) -> Cluster:
        await asyncio.to_thread(self.set.start)
        await asyncio.to_thread(self.proxies.start)
        await asyncio.to_thread(self.set.initiate, [f"127.0.0.1:{port}" for port in self.proxies.ports])
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.set.close)
        self.proxies.close()

    async def kill(self, answered: Callable[[], Awaitable[None]]) -> None:
        primary = await asyncio.to_thread(self.set.primary)
        await asyncio.to_thread(primary.kill)
        try:
            await answered()
        finally:
            await asyncio.to_thread(primary.start)

    async def step_down(self, answered: Callable[[], Awaitable[None]]) -> None:
        await asyncio.to_thread(self.set.step_down)
        await answered()

    async def pause(self, answered: Callable[[], Awaitable[None]]) -> None:
        primary = await asyncio.to_thread(self.set.primary)
        await asyncio.to_thread(primary.pause)
        try:
            await answered()
        finally:
            primary.resume()

    async def cut(self, answered: Callable[[], Awaitable[None]]) -> None:
        """Part one service from the primary, which the members and the other service still reach."""
        primary = await asyncio.to_thread(self.set.primary)
        self.proxies.cut(self.set.members.index(primary), CUT)
        try:
            await answered()
        finally:
            self.proxies.mend()


class Counter:
    """One lead that counts up, written by one client, and a reader that sees it never go back.

    While a primary hangs it may: a read that waits there is answered by it when it goes on, before it knows that it is
    primary no more. MongoDB excludes that for linearizable reads only.
    """

    def __init__(self, writer: Service, reader: Service) -> None:
        self._writer, self._reader = writer, reader
        self.answered = 0
        self.refused = 0
        self.reads = self.stale = 0
        self.may_be_stale = False
        self._is_over = False

    async def run(self, load: Load) -> None:
        async with httpx.AsyncClient(timeout=PATIENCE) as client:
            made = await client.post(f"{self._writer.url}{LEADS}", json={"name": "counter", "description": "0"})
            path = f"{LEADS}/{made.raise_for_status().json()['id']}"
            reading = asyncio.create_task(self._read(client, path))
            while not load.is_over:
                url = f"{self._writer.url}{path}"
                answer = await client.patch(url, json={"description": str(self.answered + 1)}, headers=PATCH)
                if answer.status_code == 503:
                    self.refused += 1
                else:
                    answer.raise_for_status()
                    self.answered += 1
            self._is_over = True
            await reading

    async def _read(self, client: httpx.AsyncClient, path: str) -> None:
        least = 0
        while not self._is_over:
            least = max(least, self.answered)
            may_be_stale = self.may_be_stale
            answer = await client.get(f"{self._reader.url}{path}")
            if answer.status_code == 503:
                continue
            found = int(answer.raise_for_status().json()["description"])
            self.reads += 1
            if found < least:
                assert may_be_stale, "a read went back"
                self.stale += 1
            least = max(least, found)


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    async with Cluster(tmp_path / "set") as cluster:
        yield cluster


@pytest.mark.usefixtures("_mongod")
@pytest.mark.parametrize(
    ("fault", "rounds"),
    [
        pytest.param("step_down", 1, id="stepped down once"),
        *[pytest.param(fault, 10, id=fault, marks=pytest.mark.full) for fault in ("kill", "step_down", "pause", "cut")],
    ],
)
async def test_nothing_answered_is_lost_and_nothing_else_is_there(
    cluster: Cluster, fault: str, rounds: int, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    load = Load(random.Random(rounds))
    async with AsyncExitStack() as ends:
        listener = (await ends.enter_async_context(receivers(1, load.chance)))[0]
        listener.is_reliable = True
        one, other = [
            ends.enter_context(await asyncio.to_thread(serve, cluster, tmp_path / name, name))
            for name in (CUT, "other")
        ]
        load.url = one.url
        counter = Counter(other, other if fault == "cut" else one)
        await register(other, listener)
        writing = asyncio.gather(counter.run(load), *(load.write_on() for _ in range(WRITERS)))
        rounds_done = [await one_round(cluster, fault, load, counter) for _ in range(rounds)]
        await acknowledged(load, 5)
        load.is_over = True
        await writing
        leads = await everything(one.url)
        log = await settled_log(cluster.set.uri("db"))
        await deliver_all(listener, log)
    sure = sum(write.acknowledged for write in load.writes)
    outages, lags = zip(*rounds_done, strict=True)
    record_property(
        "figure",
        f"replica set: {rounds} x {fault}, {sure + counter.answered} writes answered, {load.refused + counter.refused} "
        f"answered 503, {counter.reads} reads ({counter.stale} stale), without an "
        f"answer for {min(outages):.1f} to {max(outages):.1f} s, {max(lags):.1f} s of them after the set took writes, "
        f"longest request {load.longest:.1f} s",
    )
    counted = next(id for id, lead in leads.items() if lead["name"] == "counter")
    mine = [event for event in log if event["event"]["salesLead"]["id"] == counted]
    assert counter.answered <= len(mine) - 1 <= counter.answered + counter.refused
    verify(load, {id: lead for id, lead in leads.items() if id != counted}, [e for e in log if e not in mine])
    arrived = listener.first_arrivals()
    assert sorted(events_of(arrived)) == sorted(events_of(log)), "each event of the log arrived, and no other"
    assert all(times == sorted(times) for times in times_by_resource(arrived).values()), "in order"
    assert max(lags) < LAG, "the service answers once the set does"


def times_by_resource(events: list[dict[str, Any]]) -> dict[str, list[str]]:
    """When the changes happened of which the events of each resource tell, in the order given."""
    times: dict[str, list[str]] = defaultdict(list)
    for event in events:
        times[event["event"]["salesLead"]["id"]].append(event["eventTime"])
    return times


def serve(cluster: Cluster, log: Path, name: str) -> Service:
    return start_service(log, "--store", cluster.set.uri("db", f"appName={name}"))


async def register(service: Service, listener: Receiver) -> None:
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        answer = await client.post(f"{service.url}/tmf-api/sales/v4/hub", json={"callback": listener.url})
        assert answer.status_code == 201, answer.text


async def one_round(cluster: Cluster, fault: str, load: Load, counter: Counter) -> tuple[float, float]:
    """Let the fault happen amid writes.

    Returns for how many seconds nothing was answered, and how many of them passed after the set took writes again.
    MongoDB alone decides about the others: a member avoids for up to a minute a source that has just failed, and
    where it is the only other member that runs, no write reaches a majority meanwhile.
    """
    await acknowledged(load, 5)
    await asyncio.to_thread(cluster.set.settle)
    counter.may_be_stale = fault == "pause"
    outage = lag = 0.0

    async def answered() -> None:
        nonlocal outage, lag
        begun = time.monotonic()
        if fault == "cut":
            refused = load.refused
            await until(lambda: load.refused > refused)
            await grows(lambda: counter.answered, 5)
            return
        writable = asyncio.create_task(asyncio.to_thread(cluster.set.wait_for_write))
        await acknowledged(load, WRITERS + 1)  # some of them were asked for before
        await grows(lambda: counter.answered, 2)
        now = time.monotonic()
        outage, lag = now - begun, max(0.0, now - await writable)

    await getattr(cluster, fault)(answered)
    if fault == "cut":
        begun = time.monotonic()
        await acknowledged(load, WRITERS + 1)
        outage = lag = time.monotonic() - begun
    if fault == "pause":
        await asyncio.to_thread(cluster.set.settle)
        counter.may_be_stale = False
    return outage, lag


async def deliver_all(listener: Receiver, log: list[dict[str, Any]]) -> None:
    """Wait for the events of the log while some of them arrive: those of the counter come one after the other."""

    def is_missing() -> int:
        return len(log) - len(listener.first_arrivals())

    while (missing := is_missing()) > 0:
        await until(lambda missing=missing: is_missing() < missing, pause=0.2)  # type: ignore[misc]


async def grows(count: Callable[[], int], by: int) -> None:
    before = count()
    await until(lambda: count() >= before + by)
