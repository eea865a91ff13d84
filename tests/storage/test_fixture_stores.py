"""The stores that earlier releases left behind: each opens, is read as it was, and is written to and delivered from."""

from __future__ import annotations

import gzip
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from bson import json_util
from pymongo import AsyncMongoClient

from tmf_sales.app.context import stored_kinds
from tmf_sales.contract.files import contracts_folder
from tmf_sales.contract.loader import load_contracts
from tmf_sales.storage.conditions import Query
from tmf_sales.storage.factory import open_store
from tmf_sales.storage.protocol import Storage
from tmf_sales.storage.records import Change, Version
from tmf_sales.transfer.lines import read, written

FIXTURES = Path(__file__).with_name("fixtures")
CHANGELOG = Path(__file__).parents[2] / "CHANGELOG.md"
RELEASES = sorted(path.name for path in FIXTURES.iterdir())
KINDS = stored_kinds(load_contracts(contracts_folder()))
RENAMED = {kind.earlier_name: kind.name for kind in KINDS if kind.earlier_name}
"""What release 0.1 called a kind -> what it is called now."""


def content(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes())


@pytest.fixture(params=RELEASES)
def release(request: pytest.FixtureRequest) -> Path:
    return FIXTURES / str(request.param)


@pytest.fixture(params=["sqlite", "mongo"])
async def url(request: pytest.FixtureRequest, release: Path, tmp_path: Path) -> str:
    """A copy of the release's store."""
    if request.param == "sqlite":
        (tmp_path / "store.sqlite").write_bytes(content(release / "sqlite.gz"))
        return f"sqlite:///{tmp_path}/store.sqlite"
    url = str(request.getfixturevalue("mongo_url"))
    async with AsyncMongoClient[dict[str, Any]](url) as client:
        for line in content(release / "mongo.gz").splitlines():
            row = json_util.loads(line)
            await client.get_default_database()[row["collection"]].insert_one(row["document"])
    return url


@pytest.fixture
def expected(url: str, release: Path) -> Any:
    found = orjson.loads(content(release / f"{'sqlite' if url.startswith('sqlite') else 'mongo'}.json.gz"))
    found["resources"] = {
        RENAMED.get(kind, kind): list(map(renamed, lines)) for kind, lines in found["resources"].items()
    }
    events = {tuple(of.split(" ", 1)): ids for of, ids in found["events"].items()}
    found["events"] = {f"{RENAMED.get(kind, kind)} {id}": ids for (kind, id), ids in events.items()}
    return found


def renamed(line: str) -> str:
    kind, record = read(line.encode())
    return written(RENAMED.get(kind, kind), record).decode().rstrip("\n")


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Storage]:
    store = open_store(url, KINDS)
    await store.open()
    yield store
    await store.close()


@pytest.fixture
async def store(url: str) -> AsyncIterator[Storage]:
    async with opened(url) as store:
        yield store


async def test_every_resource_is_read_as_it_was(store: Storage, expected: Any) -> None:
    await store.ping()
    for kind, lines in expected["resources"].items():
        records = await store.walk(kind, "", 1000)

        assert [written(kind, record).decode().rstrip("\n") for record in records] == lines
        assert (await store.find(kind, Query())).total == len(lines)
        for line in lines:
            found = await store.get(kind, read(line.encode())[1].id)
            assert found is not None
            assert written(kind, found).decode().rstrip("\n") == line
    assert sum(map(len, expected["resources"].values())) >= 6


async def test_no_event_is_lost_and_deliveries_go_on(store: Storage, expected: Any) -> None:
    await store.events.sweep()

    events, _ = await store.events.log(None, 0, 1000)
    event_ids: dict[str, list[str]] = {}
    for event in sorted(events, key=lambda event: event.order):
        assert event.document["eventId"] == event.id
        event_ids.setdefault(f"{event.kind} {event.resource}", []).append(event.id)
    assert event_ids == expected["events"]
    assert {"changed-before-the-crash", "deleted-before-the-crash"} <= {event.id for event in events}
    assert dict(await store.events.waiting()) == expected["lanes"]
    assert len(await store.events.attempts(subscription=None, since=0, limit=100)) == expected["attempts"] > 0
    [subscription] = expected["lanes"]
    far = 4e9
    deliveries = await store.events.claim("worker", far + 10, far, {subscription: 100})
    assert len(deliveries) == expected["lanes"][subscription]
    for delivery in deliveries:
        assert await store.events.events_of(delivery, 10)


async def test_every_resource_can_be_changed_and_deleted(store: Storage, url: str, expected: Any) -> None:
    await store.events.sweep()
    for kind, lines in expected["resources"].items():
        for line in lines:
            _, record = read(line.encode())
            document = {**record.current.document, "description": "by a later release"}
            versions = (Version(record.revision + 1, document), *record.versions[1:])
            event = {"eventId": f"later {kind} {record.id}", "eventTime": "2026-01-01T00:00:00.000Z"}

            assert (
                await store.commit(Change(kind, record.id, record.revision, versions, (event,))) == record.revision + 1
            )

            stored = await store.get(kind, record.id)
            assert stored is not None
            assert stored.current.document == document
            await store.commit(Change(kind, record.id, record.revision + 1, ()))
            assert await store.get(kind, record.id) is None
    async with opened(url) as other:  # A store's own sweep leaves to its mover what that is about to move.
        await other.events.sweep()
        events, _ = await other.events.log(None, 0, 1000)
    last = {f"{event.kind} {event.resource}": event.id for event in sorted(events, key=lambda event: event.order)}
    for kind, lines in expected["resources"].items():
        for line in lines:
            id = read(line.encode())[1].id
            assert last[f"{kind} {id}"] == f"later {kind} {id}", "what is new comes behind what was there"


def test_every_release_left_its_stores() -> None:
    headings = re.findall(r"^## (\S+)(.*)$", CHANGELOG.read_text(), re.MULTILINE)
    released = {version for version, rest in headings if "not yet released" not in rest} - {"Unreleased"}

    assert headings
    assert released <= set(RELEASES)
