"""The tables of a SQLite store, its format, and the migrations from older formats."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import orjson

from tmf_sales.storage.protocol import StoreRefused, reject_other_format
from tmf_sales.storage.sqlite.kinds import take_over_earlier_name
from tmf_sales.storage.sqlite.layout import Layout

PING_ROOM = 1024 * 1024  # bytes
APPLICATION_ID = 0x544D4653
"""What SQLite notes in the file's head of whose it is: TMFS in ASCII. Format 1 noted nothing."""

FORMAT = 2
MIGRATIONS: Mapping[int, Sequence[str]] = {
    # Kinds get their new names when they are prepared, as soon as a contract announces them.
    1: (f"PRAGMA application_id = {APPLICATION_ID}",),
}
"""From which format: the statements that make the next one of it. Each step is one transaction, so it can resume."""

TABLES = (
    "CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY NOT NULL, value) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS kind (name TEXT PRIMARY KEY NOT NULL, total INTEGER NOT NULL, uneven INTEGER NOT NULL,"
    " layout TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS event (position INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL,"
    " kind TEXT NOT NULL, resource TEXT NOT NULL, revision INTEGER NOT NULL, stored REAL NOT NULL,"
    " fanned INTEGER NOT NULL, text BLOB NOT NULL)",
    "CREATE INDEX IF NOT EXISTS event_unfanned ON event (position) WHERE fanned = 0",
    "CREATE INDEX IF NOT EXISTS event_resource ON event (kind, resource)",
    "CREATE INDEX IF NOT EXISTS event_done ON event (stored) WHERE fanned = 1",
    "CREATE INDEX IF NOT EXISTS event_audit ON event (stored) WHERE fanned = 2",
    "DROP INDEX IF EXISTS event_stored",
    "CREATE TABLE IF NOT EXISTS lane (listener TEXT NOT NULL, kind TEXT NOT NULL, resource TEXT NOT NULL,"
    " first TEXT NOT NULL, last TEXT NOT NULL, due REAL NOT NULL, failures INTEGER NOT NULL, owner TEXT,"
    " until REAL NOT NULL, PRIMARY KEY (listener, kind, resource)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS lane_due ON lane (listener, due)",
    "CREATE TABLE IF NOT EXISTS subscription_start (listener TEXT PRIMARY KEY NOT NULL, position INTEGER NOT NULL)"
    " WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS attempt (listener TEXT NOT NULL, event TEXT NOT NULL, at REAL NOT NULL,"
    " duration REAL NOT NULL, status INTEGER, answer TEXT NOT NULL, error TEXT)",
    "CREATE INDEX IF NOT EXISTS attempt_at ON attempt (at)",
    "CREATE INDEX IF NOT EXISTS attempt_listener ON attempt (listener, at)",
)


def prepare(connection: sqlite3.Connection, layouts: Sequence[Layout]) -> None:
    """Create or migrate the tables and the contract's indexes. The connection must be in autocommit mode."""
    _migrate(connection)
    for layout in layouts:
        with transaction(connection):
            _prepare_kind(connection, layout)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Write everything inside to the disk at the end, or nothing of it."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def note_ping(connection: sqlite3.Connection, now: float) -> None:
    """Write the least that reaches the disk: a new value in a row that exists only for this."""
    connection.execute("INSERT OR REPLACE INTO setting VALUES ('ping', ?)", (now,))


def fill_ping(connection: sqlite3.Connection) -> None:
    """Write a value that needs new room on the disk; `note_ping` finds room even on a full one."""
    connection.execute("INSERT OR REPLACE INTO setting VALUES ('ping', zeroblob(?))", (PING_ROOM,))


def reject_foreign_file(connection: sqlite3.Connection) -> None:
    """Raise StoreRefused for the database of another application, before anything is written to it."""
    (id,) = connection.execute("PRAGMA application_id").fetchone()
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if id == APPLICATION_ID or (id == 0 and (not tables or {"setting", "kind", "event"} <= tables)):
        return
    _, _, path = connection.execute("PRAGMA database_list").fetchone()
    raise StoreRefused(f"{path} is the database of another application: its application_id or tables are not ours")


