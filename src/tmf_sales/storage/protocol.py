"""The storage protocol: what the service asks of a store, and what every store guarantees.

The adapters are memory, sqlite and mongo. The guarantees are those of MongoDB: one document is written atomically, with
compare-and-set by revision; there is no transaction over several.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from typing import Protocol

from tmf_sales.errors import CannotStart, Conflict, Unavailable
from tmf_sales.storage.conditions import Query
from tmf_sales.storage.events import EventStore
from tmf_sales.storage.records import Change, Page, Record, Version

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
    """Raise StoreRefused when no migration goes from the format of the store to the one that this release knows.

    `steps` contains each format from which a step goes to the next.
    """
    if found > known:
        raise StoreRefused(f"the store has format {found}, this release knows formats up to {known}")
    if not all(version in steps for version in range(found, known)):
        raise StoreRefused(f"the store has format {found}, from which this release knows no way to its format {known}")


class StorageUnavailable(Unavailable):
    """Raised when the store cannot be reached, takes too long, or the outcome of a write is unknown."""

    code = "storageUnavailable"
    reason = "The store is temporarily unavailable"


class TookTooLong(StorageUnavailable):
    """Raised by find when the query exceeds the store's time limit."""

    code = "queryTooExpensive"
    reason = "The query took too long"


class OutboxFull(Unavailable):
    """Raised by commit when 200 events, or 4 MB of them, already wait in the document (MongoDB)."""

    code = "outboxFull"
    reason = "Too many pending events of this resource"


def reject_too_large_record(versions: Sequence[Version]) -> None:
    """Raise RecordTooLarge when the versions together, as JSON, exceed 8 MB."""
    size = sum(len(version.text) for version in versions)
    if size > RECORD_LIMIT:
        raise RecordTooLarge(f"{size} bytes, at most {RECORD_LIMIT}")


def reject_other_revision(change: Change, stored: int) -> None:
    """Raise AlreadyExists or RevisionConflict unless the change expects the revision `stored` (0: none is stored)."""
    if change.expected_revision == 0 and stored:
        raise AlreadyExists(change.id)
    if change.expected_revision != stored or not (stored or change.versions):
        raise RevisionConflict(change.id)


def note_nothing(_seconds: float) -> None: ...


class Storage(Protocol):
    """Stores resources. Every method is atomic; what has returned survives a crash of the process and of the machine.

    All methods may raise StorageUnavailable. A kind that was not announced at opening raises KeyError: that is a defect
    of the caller. `events` exists once the store is open.
    """

    events: EventStore
    format: int | None
    """The version of the format in which it stores; None for a store that keeps nothing."""
    note_get: Callable[[float], None] = staticmethod(note_nothing)
    """Called with the seconds that each `get` took; not by the memory store, whose reads take less than a clock."""

    async def open(self) -> None:
        """Get ready to serve. An unreachable server is not an error: the store recovers when the server returns."""

    async def close(self) -> None:
        """Finish the work in progress and release files and connections."""

    async def ping(self) -> None:
        """Return when the store can read and write; raise StorageUnavailable when it cannot, within its timeout."""

    async def get(self, kind: str, id: str) -> Record | None:
        """Return the resource with all its versions, as of the last acknowledged write; None when there is none."""

    async def find(self, kind: str, query: Query) -> Page:
        """Return the current versions that match, in order, and their count. Deleted resources never match.

        Reads no more than the page and the row at which it was cut.
        """

    async def commit(self, change: Change) -> int:
        """Write the versions and all events of `change` together, or neither; return the record's new revision.

        Raises RevisionConflict when the stored revision is not `change.expected_revision`, AlreadyExists when an
        insert finds the id taken, RecordTooLarge and OutboxFull at their limits, NotStorable for a rule of the store's
        server, StorageUnavailable when the outcome is unknown.
        """

    async def load(self, kind: str, records: Sequence[Record]) -> list[str]:
        """Insert resources as they were in another store, revisions included and without events.

        Returns the ids that were taken; the resources under them do not change. Each resource is written as a whole or
        not at all, and all of them when the method returns. Raises RecordTooLarge before it has written anything.
        """

    async def unknown_kinds(self) -> Mapping[str, int]:
        """Return the kinds with stored resources or events that were not announced at opening.

        Each has the number of its resources. Nothing of these kinds is read, changed, delivered or removed.
        """

    async def walk(self, kind: str, after: str, limit: int) -> Sequence[Record]:
        """Return up to `limit` resources with all their versions, in the order of their ids, the first after `after`.

        No id is empty, so an empty `after` starts at the first one.
        """
