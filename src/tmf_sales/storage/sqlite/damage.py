"""Notices that a SQLite file is damaged, says what is damaged, and reads what can still be read.

SQLite reports damage when it meets it, so a file may answer many requests before it fails one. From then on the store
does not count as ready until the service starts again.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from tmf_sales.storage.protocol import StorageUnavailable
from tmf_sales.storage.records import Kind, Record
from tmf_sales.storage.sqlite.bulk import read_record
from tmf_sales.storage.sqlite.layout import Layout

log = logging.getLogger(__name__)

LISTED = 20
DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class Damage:
    """Whether the file was found to be damaged since it was opened."""

    def __init__(self) -> None:
        self._found: str | None = None

    def note(self, failure: sqlite3.Error) -> None:
        """Log damage with the message of the database; ignore other failures."""
        if not _is_damage(failure):
            return
        if self._found is None:
            log.error("the store is damaged: %s; tmf-sales check says what is damaged and what to do", failure)
        self._found = str(failure)

    def reject(self) -> None:
        """Raise StorageUnavailable once damage was found."""
        if self._found is not None:
            raise StorageUnavailable("the store is damaged")


def damage_in(path: Path) -> list[str]:
    """Return what SQLite finds wrong with the file: at most 20 lines, none for an intact file. Reads the whole file."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            found = [str(line) for (line,) in connection.execute(f"PRAGMA quick_check({LISTED})")]
    except sqlite3.Error as failure:
        return [str(failure)]
    return [] if found == ["ok"] else found


def readable_records(path: Path, kinds: Sequence[Kind]) -> Iterator[tuple[str, Record | None]]:
    """Yield every readable resource with its kind, without opening the store; None for each unreadable row.

    Raises StorageUnavailable when not even the list of tables is readable.
    """
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        try:
            connection.execute("SELECT count(*) FROM sqlite_schema")
        except sqlite3.Error as failure:
            raise StorageUnavailable(f"nothing in {path} is readable: {failure}") from None
        for kind in kinds:
            for record in _readable_rows(connection, Layout(kind)):
                yield kind.name, record


def _readable_rows(connection: sqlite3.Connection, layout: Layout) -> Iterator[Record | None]:
    """Yield every readable resource of the kind; None for each unreadable row.

    The ids come from the index beside the table, so that a damaged page of the table costs only its own rows. If the
    index is damaged, the rows are read one by one by their numbers.
    """
    columns = "id, revision, changed, current, others"
    for key in _keys(connection, layout):
        where = "id" if isinstance(key, str) else "rowid"
        try:
            row = connection.execute(f"SELECT {columns} FROM {layout.table} WHERE {where} = ?", (key,)).fetchone()
        except sqlite3.Error:
            yield None
            continue
        if row is not None:
            yield read_record(row)


def _keys(connection: sqlite3.Connection, layout: Layout) -> list[str] | range:
    try:
        return [id for (id,) in connection.execute(f"SELECT id FROM {layout.table} ORDER BY id")]
    except sqlite3.Error:
        pass
    try:
        (last,) = connection.execute(f"SELECT max(rowid) FROM {layout.table}").fetchone()
    except sqlite3.Error as failure:
        return range(int(_is_damage(failure)))  # one unreadable row stands for all of them; a missing table has none
    return range(1, (last or 0) + 1)


def _is_damage(failure: sqlite3.Error) -> bool:
    return getattr(failure, "sqlite_errorcode", 0) & 0xFF in DAMAGED
