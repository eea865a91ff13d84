"""What the engine does when the store refuses: lost races, a unit that would be too large."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.contract import small_contract

from tmf_sales.engine.engine import RACES, EngineSettings, ResourceEngine
from tmf_sales.engine.hooks import Rules
from tmf_sales.engine.idempotency import IDEMPOTENCY_KIND, Idempotency
from tmf_sales.engine.request import Request
from tmf_sales.errors import ResourceTooLarge, Unavailable
from tmf_sales.storage.memory.store import MemoryStorage
from tmf_sales.storage.protocol import Change, RecordTooLarge, RevisionConflict, Version

STORED = {"id": "7", "name": "x", "version": "1", "state": "open", "date": "2026-01-01T00:00:00.000Z"}
MERGE = "application/merge-patch+json"


class Refusing(MemoryStorage):
    """Refuses the next `times` commits with `error`; every other works."""

    error: type[Exception] = RevisionConflict
    times = 0

    async def commit(self, change: Change) -> int:
        if self.times > 0:
            self.times -= 1
            raise self.error
        return await super().commit(change)


@pytest.fixture
def engine(tmp_path: Path) -> ResourceEngine:
    resource = small_contract.contract(tmp_path).resources["order"]
    store = Refusing((resource.stored_kind(), IDEMPOTENCY_KIND))
    keys = Idempotency(store, now, lambda: "new", timedelta(seconds=10))
    return ResourceEngine(resource, Rules(), store, EngineSettings(), now, lambda: "new", keys)


def now() -> datetime:
    return datetime(2026, 2, 1, tzinfo=UTC)


async def stored(engine: ResourceEngine, error: type[Exception], times: int) -> Refusing:
    """The engine's store, with one resource in it, about to refuse."""
    store = engine._store
    assert isinstance(store, Refusing)
    await store.commit(Change("order", "7", 0, (Version(1, STORED),)))
    store.error, store.times = error, times
    return store


def patch(name: str) -> Request:
    return Request("patchOrder", "PATCH", {"id": "7"}, "", [], "http://host", "", body={"name": name}, media_type=MERGE)


def delete() -> Request:
    return Request("deleteOrder", "DELETE", {"id": "7"}, "", [], "http://host", "")


def create(**members: str) -> Request:
    return Request("createOrder", "POST", {}, "", [], "http://host", "", body={"name": "y", **members})


async def test_a_lost_race_is_run_again(engine: ResourceEngine) -> None:
    store = await stored(engine, RevisionConflict, 3)

    assert (await engine.patch(patch("y"))).status == 200
    store.times = 3
    assert (await engine.create(create(id="7"))).status == 201
    store.times = 3
    assert (await engine.delete(delete())).status == 204
    assert await store.get("order", "7") is None


async def test_races_that_are_lost_for_ever_are_given_up(engine: ResourceEngine) -> None:
    store = await stored(engine, RevisionConflict, RACES)

    for lost in (engine.patch(patch("y")), engine.create(create(id="7")), engine.delete(delete())):
        store.times = RACES
        with pytest.raises(Unavailable, match="too many others"):
            await lost


async def test_what_would_be_too_large_is_refused(engine: ResourceEngine) -> None:
    store = await stored(engine, RecordTooLarge, 1)

    for refused, id in (
        (engine.patch(patch("y")), "7"),
        (engine.create(create(id="7")), "7"),
        (engine.create(create()), "new"),
    ):
        store.times = 1
        with pytest.raises(ResourceTooLarge, match=f"'{id}' with all its versions would exceed 8 MB"):
            await refused
