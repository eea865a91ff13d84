"""The way of events out of documents: what a process knows it does not read again, and the order stays."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from typing import Any

import pytest
from pymongo.errors import BulkWriteError
from tests.storage.deviations import NOT_ATOMIC
from tests.storage.mongo.recorded_calls import recorded_calls
from tests.storage.tickets import KINDS, delete, event, insert, ticket, update

from tmf_sales.storage.events import StoredEvent
from tmf_sales.storage.mongo.outbox import MOVED_LIMIT, Seen, _place_of_duplicate
from tmf_sales.storage.mongo.store import SEEN_LIMIT, MongoStorage
from tmf_sales.storage.protocol import AlreadyExists, RevisionConflict, StorageUnavailable
from tmf_sales.storage.records import merged

WRITES = 150
NAMES = ("1", "2", "3")


@pytest.fixture
async def stores(mongo_url: str) -> AsyncIterator[list[MongoStorage]]:
    """Two processes on one database."""
    async with AsyncExitStack() as ends:
        opened = [MongoStorage(mongo_url, KINDS) for _ in range(2)]
        for store in opened:
            await store.open()
            ends.push_async_callback(store.close)
        yield opened


@pytest.fixture
async def store(stores: list[MongoStorage]) -> MongoStorage:
    return stores[0]


async def moved(store: MongoStorage) -> None:
    """Wait until this process has moved what it has written."""
    if store._outbox._task is not None:
        await store._outbox._task


async def log(store: MongoStorage) -> list[str]:
    return [each.id for each in (await store.events.log(None, 0, 1000))[0]]


def counted(store: MongoStorage, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The calls that a store makes from now on, by name."""
    return recorded_calls((*store._resources.values(), store._outbox._log), monkeypatch)


