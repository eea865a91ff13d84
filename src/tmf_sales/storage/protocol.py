"""What the service asks of a store, and what every store promises. The adapters are memory, sqlite and mongo.

The protocol is MongoDB's: one document is written atomically, compare-and-set by revision, no transaction over several.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from tmf_sales.errors import CannotStart, Conflict, Unavailable
from tmf_sales.storage.conditions import Path, Query

if TYPE_CHECKING:
    from tmf_sales.storage.events import EventStore

Document = dict[str, Any]
"""A JSON object; integers fit in 64 bits, texts have no lone surrogates, member names no NUL and no `$` in front."""

RECORD_LIMIT = 8 * 1024 * 1024
OUTBOX_ENTRIES = 200
OUTBOX_LIMIT = 4 * 1024 * 1024


class RevisionConflict(Exception):
    """Raised by commit when the stored revision is not the expected one, or the resource is gone."""


class AlreadyExists(Exception):
    """Raised by commit when an insert finds the id taken."""


class RecordTooLarge(Exception):
    """Raised by commit when a resource with all its versions would exceed 8 MB."""


class NotStorable(Conflict):
    """Raised by commit and load when the store's server has a rule that the document breaks."""

    code = "notStorable"
    reason = "The store cannot hold this document"


class StoreRefused(CannotStart):
    """Raised by open when this release cannot serve from the store: a newer format, not a store, no such directory."""


def reject_other_format(found: int, known: int, steps: Container[int]) -> None:
    """Raise StoreRefused when no steps go from the format of the store to the one that this release knows.

    `steps` has each format from which there is a step to the next.
    """
    if found > known:
        raise StoreRefused(f"the store has format {found}, this release knows formats up to {known}")
    if not all(version in steps for version in range(found, known)):
        raise StoreRefused(f"the store has format {found}, from which this release knows no way to its format {known}")


class StorageUnavailable(Unavailable):
    """Raised when the store cannot be reached, took too long, or the outcome of a write is not known."""

    code = "storageUnavailable"
    reason = "The store cannot answer now"


class TookTooLong(StorageUnavailable):
    """Raised by find when the query runs into the store's time limit."""

    code = "queryTooExpensive"
    reason = "The query took too long"


class OutboxFull(Unavailable):
    """Raised by commit when 200 events or 4 MB of them already wait in the document (only where they wait in it)."""

    code = "outboxFull"
    reason = "Too many events of this resource wait to be moved on"


class Version:
    """One version of a resource: its document and the unit's revision at which this version last changed.

    Made from either form and turned into the other only when asked: stored JSON often goes out without being parsed.
    A text is as orjson writes it.
    The document is never changed in place once it is here.
    """

    __slots__ = ("_document", "_text", "revision")

    def __init__(self, revision: int, document: Document | None = None, text: bytes | None = None) -> None:
        if document is None and text is None:
            raise ValueError("a version needs its document or its text")
        self.revision = revision
        self._document = document
        self._text = text

    @property
    def document(self) -> Document:
        if self._document is None:
            self._document = orjson.loads(self._text or b"{}")
        return self._document

    @property
    def text(self) -> bytes:
        """The document as JSON in UTF-8, without href."""
        if self._text is None:
            self._text = orjson.dumps(self._document)
        return self._text


def reject_too_large_record(versions: Sequence[Version]) -> None:
    """Raise RecordTooLarge when the versions together, as JSON, exceed 8 MB."""
    size = sum(len(version.text) for version in versions)
    if size > RECORD_LIMIT:
        raise RecordTooLarge(f"{size} bytes, at most {RECORD_LIMIT}")


