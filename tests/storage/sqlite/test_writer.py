"""The writer: all that wait go into one transaction, and none of them pays for another."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tmf_sales.storage.protocol import StorageUnavailable
from tmf_sales.storage.sqlite.layout import stored_value
from tmf_sales.storage.sqlite.process_lock import ProcessLock
from tmf_sales.storage.sqlite.store import connect, set_up_for_writing
from tmf_sales.storage.sqlite.writer import Job, Writer, give_up


@pytest.fixture
async def connection(tmp_path: Path) -> AsyncIterator[sqlite3.Connection]:
    connection = connect(tmp_path / "store.sqlite")
    set_up_for_writing(connection)
    connection.execute("CREATE TABLE line (text TEXT)")
    yield connection
    connection.close()


@pytest.fixture
async def writer(connection: sqlite3.Connection, tmp_path: Path) -> AsyncIterator[Writer]:
    turn = ProcessLock(str(tmp_path / "store.sqlite"))
    writer = Writer(connection, turn, lambda: None)
    yield writer
    await writer.close()
    turn.close()


def insert(text: str) -> Job[str]:
    def write(connection: sqlite3.Connection) -> str:
        connection.execute("INSERT INTO line VALUES (?)", (text,))
        if text.startswith("bad"):
            raise ValueError(text)
        return text.upper()

    return write


def reject(_: sqlite3.Connection) -> str:
    raise ValueError("rejected")


@contextlib.asynccontextmanager
async def held(writer: Writer) -> AsyncIterator[None]:
    """Let the jobs that are given meanwhile wait for one that runs."""
    release, started = threading.Event(), threading.Event()

    def hold(_: sqlite3.Connection) -> None:
        started.set()
        release.wait(20)

    first = asyncio.create_task(writer.run(hold))
    await asyncio.to_thread(started.wait, 20)
    yield
    release.set()
    await first


def lines(connection: sqlite3.Connection) -> list[str]:
    return [text for (text,) in connection.execute("SELECT text FROM line ORDER BY text")]


@pytest.mark.parametrize("group_limit", [512, 2])
async def test_a_job_that_fails_undoes_what_it_wrote_and_nothing_else(
    writer: Writer, connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch, group_limit: int
) -> None:
    monkeypatch.setattr("tmf_sales.storage.sqlite.writer.GROUP_LIMIT", group_limit)

    outcomes = await asyncio.gather(
        *(writer.run(insert(text)) for text in ("a", "bad b", "c", "bad d", "e")), return_exceptions=True
    )

    assert [outcome for outcome in outcomes if isinstance(outcome, str)] == ["A", "C", "E"]
    assert [str(outcome) for outcome in outcomes if isinstance(outcome, ValueError)] == ["bad b", "bad d"]
    assert lines(connection) == ["a", "c", "e"]


@pytest.mark.parametrize(("fails", "runs"), [(reject, ["a", "c"]), (insert("bad b"), ["a", "a", "c"])])
async def test_other_jobs_run_again_only_if_one_fails_after_it_wrote(
    writer: Writer, connection: sqlite3.Connection, fails: Job[str], runs: list[str]
) -> None:
    run: list[str] = []

    def noted(text: str) -> Job[str]:
        def write(connection: sqlite3.Connection) -> str:
            run.append(text)
            return insert(text)(connection)

        return write

    async with held(writer):
        jobs = [asyncio.create_task(writer.run(job)) for job in (noted("a"), fails, noted("c"))]
        await asyncio.sleep(0)
    outcomes = await asyncio.gather(*jobs, return_exceptions=True)

    assert [outcomes[0], outcomes[2], type(outcomes[1])] == ["A", "C", ValueError]
    assert run == runs
    assert lines(connection) == ["a", "c"]


async def test_all_jobs_fail_if_the_database_has_lost_their_transaction(
    writer: Writer, connection: sqlite3.Connection
) -> None:
    def lose(connection: sqlite3.Connection) -> None:
        connection.execute("ROLLBACK")
        raise sqlite3.OperationalError("disk full")

    async with held(writer):
        jobs = [asyncio.create_task(writer.run(job)) for job in (insert("a"), insert("bad b"), lose)]
        await asyncio.sleep(0)
    outcomes = await asyncio.gather(*jobs, return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [StorageUnavailable] * 3
    assert lines(connection) == []
    assert writer.has_failed


async def test_all_that_wait_are_one_transaction(writer: Writer, connection: sqlite3.Connection) -> None:
    begun: list[str] = []

    async with held(writer):
        connection.set_trace_callback(begun.append)
        others = [asyncio.create_task(writer.run(insert(str(number)))) for number in range(10)]
        await asyncio.sleep(0)
    await asyncio.gather(*others)
    connection.set_trace_callback(None)

    assert [statement for statement in begun if statement.startswith(("BEGIN", "COMMIT"))] == [
        "COMMIT",
        "BEGIN IMMEDIATE",
        "COMMIT",
    ]


class LateTurn(ProcessLock):
    """A lock that another process holds until `go` is set; `asked` says that it was asked for."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.asked, self.go = threading.Event(), threading.Event()

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        self.asked.set()
        self.go.wait(20)
        with super().taken():
            yield


