"""Kinds in a SQLite store: renames those that format 1 stored under an earlier name, and finds unannounced ones."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping

import orjson

from tmf_sales.storage.sqlite.layout import Layout
from tmf_sales.storage.sqlite.reader import Reader


def take_over_earlier_name(connection: sqlite3.Connection, layout: Layout) -> None:
    """Move what is stored under the kind's earlier name to its present name, within the caller's transaction.

    This happens only while nothing is stored under the present name. Index values are kept; the indexes are rebuilt.
    """
    name, earlier = layout.kind.name, layout.kind.earlier_name
    rows = dict(connection.execute("SELECT name, layout FROM kind WHERE name IN (?, ?)", (name, earlier)))
    if not earlier or earlier not in rows or name in rows:
        return
    for (index,) in connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL",
        (f"resource_{earlier}",),
    ).fetchall():
        connection.execute(f'DROP INDEX "{index}"')
    connection.execute(f'ALTER TABLE "resource_{earlier}" RENAME TO {layout.table}')
    connection.execute(f'ALTER TABLE "entry_{earlier}" RENAME TO {layout.entries}')
    columns, listed, indexes = orjson.loads(rows[earlier])
    renamed = [f"index_{name}_{index.removeprefix(f'index_{earlier}_')}" for index in indexes]
    fingerprint = orjson.dumps([columns, listed, renamed]).decode()
    connection.execute("UPDATE kind SET name = ?, layout = ? WHERE name = ?", (name, fingerprint, earlier))
    connection.execute("UPDATE event SET kind = ? WHERE kind = ?", (name, earlier))
    connection.execute("UPDATE lane SET kind = ? WHERE kind = ?", (name, earlier))


def unknown_kinds(reader: Reader, known: Collection[str]) -> Mapping[str, int]:
    """Return the kinds of stored resources and waiting events that are not known, with their number of resources."""
    with reader.snapshot():
        counts = dict(reader.all("SELECT name, total FROM kind WHERE total > 0", []))
        waiting = reader.all("SELECT kind FROM event WHERE fanned = 0 UNION SELECT kind FROM lane", [])
    found = {**{kind: 0 for (kind,) in waiting}, **counts}
    return {kind: found[kind] for kind in sorted(found) if kind not in known}
