"""A survey tells of every stored resource that its contract would refuse, and leaves it as it is."""

from __future__ import annotations

import contextlib

import pytest

from tmf_sales.storage.memory.store import MemoryStorage
from tmf_sales.storage.protocol import RevisionConflict
from tmf_sales.storage.records import Change, Kind, Record, Version
from tmf_sales.transfer.checking import Check
from tmf_sales.transfer.lines import BadLine
from tmf_sales.transfer.survey import refused

IDS = [f"{number:03}" for number in range(120)]


def reject_even_ones(record: Record) -> None:
    document = record.current.document
    document["form"] = "changed by the check"
    if int(record.id) % 2 == 0:
        raise BadLine(f"/number: {document['number']} is even")


CHECKS: dict[str, Check] = {"ticket": reject_even_ones, "other": lambda _: None}


@pytest.fixture
async def store() -> MemoryStorage:
    store = MemoryStorage([Kind("ticket"), Kind("other")])
    records = [Record(id, 1, (Version(1, {"number": int(id)}),)) for id in IDS]
    await store.load("ticket", records)
    await store.load("other", records[:3])
    return store


async def test_each_resource_that_is_refused_is_reported_with_the_reason(store: MemoryStorage) -> None:
    seen: list[int] = []

    found = [each async for each in refused(store, ["other", "ticket"], CHECKS, seen.append)]

    assert [each.id for each in found] == IDS[::2]
    assert {each.kind for each in found} == {"ticket"}
    assert found[7].reason == "/number: 14 is even"
    assert sum(seen) == 123


async def test_what_is_stored_stays_as_it_is(store: MemoryStorage) -> None:
    assert [each async for each in refused(store, ["ticket"], CHECKS, lambda _: None)]

    stored = await store.get("ticket", "002")
    assert stored is not None
    assert stored.current.document == {"number": 2}


async def test_a_resource_that_goes_meanwhile_does_no_harm(store: MemoryStorage) -> None:
    found = []
    async for each in refused(store, ["ticket"], CHECKS, lambda _: None):
        found.append(each.id)
        for id in IDS[100:]:
            with contextlib.suppress(RevisionConflict):
                await store.commit(Change("ticket", id, 1, ()))

    assert found == IDS[:100:2]
