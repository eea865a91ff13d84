"""The format of a store: an older one is brought forward in steps, and one that no way leads from is refused."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient
from tests.storage.tickets import KINDS, insert, ticket

from tmf_sales.storage.factory import open_store
from tmf_sales.storage.mongo.format import FORMAT as MONGO_FORMAT
from tmf_sales.storage.mongo.format import Database
from tmf_sales.storage.protocol import StoreRefused
from tmf_sales.storage.sqlite.schema import FORMAT as SQLITE_FORMAT

FORMATS = {"sqlite": SQLITE_FORMAT, "mongodb": MONGO_FORMAT}


@pytest.fixture(params=["sqlite", "mongodb"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store that holds one ticket, in the format of this release."""
    is_file = request.param == "sqlite"
    url = f"sqlite:///{tmp_path}/store.sqlite" if is_file else str(request.getfixturevalue("mongo_url"))
    store = open_store(url, KINDS)
    await store.open()
    await store.commit(insert("1", ticket()))
    await store.close()
    return url


async def opened(url: str) -> None:
    store = open_store(url, KINDS)
    await store.open()
    stored = await store.get("ticket", "1")
    assert stored is not None
    assert stored.current.document == ticket()
    await store.close()


async def set_format(url: str, value: int) -> None:
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            connection.execute("UPDATE setting SET value = ? WHERE name = 'format'", (value,))
        connection.close()
    else:
        async with AsyncMongoClient[dict[str, Any]](url) as client:
            await client.get_default_database()["setting"].update_one({"_id": "format"}, {"$set": {"value": value}})


async def format_of(url: str) -> int:
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"))
        [(value,)] = connection.execute("SELECT value FROM setting WHERE name = 'format'")
        connection.close()
        return int(value)
    async with AsyncMongoClient[dict[str, Any]](url) as client:
        found = await client.get_default_database()["setting"].find_one({"_id": "format"})
    assert found is not None
    return int(found["value"])


async def test_a_newer_format_is_refused_and_left_as_it_is(url: str) -> None:
    known = FORMATS[url.partition(":")[0]]
    await set_format(url, known + 1)

    with pytest.raises(StoreRefused) as raised:
        await opened(url)

    assert str(raised.value) == f"the store has format {known + 1}, this release knows formats up to {known}"
    await set_format(url, known)
    await opened(url)


async def test_an_older_format_without_a_way_forward_is_refused(url: str) -> None:
    await set_format(url, 0)

    with pytest.raises(StoreRefused, match="has format 0, from which this release knows no way to"):
        await opened(url)

    assert await format_of(url) == 0


async def test_an_older_format_is_brought_forward_in_steps_that_can_be_resumed(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = url.partition(":")[0]
    known, module = FORMATS[kind], {"sqlite": "sqlite.schema", "mongodb": "mongo.format"}[kind]
    done: list[int] = []
    steps = {known: note_in_mongodb(done, known), known + 1: reject_in_mongodb}
    mended = {**steps, known + 1: note_in_mongodb(done, known + 1)}
    sql = {known: ["CREATE TABLE first (x)"], known + 1: ["CREATE TABLE second (x)", "no SQL"]}
    mended_sql = {**sql, known + 1: ["CREATE TABLE second (x)"]}
    monkeypatch.setattr(f"tmf_sales.storage.{module}.FORMAT", known + 2)

    monkeypatch.setattr(f"tmf_sales.storage.{module}.MIGRATIONS", sql if kind == "sqlite" else steps)
    with pytest.raises(StoreRefused, match=r"syntax error|not now"):
        await opened(url)
    assert await format_of(url) == known + 1
    monkeypatch.setattr(f"tmf_sales.storage.{module}.MIGRATIONS", mended_sql if kind == "sqlite" else mended)
    await opened(url)

    assert await format_of(url) == known + 2
    assert done == ([] if kind == "sqlite" else [known, known + 1])
    await opened(url)


def note_in_mongodb(done: list[int], version: int) -> Any:
    async def step(_: Database) -> None:
        done.append(version)

    return step


async def reject_in_mongodb(_: Database) -> None:
    raise StoreRefused("not now")