async def test_a_patch_reads_and_writes_once_and_its_event_is_moved_without_reading(
    store: MongoStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.commit(insert("1", ticket(), event("e1")))
    await moved(store)
    calls = counted(store, monkeypatch)

    await store.get("ticket", "1")
    await store.commit(update("1", 1, ticket(name="new"), event("e2")))
    await moved(store)

    assert calls == ["find_one", "find", "update_one", "insert_many", "bulk_write"], "find_one is a find"
    assert await log(store) == ["e1", "e2"]
    found = await store._resources["ticket"].find_one({"_id": "1"})
    assert found is not None
    assert not {"outbox", "outbox_size"} & found.keys()


async def test_a_patch_that_was_read_before_the_last_events_were_moved_needs_no_further_read(
    store: MongoStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(store._outbox, "_wake", lambda *_: None)
        await store.commit(insert("1", ticket(), event("e1")))
    await store.get("ticket", "1")
    await store._outbox.move("ticket", ["1"])
    calls = counted(store, monkeypatch)

    await store.commit(update("1", 1, ticket(name="new"), event("e2")))
    await moved(store)

    assert calls == ["update_one", "insert_many", "bulk_write"]
    assert await log(store) == ["e1", "e2"]


async def test_the_events_of_all_requests_that_wait_are_moved_by_one_insert_and_one_clearing(
    store: MongoStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = asyncio.Event()

    async def last_batch() -> None:
        await ended.wait()

    store._outbox._task = asyncio.create_task(last_batch())
    await asyncio.gather(*(store.commit(insert(str(number), ticket(), event(f"e{number}"))) for number in range(50)))
    ended.set()
    await moved(store)
    calls = counted(store, monkeypatch)

    await store.commit(insert("50", ticket(), event("e50")))
    await moved(store)

    assert calls == ["insert_one", "insert_many", "bulk_write"]
    assert len(await log(store)) == 51


async def test_events_of_one_resource_that_is_changed_on_and_on_are_moved_in_order(store: MongoStorage) -> None:
    await store.commit(insert("1", ticket(), event("e1")))
    for revision in range(1, 40):
        await store.get("ticket", "1")
        await store.commit(update("1", revision, ticket(), event(f"e{revision + 1}")))
    await store.get("ticket", "1")
    await store.commit(delete("1", 40, event("e41")))
    await moved(store)

    assert await log(store) == [f"e{number}" for number in range(1, 42)]
    assert await store._resources["ticket"].find_one({"_id": "1"}) is None


async def test_a_write_that_follows_another_one_needs_no_read(
    store: MongoStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.commit(insert("1", ticket(), event("e1")))
    await store.get("ticket", "1")
    calls = counted(store, monkeypatch)

    await store.commit(update("1", 1, ticket(), event("e2")))
    await store.commit(merged([update("1", revision, ticket(), event(f"e{revision + 1}")) for revision in (2, 3)]))
    await moved(store)
    await store.commit(update("1", 4, ticket(), event("e5")))
    await moved(store)

    assert not {"find", "find_one"} & {*calls}
    assert await log(store) == ["e1", "e2", "e3", "e4", "e5"]


async def test_a_write_that_follows_one_without_events_reads_what_waits(store: MongoStorage) -> None:
    await store.commit(insert("1", ticket(), event("e1")))
    await store.get("ticket", "1")

    await store.commit(update("1", 1, ticket()))
    await store.commit(update("1", 2, ticket(), event("e2")))
    await moved(store)

    assert await log(store) == ["e1", "e2"]


async def leave_an_event(store: MongoStorage, other: MongoStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Move the event e1 of a new ticket, then let another process leave e2 in the document."""
    await store.commit(insert("1", ticket(), event("e1")))
    await moved(store)
    with monkeypatch.context() as patched:
        patched.setattr(other._outbox, "_wake", lambda *_: None)
        await other.commit(update("1", 1, ticket(), event("e2")))


async def test_what_another_process_left_comes_before_writes_that_follow_each_other(
    stores: list[MongoStorage], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, other = stores
    await leave_an_event(store, other, monkeypatch)

    await store.get("ticket", "1")
    for revision in (2, 3, 4):
        await store.commit(update("1", revision, ticket(), event(f"e{revision + 1}")))
    await moved(store)

    assert await log(store) == ["e1", "e2", "e3", "e4", "e5"]


async def test_what_another_process_left_in_the_document_comes_first(
    stores: list[MongoStorage], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, other = stores
    await leave_an_event(store, other, monkeypatch)

    await store.get("ticket", "1")
    await store.commit(update("1", 2, ticket(), event("e3")))
    await store.get("ticket", "1")
    await store.commit(update("1", 3, ticket(), event("e4")))
    await moved(store)

    assert await log(store) == ["e1", "e2", "e3", "e4"]


@pytest.mark.deviation(NOT_ATOMIC)
async def test_whoever_sees_an_event_sees_those_before_it_whichever_process_wrote_them(
    stores: list[MongoStorage],
) -> None:
    chance = random.Random(3)
    for name in NAMES:
        await stores[0].commit(insert(name, ticket(), event(f"{name}@1")))
    writing = asyncio.gather(*(race(store, chance) for store in stores for _ in range(2)))
    while not writing.done():
        assert_no_gap(await stores[0].events.not_fanned_out(10_000))
    await writing
    for store in stores:
        await moved(store)
        await store.events.sweep()

    found = await stores[0].events.not_fanned_out(10_000)
    assert_no_gap(found)
    stored = [await stores[0].get("ticket", name) for name in NAMES]
    assert len(found) == sum(record.revision for record in stored if record is not None)
    assert_no_gap((await stores[0].events.log(None, 0, 10_000))[0])


async def race(store: MongoStorage, chance: random.Random) -> None:
    for _ in range(WRITES):
        name = chance.choice(NAMES)
        record = await store.get("ticket", name)
        assert record is not None
        await asyncio.sleep(0)
        with contextlib.suppress(RevisionConflict):
            next_one = event(f"{name}@{record.revision + 1}")
            await store.commit(update(name, record.revision, ticket(), next_one))
        if chance.random() < 0.05:
            await store.events.sweep()


def assert_no_gap(found: Sequence[StoredEvent]) -> None:
    revisions: dict[str, list[int]] = defaultdict(list)
    for each in found:
        revisions[each.resource].append(each.revision)
    for seen in revisions.values():
        assert seen == list(range(1, len(seen) + 1))


async def test_events_whose_move_failed_are_read_again_before_later_ones(
    store: MongoStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert_events = store._outbox._insert

    async def fail_once(*arguments: Any) -> None:
        await store.get("ticket", "1")
        await store.commit(update("1", 1, ticket(), event("e2")))
        monkeypatch.setattr(store._outbox, "_insert", insert_events)
        raise StorageUnavailable("away")

    monkeypatch.setattr(store._outbox, "_insert", fail_once)
    await store.commit(insert("1", ticket(), event("e1")))
    await moved(store)

    assert await log(store) == ["e1", "e2"]


async def test_an_event_is_placed_after_an_earlier_one_that_another_process_moves_meanwhile(
    stores: list[MongoStorage], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, other = stores
    seconds = itertools.count(1_000_000_000)
    for each in stores:
        monkeypatch.setattr(each._outbox, "_now", lambda: next(seconds))
    with monkeypatch.context() as patched:
        patched.setattr(store._outbox, "_wake", lambda *_: None)
        await store.commit(insert("1", ticket(), event("e1")))
        early = await other._resources["ticket"].find_one({"_id": "1"})
        assert early is not None
        await store.commit(update("1", 1, ticket(), event("e2")))
    insert_many = store._outbox._log.insert_many

    async def after_the_other(*arguments: Any, **named: Any) -> Any:
        monkeypatch.setattr(store._outbox._log, "insert_many", insert_many)
        await other._outbox._insert("ticket", [early])
        return await insert_many(*arguments, **named)

    monkeypatch.setattr(store._outbox._log, "insert_many", after_the_other)
    await store.events.sweep()

    assert await log(store) == ["e1", "e2"]


async def test_a_sweep_of_everything_also_moves_what_this_process_is_about_to_move(
    store: MongoStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = store._outbox._waiting
    with monkeypatch.context() as patched:
        patched.setattr(store._outbox, "_wake", lambda resource, _: waiting.update({resource: None}))
        await store.commit(insert("1", ticket(), event("e1")))

    assert await store.events.sweep() == 0
    assert await store.events.sweep(everything=True) == 1
    assert await log(store) == ["e1"]


async def test_moving_goes_on_behind_events_that_are_in_the_log_already(
    store: MongoStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(store._outbox, "_wake", lambda *_: None)
        await store.commit(insert("1", ticket(), event("e1"), event("e2"), event("e3")))
    await store._outbox._log.insert_one({"_id": "e1", "place": "0"})

    assert await store.events.sweep() == 3

    assert sorted([each["_id"] async for each in store._outbox._log.find({}, {"_id": 1})]) == ["e1", "e2", "e3"]


@pytest.mark.parametrize(
    "details",
    [
        {"writeErrors": []},
        {"writeErrors": [{"code": 14031, "index": 0}]},
        {"writeErrors": [{"code": 11000, "index": 0}], "writeConcernErrors": [{}]},
    ],
)
def test_a_failed_insert_is_no_duplicate(details: dict[str, Any]) -> None:
    with pytest.raises(BulkWriteError):
        _place_of_duplicate(BulkWriteError(details))


async def test_only_the_latest_reads_are_kept(store: MongoStorage) -> None:
    for number in range(SEEN_LIMIT + 10):
        store._note_seen("ticket", {"_id": str(number), "revision": 1, "born": 1})

    assert len(store._seen) == SEEN_LIMIT
    assert store._seen["ticket", str(SEEN_LIMIT + 9)] == Seen(1, 1, frozenset())


async def test_only_the_latest_moves_are_kept(store: MongoStorage) -> None:
    for number in range(MOVED_LIMIT + 10):
        store._outbox._note_moved("ticket", [{"_id": str(number), "outbox": [{"_id": f"e{number}"}]}])

    assert len(store._outbox._moved) == MOVED_LIMIT
    assert store._outbox._ids_of(("ticket", str(MOVED_LIMIT + 9))) == {f"e{MOVED_LIMIT + 9}"}
    assert store._outbox._ids_of(("ticket", "1")) == set()


async def test_an_id_that_is_taken_stays_so_after_a_deletion_that_is_not_moved(store: MongoStorage) -> None:
    await store.commit(insert("1", ticket(), event("e1")))
    with pytest.raises(AlreadyExists):
        await store.commit(insert("1", ticket(), event("e2")))
    await moved(store)

    assert await log(store) == ["e1"]


async def test_a_deletion_without_events_is_swept_when_another_process_moves_the_events_that_it_read_before(
    stores: list[MongoStorage], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, other = stores
    monkeypatch.setattr(store._outbox, "_wake", lambda *_: None)
    await store.commit(insert("1", ticket(), event("e1")))
    insert_many = other._outbox._log.insert_many

    async def after_the_deletion(*arguments: Any, **named: Any) -> Any:
        await store.commit(delete("1", 1))
        return await insert_many(*arguments, **named)

    monkeypatch.setattr(other._outbox._log, "insert_many", after_the_deletion)
    await other._outbox.move("ticket", ["1"])
    await store.events.sweep()

    await assert_is_gone(store)


async def test_a_deletion_without_events_is_swept_when_another_process_moves_the_events_in_the_middle_of_it(
    stores: list[MongoStorage], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, other = stores
    monkeypatch.setattr(store._outbox, "_wake", lambda *_: None)
    await store.commit(insert("1", ticket(), event("e1")))
    delete_one = store._resources["ticket"].delete_one

    async def before_the_other(*arguments: Any, **named: Any) -> Any:
        result = await delete_one(*arguments, **named)
        await other._outbox.move("ticket", ["1"])
        return result

    monkeypatch.setattr(store._resources["ticket"], "delete_one", before_the_other)
    await store.commit(delete("1", 1))
    await store.events.sweep()

    await assert_is_gone(store)


async def test_the_next_start_removes_the_tombstones_that_no_sweep_finds(
    mongo_url: str, stores: list[MongoStorage]
) -> None:
    await stores[0]._resources["ticket"].insert_one({"_id": "1", "revision": 2, "born": 1, "deleted": True})

    store = MongoStorage(mongo_url, KINDS)
    await store.open()
    await store.close()

    await stores[0].commit(insert("1", ticket(), event("e1")))


async def assert_is_gone(store: MongoStorage) -> None:
    assert await log(store) == ["e1"]
    assert await store._resources["ticket"].find_one({"_id": "1"}) is None
    await store.commit(insert("1", ticket(), event("e2")))
