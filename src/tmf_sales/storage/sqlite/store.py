"""Stores resources in one SQLite file (WAL, synchronous=FULL), shared by several worker processes, without a server.

A read by id, a first page and a short search of an index run inline, because they cost less than the hop to a thread.
Other reads run in threads, writes in the process's one writer thread. When commit returns, the write is on the disk.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path as FilePath
from typing import NamedTuple, TypeVar

from tmf_sales.storage.conditions import Path, Query
from tmf_sales.storage.protocol import (
    AlreadyExists,
    RevisionConflict,
    Storage,
    StoreRefused,
    reject_other_revision,
    reject_too_large_record,
)
from tmf_sales.storage.records import Change, Document, Kind, Page, Record, Version
from tmf_sales.storage.sqlite.bulk import count_change, load_records, other_layout, read_record, walk_statement
from tmf_sales.storage.sqlite.damage import Damage
from tmf_sales.storage.sqlite.events import SqliteEvents, append_events
from tmf_sales.storage.sqlite.file import OpenedFile, make_for_owner
from tmf_sales.storage.sqlite.kinds import unknown_kinds
from tmf_sales.storage.sqlite.layout import Entries, Layout, SqlValue, pack_versions
from tmf_sales.storage.sqlite.process_lock import ProcessLock
from tmf_sales.storage.sqlite.reader import BUSY_TIMEOUT, Busy, Reader
from tmf_sales.storage.sqlite.schema import FORMAT, fill_ping, note_ping, prepare, reject_foreign_file
from tmf_sales.storage.sqlite.writer import Writer

T = TypeVar("T")

READERS = 4
QUICK_ROWS = 100
INLINE_LIMIT = 0.002  # seconds on the event loop before a search goes on in a thread
PAGES_BETWEEN_CHECKPOINTS = 4000  # 16 MB, 4 times SQLite's default: often written pages are copied less often
NO_ENTRIES: Entries = frozenset()


class SqliteStorage(Storage):
    """`statement_timeout` is in seconds and bounds every find."""

    format: int | None = FORMAT

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
        self._subscriptions = next((kind.name for kind in kinds if kind.subscribes), None)
        self._statement_timeout = statement_timeout
        self._now = now

    async def open(self) -> None:
        try:
            self._open_file()
        except (sqlite3.Error, OSError) as failure:
            reason = (isinstance(failure, OSError) and failure.strerror) or failure
            raise StoreRefused(f"cannot open {self._path}: {reason}") from failure

    def _open_file(self) -> None:
        make_for_owner(self._path)
        self._connection = connect(self._path)
        reject_foreign_file(self._connection)
        self._turn = ProcessLock(str(self._path))
        with self._turn.taken():
            set_up_for_writing(self._connection)
            prepare(self._connection, list(self._layouts.values()))
        self._damage = Damage()
        self._writer = Writer(self._connection, self._turn, OpenedFile(self._path).reject_if_gone, self._damage.note)
        self._inline = Reader(self._path, min(self._statement_timeout, INLINE_LIMIT), self._damage, waits=False)
        self._idle: queue.LifoQueue[Reader] = queue.LifoQueue()
        for _ in range(READERS):
            self._idle.put(Reader(self._path, self._statement_timeout, self._damage))
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="sqlite-reader")
        self.events = SqliteEvents(self._writer, self._in_thread, list(self._layouts))

    async def close(self) -> None:
        await self._writer.close()
        self._threads.shutdown(wait=True)
        self._inline.close()
        while not self._idle.empty():
            self._idle.get().close()
        self._connection.close()
        self._turn.close()

    async def ping(self) -> None:
        """Write, because a full disk can still be read; after a failed write, write enough to need new room there."""
        self._damage.reject()
        if self._writer.has_failed:
            self._writer.has_failed = False
            await self._writer.run(fill_ping)
        await self._writer.run(lambda connection: note_ping(connection, self._now()))

    async def get(self, kind: str, id: str) -> Record | None:
        began = time.perf_counter()
        layout = self._layouts[kind]
        try:
            return self._inline.get(layout, id)
        except Busy:  # waiting for another process would block the event loop
            return await self._in_thread(lambda reader: reader.get(layout, id))
        finally:
            self.note_get(time.perf_counter() - began)

    async def find(self, kind: str, query: Query) -> Page:
        layout = self._layouts[kind]
        if query.offset + query.limit <= QUICK_ROWS:
            try:
                return self._inline.first_page(layout, query)
            except Busy:
                pass  # not `suppress`, which every list would pay for
        return await self._in_thread(lambda reader: reader.find(layout, query))

    async def commit(self, change: Change) -> int:
        reject_too_large_record(change.versions)
        layout = self._layouts[change.kind]
        stored = self._now()
        new = _index_values_of_new(change, layout)

        def write(connection: sqlite3.Connection) -> int:
            revision = write_change(connection, layout, change, new)
            if change.has_events:
                append_events(connection, change, stored, self._subscriptions)
            return revision

        revision = await self._writer.run(write)
        if change.has_events:
            self.events.arrived.set()
        return revision

    async def load(self, kind: str, records: Sequence[Record]) -> list[str]:
        for record in records:
            reject_too_large_record(record.versions)
        layout = self._layouts[kind]
        return await self._writer.run(lambda connection: load_records(connection, layout, records))

    async def unknown_kinds(self) -> Mapping[str, int]:
        return await self._in_thread(lambda reader: unknown_kinds(reader, self._layouts.keys()))

    async def walk(self, kind: str, after: str, limit: int) -> Sequence[Record]:
        statement = walk_statement(self._layouts[kind])
        rows = await self._in_thread(lambda reader: reader.read(statement, [after, limit]))
        return [read_record(row) for row in rows]

    async def explain(self, kind: str, query: Query) -> list[str]:
        """Return how SQLite would find the page of `query`, step by step."""
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


def connect(path: FilePath) -> sqlite3.Connection:
    """Open the file; raises sqlite3.Error if it is not a database, before anything is created beside it."""
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA schema_version")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def set_up_for_writing(connection: sqlite3.Connection) -> None:
    """Call this under the process lock: if two processes start a new file's log at once, one fails without waiting."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {PAGES_BETWEEN_CHECKPOINTS}")


