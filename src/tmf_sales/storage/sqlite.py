"""The store that needs no server: one SQLite file, WAL, synchronous=FULL, shared by several worker processes.

A point read runs inline, because it costs less than the hop to a thread; other reads run in threads, writes in the one
writer thread of the process. What commit has answered is on the disk.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path as FilePath
from typing import TypeVar

import orjson

from tmf_sales.storage import (
    AlreadyExists,
    Change,
    Kind,
    Page,
    RevisionConflict,
    Storage,
    Stored,
    StoreRefused,
    refuse_too_large_unit,
)
from tmf_sales.storage.criteria import Query
from tmf_sales.storage.sqlite_bulk import count_change, load_units, unit_of, walk_statement
from tmf_sales.storage.sqlite_events import SqliteEvents, append_events
from tmf_sales.storage.sqlite_reader import BUSY_TIMEOUT, Reader
from tmf_sales.storage.sqlite_schema import Layout, SqlValue, pack_versions, prepare
from tmf_sales.storage.sqlite_writer import Turn, Writer

T = TypeVar("T")

READERS = 4


class SqliteStorage(Storage):
    """`statement_timeout` is in seconds and bounds every find."""

    events: SqliteEvents

    def __init__(
        self,
        path: FilePath,
        kinds: Sequence[Kind],
        statement_timeout: float = 2.0,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._path = path
        self._layouts = {kind.name: Layout(kind) for kind in kinds}
        self._statement_timeout = statement_timeout
        self._now = now

    async def open(self) -> None:
        try:
            self._open_file()
        except (sqlite3.Error, OSError) as failure:
            raise StoreRefused(f"cannot open {self._path}: {failure}") from failure

    def _open_file(self) -> None:
        self._turn = Turn(str(self._path))
        self._connection = connect_for_writing(self._path)
        with self._turn.taken():
            prepare(self._connection, list(self._layouts.values()))
        self._writer = Writer(self._connection, self._turn)
        self._inline = Reader(self._path, self._statement_timeout)
        self._idle: queue.LifoQueue[Reader] = queue.LifoQueue()
        for _ in range(READERS):
            self._idle.put(Reader(self._path, self._statement_timeout))
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="sqlite-reader")
        self.events = SqliteEvents(self._writer, self._in_thread)

    async def close(self) -> None:
        await self._writer.close()
        self._threads.shutdown(wait=True)
        self._inline.close()
        while not self._idle.empty():
            self._idle.get().close()
        self._connection.close()
        self._turn.close()

    async def ping(self) -> None:
        await self._writer.run(lambda connection: connection.execute("SELECT 1 FROM setting").fetchone())

    async def get(self, kind: str, id: str) -> Stored | None:
        return self._inline.get(self._layouts[kind], id)

    async def find(self, kind: str, query: Query) -> Page:
        layout = self._layouts[kind]
        return await self._in_thread(lambda reader: reader.find(layout, query))

    async def commit(self, change: Change) -> int:
        refuse_too_large_unit(change.versions)
        layout = self._layouts[change.kind]
        stored = self._now()

        def write(connection: sqlite3.Connection) -> int:
            revision = write_change(connection, layout, change)
            append_events(connection, change, stored)
            return revision

        revision = await self._writer.run(write)
        if change.events:
            self.events.arrived.set()
        return revision

    async def load(self, kind: str, units: Sequence[Stored]) -> list[str]:
        for unit in units:
            refuse_too_large_unit(unit.versions)
        layout = self._layouts[kind]
        return await self._writer.run(lambda connection: load_units(connection, layout, units))

    async def walk(self, kind: str, after: str, limit: int) -> Sequence[Stored]:
        statement = walk_statement(self._layouts[kind])
        rows = await self._in_thread(lambda reader: reader.read(statement, [after, limit]))
        return [unit_of(row) for row in rows]

    async def explain(self, kind: str, query: Query) -> list[str]:
        """How SQLite would find the page of `query`, step by step."""
        layout = self._layouts[kind]
        return await self._in_thread(lambda reader: reader.explain(layout, query))

    async def _in_thread(self, read: Callable[[Reader], T]) -> T:
        def borrow() -> T:
            reader = self._idle.get()
            try:
                return read(reader)
            finally:
                self._idle.put(reader)

        return await asyncio.get_running_loop().run_in_executor(self._threads, borrow)


def connect_for_writing(path: FilePath) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def write_change(connection: sqlite3.Connection, layout: Layout, change: Change) -> int:
    """Write `change` within the writer's transaction; answer the new revision."""
    stored = connection.execute(
        f"SELECT revision, uneven, current FROM {layout.table} WHERE id = ?", (change.id,)
    ).fetchone()
    if change.expected_revision == 0 and stored is not None:
        raise AlreadyExists(change.id)
    if change.expected_revision != (stored[0] if stored is not None else 0):
        raise RevisionConflict(change.id)
    was_there, was_uneven = (1, stored[1]) if stored is not None else (0, 0)
    entries_before: set[tuple[str, SqlValue]] = (
        layout.entry_values(orjson.loads(stored[2])) if stored is not None and layout.listed else set()
    )
    is_there, is_uneven = 0, 0
    entries_after: set[tuple[str, SqlValue]] = set()
    if change.versions:
        document = change.versions[0].document
        is_there, is_uneven, entries_after = 1, int(layout.is_uneven(document)), layout.entry_values(document)
        values = (
            change.expected_revision + 1,
            change.versions[0].revision,
            is_uneven,
            *layout.column_values(document),
            change.versions[0].text,
            pack_versions(change.versions[1:]),
        )
        connection.execute(layout.update if was_there else layout.insert, (*values, change.id))
    else:
        connection.execute(f"DELETE FROM {layout.table} WHERE id = ?", (change.id,))
    _replace_entries(connection, layout, change.id, entries_before, entries_after)
    count_change(connection, layout, is_there - was_there, is_uneven - was_uneven)
    return change.expected_revision + 1


def _replace_entries(
    connection: sqlite3.Connection,
    layout: Layout,
    id: str,
    before: set[tuple[str, SqlValue]],
    after: set[tuple[str, SqlValue]],
) -> None:
    connection.executemany(
        f"DELETE FROM {layout.entries} WHERE path = ? AND value = ? AND id = ?",
        [(*entry, id) for entry in before - after],
    )
    connection.executemany(f"INSERT INTO {layout.entries} VALUES (?, ?, ?)", [(*entry, id) for entry in after - before])
