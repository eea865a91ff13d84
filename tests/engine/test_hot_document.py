"""Many patches of one document on SQLite, by one process or two: none is lost, and few commits are needed."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.contract import small_contract

from tmf_sales.access import FULL_ACCESS
from tmf_sales.engine.engine import EngineSettings, ResourceEngine
from tmf_sales.engine.expansion import References
from tmf_sales.engine.hooks import Rules
from tmf_sales.engine.idempotency import IDEMPOTENCY_KIND, Idempotency
from tmf_sales.engine.request import Request, Response
from tmf_sales.errors import NotFound, PreconditionFailed
from tmf_sales.storage.records import Change, Record, Version
from tmf_sales.storage.sqlite.process_lock import ProcessLock
from tmf_sales.storage.sqlite.store import SqliteStorage

STORED = {"id": "7", "name": "", "version": "1", "state": "open", "date": "2026-01-01T00:00:00.000Z", "line": []}
CLIENTS = 16
KIND = "tmf999/order"
JSON_PATCH = "application/json-patch+json"


class Store(SqliteStorage):
    """Counts commits, and begins none while it is `held`."""

    commits = 0
    held: asyncio.Event | None = None

    async def commit(self, change: Change) -> int:
        self.commits += 1
        if self.held is not None:
            await self.held.wait()
        return await super().commit(change)


class Process:
    """An engine with a store of its own, on a file that others use too."""

    def __init__(self, folder: Path) -> None:
        resource = small_contract.contract(folder).resources["order"]
        self.store = Store(folder / "store.sqlite", (resource.stored_kind(), IDEMPOTENCY_KIND))
        ids = itertools.count()
        new_id = lambda: f"{id(self)}-{next(ids)}"  # noqa: E731
        keys = Idempotency(self.store, now, new_id, timedelta(seconds=10))
        references = References((), self.store, lambda _: lambda _: FULL_ACCESS)
        self.engine = ResourceEngine(resource, Rules(), self.store, EngineSettings(), now, new_id, keys, references)

    def adds_line(self, number: int, **headers: str) -> asyncio.Task[Response]:
        return asyncio.create_task(self.engine.patch(patch(str(number), **headers)))

    async def stored(self) -> Record:
        record = await self.store.get(KIND, "7")
        assert record is not None
        return record

    async def lines(self) -> set[str]:
        return {line["id"] for line in (await self.stored()).current.document["line"]}

    async def revisions(self) -> list[int]:
        return [event.revision for event in (await self.store.events.log(None, 0, 1000))[0]]


def now() -> datetime:
    return datetime(2026, 2, 1, tzinfo=UTC)


def patch(line: str, **headers: str) -> Request:
    operation = {"op": "add", "path": "/line/-", "value": {"id": line}}
    lines = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    path = {"id": "7"}
    return Request("patchOrder", "PATCH", path, "", lines, "http://host", "", body=[operation], media_type=JSON_PATCH)


def revision_of(response: Response) -> int:
    return int(dict(response.headers)[b"etag"].strip(b'"'))


@pytest.fixture
async def processes(tmp_path: Path) -> AsyncIterator[list[Process]]:
    async with AsyncExitStack() as ends:
        started = [Process(tmp_path) for _ in range(2)]
        for each in started:
            await each.store.open()
            ends.push_async_callback(each.store.close)
        await started[0].store.commit(Change(KIND, "7", 0, (Version(1, STORED),)))
        yield started


@pytest.fixture
async def process(processes: list[Process]) -> Process:
    return processes[0]


async def all_begun(*requests: asyncio.Task[Any]) -> None:
    """Let each request run until it waits for its commit."""
    for _ in range(10):
        await asyncio.sleep(0)
    assert not any(request.done() for request in requests)


async def test_patches_of_one_document_share_commits(process: Process) -> None:
    process.store.commits = 0

    answers = await asyncio.gather(*(process.adds_line(number) for number in range(CLIENTS)))

    assert process.store.commits == 2, "one of the first patch, one of those that came meanwhile"
    assert [revision_of(answer) for answer in answers] == [*range(2, CLIENTS + 2)]
    assert await process.lines() == {str(number) for number in range(CLIENTS)}
    assert await process.revisions() == [*range(2, CLIENTS + 2)]


async def test_no_patch_of_two_processes_is_lost(processes: list[Process]) -> None:
    requests = [processes[number % 2].adds_line(number) for number in range(4 * CLIENTS)]

    answers = await asyncio.gather(*requests)

    assert sorted(revision_of(answer) for answer in answers) == [*range(2, 4 * CLIENTS + 2)]
    assert await processes[0].lines() == {str(number) for number in range(4 * CLIENTS)}
    assert await processes[1].revisions() == [*range(2, 4 * CLIENTS + 2)]


async def test_a_patch_never_builds_on_one_that_another_process_forestalled(
    processes: list[Process], tmp_path: Path
) -> None:
    """The other process's revision has the number of the one that the second patch was made from."""
    process, other = processes
    process.store.held = asyncio.Event()
    mine = [process.adds_line(number) for number in range(3)]
    await all_begun(*mine)

    assert revision_of(await other.adds_line(100)) == 2
    process.store.held.set()

    assert [revision_of(answer) for answer in await asyncio.gather(*mine)] == [3, 4, 5]
    assert await process.lines() == {"0", "1", "2", "100"}
    assert await process.revisions() == [2, 3, 4, 5]


