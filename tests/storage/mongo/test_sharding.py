"""What a sharded cluster needs of each write, shown on one server: the shard key in the filter, no other uniqueness."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from pymongo import monitoring
from tests.storage.mongo.test_access import everything
from tests.storage.tickets import KINDS, event, insert, ticket

from tmf_sales.storage.events import AttemptRecord, FanOut, Step
from tmf_sales.storage.mongo import store as store_module
from tmf_sales.storage.mongo.client import make_client
from tmf_sales.storage.mongo.store import MongoStorage

NOT_SHARDED = {"setting"}


class Seen(monitoring.CommandListener):
    """The commands that the store sends."""

    def __init__(self) -> None:
        self.commands: list[dict[str, Any]] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        self.commands.append(dict(event.command))

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None: ...

    def failed(self, event: monitoring.CommandFailedEvent) -> None: ...


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    listener = Seen()
    monkeypatch.setattr(store_module, "make_client", lambda uri, *others: make_client(uri, listener, *others))
    return listener


@pytest.fixture
async def store(seen: Seen, mongo_url: str) -> AsyncIterator[MongoStorage]:
    opened = MongoStorage(mongo_url, KINDS)
    await opened.open()
    yield opened
    await opened.close()


async def deliver(store: MongoStorage) -> None:
    """An event goes all the way through a delivery queue."""
    await store.commit(insert("d", ticket(), event("d1"), event("d2")))
    assert store._outbox._task is not None
    await store._outbox._task
    found = [each for each in await store.events.not_fanned_out(10) if each.resource == "d"]
    [queue] = await store.events.fan_out(
        [FanOut(each, ("s",), frozenset({"s"})) for each in found], owner="me", until=9e9, now=1.0
    )
    attempt = AttemptRecord("s", "d1", 1.0, 0.1, 200, "", None)
    await store.events.record([Step(queue, found[1].order, 0, None, attempt)], "me", 9e9)
    await store.events.renew([queue], "me", 9e9)
    await store.events.release("me", 1.0)
    await store.events.rewind("s", found, 1.0)
    await store.events.claim("me", 9e9, 2.0, {"s": 5})
    await store.events.forget("s")


async def test_every_write_of_one_document_names_its_id(seen: Seen, store: MongoStorage, mongo_url: str) -> None:
    await everything(mongo_url)
    await deliver(store)

    writes = [
        (command[name], each)
        for command in seen.commands
        for name, list_of in (("update", "updates"), ("delete", "deletes"))
        if next(iter(command)) == name
        for each in command[list_of]
    ]
    modified = [(each["findAndModify"], each["query"]) for each in seen.commands if "findAndModify" in each]
    assert {name for name, _ in modified} == {"lane"}
    one = [(name, each["q"]) for name, each in writes if not each.get("multi") and each.get("limit") != 0]
    assert {name for name, _ in one} >= {"resource_ticket", "lane", "setting"}
    for name, where in one + modified:
        assert isinstance(where.get("_id"), str), (name, where)
    for name, each in writes:
        assert not each.get("upsert") or isinstance(each["q"].get("_id"), str), (name, each)


async def test_nothing_is_unique_but_ids(store: MongoStorage) -> None:
    names = set(await store._database.list_collection_names()) - NOT_SHARDED
    assert names >= {"resource_ticket", "event", "lane", "attempt"}
    for name in names:
        async for index in await store._database[name].list_indexes():
            assert not index.get("unique"), index
