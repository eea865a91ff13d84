"""The SQLite store: indexed pages read no more than they show, time limits hold, several processes share one file."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import re
import sqlite3
from collections.abc import AsyncIterator, Awaitable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.storage.random_queries import make_case
from tests.storage.tickets import KINDS, TICKET, delete, event, fill, index, insert, ticket, update

from tmf_sales.storage.conditions import And, Compare, Condition, Element, Not, Operator, Or, Query, Regex, Sort
from tmf_sales.storage.events import DeliveryQueue, QueueKey
from tmf_sales.storage.protocol import StorageUnavailable, TookTooLong
from tmf_sales.storage.records import Change, Kind, Version
from tmf_sales.storage.sqlite.compile import compile_first_page, compile_query
from tmf_sales.storage.sqlite.file import make_for_owner
from tmf_sales.storage.sqlite.layout import Layout, pack_versions, unpack_versions
from tmf_sales.storage.sqlite.process_lock import ProcessLock
from tmf_sales.storage.sqlite.reader import Busy, Reader
from tmf_sales.storage.sqlite.store import SqliteStorage
from tmf_sales.storage.sqlite.writer import Job

BY_DATE = (Sort(("date",), descending=True, always_present=True),)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqliteStorage]:
    opened = SqliteStorage(path, KINDS)
    await opened.open()
    yield opened
    await opened.close()


def equal(value: str, *path: str) -> Compare:
    return Compare(path, Operator.EQ, value)


@pytest.mark.parametrize(
    ("query", "steps"),
    [
        (Query(), [r"SCAN r USING COVERING INDEX sqlite_autoindex_resource_ticket_1"]),
        (Query(equal("x", "name")), [r"SEARCH r USING COVERING INDEX index_ticket_\w+ \(at_name_\w+=\?\)"]),
        (
            Query(equal("open", "state"), BY_DATE),
            [r"SEARCH r USING COVERING INDEX index_ticket_\w+ \(at_state_\w+=\?\)"],
        ),
        (
            Query(And((equal("open", "state"), Compare(("date",), Operator.GTE, "2026")))),
            [
                r"SEARCH r USING COVERING INDEX index_ticket_\w+ \(at_state_\w+=\? AND at_date_\w+>\? .*\)",
                "USE TEMP B-TREE.*",
            ],
        ),
        (
            Query(equal("p", "party", "id")),
            [r"SEARCH e USING PRIMARY KEY \(path=\? AND value=\?\)"],
        ),
        (
            Query(Element(("party",), And((equal("p", "id"), equal("buyer", "role"))))),
            [r"SEARCH r USING INDEX sqlite_auto\w+ \(id=\?\)", ".*SUBQUERY.*", "SEARCH x USING PRIMARY KEY .*"],
        ),
        (
            Query(Compare(("size", "amount"), Operator.GT, 5)),
            [r"SEARCH r USING COVERING INDEX index_ticket_\w+ \(at_size_amount_\w+>\? .*\)", "USE TEMP B-TREE.*"],
        ),
    ],
)
async def test_an_indexed_page_is_not_scanned_for(store: SqliteStorage, query: Query, steps: list[str]) -> None:
    found = await store.explain("ticket", query)

    assert len(found) == len(steps), found
    for step, expected in zip(found, steps, strict=True):
        assert re.fullmatch(expected, step), found


@pytest.mark.parametrize(
    ("query", "steps"),
    [
        (Query(), [r"SCAN \w+ USING INDEX sqlite_auto.*", "SCALAR SUBQUERY .*", "SEARCH kind .*"]),
        (
            Query(equal("x", "name")),
            [
                r"SEARCH r USING INDEX index_ticket_\w+ \(at_name_\w+=\?\)",
                *("SCALAR SUBQUERY .*", "SEARCH kind .*", "SCALAR SUBQUERY .*"),
                r"SEARCH r USING COVERING INDEX index_ticket_\w+ \(at_name_\w+=\?\)",
            ],
        ),
        (
            Query(equal("p", "party", "id"), count_limit=9),
            [
                r"SEARCH e USING PRIMARY KEY \(path=\? AND value=\?\)",
                r"SEARCH r USING INDEX sqlite_auto\w+ \(id=\?\)",
                *(
                    "SCALAR SUBQUERY .*",
                    "CO-ROUTINE .*",
                    r"SEARCH e USING PRIMARY KEY \(path=\? AND value=\?\)",
                    "SCAN .*",
                ),
            ],
        ),
    ],
)
async def test_a_first_page_is_one_statement_that_sorts_nothing(
    path: Path, store: SqliteStorage, query: Query, steps: list[str]
) -> None:
    statement = compile_first_page(query, Layout(TICKET))
    assert statement is not None

    with contextlib.closing(sqlite3.connect(path)) as connection:
        found = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement.sql}", statement.values)]

    assert len(found) == len(steps), found
    for step, expected in zip(found, steps, strict=True):
        assert re.fullmatch(expected, step), found


@pytest.mark.parametrize(
    "query",
    [
        Query(equal("open", "state")),  # its index is in the order of dates
        Query(equal("x", "name"), BY_DATE),
        Query(equal("x", "colour")),
        Query(Compare(("name",), Operator.PREFIX, "x")),
        Query(And((equal("x", "name"), equal("p", "party", "id")))),
    ],
)
def test_other_pages_are_found_by_a_plan(query: Query) -> None:
    assert compile_first_page(query, Layout(TICKET)) is None


@pytest.mark.parametrize("query", [Query(equal("x", "name"), limit=2), Query(equal("p", "party", "id"), limit=2)])
async def test_the_count_of_a_first_page_is_that_of_all_matches(store: SqliteStorage, query: Query) -> None:
    await fill(store, {str(number): ticket(name="x", party=[{"id": "p"}]) for number in range(5)})
    await store.commit(insert("6", ticket(name="y")))

    pages = [await store.find("ticket", replace(query, offset=offset)) for offset in (0, 2, 4, 6)]
    bounded = await store.find("ticket", replace(query, count_limit=3))

    assert [[row.id for row in page.rows] for page in pages] == [["0", "1"], ["2", "3"], ["4"], []]
    assert [(page.total, page.exact) for page in pages] == [(5, True)] * 4
    assert (bounded.total, bounded.exact) == (3, False)


async def test_a_first_page_finds_a_value_in_a_list_where_the_contract_has_none(store: SqliteStorage) -> None:
    await store.commit(insert("1", ticket(name=["x"])))
    await store.commit(insert("2", ticket(name="x")))

    page = await store.find("ticket", Query(equal("x", "name")))

    assert ([row.id for row in page.rows], page.total) == (["1", "2"], 2)


async def test_a_query_that_takes_too_long_is_given_up(path: Path) -> None:
    hasty = SqliteStorage(path, KINDS, statement_timeout=0.0)
    await hasty.open()
    await fill(hasty, {str(number): ticket() for number in range(600)})

    with pytest.raises(TookTooLong) as raised:
        await hasty.find("ticket", Query(Regex(("colour",), "x")))

    assert (raised.value.status, raised.value.code) == (503, "queryTooExpensive")
    assert "Retry-After" in raised.value.headers
    assert (await hasty.find("ticket", Query(limit=3))).total == 600
    await hasty.close()


async def test_the_event_loop_leaves_long_searches_to_a_thread(
    path: Path, store: SqliteStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tmf_sales.storage.sqlite.reader.OPERATIONS_BETWEEN_CHECKS", 100)
    await fill(store, {f"{number:03}": ticket() for number in range(600)})
    indexed, unindexed = Query(equal("open", "state"), limit=3), Query(Regex(("name",), "^print"), limit=3)
    with contextlib.closing(Reader(path, 2.0, waits=False)) as patient:
        assert patient.find(Layout(TICKET), indexed).total == 600
        with pytest.raises(Busy):
            patient.find(Layout(TICKET), unindexed)
    with contextlib.closing(Reader(path, 0.0, waits=False)) as hasty, pytest.raises(Busy):
        hasty.find(Layout(TICKET), indexed)
    with contextlib.closing(Reader(path, 0.0, waits=False)) as hasty, pytest.raises(Busy):
        hasty.first_page(Layout(TICKET), Query(equal("printer", "name"), limit=3))

    assert [(await store.find("ticket", query)).total for query in (indexed, unindexed)] == [600, 600]


async def test_a_short_search_is_not_given_up_although_the_process_was_suspended(
    path: Path, store: SqliteStorage
) -> None:
    await fill(store, {"1": ticket(name="x")})
    query = Query(equal("x", "name"), limit=3)

    with contextlib.closing(Reader(path, 0.0, waits=False)) as late:
        pages = [late.first_page(Layout(TICKET), query) for _ in range(200)]

    assert [page.total for page in pages] == [1] * 200


async def test_a_page_behind_the_last_row_has_the_count(store: SqliteStorage) -> None:
    await fill(store, {"1": ticket(), "2": ticket()})

    page = await store.find("ticket", Query(offset=2, limit=3))

    assert (page.rows, page.total) == ([], 2)


async def test_a_reader_serves_on_after_a_failure(store: SqliteStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    await store.commit(insert("1", ticket(colour="red")))
    defect = RuntimeError("a defect")

    def fail(*_: object) -> bool:
        raise defect

    red = Query(equal("red", "colour"))
    with monkeypatch.context() as patched:
        patched.setattr("tmf_sales.storage.sqlite.compile.predicate", lambda *_: fail)
        with pytest.raises(StorageUnavailable):
            await store.find("ticket", red)
    assert (await store.find("ticket", red)).total == 1


async def test_events_of_queues_are_read_together_and_a_failure_is_that_of_its_queue_alone(
    store: SqliteStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for id in ("a", "b", "c"):
        await store.commit(insert(id, ticket(), event(id)))
    queues = [DeliveryQueue(QueueKey("s", "ticket", id), f"{0:016x}", f"{99:016x}") for id in ("a", "b", "c")]
    rows, places = Reader.rows, list[str]()

    def fails_for_b(reader: Reader, sql: str, values: list[Any]) -> Any:
        places.append(values[1])
        if values[1] == "b":
            raise StorageUnavailable("damaged")
        return rows(reader, sql, values)

    monkeypatch.setattr(Reader, "rows", fails_for_b)
    first = await store.events.events_of(queues[0], 10)
    found = await asyncio.gather(*(store.events.events_of(each, 10) for each in queues * 2), return_exceptions=True)

    assert [event.resource for event in first] == ["a"]
    for queue, events in zip(queues * 2, found, strict=True):
        if isinstance(events, BaseException):
            assert (queue.key.resource, type(events)) == ("b", StorageUnavailable)
        else:
            assert [event.resource for event in events] == [queue.key.resource]
    assert len(places) == 1 + len(found)
    assert [isinstance(events, BaseException) for events in found] == [False, True, False] * 2


async def test_two_processes_share_a_file(path: Path, store: SqliteStorage) -> None:
    other = SqliteStorage(path, KINDS)
    await other.open()

    outcomes = await asyncio.gather(
        *(each.commit(insert(f"{number}", ticket())) for number in range(20) for each in (store, other)),
        return_exceptions=True,
    )

    assert outcomes.count(1) == 20
    for each in (store, other):
        assert (await each.find("ticket", Query())).total == 20
        assert await each.get("ticket", "7") is not None
    await other.close()


async def test_a_write_that_does_not_get_its_turn_has_an_unknown_outcome(
    path: Path, store: SqliteStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = SqliteStorage(path, KINDS)
    await other.open()
    monkeypatch.setattr("tmf_sales.storage.sqlite.writer.WRITE_TIMEOUT", 0.05)
    with other._turn.taken(), pytest.raises(StorageUnavailable, match="not known"):
        await store.commit(insert("1", ticket()))
    monkeypatch.undo()

    await store.ping()

    assert await store.get("ticket", "1") is not None
    await other.close()


async def test_a_full_disk_is_reported_and_nothing_is_half_written(store: SqliteStorage) -> None:
    await store.commit(insert("1", ticket()))
    [(pages,)] = store._connection.execute("PRAGMA page_count")
    store._connection.execute(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(StorageUnavailable):
        await store.commit(insert("2", ticket(text="x" * 100_000), event("e2")))

    store._connection.execute("PRAGMA max_page_count = 1000000")
    assert await store.get("ticket", "2") is None
    assert (await store.find("ticket", Query())).total == 1
    await store.commit(insert("2", ticket()))


async def test_an_event_that_is_there_already_fails_its_own_write_only(store: SqliteStorage) -> None:
    await store.commit(insert("1", ticket(), event("e1")))

    outcomes = await asyncio.gather(
        store.commit(insert("2", ticket(), event("e2"))),
        store.commit(insert("3", ticket(), event("e1"))),
        store.commit(insert("4", ticket(), event("e4"))),
        return_exceptions=True,
    )

    assert (outcomes[0], outcomes[2]) == (1, 1)
    assert isinstance(outcomes[1], StorageUnavailable)
    assert await store.get("ticket", "3") is None
    assert (await store.find("ticket", Query())).total == 3


async def test_a_file_that_cannot_be_read_any_more_is_a_store_that_is_away(store: SqliteStorage) -> None:
    await store.commit(insert("1", ticket()))
    store._connection.execute('DROP TABLE "resource_ticket"')

    with pytest.raises(StorageUnavailable):
        await store.get("ticket", "1")
    with pytest.raises(StorageUnavailable):
        await store.find("ticket", Query(equal("x", "name")))
    with pytest.raises(StorageUnavailable):
        await store.commit(update("1", 1, ticket()))


async def reopened(path: Path, *kinds: Kind) -> None:
    store = SqliteStorage(path, kinds or KINDS)
    await store.open()
    await store.close()


async def test_documents_are_found_by_indexes_that_the_contract_got_later(path: Path) -> None:
    plain = SqliteStorage(path, [Kind("ticket", lists=TICKET.lists)])
    await plain.open()
    await fill(plain, {"1": ticket(party=[{"id": "p"}]), "2": ticket(name=["a", "b"]), "3": ticket(name="a")})
    await plain.close()
    queries = [Query(equal("p", "party", "id")), Query(equal("a", "name")), Query(sort=(Sort(("name",)),))]

    for kinds in (KINDS, [Kind("ticket", (index(("colour",)),), TICKET.lists)], KINDS):
        store = SqliteStorage(path, kinds)
        await store.open()
        found = [[row.id for row in (await store.find("ticket", query)).rows] for query in queries]
        assert found == [["1"], ["2", "3"], ["3", "1", "2"]]
        await store.close()


async def test_a_process_with_other_indexes_does_not_write(path: Path, store: SqliteStorage) -> None:
    await store.commit(insert("1", ticket()))
    await reopened(path, Kind("ticket"))

    for change in (insert("2", ticket()), update("1", 1, ticket(name="other")), delete("1", 1)):
        with pytest.raises(StorageUnavailable, match="must be restarted"):
            await store.commit(change)

    page = await store.find("ticket", Query())
    assert [row.version.document for row in page.rows] == [ticket()]


async def test_an_empty_list_where_the_contract_has_none_does_not_stay_in_the_way(store: SqliteStorage) -> None:
    await store.commit(insert("1", ticket(name=[])))
    await store.commit(insert("2", ticket(name=["x"])))
    await store.commit(update("1", 1, ticket(name=["y"])))
    await store.commit(update("1", 2, ticket(name="y")))
    await store.commit(delete("2", 1))

    [(uneven,)] = store._connection.execute("SELECT uneven FROM kind WHERE name = 'ticket'")
    assert uneven == 0


def test_versions_are_packed_and_unpacked() -> None:
    versions = [Version(3, {"a": "\n"}), Version(12, {"é": 1})]

    packed = pack_versions(versions)

    assert packed is not None
    assert [(each.revision, each.document) for each in unpack_versions(packed)] == [(3, {"a": "\n"}), (12, {"é": 1})]
    assert pack_versions([]) is None


SQL_TEXT = re.compile(r"'[^']*'")


@settings(derandomize=True, database=None, deadline=None, max_examples=300)
@given(st.integers(0, 2**64), st.booleans())
def test_every_value_is_bound_and_a_path_is_in_the_sql_only_by_its_index(seed: int, even: bool) -> None:
    layout = Layout(TICKET)
    for query in make_case(seed, 5).queries:
        plan = compile_query(query, layout, even=even)
        for statement in (plan.page, plan.count):
            if statement is None:
                continue
            assert statement.sql.count("?") == len(statement.values)
            assert set(SQL_TEXT.findall(statement.sql)) <= {"''"}
            names = set(re.findall(r'"([^"]*)"', statement.sql))
            assert names <= {"resource_ticket", "entry_ticket", *(each.strip('"') for each in layout.columns.values())}


@pytest.mark.parametrize(
    "text", ["'; DROP TABLE setting; --", '"', "%", "_", "\0", "x' OR '1'='1", "?", ":a", "$where", "--", "\\"]
)
async def test_a_hostile_text_is_a_text(store: SqliteStorage, text: str) -> None:
    await fill(store, {"1": ticket(name=text, colour=text, party=[{"id": text}]), "2": ticket()})

    conditions: list[Condition] = [equal(text, *path) for path in (("name",), ("colour",), ("party", "id"))]
    conditions += [Compare(("name",), Operator.PREFIX, text), Element(("party",), equal(text, "id"))]
    for condition in conditions:
        assert [row.id for row in (await store.find("ticket", Query(condition))).rows] == ["1"]
    hostile = ("name", text)
    assert (await store.find("ticket", Query(equal("x", *hostile), (Sort(hostile),)))).total == 0
    assert (await store.find("ticket", Query(Not(Or(tuple(conditions)))))).total == 1


async def test_a_file_that_another_process_makes_meanwhile_is_opened(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = os.open

    def made_by_another(name: Path, flags: int, mode: int = 0o777) -> int:
        os.close(made(name, os.O_CREAT | os.O_WRONLY, mode))
        return made(name, flags, mode)

    with monkeypatch.context() as patched:
        patched.setattr("tmf_sales.storage.sqlite.file.os.open", made_by_another)
        make_for_owner(path)
    store = SqliteStorage(path, KINDS)
    await store.open()
    await store.close()

    assert os.stat(path).st_mode & 0o777 == 0o600  # noqa: PTH116 - a test may wait


async def test_a_new_file_is_set_up_by_one_process_while_the_other_waits(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, asks = asyncio.get_running_loop(), asyncio.Event()
    lock = fcntl.flock

    def ask(file: int, operation: int) -> None:
        loop.call_soon_threadsafe(asks.set)
        lock(file, operation)

    make_for_owner(path)
    first, turn = sqlite3.connect(path, isolation_level=None), ProcessLock(str(path))
    second = SqliteStorage(path, KINDS)
    with turn.taken():
        first.execute("BEGIN IMMEDIATE")
        monkeypatch.setattr("tmf_sales.storage.sqlite.process_lock.fcntl.flock", ask)
        opening = asyncio.create_task(asyncio.to_thread(asyncio.run, second.open()))
        await asyncio.wait([opening, asyncio.create_task(asks.wait())], return_when=asyncio.FIRST_COMPLETED)
        first.execute("COMMIT")

    await opening
    await second.ping()

    await second.close()
    turn.close()
    first.close()


async def test_a_lock_of_another_process_does_not_block_the_event_loop(store: SqliteStorage, tmp_path: Path) -> None:
    """In WAL mode only a recovery locks readers out, so a locked file without a WAL takes the place of the store's."""
    await store.commit(insert("1", ticket()))
    copy = SqliteStorage(tmp_path / "locked.sqlite", KINDS)
    await copy.open()
    await copy.close()
    with contextlib.closing(sqlite3.connect(tmp_path / "locked.sqlite", isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN EXCLUSIVE")
        store._inline.close()
        store._inline = Reader(tmp_path / "locked.sqlite", 2.0, waits=False)

        with pytest.raises(Busy):
            store._inline.get(Layout(TICKET), "1")
        record = await store.get("ticket", "1")
        page = await store.find("ticket", Query())

    assert record is not None
    assert [row.id for row in page.rows] == [record.id] == ["1"]


async def test_only_the_text_of_a_new_resource_waits_for_the_disk(
    store: SqliteStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    new, changed = Version(1, ticket(name="new")), Version(2, ticket(name="changed"))
    kept: list[bool] = []
    run = store._writer.run

    def noting(job: Job[int]) -> Awaitable[int]:
        kept.append(has_document(new))
        return run(job)

    monkeypatch.setattr(store._writer, "run", noting)
    await store.commit(Change("ticket", "1", 0, (new,)))
    await store.commit(Change("ticket", "1", 1, (changed,)))

    assert kept == [False, False]
    assert new.document == ticket(name="new")
    assert has_document(changed)  # the next patch is made from it


def has_document(version: Version) -> bool:
    """Whether the version keeps its document; to ask it for the document would make a new one."""
    try:
        Version.__dict__["document"].__get__(version)
    except AttributeError:
        return False
    return True
