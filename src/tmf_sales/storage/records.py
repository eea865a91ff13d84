"""What a store holds and is asked: documents, records with their versions, pages, changes and kinds."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any, NamedTuple

import orjson

from tmf_sales.storage.conditions import Path, Query
from tmf_sales.values.json_members import read_members
from tmf_sales.values.json_values import text_to_keep

Document = dict[str, Any]
"""A JSON object; integers fit in 64 bits, texts have no lone surrogates, member names no NUL and no `$` in front."""


class Version:
    """One version of a resource: its document and the record's revision at which this version last changed.

    It is made from a document or its text, and the other one is made when somebody asks for it: stored JSON often goes
    out without being parsed. `text`: the document as JSON in UTF-8, without href, as orjson writes it. Never change the
    document of a version in place.
    """

    __slots__ = ("document", "revision", "text")

    revision: int
    document: Document
    text: bytes

    def __init__(self, revision: int, document: Document | None = None, text: bytes | None = None) -> None:
        if document is None and text is None:
            raise ValueError("a version needs its document or its text")
        self.revision = revision
        if document is not None:
            self.document = document
        if text is not None:
            self.text = text

    def __getattr__(self, name: str) -> Any:
        """Make what is missing. Python calls this once; from then on it is found as fast as any attribute."""
        if name == "document":
            self.document = orjson.loads(self.text)
        elif name == "text":
            self.text = text_to_keep(self.document)
        else:
            raise AttributeError(name)
        return getattr(self, name)

    def drop_document(self) -> None:
        """Keep only the text; the document is made again from it when somebody asks for it."""
        _ = self.text, self.document  # both exist from here on
        del self.document


class Record(NamedTuple):
    """A resource as stored: `versions[0]` is the current one; a resource without versioning has only that.

    `revision` counts the writes to the record from 1; commit compares it.
    """

    id: str
    revision: int
    versions: tuple[Version, ...]

    @property
    def current(self) -> Version:
        return self.versions[0]


class Row(NamedTuple("Row", [("id", str), ("version", Version)])):
    """One row of a page: the current version of the resource `id`."""

    __slots__ = ()
    text = property(attrgetter("version.text"))


class TextRow(NamedTuple):
    """A row that a store has read as text. Its version is made when somebody asks for it: most go out as text.

    `total`: how many resources match in all, None if that is unknown.
    """

    id: str
    revision: int
    text: bytes
    total: int | None

    @property
    def version(self) -> Version:
        return Version(self.revision, text=self.text)


AnyRow = Row | TextRow

# These make rows as their classes do, but without a call of Python code: every page has many.
new_row: Callable[[tuple[str, Version]], Row] = partial(tuple.__new__, Row)
new_text_row: Callable[[tuple[str, int, bytes, int | None]], TextRow] = partial(tuple.__new__, TextRow)


class Page(NamedTuple):
    """The rows of a page, in order, and how many match in all; beyond the query's count_limit `exact` is False.

    `is_cut`: the page ended at the query's size_limit, and more rows follow.
    """

    rows: Sequence[AnyRow]
    total: int
    exact: bool = True
    is_cut: bool = False


class PageRows:
    """The rows of a page while it is read: as many as fit into the query's size_limit, and at least one."""

    def __init__(self, query: Query) -> None:
        self.rows: list[AnyRow] = []
        self.is_cut = False
        self._size_limit = query.size_limit
        self._size = 0

    def read(self, stored: Iterable[tuple[str, int, bytes, int | None]], fields: frozenset[str] | None) -> int | None:
        """Add stored rows (id, revision, text, total) until one does not fit; return the total that they repeat.

        With `fields`, a version has only a part of its document, with these members.
        """
        rows, size, total = self.rows, self._size, None
        most = self._size_limit or sys.maxsize
        for row in stored:
            id, revision, text, total = row
            size += len(text)
            if size > most and rows:
                self.is_cut = True
                break
            if fields is None:
                rows.append(new_text_row(row))
            else:
                rows.append(new_row((id, Version(revision, read_members(text, fields)))))
        self._size = size
        return total

    def extend(self, rows: list[Row]) -> None:
        """Add rows until one does not fit."""
        size = sum([len(row.version.text) for row in rows]) if self._size_limit else 0
        if self._size + size <= self._size_limit:
            self.rows += rows
            self._size += size
        else:
            all(map(self._add, rows))

    def _add(self, row: Row) -> bool:
        """Add a row and return True, or return False when it does not fit: the page is complete."""
        self._size += len(row.version.text)
        self.is_cut = self._size > self._size_limit and bool(self.rows)
        if not self.is_cut:
            self.rows.append(row)
        return not self.is_cut

    def page(self, query: Query, total: int) -> Page:
        """The page, when so many resources match; `total` may be one more than the query's count_limit."""
        exact = not query.count_limit or total <= query.count_limit
        return Page(self.rows, total if exact else query.count_limit, exact, self.is_cut)