class IndexValues(NamedTuple):
    """What the indexes have of one document; see Layout."""

    columns: list[SqlValue]
    is_uneven: bool
    entries: Entries


def _index_values_of_new(change: Change, layout: Layout) -> IndexValues | None:
    """The index values of a new resource, whose document is dropped; None for any other change.

    Only texts wait for the disk: the objects of many documents do not fit into the processor's cache.
    """
    if change.expected_revision or not change.versions:
        return None
    current = change.versions[0]
    values = IndexValues(*layout.column_values(current.document), layout.entry_values(current.document))
    current.drop_document()
    return values


def write_change(connection: sqlite3.Connection, layout: Layout, change: Change, new: IndexValues | None) -> int:
    """Write `change` within the writer's transaction; return the new revision. `new`: for a new resource."""
    if new is not None:
        _insert(connection, layout, change, new)
    else:
        _replace(connection, layout, change)
    return change.revision


def _insert(connection: sqlite3.Connection, layout: Layout, change: Change, values: IndexValues) -> None:
    count_change(connection, layout, 1, values.is_uneven)  # first, as it notices that the columns are others by now
    # An id is rarely taken, so the insert finds out; to ask before takes a statement more for each creation.
    if connection.execute(layout.insert, _row(change, values.columns, values.is_uneven)).rowcount == 0:
        raise AlreadyExists(change.id)
    _insert_entries(connection, layout, change.id, values.entries)


def _replace(connection: sqlite3.Connection, layout: Layout, change: Change) -> None:
    """Update or delete a resource."""
    known = change.before
    found = connection.execute(
        layout.what_to_replace if known is None else layout.revision_to_replace, (layout.kind.name, change.id)
    ).fetchone()
    if found is None:
        raise RevisionConflict(change.id)
    reject_other_revision(change, found[0])
    if found[2] != layout.fingerprint:
        raise other_layout()
    was_uneven, was = found[1], known or Version(found[0], text=found[3])
    if not change.versions:
        count_change(connection, layout, -1, -was_uneven)
        connection.execute(f"DELETE FROM {layout.table} WHERE id = ?", (change.id,))
        _replace_entries(connection, layout, change.id, was.document, None)
    elif known is None or change.changed is None or was_uneven:  # what is uneven may be anywhere
        _update(connection, layout, change, was_uneven, layout.columns)
        _replace_entries(connection, layout, change.id, was.document, change.versions[0].document)
    else:
        _update(connection, layout, change, was_uneven, layout.columns_within(change.changed))
        if layout.has_lists_in(change.changed):
            _replace_entries(connection, layout, change.id, was.document, change.versions[0].document)


def _update(
    connection: sqlite3.Connection, layout: Layout, change: Change, was_uneven: int, columns: Mapping[Path, str]
) -> None:
    """Write the new versions and these columns; the others keep their values, and are not uneven."""
    values, is_uneven = layout.column_values(change.versions[0].document, columns) if columns else ([], False)
    if is_uneven != was_uneven:
        count_change(connection, layout, 0, is_uneven - was_uneven)
    connection.execute(layout.update(columns), _row(change, values, is_uneven))


def _row(change: Change, columns: list[SqlValue], is_uneven: bool) -> tuple[SqlValue, ...]:
    """The values of the layout's insert and update."""
    current, *others = change.versions
    return (change.revision, current.revision, is_uneven, *columns, current.text, pack_versions(others), change.id)


def _replace_entries(
    connection: sqlite3.Connection, layout: Layout, id: str, was: Document, becomes: Document | None
) -> None:
    if becomes is not None and layout.has_same_lists(was, becomes):
        return
    before = layout.entry_values(was)
    after = NO_ENTRIES if becomes is None else layout.entry_values(becomes)
    if gone := before - after:
        connection.executemany(
            f"DELETE FROM {layout.entries} WHERE path = ? AND value = ? AND id = ?", [(*entry, id) for entry in gone]
        )
    _insert_entries(connection, layout, id, after - before)


def _insert_entries(connection: sqlite3.Connection, layout: Layout, id: str, entries: Entries) -> None:
    if entries:
        connection.executemany(f"INSERT INTO {layout.entries} VALUES (?, ?, ?)", [(*entry, id) for entry in entries])
