"""A damaged SQLite file: the service says so and is not ready, and what can be read is saved."""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.storage.tickets import KINDS, insert, ticket

from tmf_sales.cli import main
from tmf_sales.storage.protocol import StorageUnavailable
from tmf_sales.storage.sqlite.damage import Damage, damage_in, readable_records
from tmf_sales.storage.sqlite.store import SqliteStorage

COUNT = 200
PAGE = 4096


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    """A store whose resources fill many pages, all of them in the file itself."""
    path = tmp_path / "store.sqlite"
    store = SqliteStorage(path, KINDS)
    await store.open()
    for number in range(COUNT):
        await store.commit(insert(f"{number:03}", ticket(text="x" * 1000)))
    await store.close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return path


def overwrite(path: Path, page: int) -> None:
    with path.open("r+b") as file:
        file.seek((page - 1) * PAGE)
        file.write(b"\xff" * PAGE)


def page_of_table(path: Path) -> int:
    """A page of the resources' table in which rows lie, as SQLite's own table of pages has it."""
    connection = sqlite3.connect(path)
    try:
        [(root,)] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'resource_ticket'")
    finally:
        connection.close()
    content = path.read_bytes()
    header = content[(root - 1) * PAGE : root * PAGE]
    assert header[0] == 5, "an interior page"
    cell = int.from_bytes(header[12 + 2 * 5 : 14 + 2 * 5], "big")
    return int.from_bytes(header[cell : cell + 4], "big")


def test_a_good_file_has_no_damage(path: Path) -> None:
    assert damage_in(path) == []
    assert len([record for _, record in readable_records(path, KINDS) if record]) == COUNT


async def test_damage_is_logged_and_the_store_is_not_ready(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    page = page_of_table(path)
    store = SqliteStorage(path, KINDS)
    await store.open()
    try:
        await store.ping()
        overwrite(path, page)
        with caplog.at_level(logging.ERROR), pytest.raises(StorageUnavailable):
            await read_all(store)
        with pytest.raises(StorageUnavailable, match="damaged"):
            await store.ping()
    finally:
        await store.close()
    assert "the store is damaged: database disk image is malformed" in caplog.text


async def read_all(store: SqliteStorage) -> None:
    for number in range(COUNT):
        await store.get("ticket", f"{number:03}")


def test_damage_is_named_and_what_is_readable_is_read(path: Path) -> None:
    overwrite(path, page_of_table(path))

    assert damage_in(path)
    found = [record for _, record in readable_records(path, KINDS)]
    kept = {record.id: record for record in found if record is not None}
    assert COUNT * 0.9 < len(kept) < COUNT
    assert len(kept) + found.count(None) == COUNT
    assert all(record.current.document == ticket(text="x" * 1000) for record in kept.values())


def test_rows_are_found_by_number_where_the_index_is_damaged(path: Path) -> None:
    connection = sqlite3.connect(path)
    [(root,)] = connection.execute(
        "SELECT rootpage FROM sqlite_master WHERE tbl_name = 'resource_ticket' AND name LIKE 'sqlite_autoindex%'"
    )
    connection.execute("DELETE FROM resource_ticket WHERE id = '007'")  # its number is of no row any more
    connection.commit()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    overwrite(path, root)

    assert damage_in(path)
    assert len([record for _, record in readable_records(path, KINDS) if record]) == COUNT - 1


def test_a_file_without_a_readable_list_of_tables_is_not_taken_for_an_empty_store(path: Path) -> None:
    overwrite(path, 1)

    assert damage_in(path) == ["file is not a database"]
    with pytest.raises(StorageUnavailable, match=r"^nothing in .* is readable: file is not a database$"):
        list(readable_records(path, KINDS))


def test_a_table_that_cannot_be_read_at_all_is_reported(path: Path) -> None:
    connection = sqlite3.connect(path)
    roots = connection.execute("SELECT rootpage FROM sqlite_master WHERE tbl_name = 'resource_ticket' AND rootpage > 0")
    pages = [root for (root,) in roots]
    connection.close()
    for page in pages:
        overwrite(path, page)

    assert [record for _, record in readable_records(path, KINDS[:1])] == [None]


def test_a_kind_that_was_never_stored_has_no_rows(tmp_path: Path) -> None:
    empty = tmp_path / "empty.sqlite"
    sqlite3.connect(empty).close()

    assert list(readable_records(empty, KINDS)) == []


def test_an_export_of_what_is_readable_says_that_nothing_is(path: Path, tmp_path: Path) -> None:
    overwrite(path, 1)
    file = tmp_path / "saved"

    result = CliRunner().invoke(main, ["export", "--store", f"sqlite:{path}", "--readable", str(file)])

    assert (result.exit_code, file.exists()) == (2, False)
    assert "file is not a database; put the last backup in its place" in result.output


def test_other_failures_are_no_damage() -> None:
    damage = Damage()
    damage.note(sqlite3.OperationalError("no such table"))

    damage.reject()


def test_damage_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    damage, failure = Damage(), sqlite3.DatabaseError("malformed")
    failure.sqlite_errorcode = sqlite3.SQLITE_CORRUPT

    with caplog.at_level(logging.ERROR):
        damage.note(failure)
        damage.note(failure)

    assert [record.getMessage() for record in caplog.records] == [
        "the store is damaged: malformed; tmf-sales check says what is damaged and what to do"
    ]