class Change(NamedTuple):
    """One atomic write to one resource, with the events that report it.

    `expected_revision` 0 inserts: the id must not be taken. Empty `versions` delete. An event is a complete TMF event
    document that begins with `eventId` (unique), `eventTime` and `eventType`. orjson serializes it, so a part of it may
    be a Fragment. The store adds kind, id and revision beside it. `before`: the current version at `expected_revision`,
    if the caller has read it; it spares a store reading it again. `earlier`: the events of each change that this one
    contains (see `merged`); each of them has a revision of its own. `changed`: the top-level members in which the new
    current version may differ from `before`, if the caller knows them; a store then need not write the values of others
    again.
    """

    kind: str
    id: str
    expected_revision: int
    versions: tuple[Version, ...]
    events: tuple[Document, ...] = ()
    before: Version | None = None
    earlier: tuple[tuple[Document, ...], ...] = ()
    changed: frozenset[str] | None = None

    @property
    def revision(self) -> int:
        """The record's revision after this write."""
        return self.expected_revision + len(self.earlier) + 1

    @property
    def has_events(self) -> bool:
        return bool(self.events) or any(self.earlier)

    def all_events(self) -> list[tuple[int, Document]]:
        """Every event with the revision that it reports, in order."""
        if not self.earlier:
            return [(self.expected_revision + 1, event) for event in self.events]
        changes = enumerate((*self.earlier, self.events), start=self.expected_revision + 1)
        return [(revision, event) for revision, events in changes for event in events]


def merged(changes: Sequence[Change]) -> Change:
    """Make one write of changes that each expect the revision after the one before; only the last one's versions stay.

    None of them is an insert or a deletion, and none is merged itself.
    """
    first, last = changes[0], changes[-1]
    if first is last:
        return first
    earlier = tuple(change.events for change in changes[:-1])
    known = [change.changed for change in changes if change.changed is not None]
    changed = frozenset[str]().union(*known) if len(known) == len(changes) else None
    return last._replace(
        expected_revision=first.expected_revision, before=first.before, earlier=earlier, changed=changed
    )


@dataclass(frozen=True, slots=True)
class Index:
    """An index from the contract's x-index: one path, or several for a compound index; True marks descending."""

    paths: tuple[tuple[Path, bool], ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of resource as a store knows it: its name, its indexes, and which paths are lists in the contract.

    A compound index has no path through a list. `earlier_name`: the name of the kind in stores of format 1; if several
    kinds have the same earlier name, the first takes over what is stored under it. `subscribes`: its resources are the
    subscriptions to events; while a store with such a kind has none of them, an event need not be delivered.
    """

    name: str
    indexes: tuple[Index, ...] = ()
    lists: frozenset[Path] = frozenset()
    earlier_name: str = ""
    subscribes: bool = False

    def goes_through_list(self, path: Path) -> bool:
        return any(path[:length] in self.lists for length in range(1, len(path) + 1))


def named_kind(name: str, kinds: Sequence[str]) -> str | None:
    """Return the kind that a user names in full, or by its last part if only one kind has it."""
    if name in kinds:
        return name
    found = [kind for kind in kinds if kind.rpartition("/")[2] == name]
    return found[0] if len(found) == 1 else None