async def test_what_arrives_while_another_process_writes_is_in_the_same_transaction(
    connection: sqlite3.Connection, tmp_path: Path
) -> None:
    turn, begun = LateTurn(str(tmp_path / "store.sqlite")), list[str]()
    writer = Writer(connection, turn, lambda: None)
    connection.set_trace_callback(begun.append)

    first = asyncio.create_task(writer.run(insert("first")))
    await asyncio.to_thread(turn.asked.wait, 20)
    others = [asyncio.create_task(writer.run(insert(str(number)))) for number in range(10)]
    await asyncio.sleep(0)
    closing = asyncio.create_task(writer.close())
    await asyncio.sleep(0)
    turn.go.set()
    answers = await asyncio.gather(first, *others)
    await closing
    connection.set_trace_callback(None)
    turn.close()

    assert answers == ["FIRST", *map(str, range(10))]
    assert begun.count("BEGIN IMMEDIATE") == 1


async def test_what_nobody_waits_for_any_more_is_written_all_the_same(
    writer: Writer, connection: sqlite3.Connection
) -> None:
    release = threading.Event()

    def hold(connection: sqlite3.Connection) -> None:
        release.wait(20)
        insert("held")(connection)

    def give_up() -> None:
        async def start() -> None:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await writer.run(hold)

        asyncio.run(start())

    await asyncio.to_thread(give_up)
    release.set()
    await writer.run(insert("next"))

    assert lines(connection) == ["held", "next"]


def test_a_number_that_sqlite_cannot_hold_keeps_its_place() -> None:
    assert stored_value(2**63) == float(2**63)
    assert stored_value(2**63 - 1) == 2**63 - 1
    assert (stored_value(True), stored_value(False), stored_value(None)) == (b"\x01", b"\x00", None)


async def test_a_lock_that_fails_writes_nothing_and_is_no_failure_of_the_database(
    connection: sqlite3.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted: list[sqlite3.Error] = []
    lock = ProcessLock(str(tmp_path / "store.sqlite"))
    monkeypatch.setattr(lock, "taken", lambda: (_ for _ in ()).throw(OSError("no locks available")))
    writer = Writer(connection, lock, lambda: None, noted.append)

    with pytest.raises(StorageUnavailable, match="could not write"):
        await writer.run(insert("a"))

    assert (noted, lines(connection)) == ([], [])
    await writer.close()
    lock.close()


async def test_a_write_that_is_confirmed_as_its_time_ends_is_confirmed() -> None:
    answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    answer.set_result(1)

    give_up(answer)

    assert await answer == 1