async def test_the_write_of_a_client_that_left_is_not_overwritten(process: Process, tmp_path: Path) -> None:
    turn = ProcessLock(str(tmp_path / "store.sqlite"))
    with turn.taken():  # The writer has the first patch, and waits for its turn.
        first, second, third = (process.adds_line(number) for number in range(3))
        await all_begun(first, second, third)
        first.cancel()
        await asyncio.wait([first])
    turn.close()

    assert [revision_of(answer) for answer in await asyncio.gather(second, third)] == [3, 4]
    assert await process.lines() == {"0", "1", "2"}
    assert await process.revisions() == [2, 3, 4]


async def test_a_condition_holds_for_a_change_once_that_is_committed(process: Process) -> None:
    process.store.held = asyncio.Event()
    first = process.adds_line(1)
    fitting, stale = (process.adds_line(number, if_match='"2"') for number in (2, 3))
    await all_begun(first, fitting, stale)
    process.store.held.set()

    assert [revision_of(answer) for answer in await asyncio.gather(first, fitting)] == [2, 3]
    with pytest.raises(PreconditionFailed):
        await stale
    assert await process.lines() == {"1", "2"}


async def test_a_condition_on_a_patch_that_was_never_written_is_checked_again(processes: list[Process]) -> None:
    process, other = processes
    process.store.held = asyncio.Event()
    first, conditional = process.adds_line(1), process.adds_line(2, if_match='"2"')
    await all_begun(first, conditional)
    deletes = Request("deleteOrder", "DELETE", {"id": "7"}, "", {}, "http://host", "")
    assert (await other.engine.delete(deletes)).status == 204
    process.store.held.set()

    for request in (first, conditional):
        with pytest.raises(NotFound):
            await request


async def test_reads_see_no_patch_before_its_commit(process: Process) -> None:
    process.store.held = asyncio.Event()
    requests = [process.adds_line(number) for number in range(2)]
    await all_begun(*requests)

    read = await process.engine.retrieve(Request("retrieveOrder", "GET", {"id": "7"}, "", {}, "http://host", ""))

    assert revision_of(read) == 1
    process.store.held.set()
    await asyncio.gather(*requests)


async def test_a_deletion_comes_after_the_patches_before_it(process: Process) -> None:
    process.store.held = asyncio.Event()
    first, second = process.adds_line(1), process.adds_line(2)
    await all_begun(first, second)
    deletes = Request("deleteOrder", "DELETE", {"id": "7"}, "", {}, "http://host", "")
    deletion = asyncio.create_task(process.engine.delete(deletes))
    third = process.adds_line(3)
    await all_begun(deletion, third)
    process.store.held.set()

    assert [revision_of(answer) for answer in await asyncio.gather(first, second)] == [2, 3]
    assert (await deletion).status == 204
    with pytest.raises(NotFound):
        await third
    assert await process.revisions() == [2, 3, 4]
