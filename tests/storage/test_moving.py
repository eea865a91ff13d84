"""Resources that come from another store as they were there, and a store read from its first resource to its last."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError
from tests.storage.tickets import KINDS, TICKET, delete, event, fill, index, insert, ticket, update

from tmf_sales.storage.conditions import Compare, Operator, Query
from tmf_sales.storage.factory import open_store
from tmf_sales.storage.protocol import RECORD_LIMIT, RecordTooLarge, Storage, StorageUnavailable
from tmf_sales.storage.records import Change, Record, Version


def record(id: str, revision: int = 1, **members: object) -> Record:
    return Record(id, revision, (Version(revision, ticket(**members)),))


async def test_what_was_loaded_has_the_revisions_that_it_had(store: Storage) -> None:
    versions = (Version(7, ticket(version="2")), Version(3, ticket(version="1")))

    assert await store.load("ticket", [Record("1", 9, versions), record("2")]) == []

    stored = await store.get("ticket", "1")
    assert stored is not None
    assert (stored.id, stored.revision) == ("1", 9)
    assert [(each.revision, each.text) for each in stored.versions] == [(each.revision, each.text) for each in versions]
    assert await store.commit(update("1", 9, ticket(name="next"))) == 10


async def test_what_was_loaded_is_found_and_counted(store: Storage) -> None:
    await store.load(
        "ticket", [record("1", party=[{"id": "p"}]), record("2", party=[{"id": "q"}, {"id": "p"}]), record("3")]
    )

    page = await store.find("ticket", Query(Compare(("party", "id"), Operator.EQ, "p")))

    assert ([row.id for row in page.rows], page.total) == (["1", "2"], 2)
    assert (await store.find("ticket", Query())).total == 3


async def test_a_list_where_the_contract_has_none_is_found_when_it_was_loaded(store: Storage) -> None:
    await store.load("ticket", [record("1", name=["x", "y"]), record("2", name="x")])

    assert (await store.find("ticket", Query(Compare(("name",), Operator.EQ, "x")))).total == 2


async def test_ids_that_are_taken_are_reported_and_left_alone(store: Storage) -> None:
    await store.commit(insert("2", ticket(name="own")))

    assert await store.load("ticket", [record("1"), record("2"), record("3"), record("3", name="twice")]) == ["2", "3"]

    names = [row.version.document["name"] for row in (await store.find("ticket", Query())).rows]
    assert names == ["printer", "own", "printer"]
    assert await store.load("ticket", [record("1"), record("2"), record("3")]) == ["1", "2", "3"]
    assert (await store.find("ticket", Query())).total == 3


async def test_the_id_of_a_deleted_resource_can_be_loaded(store: Storage) -> None:
    await store.commit(insert("1", ticket(), event("e1")))
    await store.commit(delete("1", 1, event("e2")))

    assert await store.load("ticket", [record("1", revision=5), record("2")]) == []

    stored = await store.get("ticket", "1")
    assert stored is not None
    assert stored.revision == 5


async def test_a_unit_over_the_limit_keeps_its_batch_out(store: Storage) -> None:
    with pytest.raises(RecordTooLarge):
        await store.load("ticket", [record("1"), record("2", name="x" * RECORD_LIMIT)])

    assert (await store.find("ticket", Query())).total == 0


async def test_nothing_to_load_is_no_error(store: Storage) -> None:
    assert await store.load("ticket", []) == []


async def test_a_walk_meets_every_resource_once_with_all_its_versions(store: Storage) -> None:
    await fill(store, {id: ticket() for id in ("b", "a", "É", "Z", "10", "9")})
    both = (Version(1, ticket(version="2")), Version(1, ticket(version="1")))
    await store.commit(Change("ticket", "c", 0, both))
    await store.commit(delete("9", 1, event("e")))

    met: list[Record] = []
    while batch := await store.walk("ticket", met[-1].id if met else "", 2):
        assert len(batch) <= 2
        met.extend(batch)

    assert [each.id for each in met] == ["10", "Z", "a", "b", "c", "É"]
    assert [version.document["version"] for version in met[4].versions] == ["2", "1"]


async def test_a_load_waits_for_a_release_that_knows_the_indexes(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.sqlite"
    with_colour = replace(TICKET, indexes=(*TICKET.indexes, index(("colour",))))
    older, newer = open_store(url, KINDS), open_store(url, [with_colour])
    await older.open()
    await newer.open()

    with pytest.raises(StorageUnavailable, match="another release"):
        await older.load("ticket", [record("1")])
    assert await newer.load("ticket", [record("1")]) == []

    await older.close()
    await newer.close()


async def test_a_server_that_refuses_for_another_reason_is_reported(
    mongo_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def reject(*_: object, **__: object) -> None:
        raise BulkWriteError({"writeErrors": [{"index": 0, "code": 121}]})

    store = open_store(mongo_url, KINDS)
    await store.open()
    monkeypatch.setattr(AsyncCollection, "insert_many", reject)

    with pytest.raises(StorageUnavailable):
        await store.load("ticket", [record("1")])

    await store.close()