def _migrate(connection: sqlite3.Connection) -> None:
    with transaction(connection):
        is_new = not connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
        for statement in TABLES:
            connection.execute(statement)
        if is_new:
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("INSERT OR IGNORE INTO setting VALUES ('format', ?)", (FORMAT,))
        (found,) = connection.execute("SELECT value FROM setting WHERE name = 'format'").fetchone()
        reject_other_format(found, FORMAT, MIGRATIONS)
    for version in range(found, FORMAT):
        with transaction(connection):
            for statement in MIGRATIONS[version]:
                connection.execute(statement)
            connection.execute("UPDATE setting SET value = ? WHERE name = 'format'", (version + 1,))


def _prepare_kind(connection: sqlite3.Connection, layout: Layout) -> None:
    name = layout.kind.name
    take_over_earlier_name(connection, layout)
    columns = "".join(f"{column}, " for column in layout.columns.values())
    connection.execute(
        f"CREATE TABLE IF NOT EXISTS {layout.table} (id TEXT PRIMARY KEY NOT NULL, revision INTEGER NOT NULL,"
        f" changed INTEGER NOT NULL, uneven INTEGER NOT NULL, {columns}current BLOB NOT NULL, others BLOB)"
    )
    connection.execute(
        f"CREATE TABLE IF NOT EXISTS {layout.entries} (path TEXT NOT NULL, value NOT NULL, id TEXT NOT NULL,"
        " PRIMARY KEY (path, value, id)) WITHOUT ROWID"
    )
    known = connection.execute("SELECT layout FROM kind WHERE name = ?", (name,)).fetchone()
    if known is not None and known[0] != layout.fingerprint:
        _change_columns(connection, layout)
        _fill_index_values(connection, layout)
    for statement in layout.indexes.values():
        connection.execute(statement)
    if known is None:
        connection.execute("INSERT INTO kind VALUES (?, 0, 0, ?)", (name, layout.fingerprint))
    else:
        connection.execute("UPDATE kind SET layout = ? WHERE name = ?", (layout.fingerprint, name))


def _change_columns(connection: sqlite3.Connection, layout: Layout) -> None:
    for (index,) in connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL",
        (layout.table.strip('"'),),
    ).fetchall():
        connection.execute(f'DROP INDEX "{index}"')
    present = {f'"{row[1]}"' for row in connection.execute(f"PRAGMA table_info({layout.table})")}
    wanted = set(layout.columns.values())
    for column in sorted(wanted - present):
        connection.execute(f"ALTER TABLE {layout.table} ADD COLUMN {column}")
    for column in sorted(column for column in present - wanted if column.startswith('"at_')):
        connection.execute(f"ALTER TABLE {layout.table} DROP COLUMN {column}")


def _fill_index_values(connection: sqlite3.Connection, layout: Layout) -> None:
    """Recompute the index values of every document after the contract's indexes have changed."""
    connection.execute(f"DELETE FROM {layout.entries}")
    assigned = "".join(f", {column} = ?" for column in layout.columns.values())
    uneven_ones = 0
    for key, text in connection.execute(f"SELECT id, current FROM {layout.table}"):
        document = orjson.loads(text)
        values, uneven = layout.column_values(document)
        uneven_ones += uneven
        connection.execute(
            f"UPDATE {layout.table} SET uneven = ?{assigned} WHERE id = ?",
            (uneven, *values, key),
        )
        connection.executemany(
            f"INSERT INTO {layout.entries} VALUES (?, ?, ?)",
            [(*entry, key) for entry in layout.entry_values(document)],
        )
    connection.execute("UPDATE kind SET uneven = ? WHERE name = ?", (uneven_ones, layout.kind.name))
