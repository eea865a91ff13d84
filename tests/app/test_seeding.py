"""The contracts' examples are put into an empty store, and only there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.contract import small_contract

from tmf_sales.app.context import stored_kinds
from tmf_sales.app.seeding import examples, members_set_by_the_clock, move_towards, seed
from tmf_sales.contract.files import contracts_folder
from tmf_sales.contract.loader import load_contracts
from tmf_sales.storage.memory.store import MemoryStorage
from tmf_sales.storage.records import Change, Record, Version

APIS = load_contracts(contracts_folder())
NOW = datetime(2031, 3, 4, 5, 6, 7, tzinfo=UTC)
EXAMPLES = [("tmf699/salesLead", "123"), ("tmf648/quote", "12dd-78hg")]


@pytest.fixture
def store() -> MemoryStorage:
    return MemoryStorage(stored_kinds(APIS))


async def in_store(store: MemoryStorage) -> list[Record | None]:
    return [await store.get(kind, id) for kind, id in EXAMPLES]


async def test_an_empty_store_gets_the_examples(store: MemoryStorage) -> None:
    await seed(store, APIS, NOW)

    assert None not in await in_store(store)


async def test_what_is_there_already_stays_as_it_is(store: MemoryStorage) -> None:
    await seed(store, APIS, NOW)
    before = await in_store(store)

    await seed(store, APIS, NOW)

    assert await in_store(store) == before


async def test_an_example_that_was_deleted_does_not_come_back(store: MemoryStorage) -> None:
    await seed(store, APIS, NOW)
    await store.commit(Change("tmf699/salesLead", "123", 1, ()))
    await store.commit(Change("tmf699/salesLead", "another", 0, (Version(1, {"id": "another"}),)))

    await seed(store, APIS, NOW)

    assert await store.get("tmf699/salesLead", "123") is None


def dates_in(value: object) -> list[str]:
    """Every date-time of the printed year or later, in the order of the document."""
    if isinstance(value, dict):
        return [date for inner in value.values() for date in dates_in(inner)]
    if isinstance(value, list):
        return [date for inner in value for date in dates_in(inner)]
    return [value] if isinstance(value, str) and value[4:5] == "-" and value.endswith("Z") else []


@pytest.mark.parametrize("number", [0, 1], ids=["lead", "quote"])
async def test_examples_move_towards_now_and_keep_their_distances(store: MemoryStorage, number: int) -> None:
    kind, id = EXAMPLES[number]
    [(api, resource)] = [(api, each) for api in APIS for each in api.resources.values() if each.kind == kind]
    [printed] = [each for each in examples(api, resource) if each["id"] == id]

    await seed(store, APIS, NOW)

    record = await store.get(kind, id)
    assert record is not None
    seeded = record.current.document
    moved = {
        datetime.fromisoformat(after) - datetime.fromisoformat(before)
        for before, after in zip(dates_in(printed), dates_in(seeded), strict=True)
    }
    assert len(moved) == 1
    latest = max(seeded[name] for name in members_set_by_the_clock(resource.object_type) if name in seeded)
    assert timedelta() <= NOW - datetime.fromisoformat(latest) < timedelta(days=1)


async def test_a_seeded_offer_is_still_valid(store: MemoryStorage) -> None:
    await seed(store, APIS, NOW)

    record = await store.get(*EXAMPLES[1])
    assert record is not None
    assert datetime.fromisoformat(record.current.document["validFor"]["endDateTime"]) > NOW


async def test_seeding_leaves_the_contract_alone(store: MemoryStorage) -> None:
    before = [dates_in(api.document) for api in APIS]

    await seed(store, APIS, NOW)

    assert [dates_in(api.document) for api in APIS] == before


def test_lists_of_dates_move_and_unknown_members_stay(tmp_path: Path) -> None:
    order = small_contract.contract(tmp_path).resources["order"].object_type
    document = {
        "date": "2019-01-01T10:00:00.000Z",
        "reminders": ["2019-01-02T00:00:00.000Z"],
        "line": [{"valid": {"from": "2019-01-03T00:00:00.000Z"}}],
        "box": {"line": [{"doneDate": "2019-01-04T00:00:00.000Z"}]},
        "unknown": "2019-01-01T10:00:00.000Z",
    }

    move_towards(datetime(2019, 1, 11, 9, tzinfo=UTC), document, order)

    assert document == {
        "date": "2019-01-10T10:00:00.000Z",
        "reminders": ["2019-01-11T00:00:00.000Z"],
        "line": [{"valid": {"from": "2019-01-12T00:00:00.000Z"}}],
        "box": {"line": [{"doneDate": "2019-01-13T00:00:00.000Z"}]},
        "unknown": "2019-01-01T10:00:00.000Z",
    }


def test_a_document_without_dates_of_the_server_stays_as_it_is(tmp_path: Path) -> None:
    order = small_contract.contract(tmp_path).resources["order"].object_type
    document = {"wanted": "2019-01-01T10:00:00.000Z"}

    move_towards(NOW, document, order)

    assert document == {"wanted": "2019-01-01T10:00:00.000Z"}
