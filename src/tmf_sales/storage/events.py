"""The store's part of event delivery: the event log, and a delivery queue for each subscription and resource.

A delivery queue sends the events of one resource to one subscription in order; while an event waits for its retry, only
those behind it wait. A queue exists while it has something to deliver. It does not copy events but reads them from the
log, so its size is always that of a cursor.
Every adapter offers this as `events` beside its Storage. Each step touches one record at a time and may be repeated
(after a crash, or by two workers) without losing anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import orjson

from tmf_sales.storage.records import Document

BEHIND = "~"
"""Added to the order of an event this sorts behind it, and before the order of the next one."""


AUDIT_RECORD = "AuditRecord"
"""The event type of the log's own entries, which tell who changed a resource. They are never delivered."""

HEAD = 400
"""Within so many bytes of its text an event has its id, time and type, which stand in front."""


EVENT_END = b"}}"
SharedText = tuple[bytes, bytes, int]
"""The text of an event that ends with a stored document, without a copy of it: what is before the part that they share,
the text of the document, and where the shared part begins in it. EVENT_END follows."""


class StoredEvent:
    """An event of the log. `order` sorts the events of one resource as they happened: ASCII texts of equal length.

    `stored`: when it was added to the log, in seconds since 1970; `text`: the event document as JSON in UTF-8.
    """

    __slots__ = ("_document", "_text", "id", "kind", "order", "resource", "revision", "stored")

    def __init__(
        self, id: str, kind: str, resource: str, revision: int, order: str, stored: float, text: bytes | SharedText
    ) -> None:
        self.id = id
        self.kind = kind
        self.resource = resource
        self.revision = revision
        self.order = order
        self.stored = stored
        self._text = text
        self._document: Document | None = None

    @property
    def text(self) -> bytes:
        if isinstance(self._text, bytes):
            return self._text
        front, document, begin = self._text
        return b"".join((front, document[begin:], EVENT_END))

    @property
    def document(self) -> Document:
        if self._document is None:
            self._document = orjson.loads(self.text)
        return self._document


def up_to(size: int, found: Iterable[StoredEvent]) -> list[StoredEvent]:
    """Return the first events until their texts together reach `size` bytes; later ones are not fetched."""
    taken: list[StoredEvent] = []
    for event in found:
        taken.append(event)
        size -= len(event.text)
        if size <= 0:
            break
    return taken


def type_member(type: str) -> bytes:
    """Return the eventType member as it appears in the text of an event."""
    return b'"eventType":' + orjson.dumps(type)


def is_of_type(event: StoredEvent, type: str) -> bool:
    """Return whether it has this eventType.

    The text is parsed, and the result not kept, only if the type occurs in the beginning of the text.
    """
    return type_member(type) in event.text[:HEAD] and orjson.loads(event.text).get("eventType") == type


def is_full(events: Sequence[StoredEvent], limit: int, size: int) -> bool:
    """Return whether a batch reached one of its limits, so that more events may follow."""
    return len(events) >= limit or sum(len(event.text) for event in events) >= size


class QueueKey(NamedTuple):
    """Identifies a delivery queue."""

    subscription: str
    kind: str
    resource: str


@dataclass(frozen=True, slots=True)
class DeliveryQueue:
    """The events of a resource, from order `first` to order `last` inclusive, to deliver to a subscription.

    `failures` counts the failed attempts in a row of the next event.
    """

    key: QueueKey
    first: str
    last: str
    failures: int = 0


@dataclass(frozen=True, slots=True)
class FanOut:
    """An event and the subscriptions that get it. For those in `leased`, a new delivery queue is leased at once."""

    event: StoredEvent
    subscriptions: Sequence[str]
    leased: Collection[str] = ()


def is_success(status: int | None) -> bool:
    """Return whether a receiver that responds with this status has the event."""
    return status is not None and 200 <= status < 300


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """One attempt of one delivery. `at`: seconds since 1970; `duration`: seconds; `answer`: at most 2 KB."""

    subscription: str
    event: str
    at: float
    duration: float
    status: int | None
    answer: str
    error: str | None

    @property
    def succeeded(self) -> bool:
        return is_success(self.status)


@dataclass(frozen=True, slots=True)
class Step:
    """The outcome of an attempt in a leased queue. `first`: where the queue now begins; `order + BEHIND` on success.

    With `due` (seconds since 1970) the lease is released and the queue rests until then; without it, the lease is kept.
    """

    delivery: DeliveryQueue
    first: str
    failures: int = 0
    due: float | None = None
    attempt: AttemptRecord | None = None


class Backlog(NamedTuple):
    """The number of pending events, and when the oldest of them was stored, in seconds since 1970; None without any."""

    events: int
    oldest: float | None

    def and_also(self, other: Backlog) -> Backlog:
        """Both together; no event may be in both."""
        times = [each.oldest for each in (self, other) if each.oldest is not None]
        return Backlog(self.events + other.events, min(times, default=None))


BATCH_BYTES = 4 * 1024 * 1024


