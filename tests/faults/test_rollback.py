"""A primary without a majority accepts writes, dies, and rolls them back when it returns: none was confirmed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
from pymongo.errors import PyMongoError
from tests.faults.test_replica_set import Cluster
from tests.mongodb.server import MongoServer
from tests.storage.tickets import KINDS, event, insert, ticket, update

from tmf_sales.storage.mongo.store import MongoStorage
from tmf_sales.storage.protocol import RevisionConflict, StorageUnavailable

QUICK = "timeoutMS=1500&serverSelectionTimeoutMS=500&heartbeatFrequencyMS=500"
FETCHER = "OplogFetcher"
"""The name by which a member that follows another one connects to it."""
PATIENCE = 180.0


async def until_written(store: MongoStorage, name: str, revision: int) -> None:
    """Write on the resource as a client does: read it, and try again while the store is away."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                record = await store.get("ticket", "1")
                assert record is not None
                if record.revision >= revision:
                    assert record.current.document["name"] == name
                    return
                await store.commit(update("1", revision - 1, ticket(name=name), event(f"e{revision}-{name}")))
            except (StorageUnavailable, RevisionConflict):  # the second: the first try was made after all
                await asyncio.sleep(0.05)


async def without_majority(cluster: Cluster, store: MongoStorage, revision: int) -> MongoServer:
    """The primary, dead, after it alone took a write that was not answered."""
    primary = await asyncio.to_thread(cluster.set.primary)
    for number in range(3):
        cluster.proxies.cut(number, FETCHER)
    with pytest.raises(StorageUnavailable):
        await store.commit(update("1", revision, ticket(name="ghost"), event(f"e{revision + 1}-ghost")))
    with cluster.set.client_of(primary) as client:
        found = client.db.resource_ticket.find_one({"_id": "1"})
    assert found is not None
    assert found["document"]["name"] == "ghost", "the primary alone has it"
    await asyncio.to_thread(primary.kill)
    cluster.proxies.mend()
    return primary


async def until_rolled_back(cluster: Cluster, old: MongoServer, name: str) -> None:
    """It is a secondary for a moment before it finds out that the others went on without it."""
    async with asyncio.timeout(PATIENCE):
        while True:
            with contextlib.suppress(PyMongoError), cluster.set.client_of(old) as client:
                found = client.db.resource_ticket.find_one({"_id": "1"})
                if found is not None and found["document"]["name"] == name:
                    return await asyncio.to_thread(cluster.set.settle)
            await asyncio.sleep(0.1)


@pytest.mark.usefixtures("_mongod")
@pytest.mark.parametrize("rounds", [pytest.param(1, id="once"), pytest.param(3, id="often", marks=pytest.mark.full)])
async def test_a_write_that_is_rolled_back_was_not_answered_and_leaves_no_event(
    rounds: int, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    async with Cluster(tmp_path) as cluster:
        store = MongoStorage(cluster.set.uri("db", QUICK), KINDS)
        await store.open()
        try:
            await until_prepared(store)
            await store.commit(insert("1", ticket(), event("e1")))
            rolled_back = 0
            for number in range(1, rounds + 1):
                old = await without_majority(cluster, store, number)
                await until_written(store, f"sure{number}", number + 1)
                await asyncio.to_thread(old.start)
                await asyncio.to_thread(cluster.set.settle)
                await until_rolled_back(cluster, old, f"sure{number}")
                rolled_back += len(list(old.data.glob("rollback/**/*.bson")))
            await store.events.sweep()
            log = [each.id for each in (await store.events.log(None, 0, 1000))[0]]
        finally:
            await store.close()
    assert log == ["e1", *(f"e{number + 1}-sure{number}" for number in range(1, rounds + 1))], "and no ghost"
    assert rolled_back >= rounds, "a write that is not rolled back proves nothing"
    record_property("figure", f"replica set: {rounds} x a write rolled back, none of them answered")


async def until_prepared(store: MongoStorage) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return await store.ping()
            except StorageUnavailable:
                await asyncio.sleep(0.05)
