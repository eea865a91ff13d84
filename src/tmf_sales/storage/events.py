"""What the delivery of events asks of a store: the log of events, and the lanes in which they go to listeners.

A lane is one listener's way for the events of one resource: they go out in their order, and while one waits for its
retry, only those behind it wait. A lane is there while something is to be delivered in it; what has to go is not
copied into it but read from the log, so its size is always that of a cursor.
Every adapter offers this as `events` beside its Storage; it is written so that each step touches one record at a time
and may be done twice (after a crash, or by two workers) without losing anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import orjson

from tmf_sales.storage.protocol import Document

BEHIND = "~"
"""Added to the order of an event this sorts behind it, and before the order of the next one."""


HEAD = 400
"""Within so many bytes of its text an event has its id, time and type, which stand in front."""


class StoredEvent:
    """An event of the log. `order` sorts the events of one resource as they happened: ASCII texts of equal length.

    `stored` is when it came into the log, in seconds since 1970; `text` the event document as JSON in UTF-8.
    """

    __slots__ = ("_document", "id", "kind", "order", "resource", "revision", "stored", "text")

    def __init__(
        self, id: str, kind: str, resource: str, revision: int, order: str, stored: float, text: bytes
    ) -> None:
        self.id = id
        self.kind = kind
        self.resource = resource
        self.revision = revision
        self.order = order
        self.stored = stored
        self.text = text
        self._document: Document | None = None

    @property
    def document(self) -> Document:
        if self._document is None:
            self._document = orjson.loads(self.text)
        return self._document


def up_to(size: int, found: Iterable[StoredEvent]) -> list[StoredEvent]:
    """The first of them, until their texts together have `size` bytes; what is behind these is not fetched."""
    taken: list[StoredEvent] = []
    for event in found:
        taken.append(event)
        size -= len(event.text)
        if size <= 0:
            break
    return taken


def type_member(type: str) -> bytes:
    """As it stands in the text of an event."""
    return b'"eventType":' + orjson.dumps(type)


def is_of_type(event: StoredEvent, type: str) -> bool:
    """Whether it has this eventType; a text is parsed, and not kept so, only where that stands in its beginning."""
    return type_member(type) in event.text[:HEAD] and orjson.loads(event.text).get("eventType") == type


def is_full(events: Sequence[StoredEvent], limit: int, size: int) -> bool:
    """Whether a batch ends at one of its bounds, so that there may be more behind it."""
    return len(events) >= limit or sum(len(event.text) for event in events) >= size


class QueueKey(NamedTuple):
    """What names a lane."""

    subscription: str
    kind: str
    resource: str


@dataclass(frozen=True, slots=True)
class DeliveryQueue:
    """Events of the resource from order `first` to order `last`, both included, are to go to the listener.

    `failures` counts the failed tries in a row of the event that is next.
    """

    key: QueueKey
    first: str
    last: str
    failures: int = 0


@dataclass(frozen=True, slots=True)
class FanOut:
    """An event and the listeners that are to get it; those in `leased` with the lane leased at once when it is new."""

    event: StoredEvent
    subscriptions: Sequence[str]
    leased: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """One try of one delivery. `at` is seconds since 1970, `duration` seconds; `answer` at most 2 KB."""

    subscription: str
    event: str
    at: float
    duration: float
    status: int | None
    answer: str
    error: str | None


@dataclass(frozen=True, slots=True)
class Step:
    """What came of a try in a leased lane. `first` is where the lane now begins: `order + BEHIND` after a success.

    With `due` (seconds since 1970) the lease is given back and the lane rests until then; without, it is kept.
    """

    delivery: DeliveryQueue
    first: str
    failures: int = 0
    due: float | None = None
    attempt: AttemptRecord | None = None


BATCH_BYTES = 4 * 1024 * 1024


class EventStore(Protocol):
    """The log and the lanes. A worker is named by `owner`; it has a lane while its lease runs. Times are since 1970.

    All methods may raise StorageUnavailable.
    """

    arrived: asyncio.Event
    """Set whenever this process has put events where `unfanned` finds them; whoever waits for it clears it."""

    async def not_fanned_out(self, limit: int, size: int = BATCH_BYTES) -> list[StoredEvent]:
        """Events not yet fanned out, the oldest first; those of one resource in their order, none left out between.

        At most `limit`, and none behind the one with which their texts reach `size` bytes: see `is_full`.
        Where events wait in documents, those of this process's writes are moved on as they happen; see `sweep`.
        """

    async def sweep(self) -> int:
        """Move on what a crash left in documents; answer how many events. Nothing to do where they never wait."""

    async def start_now(self, subscription: str) -> None:
        """Let a new subscription get only events of writes that are committed after this call.

        `fan_out` leaves it out of earlier events, and queues of an earlier subscription with this id are removed.
        """

    async def fan_out(self, fans: Sequence[FanOut], owner: str, until: float, now: float) -> list[DeliveryQueue]:
        """For each event not yet fanned out: put it into the lanes of its listeners, then mark it as fanned out.

        A lane that is not there is made, beginning with this event, due now, or leased to `owner` until `until`. One
        that is there only gets its `last` raised: neither its lease nor its due time changes. Answers the lanes that
        were made and leased, each as it is after the last of the events. The order of `fans` is kept.
        """

    async def claim(self, owner: str, until: float, now: float, room: Mapping[str, int]) -> list[DeliveryQueue]:
        """Lease lanes that are due and that nobody has a running lease on: for each listener at most its `room`.

        Those due longest come first. A lane goes to one owner only, whatever other workers do at the same time.
        """

    async def events_of(self, delivery: DeliveryQueue, limit: int, size: int = BATCH_BYTES) -> list[StoredEvent]:
        """The events of the lane's resource from `first` to `last`, in their order; as many as `unfanned` gives."""

    async def of_type(self, kind: str, resource: str, type: str, limit: int) -> list[StoredEvent]:
        """The newest `limit` events of a resource that have this eventType, in their order.

        The texts of others stay in the store, or are in memory a few at a time.
        """

    async def record(self, steps: Sequence[Step], owner: str, until: float) -> list[DeliveryQueue | None]:
        """Write down what came of tries, and keep their attempts; the answers stand in the order of the steps.

        A step counts if the owner still has the lane as the step knows it (the same `first`; a replay may have moved
        it). One that does not count: None. If nothing is left between `first` and `last`, as it now is, the lane is
        removed: None. With `due` it is given back: None. Otherwise the lane as it now is, leased until `until`.
        """

    async def renew(self, deliveries: Sequence[DeliveryQueue], owner: str, until: float) -> None:
        """Extend the leases that the owner has on these lanes."""

    async def release(self, owner: str, now: float) -> None:
        """Give back all leases of the owner; its lanes are due now."""

    async def rewind(self, subscription: str, events: Sequence[StoredEvent], now: float) -> None:
        """Deliver these events to the listener again, and what lies between them and where their lanes are.

        Lanes that are not there are made; those that are get the smaller `first`, the larger `last`, no failures, and
        are due now, their leases taken away.
        """

    async def forget(self, subscription: str) -> None:
        """Remove all lanes of the listener."""

    async def log(self, cursor: str | None, since: float, limit: int) -> tuple[list[StoredEvent], str | None]:
        """A page of the log, events stored at `since` or later in the order in which they were stored, and where the
        next page begins: None or a cursor gives the first page or that one; the last cursor again gives what is new.
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
        """A page of the log with the events of these kinds of resources, and the place of its last one.

        The events after the place in the order of the log, or with `newest_first` those before it in reverse order;
        None is the beginning. At most `limit`, and none behind the one with which their texts reach `size` bytes. A
        page that is empty returns the place that was given. `settled`: only events before which no process stores any
        other later, so that whoever follows the log misses none; a store may show an event a second late for that.
        """

    async def place_of(self, id: str) -> str | None:
        """The place of an event for `read_log`; None when the log does not have it."""

    async def end_of_log(self) -> str:
        """The place behind the newest event."""

    async def attempts(self, *, subscription: str | None, since: float, limit: int) -> list[AttemptRecord]:
        """Attempts made at `since` or later, of one listener or of all, the newest first."""

    async def waiting(self) -> Mapping[str, int]:
        """How many lanes each listener has, for those that have some."""

    async def retrying(self) -> set[str]:
        """The subscriptions that have a queue whose next event failed at its last attempt."""

    async def expire(self, before: float) -> int:
        """Remove events that were stored before, fanned out, and are in no lane, and attempts made before.

        Answers how many events were removed.
        """
