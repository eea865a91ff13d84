"""What arrives while a command is under way goes to the server together, and each caller gets its own result."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pymongo import ReadPreference
from pymongo.errors import BulkWriteError, OperationFailure
from pymongo.read_concern import ReadConcern
from tests.storage.deviations import NO_LIMITS
from tests.storage.mongo.recorded_calls import recorded_calls
from tests.storage.tickets import delete, event, index, insert, nested, ticket, update

from tmf_sales.storage.mongo.batches import LARGE, MOST
from tmf_sales.storage.mongo.store import MongoStorage
from tmf_sales.storage.protocol import AlreadyExists, NotStorable, RevisionConflict, StorageUnavailable
from tmf_sales.storage.records import Change, Kind

PAIR = Kind("ticket", (index(("state",), ("date",)),))
PARALLEL = ticket(state=["open"], date=["today"])
IDS = ("1", "2", "3")


@pytest.fixture
async def store(mongo_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MongoStorage]:
    """A store that leaves events in their records."""
    opened = MongoStorage(mongo_url, [PAIR])
    await opened.open()
    monkeypatch.setattr(opened._outbox, "_wake", lambda *_: None)
    yield opened
    await opened.close()


@pytest.fixture
async def stored(store: MongoStorage) -> MongoStorage:
    """The same with three tickets, each with an event."""
    for id in IDS:
        await store.commit(insert(id, ticket(), event(f"e{id}")))
    return store


@pytest.fixture
def calls(stored: MongoStorage, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The calls to the server from now on, by name."""
    return recorded_calls([stored._resources["ticket"]], monkeypatch)


async def together(store: MongoStorage, *changes: Change) -> list[int | BaseException]:
    return await asyncio.gather(*map(store.commit, changes), return_exceptions=True)


async def names(store: MongoStorage) -> dict[str, tuple[int, str]]:
    """Revision and name of each ticket."""
    found = [await store.get("ticket", id) for id in IDS]
    return {each.id: (each.revision, each.current.document["name"]) for each in found if each is not None}


async def waiting(store: MongoStorage, id: str) -> list[str]:
    record = await store._resources["ticket"].find_one({"_id": id})
    return [entry["_id"] for entry in record["outbox"]] if record is not None else []


async def test_reads_of_the_same_moment_are_one_command(stored: MongoStorage, calls: list[str]) -> None:
    wanted = ("3", "missing", "1", "3")

    found = await asyncio.gather(*(stored.get("ticket", id) for id in wanted))

    assert [each.id if each is not None else None for each in found] == ["3", None, "1", "3"]
    assert calls == ["find_one", "find", "find"], "find_one is a find; it waits for no other read"


async def test_a_batch_is_limited(stored: MongoStorage, calls: list[str]) -> None:
    found = await asyncio.gather(*(stored.get("ticket", "1") for _ in range(MOST + 3)))

    assert all(each is not None and each.id == "1" for each in found)
    assert calls == ["find_one", "find", "find", "find"]


async def test_inserts_of_the_same_moment_are_one_command(stored: MongoStorage, calls: list[str]) -> None:
    made = await together(stored, *(insert(f"new{id}", ticket(), event(f"f{id}")) for id in IDS))

    assert made == [1, 1, 1]
    assert calls == ["insert_one", "bulk_write"]
    assert [await waiting(stored, f"new{id}") for id in IDS] == [["f1"], ["f2"], ["f3"]]


async def test_an_insert_whose_id_is_taken_fails_alone(stored: MongoStorage, calls: list[str]) -> None:
    made = await together(
        stored,
        insert("4", ticket(), event("f4")),
        insert("1", ticket(name="other"), event("f1")),
        insert("5", ticket(), event("f5")),
        insert("5", ticket(name="other"), event("f6")),
    )

    assert made[::2] == [1, 1]
    assert all(isinstance(each, AlreadyExists) for each in made[1::2])
    assert calls[:2] == ["insert_one", "bulk_write"]
    assert await waiting(stored, "1") == ["e1"]
    assert await waiting(stored, "5") == ["f5"]


async def test_an_insert_into_the_place_of_a_tombstone_succeeds_in_a_batch(stored: MongoStorage) -> None:
    await stored.commit(delete("1", 1, event("f1")))

    made = await together(
        stored,
        insert("4", ticket(), event("g4")),
        insert("1", ticket(name="again"), event("g1")),
        insert("5", ticket(), event("g5")),
    )

    assert made == [1, 1, 1]
    assert (await names(stored))["1"] == (1, "again")


