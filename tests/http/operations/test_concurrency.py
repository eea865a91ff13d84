"""Many clients change one resource through several workers or services: no update is lost, no version is there twice.

Who served a connection is read from the kernel: which process holds the other end of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.api import MERGE_PATCH, Api, Document
from tests.http.conftest import QUOTES, Services
from tests.service import Service

CLIENTS = 64
ROUNDS = 4
PATCH = {"Content-Type": MERGE_PATCH}


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(("sqlite", 1, 2), id="sqlite-2-workers"),
        pytest.param(("mongo", 1, 4), id="mongo-4-workers", marks=pytest.mark.full),
        pytest.param(("mongo", 2, 1), id="mongo-2-services", marks=pytest.mark.full),
    ],
)
def running(request: pytest.FixtureRequest, services: Services) -> list[Service]:
    """So many services on different ports with so many workers each, all on one store."""
    kind, count, workers = request.param
    store = services.new_store(kind)
    return [services.at(store, "--workers", str(workers)) for _ in range(count)]


@pytest.fixture
def quotes(services: Services, running: list[Service]) -> Api:
    return services.api(running[0], QUOTES)


@pytest.fixture
def roots(running: list[Service]) -> Iterator[str]:
    """The API's root at one service after the other."""
    return itertools.cycle(service.url + QUOTES for service in running)


@pytest.fixture
def quote(quotes: Api) -> Document:
    return quotes.create("/quote", {"quoteItem": [{}], "counter": 0})


def revision(answer: httpx.Response) -> int:
    return int(answer.headers["etag"].strip('"'))


async def test_no_update_is_lost(running: list[Service], roots: Iterator[str], quotes: Api, quote: Document) -> None:
    async def with_condition(client: httpx.AsyncClient) -> list[httpx.Response]:
        """Counts up, as it read the counter and only if nobody changed the quote meanwhile."""
        url = f"{next(roots)}/quote/{quote['id']}"
        answers = []
        for _ in range(ROUNDS):
            read = await client.get(url)
            headers = {**PATCH, "If-Match": read.headers["etag"]}
            answers.append(await client.patch(url, json={"counter": read.json()["counter"] + 1}, headers=headers))
        return answers

    async def without_condition(client: httpx.AsyncClient, name: str) -> list[httpx.Response]:
        """Counts up in a member of its own."""
        url = f"{next(roots)}/quote/{quote['id']}"
        return [await client.patch(url, json={name: number}, headers=PATCH) for number in range(1, ROUNDS + 1)]

    clients = [httpx.AsyncClient(timeout=60, headers={"Accept-Encoding": "identity"}) for _ in range(CLIENTS)]
    try:
        work = [with_condition(client) for client in clients[::2]]
        work += [without_condition(client, f"own{number}") for number, client in enumerate(clients[1::2])]
        answers = [*itertools.chain(*await asyncio.gather(*work))]
        workers = {holder_of_other_end(running, answer) for answer in answers}
    finally:
        await asyncio.gather(*(client.aclose() for client in clients))

    conditional = [answer for answer in answers if "if-match" in answer.request.headers]
    statuses = Counter(answer.status_code for answer in answers)
    last = quotes.get(f"/quote/{quote['id']}")
    assert statuses.keys() <= {200, 409, 412}
    assert all(answer.status_code in {200, 412} for answer in conditional)
    assert revision(last) == 1 + statuses[200]
    # Every change is a revision of its own, and none is reported twice.
    assert sorted(revision(one) for one in answers if one.status_code == 200) == [*range(2, statuses[200] + 2)]
    assert last.json()["counter"] == sum(answer.status_code == 200 for answer in conditional)
    assert {last.json()[f"own{n}"] for n in range(CLIENTS // 2)} == {ROUNDS}
    assert len(workers - {None}) >= 2


def holder_of_other_end(running: list[Service], answer: httpx.Response) -> int | None:
    """The process that has the service's end of the connection that the answer came by."""
    port = int(answer.extensions["network_stream"].get_extra_info("client_addr")[1])
    [service] = [service for service in running if service.port == answer.request.url.port]
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, *_, inode = line.split()[:10]
        if [int(address.partition(":")[2], 16) for address in (local, remote)] == [service.port, port]:
            return next((pid for pid in processes_of(service) if holds(pid, inode)), None)
    return None


def processes_of(service: Service) -> list[int]:
    first = service.process.pid
    return [first, *map(int, Path(f"/proc/{first}/task/{first}/children").read_text().split())]


def holds(pid: int, inode: str) -> bool:
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # files come and go
            if str(entry.readlink()) == f"socket:[{inode}]":
                return True
    return False


async def test_one_of_many_starts_a_version(roots: Iterator[str], quotes: Api, quote: Document) -> None:
    body = {"id": quote["id"], "version": "2", "quoteItem": [{}]}

    async with httpx.AsyncClient(timeout=60) as client:
        answers = await asyncio.gather(*(client.post(f"{next(roots)}/quote", json=body) for _ in range(8)))

    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 7}
    assert [one["version"] for one in quotes.get("/quote", id=quote["id"]).json()] == ["1", "2"]


async def test_versions_without_a_number_get_one_each(roots: Iterator[str], quotes: Api, quote: Document) -> None:
    body = {"id": quote["id"], "quoteItem": [{}]}

    async with httpx.AsyncClient(timeout=60) as client:
        answers = await asyncio.gather(*(client.post(f"{next(roots)}/quote", json=body) for _ in range(8)))

    assert sorted(int(answer.json()["version"]) for answer in answers) == [*range(2, 10)]


async def test_a_resource_is_deleted_once(roots: Iterator[str], quote: Document) -> None:
    path = f"/quote/{quote['id']}"

    async with httpx.AsyncClient(timeout=60) as client:
        answers = await asyncio.gather(*(client.delete(next(roots) + path) for _ in range(8)))

    assert Counter(answer.status_code for answer in answers) == {204: 1, 404: 7}


async def test_a_listener_registers_once(roots: Iterator[str], quotes: Api, quote: Document) -> None:
    body = {"callback": f"http://{quote['id']}.listener.example/"}

    async with httpx.AsyncClient(timeout=60) as client:
        answers = await asyncio.gather(*(client.post(f"{next(roots)}/hub", json=body) for _ in range(8)))

    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 7}
    (created,) = (answer.json() for answer in answers if answer.status_code == 201)
    assert quotes.delete(f"/hub/{created['id']}").status_code == 204