@dataclass(frozen=True, slots=True)
class Record:
    """A resource as stored: `versions[0]` is the current one; a resource that is not versioned has just that.

    `revision` counts the writes to the unit from 1 and is what commit compares.
    """

    id: str
    revision: int
    versions: tuple[Version, ...]

    @property
    def current(self) -> Version:
        return self.versions[0]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a page: the current version of the resource `id`."""

    id: str
    version: Version


@dataclass(frozen=True, slots=True)
class Page:
    """The rows of a page, in order, and how many match in all; beyond the query's count_limit `exact` is False."""

    rows: Sequence[Row]
    total: int
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Change:
    """One atomic write to one resource, with the events that tell of it.

    `expected_revision` 0 inserts: the id must not be taken. `versions` empty deletes. An event is a whole TMF event
    document, `eventId` (unique), `eventTime` and `eventType` in front, for orjson to write, so that a part of it may be
    a Fragment; the store adds kind, id and revision beside it.
    """

    kind: str
    id: str
    expected_revision: int
    versions: tuple[Version, ...]
    events: tuple[Document, ...] = ()


def reject_other_revision(change: Change, stored: int) -> None:
    """Raise AlreadyExists or RevisionConflict unless `stored`, 0 where there is nothing, is what the change expects."""
    if change.expected_revision == 0 and stored:
        raise AlreadyExists(change.id)
    if change.expected_revision != stored or not (stored or change.versions):
        raise RevisionConflict(change.id)


@dataclass(frozen=True, slots=True)
class Index:
    """What the contract's x-index asks for: one path, or several for a compound index; True marks descending."""

    paths: tuple[tuple[Path, bool], ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of resource as a store needs to know it: its name, its indexes, and which paths are lists by contract.

    A compound index has no path through a list. `earlier_name`: what stores of format 1 call the kind; the first of
    several kinds with the same earlier name takes over what is stored under it.
    """

    name: str
    indexes: tuple[Index, ...] = ()
    lists: frozenset[Path] = frozenset()
    earlier_name: str = ""

    def goes_through_list(self, path: Path) -> bool:
        return any(path[:length] in self.lists for length in range(1, len(path) + 1))


def named_kind(name: str, kinds: Sequence[str]) -> str | None:
    """The kind that a user names in full, or by its last part where just one kind has it."""
    if name in kinds:
        return name
    found = [kind for kind in kinds if kind.rpartition("/")[2] == name]
    return found[0] if len(found) == 1 else None


class Storage(Protocol):
    """Keeps resources. Every method is atomic; what has returned survives a crash of the process and of the machine.

    All methods may raise StorageUnavailable. Nothing is raised for a kind that was not announced at opening but
    KeyError, which is a defect of the caller. `events` is there once the store is open.
    """

    events: EventStore

    async def open(self) -> None:
        """Make ready to serve. A server that is away is no error: the store recovers when it comes."""

    async def close(self) -> None:
        """Finish what is under way and let go of files and connections."""

    async def ping(self) -> None:
        """Return when the store can read and write; raise StorageUnavailable when it cannot, within its timeout."""

    async def get(self, kind: str, id: str) -> Record | None:
        """The resource with all its versions, as of the last acknowledged write; None when there is none."""

    async def find(self, kind: str, query: Query) -> Page:
        """The current versions that match, ordered, and their count. Deleted resources are never seen."""

    async def commit(self, change: Change) -> int:
        """Write the versions and their events together, or neither; answer the unit's new revision.

        Raises RevisionConflict when the stored revision is not `change.expected_revision`, AlreadyExists when an
        insert finds the id taken, RecordTooLarge and OutboxFull at their limits, NotStorable for a rule of the store's
        server, StorageUnavailable when the outcome is unknown.
        """

    async def load(self, kind: str, records: Sequence[Record]) -> list[str]:
        """Insert resources as they were in another store, revisions included and without events.

        Answers the ids that were taken; what is stored under them is left alone. Each resource is written whole or not
        at all, and all of them when the method returns. Raises RecordTooLarge before it has written anything.
        """

    async def unknown_kinds(self) -> Mapping[str, int]:
        """The kinds that were not announced at opening but of which something is stored: resources or events.

        Each with the number of its resources. Nothing of these kinds is read, changed, delivered or removed.
        """

    async def walk(self, kind: str, after: str, limit: int) -> Sequence[Record]:
        """Up to `limit` resources with all their versions, in the order of their ids, from the first after `after`.

        No id is empty, so an empty `after` starts at the first one.
        """
