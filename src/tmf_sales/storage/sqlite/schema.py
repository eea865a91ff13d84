"""The tables of a SQLite store: how a kind's documents, counters and index values lie in the file, and its format.

A path that passes through no list has a column of its own; one that does has rows in the kind's entry table, one per
value. Both are filled by Python, so that a boolean is never a number and a text may hold any character.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import orjson

from tmf_sales.storage.conditions import Path, Scalar
from tmf_sales.storage.evaluate import meets_list, single_value_at, values_at
from tmf_sales.storage.protocol import Kind, Version, reject_other_format

FORMAT = 1
PING_ROOM = 1024 * 1024  # bytes
MIGRATIONS: Mapping[int, Sequence[str]] = {}
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
    "CREATE INDEX IF NOT EXISTS event_stored ON event (stored)",
    "CREATE TABLE IF NOT EXISTS lane (listener TEXT NOT NULL, kind TEXT NOT NULL, resource TEXT NOT NULL,"
    " first TEXT NOT NULL, last TEXT NOT NULL, due REAL NOT NULL, failures INTEGER NOT NULL, owner TEXT,"
    " until REAL NOT NULL, PRIMARY KEY (listener, kind, resource)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS lane_due ON lane (listener, due)",
    "CREATE TABLE IF NOT EXISTS subscription_start (listener TEXT PRIMARY KEY NOT NULL, position INTEGER NOT NULL)"
    " WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS attempt (listener TEXT NOT NULL, event TEXT NOT NULL, at REAL NOT NULL,"
    " duration REAL NOT NULL, status INTEGER, answer TEXT NOT NULL, error TEXT)",
    "CREATE INDEX IF NOT EXISTS attempt_at ON attempt (at)",
)

SqlValue = str | int | float | bytes | None
Entries = frozenset[tuple[str, SqlValue]]


class Layout:
    """Where the values of one kind's indexed paths are kept. Table and column names come from here only."""

    def __init__(self, kind: Kind) -> None:
        if not (kind.name.isascii() and kind.name.isalnum()):
            raise ValueError(f"a kind's name must be ASCII letters and digits, not {kind.name!r}")
        self.kind = kind
        self.table = f'"resource_{kind.name}"'
        self.entries = f'"entry_{kind.name}"'
        paths = list(dict.fromkeys(path for index in kind.indexes for path, _ in index.paths))
        self.columns = {path: column_name(path) for path in paths if not kind.goes_through_list(path)}
        self.listed = {path: _as_text(path) for path in paths if kind.goes_through_list(path)}
        self.indexes = self._index_statements()
        columns = list(self.columns.values())
        written = ["revision", "changed", "uneven", *columns, "current", "others"]
        self.point_read = f"SELECT revision, changed, current, others FROM {self.table} WHERE id = ?"
        self.insert = f"INSERT INTO {self.table} ({', '.join(written)}, id) VALUES ({', '.join('?' * len(written))}, ?)"
        self.update = f"UPDATE {self.table} SET {', '.join(f'{name} = ?' for name in written)} WHERE id = ?"
        self.fingerprint = _as_text([list(self.columns.values()), list(self.listed.values()), list(self.indexes)])

    def column_values(self, document: Any) -> list[SqlValue]:
        return [stored_value(single_value_at(document, path)) for path in self.columns]

    def is_uneven(self, document: Any) -> bool:
        """Whether a list stands where the contract has none, so that a column cannot tell what a path reaches."""
        return any(meets_list(document, path) for path in self.columns)

    def entries_of_text(self, text: bytes) -> Entries:
        return self.entry_values(orjson.loads(text)) if self.listed else frozenset()

    def entry_values(self, document: Any) -> Entries:
        """(path, value) once for each indexed path through lists and each value that it reaches."""
        return frozenset(
            (name, stored_value(value))
            for path, name in self.listed.items()
            for value in values_at(document, path)
            if isinstance(value, (str, int, float))
        )

    def _index_statements(self) -> dict[str, str]:
        made: dict[str, str] = {}
        for index in self.kind.indexes:
            if any(path in self.listed for path, _ in index.paths):
                if len(index.paths) > 1:
                    raise ValueError(f"a compound index of {self.kind.name} goes through a list: {index.paths}")
                continue
            columns = ", ".join(self.columns[path] + (" DESC" if down else "") for path, down in index.paths)
            name = f"index_{self.kind.name}_{_short_hash(columns)}"
            made[name] = f'CREATE INDEX IF NOT EXISTS "{name}" ON {self.table} ({columns}, id)'
        return made


