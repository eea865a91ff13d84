"""Moves many resources at once into a SQLite store and out of it: for import, export and backup, not for requests.

A batch is one transaction; counters and index values are updated as in every other write.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from tmf_sales.storage.protocol import StorageUnavailable
from tmf_sales.storage.records import Record, Version
from tmf_sales.storage.sqlite.layout import Layout, SqlValue, pack_versions, unpack_versions


def load_records(connection: sqlite3.Connection, layout: Layout, records: Sequence[Record]) -> list[str]:
    """Insert records within the writer's transaction; return the ids that were taken."""
    entries: list[tuple[str, SqlValue, str]] = []
    taken: list[str] = []
    uneven_ones = 0
    for record in records:
        document = record.current.document
        columns, uneven = layout.column_values(document)
        values = (
            record.revision,
            record.current.revision,
            uneven,
            *columns,
            record.current.text,
            pack_versions(record.versions[1:]),
        )
        if connection.execute(layout.insert, (*values, record.id)).rowcount == 0:
            taken.append(record.id)
            continue
        uneven_ones += uneven
        entries.extend((path, value, record.id) for path, value in layout.entry_values(document))
    # Insert in the order of the table, so that each of its pages is written once for all its entries.
    entries.sort(key=lambda entry: (entry[0], str(entry[1]), entry[2]))
    connection.executemany(f"INSERT INTO {layout.entries} VALUES (?, ?, ?)", entries)
    count_change(connection, layout, len(records) - len(taken), uneven_ones)
    return taken


def count_change(connection: sqlite3.Connection, layout: Layout, there: int, uneven: int) -> None:
    """Add to the kind's counters; raises StorageUnavailable when another release has changed how values are kept."""
    counted = connection.execute(
        "UPDATE kind SET total = total + ?, uneven = uneven + ? WHERE name = ? AND layout = ?",
        (there, uneven, layout.kind.name, layout.fingerprint),
    )
    if counted.rowcount != 1:
        raise other_layout()


def other_layout() -> StorageUnavailable:
    return StorageUnavailable("another release has changed the indexes of the store; this one must be restarted")


def walk_statement(layout: Layout) -> str:
    """Return the statement; its values are the id to start after, and the number of rows."""
    return f"SELECT id, revision, changed, current, others FROM {layout.table} WHERE id > ? ORDER BY id LIMIT ?"


def read_record(row: tuple[str, int, int, bytes, bytes | None]) -> Record:
    """Return the record of a row of the walk statement."""
    id, revision, changed, current, others = row
    version = Version(changed, text=current)
    return Record(id, revision, (version, *unpack_versions(others)) if others else (version,))


def back_up(source: Path, target: Path) -> int:
    """Copy the store in the file `source`, as of one moment, to `target`; return its size in bytes.

    Writers are not blocked, and their writes do not restart the copy, as they would with SQLite's own backup. `target`
    appears only when it is complete and on the disk; until then the copy is a new file beside it, created by nobody
    else and readable by its owner only. Raises OSError.
    """
    descriptor, name = tempfile.mkstemp(suffix=".copy", prefix=f"{target.name}.", dir=target.parent)
    os.close(descriptor)  # Windows renames no open file
    part = Path(name)
    try:
        with closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)) as store:
            store.execute("VACUUM INTO ?", (name,))
        with part.open("rb+") as copied:
            os.fsync(copied.fileno())
        part.replace(target)
    except sqlite3.Error as failure:
        raise OSError(str(failure)) from failure
    finally:
        part.unlink(missing_ok=True)
    return target.stat().st_size
