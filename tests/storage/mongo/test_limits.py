"""What a MongoDB server rejects or takes: its limits are clear errors, and what it takes comes back as it was."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pymongo import AsyncMongoClient
from tests.storage.deviations import NO_LIMITS
from tests.storage.tickets import event, fill, index, insert, nested, ticket, update

from tmf_sales.storage.conditions import Compare, Operator, Query, Regex, Sort
from tmf_sales.storage.mongo.store import MongoStorage
from tmf_sales.storage.protocol import OUTBOX_LIMIT, NotStorable, RecordTooLarge, StoreRefused
from tmf_sales.storage.records import Kind, Record, Version

PAIR = Kind("ticket", (index(("state",), ("date",)),))
PARALLEL = ticket(state=["open"], date=["today"])


@pytest.fixture
async def store(mongo_url: str) -> AsyncIterator[MongoStorage]:
    opened = MongoStorage(mongo_url, [PAIR])
    await opened.open()
    yield opened
    await opened.close()


@pytest.mark.deviation(NO_LIMITS)
async def test_two_lists_in_one_index_are_a_conflict_that_names_them(store: MongoStorage) -> None:
    with pytest.raises(NotStorable, match="one index covers date and state") as raised:
        await store.commit(insert("1", PARALLEL, event("e1")))
    assert raised.value.status == 409
    await store.commit(insert("1", ticket()))
    with pytest.raises(NotStorable):
        await store.commit(update("1", 1, PARALLEL, event("e2")))
    with pytest.raises(NotStorable):
        await store.load("ticket", [Record("2", 1, (Version(1, PARALLEL),)), Record("3", 1, (Version(1, ticket()),))])

    stored = await store.get("ticket", "1")
    assert stored is not None
    assert (stored.revision, stored.current.document) == (1, ticket()), "nothing half written"
    assert await store.get("ticket", "2") is None
    assert await store.events.sweep() == 0


@pytest.mark.deviation(NO_LIMITS)
async def test_an_index_that_stored_documents_do_not_allow_stops_the_start(mongo_url: str, store: MongoStorage) -> None:
    await store.commit(insert("1", ticket(size=["a"], colour=["b"])))
    other = MongoStorage(mongo_url, [Kind("ticket", (index(("size",), ("colour",)),))])

    with pytest.raises(StoreRefused, match=r"resource_ticket.*cannot index parallel arrays"):
        await other.open()


@pytest.mark.deviation(NO_LIMITS)
async def test_one_index_more_than_the_server_keeps_stops_the_start(mongo_url: str) -> None:
    store = MongoStorage(mongo_url, [Kind("ticket", tuple(index((f"m{number}",)) for number in range(64)))])

    with pytest.raises(StoreRefused, match="too many indexes"):
        await store.open()


@pytest.mark.deviation(NO_LIMITS)
async def test_what_the_contract_allows_to_be_nested_fits_and_what_the_server_cannot_hold_is_a_conflict(
    store: MongoStorage,
) -> None:
    await store.commit(insert("1", nested(64)))
    for levels in (180, 250):
        with pytest.raises(NotStorable, match="nested deeper"):
            await store.commit(insert("2", nested(levels)))


@pytest.mark.parametrize("bad", [{"a": 2**63}, {"a": "\ud800"}, {"a\0b": 1}])
async def test_what_bson_cannot_hold_is_a_conflict(store: MongoStorage, bad: dict[str, Any]) -> None:
    version = Version(1, bad, text=b"{}")
    with pytest.raises(NotStorable, match="BSON cannot hold"):
        await store.load("ticket", [Record("1", 1, (version,))])


async def test_a_document_that_is_small_as_json_and_too_large_as_bson_is_too_large(store: MongoStorage) -> None:
    await store.commit(insert("1", ticket()))
    many = ticket(size=[1] * 1_800_000)
    assert len(Version(1, many).text) < 4 * 1024 * 1024

    with pytest.raises(RecordTooLarge):
        await store.commit(insert("2", many))
    with pytest.raises(RecordTooLarge):
        await store.commit(update("1", 1, many))


@pytest.mark.deviation(NO_LIMITS)
async def test_a_document_that_only_fits_without_the_events_that_wait_in_it_makes_them_move(
    store: MongoStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store._outbox, "_wake", lambda *_: None)
    large = event("e1", text="x" * (OUTBOX_LIMIT - 1000))
    await store.commit(insert("1", ticket(), large))

    await store.commit(update("1", 1, ticket(size=[1] * 1_150_000), event("e2")))

    assert [each.id for each in await store.events.not_fanned_out(10)] == ["e1"]
    assert await store.events.sweep() == 1


async def test_a_long_text_under_an_index_is_stored_and_found(store: MongoStorage) -> None:
    long = "x" * 100_000
    await store.commit(insert("1", ticket(state=long)))

    assert (await store.find("ticket", Query(Compare(("state",), Operator.EQ, long)))).total == 1


NAMES = ["", ".", "a.b", "$ref", "$set", "_id", "__proto__", "é", "0"]


@pytest.mark.parametrize("name", NAMES)
async def test_every_name_that_a_member_can_have_is_kept(store: MongoStorage, name: str) -> None:
    document = {"name": "x", "more": {name: [{name: 1}]}}
    await store.commit(insert("1", document))
    await store.commit(update("1", 1, {**document, "state": "open"}))

    stored = await store.get("ticket", "1")
    assert stored is not None
    assert stored.current.document == {**document, "state": "open"}


async def test_numbers_come_back_as_they_were_and_compare_by_value(store: MongoStorage) -> None:
    numbers = [1, 1.0, -0.0, 0, 2**63 - 1, -(2**63), 2**53 + 1, 5e-324, 1.7976931348623157e308]
    await fill(store, {str(place): {"size": number} for place, number in enumerate(numbers)})

    for place, number in enumerate(numbers):
        stored = await store.get("ticket", str(place))
        assert stored is not None
        found = stored.current.document["size"]
        assert (isinstance(found, int), found, math.copysign(1, found)) == (
            isinstance(number, int),
            number,
            math.copysign(1, number),
        )
    equal = await store.find("ticket", Query(Compare(("size",), Operator.EQ, 1)))
    assert [row.id for row in equal.rows] == ["0", "1"], "a whole number equals its float"


async def test_texts_differ_by_case_and_are_ordered_by_code_point(store: MongoStorage) -> None:
    await fill(store, {name: {"name": name} for name in ["b", "B", "a", "é", "z"]})

    page = await store.find("ticket", Query(sort=(Sort(("name",)),)))
    assert [row.id for row in page.rows] == ["B", "a", "b", "z", "é"]
    assert (await store.find("ticket", Query(Compare(("name",), Operator.EQ, "b")))).total == 1


@pytest.mark.parametrize(
    ("pattern", "text", "other"),
    [("a$", "ba", "a\n"), ("^.$", "é", "ab"), ("[[:x]", ":", "y"), ("\\.", ".", "a"), ("[^a]", "\n", "a")],
)
async def test_patterns_mean_on_the_server_what_they_mean_elsewhere(
    store: MongoStorage, pattern: str, text: str, other: str
) -> None:
    await fill(store, {"1": {"name": text}, "2": {"name": other}})

    page = await store.find("ticket", Query(Regex(("name",), pattern)))
    assert [row.id for row in page.rows] == ["1"]


async def test_no_collection_has_a_collation(store: MongoStorage, mongo_url: str) -> None:
    await store.ping()
    async with AsyncMongoClient[dict[str, Any]](mongo_url) as client:
        async for found in await client.get_default_database().list_collections():
            assert "collation" not in found["options"], found
