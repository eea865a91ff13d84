"""A MongoDB store is prepared once, and nothing is read from a primary that is not confirmed."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from tests.mongodb.server import MongoServer
from tests.storage.tickets import KINDS, insert, ticket

from tmf_sales.storage.mongo.availability import Availability
from tmf_sales.storage.mongo.readiness import PREPARE_AGAIN, READS, Readiness
from tmf_sales.storage.mongo.store import MongoStorage
from tmf_sales.storage.protocol import StorageUnavailable, StoreRefused


class Servers(Availability):
    """There is always a primary; the test says which."""

    def __init__(self) -> None:
        super().__init__()
        self.elected: object = "one"

    def primary(self) -> object:
        return self.elected

    async def wait(self) -> None:
        pass


class World:
    """Servers, a clock, and what the store was asked for."""

    def __init__(self) -> None:
        self.servers = Servers()
        self.time = 0.0
        self.prepared = self.confirmed = 0
        self.rejection: str | None = None
        self.readiness = Readiness(self.servers, self.prepare, self.confirm, lambda: self.time)

    async def prepare(self) -> None:
        self.prepared += 1
        await asyncio.sleep(0)
        if self.rejection is not None:
            raise StoreRefused(self.rejection)

    async def confirm(self) -> None:
        self.confirmed += 1
        await asyncio.sleep(0)


@pytest.fixture
def world() -> World:
    return World()


async def test_concurrent_requests_prepare_and_confirm_once(world: World) -> None:
    await asyncio.gather(*(world.readiness.wait() for _ in range(5)))
    await world.readiness.wait()

    assert (world.prepared, world.confirmed) == (1, 1)
    await world.readiness.close()


async def test_a_request_that_gives_up_does_not_end_the_preparation_for_the_others(world: World) -> None:
    leaves, stays = (asyncio.create_task(world.readiness.wait()) for _ in range(2))
    await asyncio.sleep(0)
    leaves.cancel()
    await stays

    assert world.prepared == 1


async def test_each_new_primary_is_confirmed_before_it_is_read(world: World) -> None:
    async def read() -> int:
        return world.confirmed

    assert await world.readiness.read(read) == 1
    world.servers.elected = "other"

    assert await world.readiness.read(read) == 2


async def test_what_the_driver_read_at_a_newly_elected_primary_is_read_again(world: World) -> None:
    read: list[int] = []

    async def read_in_an_election() -> int:
        world.servers.elected = "other"
        read.append(world.confirmed)
        return len(read)

    assert await world.readiness.read(read_in_an_election) == 2
    assert read == [1, 2]


async def test_reading_ends_when_the_primary_changes_all_the_time(world: World) -> None:
    async def read() -> None:
        world.servers.elected = object()

    with pytest.raises(StorageUnavailable, match="changes too often"):
        await world.readiness.read(read)
    assert world.confirmed == READS


async def test_a_store_that_is_rejected_at_the_start_ends_it(world: World) -> None:
    world.rejection = "it has format 99"

    with pytest.raises(StoreRefused, match="format 99"):
        await world.readiness.open()


async def test_a_store_that_is_rejected_later_is_unavailable_with_the_reason_until_it_is_in_order(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.rejection = "it has format 99"
    for _ in range(3):
        with pytest.raises(StorageUnavailable, match="cannot be used: it has format 99"):
            await world.readiness.wait()
    assert world.prepared == 1, "not for each request"
    world.time += PREPARE_AGAIN
    with pytest.raises(StorageUnavailable):
        await world.readiness.wait()
    assert world.prepared == 2
    assert caplog.messages == ["the store cannot be used: it has format 99"], "once"

    world.rejection = None
    world.time += PREPARE_AGAIN
    await world.readiness.wait()

    assert caplog.messages[1:] == ["the store is ready now"]


async def test_a_closed_store_has_no_primary() -> None:
    assert Availability().primary() is None


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MongoServer]:
    with MongoServer(tmp_path / "data") as server:
        yield server
    with warnings.catch_warnings():
        # The driver leaves a socket to the garbage collector when its server goes away while it connects.
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


# As in the fixture; the garbage collector may also run within the test.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_server_that_comes_later_with_a_store_of_a_newer_release_is_unavailable(server: MongoServer) -> None:
    with MongoClient[dict[str, Any]](server.uri) as client:
        client["db"]["setting"].insert_one({"_id": "format", "value": 99})
    server.stop()
    store = MongoStorage(f"{server.uri}/db?serverSelectionTimeoutMS=200&timeoutMS=5000", KINDS)
    await store.open()
    try:
        server.start()
        async with asyncio.timeout(30):
            while not store._client.topology_description.has_writable_server():  # noqa: ASYNC110  the driver looks
                await asyncio.sleep(0.05)
        with pytest.raises(StorageUnavailable, match="the store has format 99"):
            await store.ping()
        with pytest.raises(StorageUnavailable, match="the store has format 99"):
            await store.get("ticket", "1")
        with pytest.raises(StorageUnavailable, match="the store has format 99"):
            await store.commit(insert("1", ticket()))
    finally:
        await store.close()