@pytest.mark.deviation(NO_LIMITS)
@pytest.mark.parametrize("bad", [PARALLEL, nested(250), {"a\0b": 1}], ids=["index", "too deep", "no BSON"])
async def test_a_document_that_cannot_be_stored_fails_alone(stored: MongoStorage, bad: dict[str, Any]) -> None:
    made = await together(stored, *(insert(f"new{id}", bad if id == "2" else ticket(), event(f"f{id}")) for id in IDS))
    changed = await together(
        stored, *(update(id, 1, bad if id == "2" else ticket(name="new"), event(f"g{id}")) for id in IDS)
    )

    for first, second, third in (made, changed):
        assert isinstance(second, NotStorable)
        assert first == third != second
    assert await names(stored) == {"1": (2, "new"), "2": (1, "printer"), "3": (2, "new")}
    assert [await waiting(stored, f"new{id}") for id in IDS] == [["f1"], [], ["f3"]]


async def test_updates_of_the_same_moment_are_one_command(stored: MongoStorage, calls: list[str]) -> None:
    made = await together(stored, *(update(id, 1, ticket(name="new"), event(f"f{id}")) for id in IDS))

    assert made == [2, 2, 2]
    assert calls == ["update_one", "bulk_write"]
    assert await names(stored) == dict.fromkeys(IDS, (2, "new"))
    assert [await waiting(stored, id) for id in IDS] == [["e1", "f1"], ["e2", "f2"], ["e3", "f3"]]


@pytest.mark.parametrize("moved", [False, True])
async def test_an_update_of_another_revision_fails_alone_even_if_events_are_moved_at_once(
    stored: MongoStorage, monkeypatch: pytest.MonkeyPatch, moved: bool
) -> None:
    await stored.commit(update("2", 1, ticket(name="newer"), event("f2")))
    collection = stored._resources["ticket"]
    write = collection.bulk_write

    async def write_and_move(*arguments: Any, **named: Any) -> Any:
        result = await write(*arguments, **named)
        monkeypatch.setattr(collection, "bulk_write", write)
        if moved:
            await stored.events.sweep(everything=True)
        return result

    monkeypatch.setattr(collection, "bulk_write", write_and_move)

    made = await together(stored, *(update(id, 1, ticket(name="new"), event(f"g{id}")) for id in IDS))

    assert (made[0], made[2]) == (2, 2)
    assert isinstance(made[1], RevisionConflict)
    assert await names(stored) == {"1": (2, "new"), "2": (2, "newer"), "3": (2, "new")}
    await stored.events.sweep()
    logged, _ = await stored.events.log(None, 0, 100)
    assert sorted(each.id for each in logged) == ["e1", "e2", "e3", "f2", "g1", "g3"]


async def test_what_a_batch_has_written_is_read_from_the_primary_whatever_the_url_says(mongo_url: str) -> None:
    options = "readPreference=secondaryPreferred&readConcernLevel=majority"
    store = MongoStorage(f"{mongo_url}{'&' if '?' in mongo_url else '?'}{options}", [PAIR])
    await store.open()
    try:
        for each in store._batches["ticket"]._as_written:
            assert each.read_preference == ReadPreference.PRIMARY
            assert each.read_concern == ReadConcern("local")
    finally:
        await store.close()


async def test_deletions_and_updates_share_a_command(stored: MongoStorage, calls: list[str]) -> None:
    made = await together(
        stored,
        update("2", 1, ticket(name="new"), event("f2")),
        delete("1", 1, event("f1")),
        update("3", 1, ticket(name="new"), event("f3")),
    )

    assert made == [2, 2, 2]
    assert calls == ["update_one", "bulk_write"]
    assert await names(stored) == {"2": (2, "new"), "3": (2, "new")}


async def test_large_writes_and_updates_without_events_go_alone(stored: MongoStorage, calls: list[str]) -> None:
    large = ticket(text="x" * LARGE)

    made = await together(
        stored,
        insert("4", large),
        insert("5", large),
        update("1", 1, large, event("f1")),
        update("2", 1, large, event("f2")),
        update("3", 1, ticket(name="new")),
    )

    assert made == [1, 1, 2, 2, 2]
    assert sorted(calls) == ["insert_one"] * 2 + ["update_one"] * 3


UNCONFIRMED = BulkWriteError({"writeErrors": [], "writeConcernErrors": [{"code": 64, "errmsg": "no majority"}]})


@pytest.mark.parametrize("failure", [UNCONFIRMED, OperationFailure("shutting down", 91)])
async def test_nobody_gets_an_answer_when_the_outcome_of_a_batch_is_unknown(
    stored: MongoStorage, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr(stored._resources["ticket"], "bulk_write", fail)

    made = await together(stored, *(insert(f"new{id}", ticket(), event(f"f{id}")) for id in IDS))
    changed = await together(stored, *(update(id, 1, ticket(name="new"), event(f"g{id}")) for id in IDS))

    assert (made[0], changed[0]) == (1, 2), "the first one has a command of its own"
    assert all(isinstance(each, StorageUnavailable) for each in (*made[1:], *changed[1:]))
    assert await names(stored) == {"1": (2, "new"), "2": (1, "printer"), "3": (1, "printer")}
