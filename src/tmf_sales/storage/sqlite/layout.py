"""Defines how the tables of a SQLite store hold a kind's documents and index values.

A path that passes through no list has its own column; one that does has rows in the kind's entry table, one per value.
Python computes both, so that a boolean is never a number and a text may contain any character.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from tmf_sales.storage.conditions import Path, Scalar
from tmf_sales.storage.evaluate import meets_list, single_value_at, values_at
from tmf_sales.storage.records import Kind, Version

SqlValue = str | int | float | bytes | None
_KIND = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
Entries = frozenset[tuple[str, SqlValue]]


class Layout:
    """The places of one kind's indexed values. Table and column names come only from here."""

    def __init__(self, kind: Kind) -> None:
        if not _KIND.fullmatch(kind.name):
            raise ValueError(f"a kind's name must be ASCII letters, digits and ._/-, not {kind.name!r}")
        self.kind = kind
        self.table = f'"resource_{kind.name}"'
        self.entries = f'"entry_{kind.name}"'
        paths = list(dict.fromkeys(path for index in kind.indexes for path, _ in index.paths))
        self.columns = {path: column_name(path) for path in paths if not kind.goes_through_list(path)}
        self.listed = {path: _as_text(path) for path in paths if kind.goes_through_list(path)}
        self._members_with_lists = tuple(dict.fromkeys(path[0] for path in self.listed))
        self.indexes = self._index_statements()
        single = {index.paths[0][0] for index in kind.indexes if len(index.paths) == 1}
        self.single = {path: column for path, column in self.columns.items() if path in single}
        written = _written(self.columns)
        self.point_read = f"SELECT revision, changed, current, others FROM {self.table} WHERE id = ?"
        layout = "SELECT layout FROM kind WHERE name = ?"
        self.revision_to_replace = f"SELECT revision, uneven, ({layout}) FROM {self.table} WHERE id = ?"
        self.what_to_replace = f"SELECT revision, uneven, ({layout}), current FROM {self.table} WHERE id = ?"
        total = "SELECT total FROM kind WHERE name = ?"
        self.first_page = f"SELECT id, changed, current, ({total}) FROM {self.table} ORDER BY id LIMIT ? OFFSET ?"
        values = ", ".join("?" * len(written))
        self.insert = (
            f"INSERT INTO {self.table} ({', '.join(written)}, id) VALUES ({values}, ?) ON CONFLICT (id) DO NOTHING"
        )
        self.fingerprint = _as_text([list(self.columns.values()), list(self.listed.values()), list(self.indexes)])

    def update(self, columns: Mapping[Path, str]) -> str:
        """Return the statement that replaces a resource and these of its columns.

        SQLite writes the entries of an index again when its columns are set, even to the same values.
        """
        return f"UPDATE {self.table} SET {', '.join(f'{name} = ?' for name in _written(columns))} WHERE id = ?"

    def columns_within(self, members: frozenset[str]) -> Mapping[Path, str]:
        """Return the columns of paths that begin with one of these members."""
        return {path: column for path, column in self.columns.items() if path[0] in members}

    def has_lists_in(self, members: frozenset[str]) -> bool:
        """Return whether an indexed path through lists begins with one of these members."""
        return not members.isdisjoint(self._members_with_lists)

    def column_values(self, document: Any, paths: Iterable[Path] | None = None) -> tuple[list[SqlValue], bool]:
        """Return the values of the columns, or of those with these paths, and whether the document is uneven there.

        It is when a list occurs where the contract has none, so that a column misses values of its path.
        """
        values: list[SqlValue] = []
        is_uneven = False
        for path in self.columns if paths is None else paths:
            value = single_value_at(document, path)
            if value is None and meets_list(document, path):
                is_uneven = True
            values.append(value if type(value) is str else stored_value(value))
        return values, is_uneven

    def has_same_lists(self, one: Any, other: Any) -> bool:
        """Return whether the members of two documents with indexed lists are the same, and so their entries."""
        texts = [orjson.dumps([each.get(name) for name in self._members_with_lists]) for each in (one, other)]
        return texts[0] == texts[1]

    def entry_values(self, document: Any) -> Entries:
        """Return (path, value) once for each indexed path through lists and each value that it reaches."""
        found: list[tuple[str, SqlValue]] = []
        for path, name in self.listed.items():
            for value in values_at(document, path):
                if type(value) is str:  # most are
                    found.append((name, value))
                elif isinstance(value, (int, float)):
                    found.append((name, stored_value(value)))
        return frozenset(found)

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


def _written(columns: Mapping[Path, str]) -> list[str]:
    """The columns that the insert and the updates write, in the order of their values."""
    return ["revision", "changed", "uneven", *columns.values(), "current", "others"]


def column_name(path: Path) -> str:
    """Return a column for `path`: its readable letters and a hash, because SQLite ignores case in names."""
    readable = "_".join("".join(letter for letter in step if letter.isascii() and letter.isalnum()) for step in path)
    return f'"at_{readable}_{_short_hash(_as_text(path))}"'


def stored_value(value: Scalar | None) -> SqlValue:
    """Convert a JSON scalar for comparison by SQLite: numbers < texts < blobs; a boolean is a blob, never a number."""
    if isinstance(value, bool):
        return b"\x01" if value else b"\x00"
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return float(value)
    return value


def pack_versions(versions: Sequence[Version]) -> bytes | None:
    """Pack versions into one blob: a line with the revision and length of each, then their texts in the same order."""
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


def _as_text(value: Any) -> str:
    return orjson.dumps(value).decode()


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