class EventStore(Protocol):
    """The event log and the delivery queues. `owner` names a worker, which holds a queue while its lease runs.

    Times are in seconds since 1970. All methods may raise StorageUnavailable.
    """

    arrived: asyncio.Event
    """Set when this process has put events where `not_fanned_out` finds them; the waiting worker clears it."""

    async def not_fanned_out(self, limit: int, size: int = BATCH_BYTES) -> list[StoredEvent]:
        """Return events not yet fanned out, oldest first; those of one resource in order and without gaps.

        At most `limit`, ending with the one at which their texts reach `size` bytes: see `is_full`. If events first
        wait in documents, those of this process's writes are moved to the log right away; see `sweep`.
        """

    async def sweep(self, *, everything: bool = False) -> int:
        """Move events that a crash left in documents to the log; return how many (0 if they never wait there).

        `everything`: also those that this process is about to move, so that the log has all events of earlier writes.
        """

    async def start_now(self, subscription: str) -> None:
        """Let a new subscription get only events of writes that are committed after this call.

        `fan_out` skips it for earlier events. Queues of an earlier subscription with this id are removed.
        """

    async def fan_out(self, fans: Sequence[FanOut], owner: str, until: float, now: float) -> list[DeliveryQueue]:
        """Put each event that is not yet fanned out into the queues of its subscriptions, then mark it as fanned out.

        A missing queue is created, beginning with this event: due now, or leased to `owner` until `until`. An existing
        queue only gets its `last` raised; its lease and due time do not change. Returns the queues that were created
        and leased, as they are after the last of the events. The order of `fans` is kept.
        """

    async def claim(self, owner: str, until: float, now: float, room: Mapping[str, int]) -> list[DeliveryQueue]:
        """Lease queues that are due and not leased by anybody: for each subscription at most its `room`.

        Those due longest come first. A queue goes to one owner only, whatever other workers do at the same time.
        """

    async def events_of(self, delivery: DeliveryQueue, limit: int, size: int = BATCH_BYTES) -> list[StoredEvent]:
        """Return the events of the queue from `first` to `last`, in order; limited like `not_fanned_out`."""

    async def of_type(self, kind: str, resource: str, type: str, limit: int) -> list[StoredEvent]:
        """Return the newest `limit` events of a resource that have this eventType, in order.

        The texts of other events stay in the store, or are in memory only a few at a time.
        """

    async def record(self, steps: Sequence[Step], owner: str, until: float) -> list[DeliveryQueue | None]:
        """Record the outcomes of attempts and the attempts themselves; return one result for each step, in order.

        A step counts if the owner still holds the queue with the `first` that the step knows (a replay may have moved
        it). The result is None when the step does not count, when nothing is left between the new `first` and the
        present `last` (the queue is removed), and with `due` (the lease is released). Otherwise the result is the queue
        as it now is, leased until `until`.
        """

    async def renew(self, deliveries: Sequence[DeliveryQueue], owner: str, until: float) -> None:
        """Extend the leases that the owner has on these queues."""

    async def release(self, owner: str, now: float) -> None:
        """Release all leases of the owner; its queues are due now."""

    async def rewind(self, subscription: str, events: Sequence[StoredEvent], now: float) -> None:
        """Deliver these events to the subscription again, and all events between them and the place of their queue.

        Missing queues are created. Existing ones get the smaller `first`, the larger `last`, no failures and no lease,
        and are due now.
        """

    async def forget(self, subscription: str) -> None:
        """Remove all queues of the subscription."""

    async def log(self, cursor: str | None, since: float, limit: int) -> tuple[list[StoredEvent], str | None]:
        """Return a page of the log, and the cursor at which the next page begins.

        The page has events stored at `since` or later, in the order in which they were stored. Without a cursor it is
        the first page; using the last cursor again returns what is new.
        """

    async def read_log(
        self,
        kinds: Collection[str],
        *,
        place: str | None = None,
        newest_first: bool = False,
        settled: bool = False,
        limit: int,
        size: int = BATCH_BYTES,
    ) -> tuple[list[StoredEvent], str]:
        """Return a page of the log with the events of these kinds of resources, and the place of its last event.

        The page has the events after the place in the order of the log, or with `newest_first` those before it in
        reverse order; None is the beginning. At most `limit`, ending with the one at which their texts reach `size`
        bytes. An empty page returns the given place. `settled`: leave out the newest events while another process may
        still store one before them, so that a reader that follows the log misses none; a store may therefore show an
        event a second late.
        """

    async def place_of(self, id: str) -> str | None:
        """Return the place of an event for `read_log`; None when it is not in the log."""

    async def with_ids(self, ids: Collection[str], size: int = BATCH_BYTES) -> list[StoredEvent]:
        """Return the events with these ids that are in the log, in the order of their first mention.

        Ends with the event at which their texts reach `size` bytes.
        """

    async def end_of_log(self) -> str:
        """Return the place behind the newest event."""

    async def attempts(self, *, subscription: str | None, since: float, limit: int) -> list[AttemptRecord]:
        """Return attempts made at `since` or later, of one subscription or of all, newest first."""

    async def waiting(self) -> Mapping[str, int]:
        """Return the number of queues of each subscription that has any."""

    async def retrying(self) -> set[str]:
        """Return the subscriptions that have a queue whose next event failed at its last attempt."""

    async def backlog(self) -> Backlog:
        """Count the events that are not fanned out, or are in the queue of a subscription; each event once."""

    async def rewrite(self, texts: Mapping[str, bytes]) -> int:
        """Replace the texts of these events, by event id; return how many of them are in the log.

        Nothing else about an event changes, so that it is still delivered, listed and replayed in its place.
        """

    async def expire(self, before: float, audit_before: float | None = None) -> int:
        """Remove events stored before this time that are fanned out and in no queue, and attempts made before it.

        Audit records are removed when they were stored before `audit_before` (None: before the same time as events).
        Returns how many events and audit records were removed.
        """