def column_name(path: Path) -> str:
    """A column for `path`: readable letters of it and a hash, because SQLite takes no account of case in names."""
    readable = "_".join("".join(letter for letter in step if letter.isascii() and letter.isalnum()) for step in path)
    return f'"at_{readable}_{_short_hash(_as_text(path))}"'


def stored_value(value: Scalar | None) -> SqlValue:
    """A JSON scalar as SQLite compares it rightly: numbers < texts < blobs; a boolean is a blob, so never a number."""
    if isinstance(value, bool):
        return b"\x01" if value else b"\x00"
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return float(value)
    return value


def pack_versions(versions: Sequence[Version]) -> bytes | None:
    """Versions as one blob: a line with each one's revision and length, then their texts one after the other."""
    if not versions:
        return None
    texts = [version.text for version in versions]
    header = [[version.revision, len(text)] for version, text in zip(versions, texts, strict=True)]
    return orjson.dumps(header) + b"\n" + b"".join(texts)


def unpack_versions(packed: bytes) -> list[Version]:
    header, _, texts = packed.partition(b"\n")
    versions, start = [], 0
    for revision, length in orjson.loads(header):
        versions.append(Version(revision, text=texts[start : start + length]))
        start += length
    return versions


def prepare(connection: sqlite3.Connection, layouts: Sequence[Layout]) -> None:
    """Make or migrate the tables, and the indexes of the contract. The connection is in autocommit mode."""
    _migrate(connection)
    for layout in layouts:
        with transaction(connection):
            _prepare_kind(connection, layout)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All that is written inside, on the disk at the end, or nothing of it."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def note_ping(connection: sqlite3.Connection, now: float) -> None:
    """The least that reaches the disk: another value in a row that is there for nothing else."""
    connection.execute("INSERT OR REPLACE INTO setting VALUES ('ping', ?)", (now,))


def fill_ping(connection: sqlite3.Connection) -> None:
    """A value that needs new room on the disk, where `note_ping` finds some even on a full one."""
    connection.execute("INSERT OR REPLACE INTO setting VALUES ('ping', zeroblob(?))", (PING_ROOM,))


def _migrate(connection: sqlite3.Connection) -> None:
    with transaction(connection):
        for statement in TABLES:
            connection.execute(statement)
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
    """Work out the index values of every document again, after the contract's indexes have changed."""
    connection.execute(f"DELETE FROM {layout.entries}")
    assigned = "".join(f", {column} = ?" for column in layout.columns.values())
    uneven_ones = 0
    for key, text in connection.execute(f"SELECT id, current FROM {layout.table}"):
        document = orjson.loads(text)
        uneven = layout.is_uneven(document)
        uneven_ones += uneven
        connection.execute(
            f"UPDATE {layout.table} SET uneven = ?{assigned} WHERE id = ?",
            (uneven, *layout.column_values(document), key),
        )
        connection.executemany(
            f"INSERT INTO {layout.entries} VALUES (?, ?, ?)",
            [(*entry, key) for entry in layout.entry_values(document)],
        )
    connection.execute("UPDATE kind SET uneven = ? WHERE name = ?", (uneven_ones, layout.kind.name))


def _as_text(value: Any) -> str:
    return orjson.dumps(value).decode()


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
