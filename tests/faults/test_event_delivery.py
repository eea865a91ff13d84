"""kill -9 while writes and deliveries are unanswered: every event of every write arrives everywhere, and no other.

Listeners fail at random all the while. At the end: each acknowledged write's events have reached every listener that
wants them, there are none of a write that did not happen, those of a resource came in order, and an event that came
twice had the same id.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from tests.faults.event_load import Load
from tests.faults.event_receiver import Receiver, receivers
from tests.mongodb.databases import Databases
from tests.service import SERVE, first_line, let_go

HUB = "/tmf-api/sales/v4/hub"
WRITERS = {"sqlite": 8, "mongo": 3}  # what stands in for MongoDB is slow
QUERIES = [None, "eventType=SalesLeadStateChangeEvent,SalesLeadDeleteEvent", None]
WANTED: list[set[str] | None] = [None, {"SalesLeadStateChangeEvent", "SalesLeadDeleteEvent"}, None]
PATIENCE = 120.0
COMMAND = (sys.executable, "-m", "tmf_sales")

Event = dict[str, Any]


class Victim:
    """A process that is killed and started anew."""

    def __init__(self, log: Path, *command: str) -> None:
        self._log = log
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> str:
        """What it says first."""
        with self._log.open("ab") as errors:
            self._process = subprocess.Popen(  # noqa: ASYNC220  it is to be killed at once, without the loop's help
                self._command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors
            )
        said = await asyncio.to_thread(first_line, self._process)
        assert said, self._log.read_text()
        return said

    def kill(self) -> None:
        """Before anything else can happen in this process."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGKILL)

    async def end(self) -> int:
        """Its exit code, once it has ended as it was asked."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return await asyncio.to_thread(self._process.wait, PATIENCE)

    def let_go(self) -> None:
        if self._process is not None:
            let_go(self._process)


class Run:
    """A service on one store, with its writers, its listeners and, when `apart`, its delivery in another process."""

    def __init__(self, folder: Path, store: str, load: Load, listeners: Sequence[Receiver], *, apart: bool) -> None:
        self.load = load
        self.listeners = listeners
        self.kills = 0
        serve = (*SERVE, "--port", "0", "--store", store, *(["--no-delivery"] if apart else []))
        self.service = Victim(folder / "serve.log", *serve)
        self.worker = Victim(folder / "deliver.log", *COMMAND, "deliver", "--store", store) if apart else None

    async def start_service(self) -> None:
        said = await self.service.start()
        self.load.url = next(word for word in said.split() if word.startswith("http://"))

    @asynccontextmanager
    async def started(self) -> AsyncIterator[None]:
        with ExitStack() as ends:
            ends.callback(self.service.let_go)
            await self.start_service()
            await self._register()
            if self.worker is not None:
                ends.callback(self.worker.let_go)
                await self.worker.start()
            yield

    async def _register(self) -> None:
        async with httpx.AsyncClient() as client:
            for listener, query in zip(self.listeners, QUERIES, strict=True):
                asked = {"callback": listener.url, "query": query}
                answer = await client.post(self.load.url + HUB, json=asked)
                assert answer.status_code == 201, answer.text

    @property
    def deliveries_under_way(self) -> int:
        return sum(listener.unanswered for listener in self.listeners)

    async def kill_someone(self) -> None:
        """Kill the service or the worker while it has something unanswered, and start it anew."""
        await asyncio.sleep(self.load.chance.uniform(0.1, 0.6))
        if self.worker is not None and self.load.chance.random() < 0.5:
            await self._kill_amid_deliveries(self.worker)
        else:
            await self._kill_amid_writes()

    async def _kill_amid_deliveries(self, worker: Victim) -> None:
        async with asyncio.timeout(PATIENCE):
            while not self.deliveries_under_way:  # noqa: ASYNC110  the kill must fall into this very moment
                await asyncio.sleep(0)
        worker.kill()
        self.kills += 1
        worker.let_go()
        await worker.start()

    async def _kill_amid_writes(self) -> None:
        cut_off = self.load.cut_off
        async with asyncio.timeout(PATIENCE):
            while not self.load.under_way:  # noqa: ASYNC110  the kill must fall into this very moment
                await asyncio.sleep(0)
        deliveries = 0 if self.worker is not None else self.deliveries_under_way
        self.service.kill()
        self.service.let_go()
        await self.start_service()
        self.kills += self.load.cut_off > cut_off or deliveries > 0


@pytest.mark.parametrize(
    ("store", "apart", "kills"),
    [
        pytest.param("sqlite", True, 4, id="sqlite-some"),
        pytest.param("sqlite", True, 30, id="sqlite-apart", marks=pytest.mark.full),
        pytest.param("sqlite", False, 30, id="sqlite-together", marks=pytest.mark.full),
        pytest.param("mongo", True, 30, id="mongo-apart", marks=pytest.mark.full),
    ],
)
async def test_no_event_is_lost_or_made_up_by_kills(
    store: str,
    apart: bool,
    kills: int,
    tmp_path: Path,
    databases: Databases,
    record_property: Callable[[str, object], None],
) -> None:
    chance = random.Random(kills)
    url = databases.new() if store == "mongo" else f"sqlite:///{tmp_path}/events.sqlite"
    async with receivers(len(QUERIES), chance) as listeners:
        run = Run(tmp_path, url, Load(chance), listeners, apart=apart)
        async with run.started():
            writers = [asyncio.create_task(run.load.write_on()) for _ in range(WRITERS[store])]
            while run.kills < kills:
                await run.kill_someone()
            run.load.is_over = True
            await asyncio.gather(*writers)
            await everything_arrived(run)
            if run.worker is not None:
                assert await run.worker.end() == 0
            assert await run.service.end() == 0
            log = await logged(url)
    record_property("figure", f"kills: {figures(run, log)} (events on {store}, {'apart' if apart else 'together'})")
    verify(run, log)


def expected(load: Load, wanted: set[str] | None = None) -> list[tuple[str, str]]:
    """The (id, event type) of each write that happened."""
    return sorted(
        (write.id, event)
        for write in load.writes
        if write.happened
        for event in write.events
        if wanted is None or event in wanted
    )


def events_of(events: Sequence[Event]) -> list[tuple[str, str]]:
    return [(event["correlationId"], event["eventType"]) for event in events]


async def everything_arrived(run: Run) -> None:
    """Wait for it, as long as some of it comes: what has not come then fails the test with what is missing."""
    for listener in run.listeners:
        listener.is_reliable = True
    goals = [set(expected(run.load, wanted)) for wanted in WANTED]

    def missing() -> int:
        received = [set(events_of(listener.arrived)) for listener in run.listeners]
        return sum(len(goal - each) for goal, each in zip(goals, received, strict=True))

    with suppress(TimeoutError):
        while left := missing():
            async with asyncio.timeout(PATIENCE):
                while missing() == left:  # noqa: ASYNC110  it comes from other processes
                    await asyncio.sleep(0.2)


async def logged(url: str) -> list[Event]:
    """The log as the command line tells it."""
    listing = await asyncio.create_subprocess_exec(
        *COMMAND, "events", "list", "--store", url, "--json", stdout=asyncio.subprocess.PIPE
    )
    output, _ = await listing.communicate()
    return [orjson.loads(line) for line in output.splitlines()]


def verify(run: Run, log: Sequence[Event]) -> None:
    assert all(write.happened is not None for write in run.load.writes)
    assert sorted(events_of(log)) == expected(run.load), "the log has each event of each write that happened, once"
    ids = {event["eventId"] for event in log}
    for listener, wanted in zip(run.listeners, WANTED, strict=True):
        first = listener.first_arrivals()
        assert sorted(events_of(first)) == expected(run.load, wanted), "each arrived"
        assert {event["eventId"] for event in listener.arrived} <= ids, "what came twice had the same id"
        assert by_resource(first) == by_resource(
            [event for event in log if wanted is None or event["eventType"] in wanted]
        )


def by_resource(events: Sequence[Event]) -> dict[str, list[str]]:
    """The ids of the events of each resource, in the order given."""
    received: dict[str, list[str]] = {}
    for event in events:
        received.setdefault(event["event"]["salesLead"]["id"], []).append(event["eventId"])
    return received


def figures(run: Run, log: Sequence[Event]) -> str:
    writes = run.load.writes
    unknown = [write for write in writes if not write.acknowledged]
    deliveries = sum(len(listener.arrived) for listener in run.listeners)
    twice = deliveries - sum(len(listener.first_arrivals()) for listener in run.listeners)
    failures = sum(len(listener.failed) for listener in run.listeners)
    return (
        f"{run.kills} kills, {len(writes) - len(unknown)} writes acknowledged, {len(unknown)} unknown of which "
        f"{sum(bool(write.happened) for write in unknown)} happened, {len(log)} events, {deliveries} deliveries, "
        f"{twice} of them again, {failures} refused by the listener"
    )
