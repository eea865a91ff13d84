"""The MongoDB server is stopped, killed and paused under a service that is written to; the service itself goes on.

Every request is answered, with 503 while the server is away, and never by a connection that is cut or silent. What was
acknowledged is there afterwards, each write whole with its events, and the service that met it all serves again.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.faults.event_load import LEADS, Load
from tests.faults.test_event_delivery import logged
from tests.mongodb.server import MongoServer
from tests.service import Service, start_service

from tmf_sales.app.context import stored_kinds
from tmf_sales.contract.files import contracts_folder
from tmf_sales.contract.loader import load_contracts
from tmf_sales.storage.factory import open_store

WRITERS = 4
MORE_WRITES = 15
REFUSED = 3
PATIENCE = 180.0
AWAY, BACK = "the store is away", "the store is back after"
SECOND, SLOW_MACHINE = 1.0, 1.5
"""Without its own time limit, /ready would wait for the 5 s of the store."""
DEADLINE = 3
# Below the deadline, so that the usual answer is the store's.
QUICK = "timeoutMS=2000&serverSelectionTimeoutMS=500&heartbeatFrequencyMS=500"

Event = dict[str, Any]


@pytest.mark.full
@pytest.mark.parametrize("driver", [QUICK, "timeoutMS=60000"], ids=["store gives up first", "deadline is first"])
async def test_a_service_outlives_its_database_being_stopped_killed_and_paused(
    driver: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    load = Load(random.Random(5))
    environ = {"TMF_SALES_REQUEST_DEADLINE": str(DEADLINE), "TMF_SALES_NO_DELIVERY": "true"}
    with MongoServer(tmp_path / "data") as server:
        url = f"{server.uri}/db?{driver}"
        with start_service(tmp_path / "log", "--store", url, environ=environ) as service:
            load.url = service.url
            writers = [asyncio.create_task(load.write_on()) for _ in range(WRITERS)]
            for away, back in [(server.stop, server.start), (server.kill, server.start), (server.pause, server.resume)]:
                await acknowledged(load, MORE_WRITES)
                await come_and_go(load, service, away, back)
            await acknowledged(load, MORE_WRITES)
            load.is_over = True
            await asyncio.gather(*writers)
            leads = await everything(service.url)
        log = await settled_log(url)
    sure = sum(write.acknowledged for write in load.writes)
    figures = f"{sure} writes acknowledged, {load.refused} answered 503, longest wait {load.longest:.1f} s"
    record_property("figure", f"database away: {figures}")
    verify(load, leads, log)


def test_ready_answers_within_its_second_and_each_absence_is_logged_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    environ = {"TMF_SALES_NO_DELIVERY": "true"}
    with MongoServer(tmp_path / "data") as server:
        url = f"{server.uri}/db?heartbeatFrequencyMS=500&connectTimeoutMS=500"
        with start_service(log, "--store", url, environ=environ) as service:
            for number, (away, back) in enumerate([(server.kill, server.start), (server.pause, server.resume)], 1):
                ready_until(service, 200, BACK, number - 1)
                away()
                assert ready_until(service, 503, AWAY, number) < SECOND + SLOW_MACHINE
                back()
                ready_until(service, 200, BACK, number)
    assert (log.read_text().count(AWAY), log.read_text().count(BACK)) == (2, 2)


def ready_until(service: Service, status: int, message: str, times: int) -> float:
    """Ask /ready until it answers so and the log has the message so often; return the seconds of the slowest answer."""
    slowest = 0.0
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        begun = time.monotonic()
        answer = httpx.get(f"{service.url}/ready", timeout=PATIENCE)
        slowest = max(slowest, time.monotonic() - begun)
        if answer.status_code == status and service.log.read_text().count(message) == times:
            return slowest
    raise TimeoutError(f"/ready does not come to {status}: {service.log.read_text()}")


async def come_and_go(load: Load, service: Service, away: Callable[[], None], back: Callable[[], None]) -> None:
    """The server goes while a write is under way, and comes back once several writes were refused."""
    refused = load.refused
    await until(lambda: load.under_way > 0, pause=0)
    await asyncio.to_thread(away)  # so that the writers notice at once when they are answered
    try:
        await until(lambda: load.refused >= refused + REFUSED)
        async with httpx.AsyncClient(timeout=PATIENCE) as client:
            answer = await client.get(f"{service.url}{LEADS}")
            assert answer.status_code == 503, answer.text
            assert int(answer.headers["retry-after"]) >= 1
            assert (await client.get(f"{service.url}/ready")).status_code == 503
            assert (await client.get(f"{service.url}/live")).status_code == 200
    finally:
        await asyncio.to_thread(back)


async def acknowledged(load: Load, count: int) -> None:
    """Wait for so many more writes."""
    before = sum(write.acknowledged for write in load.writes)
    await until(lambda: sum(write.acknowledged for write in load.writes) >= before + count)


async def until(holds: Callable[[], bool], pause: float = 0.01) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110  the writers have no other way to tell
            await asyncio.sleep(pause)


async def everything(url: str) -> dict[str, Event]:
    """All leads by their ids."""
    found: dict[str, Event] = {}
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        while True:
            answer = await client.get(f"{url}{LEADS}?limit=100&offset={len(found)}&sort=id")
            if not (page := answer.raise_for_status().json()):
                return found
            found |= {lead["id"]: lead for lead in page}


async def settled_log(url: str) -> list[Event]:
    """The log, once the events that waited in documents are in it."""
    store = open_store(url, stored_kinds(load_contracts(contracts_folder())))
    await store.open()
    try:
        await store.events.sweep()
    finally:
        await store.close()
    return await logged(url)


def verify(load: Load, leads: dict[str, Event], log: list[Event]) -> None:
    assert load.cut_off == 0, "every request was answered"
    received: dict[str, list[str]] = defaultdict(list)
    last: dict[str, str] = {}
    for event in log:
        received[event["correlationId"]].append(event["eventType"])
        last[event["event"]["salesLead"]["id"]] = event["correlationId"]
    writes = {write.id: write for write in load.writes}
    assert received.keys() <= writes.keys()
    for write in load.writes:
        # A write that was answered 503 may happen even later than somebody looked for it, but whole.
        assert sorted(received[write.id]) == sorted(write.events) or not (write.acknowledged or received[write.id]), (
            write
        )
    alive = {id for id, write in last.items() if writes[write].what != "delete"}
    assert leads.keys() == alive, "each is there unless it was deleted last"
    for id, lead in leads.items():
        written = writes[last[id]]
        assert written.id == lead["name" if written.what == "create" else "description"]
