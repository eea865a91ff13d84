"""The contracts' examples are put into an empty store, and only there."""

from __future__ import annotations

import pytest

from tmf_sales.app import stored_kinds
from tmf_sales.contract.files import contracts_folder
from tmf_sales.contract.loader import load_contracts
from tmf_sales.seeding import seed
from tmf_sales.storage.memory.store import MemoryStorage
from tmf_sales.storage.protocol import Change, Record, Version

APIS = load_contracts(contracts_folder())
EXAMPLES = [("salesLead", "123"), ("quote", "12dd-78hg")]


@pytest.fixture
def store() -> MemoryStorage:
    return MemoryStorage(stored_kinds(APIS))


async def in_store(store: MemoryStorage) -> list[Record | None]:
    return [await store.get(kind, id) for kind, id in EXAMPLES]


async def test_an_empty_store_gets_the_examples(store: MemoryStorage) -> None:
    await seed(store, APIS)

    assert None not in await in_store(store)


async def test_what_is_there_already_stays_as_it_is(store: MemoryStorage) -> None:
    await seed(store, APIS)
    before = await in_store(store)

    await seed(store, APIS)

    assert await in_store(store) == before


async def test_an_example_that_was_deleted_does_not_come_back(store: MemoryStorage) -> None:
    await seed(store, APIS)
    await store.commit(Change("salesLead", "123", 1, ()))
    await store.commit(Change("salesLead", "another", 0, (Version(1, {"id": "another"}),)))

    await seed(store, APIS)

    assert await store.get("salesLead", "123") is None
