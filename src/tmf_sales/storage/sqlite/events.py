"""Keeps the event log and delivery queues in the SQLite file; an event is stored in the transaction of its write.

The position in the log is the order of commits. All writes go through the process's one writer.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import orjson

from tmf_sales.storage.events import (
    AUDIT_RECORD,
    BATCH_BYTES,
    HEAD,
    AttemptRecord,
    Backlog,
    DeliveryQueue,
    EventStore,
    FanOut,
    QueueKey,
    Step,
    StoredEvent,
    type_member,
    up_to,
)
from tmf_sales.storage.grouped import Grouped
from tmf_sales.storage.records import Change
from tmf_sales.storage.sqlite.reader import Reader
from tmf_sales.storage.sqlite.writer import Writer

T = TypeVar("T")
Read = Callable[[Reader], list[StoredEvent]]

EVENT = "position, id, kind, resource, revision, stored, text"
OF_LANE = "listener = ? AND kind = ? AND resource = ?"
# The plus keeps the planner from using an index here: there are few kinds, and the other conditions are more selective.
OF_KNOWN_KIND = "+kind IN (SELECT value FROM json_each(?))"
EXPIRE_BATCH = 500
QUEUES_AT_ONCE = 64
ORDER_LENGTH = 16
NOT_FANNED_OUT, FANNED_OUT, NEVER_FANNED_OUT = range(3)
"""The values of `fanned`. Audit records are never fanned out; those of earlier releases have FANNED_OUT."""
APPEND = (
    "INSERT INTO event (id, kind, resource, revision, stored, fanned, text)"
    f" VALUES (?, ?, ?, ?, ?, coalesce(?, (SELECT iif(total, {NOT_FANNED_OUT}, {FANNED_OUT})"
    " FROM kind WHERE name = ?)), ?)"
)


class InThread(Protocol):
    """Runs a read on some reader, off the event loop."""

    async def __call__(self, read: Callable[[Reader], T], /) -> T: ...


def append_events(connection: sqlite3.Connection, change: Change, stored: float, subscriptions: str | None) -> None:
    """Add the events of `change` to the log, as part of the transaction that writes it.

    `subscriptions`: the kind that subscribes, if the store has one. While there are no subscriptions, events need no
    delivery: to mark them later would write each one a second time.
    """
    state = NOT_FANNED_OUT if subscriptions is None else None
    connection.executemany(
        APPEND,
        [
            (
                each["eventId"],
                change.kind,
                change.id,
                revision,
                stored,
                NEVER_FANNED_OUT if each.get("eventType") == AUDIT_RECORD else state,
                subscriptions,
                orjson.dumps(each),
            )
            for revision, each in change.all_events()
        ],
    )


class SqliteEvents(EventStore):
    """Reads in threads, writes through the writer. `kinds`: only their events are delivered."""

    def __init__(self, writer: Writer, in_thread: InThread, kinds: Sequence[str]) -> None:
        self.arrived = asyncio.Event()
        self._writer = writer
        self._in_thread = in_thread
        self._kinds = orjson.dumps(list(kinds)).decode()
        self._queues: Grouped[Read, list[StoredEvent] | Exception] = Grouped(self._read_queues, QUEUES_AT_ONCE)

    async def not_fanned_out(self, limit: int, size: int = BATCH_BYTES) -> list[StoredEvent]:
        rest = f"fanned = 0 AND {OF_KNOWN_KIND} ORDER BY position LIMIT ?"
        return await self._batch(rest, self._kinds, limit, size=size)

    async def sweep(self, *, everything: bool = False) -> int:
        return 0

    async def start_now(self, subscription: str) -> None:
        def write(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM lane WHERE listener = ?", (subscription,))
            connection.execute(
                "INSERT OR REPLACE INTO subscription_start SELECT ?, coalesce(max(position), 0) FROM event",
                (subscription,),
            )

        await self._writer.run(write)

    async def fan_out(self, fans: Sequence[FanOut], owner: str, until: float, now: float) -> list[DeliveryQueue]:
        def write(connection: sqlite3.Connection) -> list[DeliveryQueue]:
            made: dict[QueueKey, None] = {}
            connection.executemany(
                "UPDATE event SET fanned = 1 WHERE position = ?",
                [(_last_position(fan.event.order),) for fan in fans if not fan.subscriptions],
            )
            starts = dict(connection.execute("SELECT listener, position FROM subscription_start"))
            for fan in fans:
                if not fan.subscriptions or not _mark_fanned(connection, fan.event):
                    continue
                for subscription in fan.subscriptions:
                    if _last_position(fan.event.order) <= starts.get(subscription, 0):
                        continue
                    key = QueueKey(subscription, fan.event.kind, fan.event.resource)
                    if not _extend(connection, key, fan.event.order):
                        is_leased = subscription in fan.leased
                        _make(connection, key, fan.event.order, now, owner if is_leased else None, until)
                        if is_leased:
                            made[key] = None
            return [delivery for key in made if (delivery := _delivery_queue_of(connection, key, owner)) is not None]

        return await self._writer.run(write)

    async def claim(self, owner: str, until: float, now: float, room: Mapping[str, int]) -> list[DeliveryQueue]:
        def write(connection: sqlite3.Connection) -> list[DeliveryQueue]:
            claimed: list[tuple[float, DeliveryQueue]] = []
            for subscription, free in room.items():
                rows = connection.execute(
                    "SELECT due, listener, kind, resource, first, last, failures FROM lane"
                    f" WHERE listener = ? AND due <= ? AND (owner IS NULL OR until <= ?) AND {OF_KNOWN_KIND}"
                    " ORDER BY due LIMIT ?",
                    (subscription, now, now, self._kinds, free),
                ).fetchall()
                claimed += [(due, _delivery_queue(row)) for due, *row in rows]
            connection.executemany(
                f"UPDATE lane SET owner = ?, until = ? WHERE {OF_LANE}",
                [(owner, until, *delivery.key) for _, delivery in claimed],
            )
            return [delivery for _, delivery in sorted(claimed, key=lambda pair: pair[0])]

        # A read costs less than a write, and usually nothing is due.
        if not await self._is_any_due(now, room):
            return []
        return await self._writer.run(write)

    async def events_of(self, delivery: DeliveryQueue, limit: int, size: int = BATCH_BYTES) -> list[StoredEvent]:
        rest = "kind = ? AND resource = ? AND position BETWEEN ? AND ? ORDER BY position LIMIT ?"
        of_queue = (delivery.key.kind, delivery.key.resource, *_positions(delivery), limit)
        found = await self._queues.done(_batch(rest, of_queue, size))
        if isinstance(found, Exception):
            raise found
        return found

    async def _read_queues(self, reads: Sequence[Read]) -> list[list[StoredEvent] | Exception]:
        """Read the events of several queues at once: changing to a thread and back costs more than such a read."""
        return await self._in_thread(lambda reader: [_result_of(read, reader) for read in reads])

    async def of_type(self, kind: str, resource: str, type: str, limit: int) -> list[StoredEvent]:
        # The beginning of the text usually shows that the type is another one, so that it need not be parsed as JSON.
        found = await self._events(
            "kind = ? AND resource = ? AND CASE WHEN instr(substr(text, 1, ?), ?) > 0"
            " THEN json_extract(CAST(text AS TEXT), '$.eventType') = ? ELSE 0 END ORDER BY position DESC LIMIT ?",
            kind,
            resource,
            HEAD,
            type_member(type),
            type,
            limit,
        )
        return found[::-1]

    async def record(self, steps: Sequence[Step], owner: str, until: float) -> list[DeliveryQueue | None]:
        return await self._writer.run(lambda connection: [_take(connection, step, owner, until) for step in steps])

    async def renew(self, deliveries: Sequence[DeliveryQueue], owner: str, until: float) -> None:
        await self._write(
            f"UPDATE lane SET until = ? WHERE {OF_LANE} AND owner = ?",
            [(until, *delivery.key, owner) for delivery in deliveries],
        )

    async def release(self, owner: str, now: float) -> None:
        await self._write("UPDATE lane SET owner = NULL, due = ? WHERE owner = ?", [(now, owner)])

    async def rewind(self, subscription: str, events: Sequence[StoredEvent], now: float) -> None:
        await self._write(
            "INSERT INTO lane (listener, kind, resource, first, last, due, failures, owner, until)"
            " VALUES (?, ?, ?, ?, ?, ?, 0, NULL, 0) ON CONFLICT (listener, kind, resource) DO UPDATE SET"
            " first = min(first, excluded.first), last = max(last, excluded.last), due = excluded.due,"
            " failures = 0, owner = NULL",
            [(subscription, each.kind, each.resource, each.order, each.order, now) for each in events],
        )

    async def forget(self, subscription: str) -> None:
        await self._write("DELETE FROM lane WHERE listener = ?", [(subscription,)])

    async def log(self, cursor: str | None, since: float, limit: int) -> tuple[list[StoredEvent], str | None]:
        after = int(cursor, 16) if cursor else 0
        page = await self._events("position > ? AND stored >= ? ORDER BY position LIMIT ?", after, since, limit)
        return page, page[-1].order if page else cursor

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
        # The plus keeps SQLite from reading all events of the kinds by their index and sorting them.
        of_kinds = f"+kind IN ({', '.join('?' * len(kinds))})"
        way = "position < ? ORDER BY position DESC" if newest_first else "position > ? ORDER BY position"
        behind = int(place, 16) if place else 2**63 - 1 if newest_first else 0
        found = await self._batch(f"{of_kinds} AND {way} LIMIT ?", *kinds, behind, limit, size=size)
        return found, found[-1].order if found else place or ""

    async def place_of(self, id: str) -> str | None:
        rows = await self._rows("SELECT position FROM event WHERE id = ?", id)
        return f"{rows[0][0]:016x}" if rows else None

    async def with_ids(self, ids: Collection[str], size: int = BATCH_BYTES) -> list[StoredEvent]:
        def read(reader: Reader) -> list[StoredEvent]:
            # One at a time, so that no more texts are in memory than `size` allows.
            found = (reader.read(f"SELECT {EVENT} FROM event WHERE id = ?", [id]) for id in dict.fromkeys(ids))
            return up_to(size, (_event(row) for rows in found for row in rows))

        return await self._in_thread(read)

    async def end_of_log(self) -> str:
        ((position,),) = await self._rows("SELECT coalesce(max(position), 0) FROM event")
        return f"{position:016x}"

    async def attempts(self, *, subscription: str | None, since: float, limit: int) -> list[AttemptRecord]:
        of_one, ids = ("", []) if subscription is None else (" AND listener = ?", [subscription])
        rows = await self._rows(
            "SELECT listener, event, at, duration, status, answer, error FROM attempt"
            f" WHERE at >= ?{of_one} ORDER BY at DESC, rowid DESC LIMIT ?",
            since,
            *ids,
            limit,
        )
        return [AttemptRecord(*row) for row in rows]

    async def waiting(self) -> Mapping[str, int]:
        return dict(await self._rows("SELECT listener, count(*) FROM lane GROUP BY listener"))

    async def retrying(self) -> set[str]:
        return {each for (each,) in await self._rows("SELECT DISTINCT listener FROM lane WHERE failures > 0")}

    async def backlog(self) -> Backlog:
        new = await self._rows(
            f"SELECT count(*), min(stored) FROM event WHERE fanned = 0 AND {OF_KNOWN_KIND}", self._kinds
        )
        # An event in the queues of several subscriptions counts once.
        queued = await self._rows(
            "SELECT count(*), min(stored) FROM (SELECT DISTINCT e.position, e.stored"
            " FROM lane AS l CROSS JOIN event AS e WHERE e.kind = l.kind AND e.resource = l.resource AND e.fanned = 1"
            " AND printf('%016x', e.position) BETWEEN l.first AND l.last)"
        )
        return Backlog(*new[0]).and_also(Backlog(*queued[0]))

    async def rewrite(self, texts: Mapping[str, bytes]) -> int:
        rows = [(text, id) for id, text in texts.items()]
        return await self._writer.run(
            lambda connection: connection.executemany("UPDATE event SET text = ? WHERE id = ?", rows).rowcount
        )

    async def expire(self, before: float, audit_before: float | None = None) -> int:
        await self._write("DELETE FROM attempt WHERE at < ?", [(before,)])
        # A start position is obsolete once no event up to it is waiting to be fanned out.
        await self._write(
            "DELETE FROM subscription_start WHERE NOT EXISTS"
            " (SELECT 1 FROM event WHERE fanned = 0 AND event.position <= subscription_start.position)",
            [()],
        )
        of_events = await self._expire_all(EXPIRED_EVENTS, before)
        return of_events + await self._expire_all(EXPIRED_AUDIT, before if audit_before is None else audit_before)

    async def _expire_all(self, which: str, before: float) -> int:
        removed = 0
        while True:  # A few at a time, so that no write waits long behind them.
            batch = await self._writer.run(lambda connection: _expire_some(connection, which, before))
            removed += batch
            if batch < EXPIRE_BATCH:
                return removed

    async def _is_any_due(self, now: float, room: Mapping[str, int]) -> bool:
        rows = await self._rows(
            "SELECT 1 FROM json_each(?) AS l WHERE EXISTS (SELECT 1 FROM lane WHERE listener = l.value AND due <= ?"
            f" AND (owner IS NULL OR until <= ?) AND {OF_KNOWN_KIND}) LIMIT 1",
            orjson.dumps(list(room)).decode(),
            now,
            now,
            self._kinds,
        )
        return bool(rows)

    async def _events(self, rest: str, *values: Any) -> list[StoredEvent]:
        return [_event(row) for row in await self._rows(f"SELECT {EVENT} FROM event WHERE {rest}", *values)]

    async def _batch(self, rest: str, *values: Any, size: int) -> list[StoredEvent]:
        return await self._in_thread(_batch(rest, values, size))

    async def _rows(self, sql: str, *values: Any) -> list[Any]:
        return await self._in_thread(lambda reader: reader.read(sql, list(values)))

    async def _write(self, sql: str, rows: Sequence[tuple[Any, ...]]) -> None:
        await self._writer.run(lambda connection: connection.executemany(sql, rows))


def _batch(rest: str, values: Sequence[Any], size: int) -> Read:
    """The read of some events, no more of them than have `size` bytes together."""

    def read(reader: Reader) -> list[StoredEvent]:
        with reader.rows(f"SELECT {EVENT} FROM event WHERE {rest}", list(values)) as rows:
            return up_to(size, map(_event, rows))

    return read


def _result_of(read: Read, reader: Reader) -> list[StoredEvent] | Exception:
    """What the read returns or raises: a failure is that of its queue alone."""
    try:
        return read(reader)
    except Exception as error:  # noqa: BLE001  `events_of` raises it
        return error


def _event(row: Sequence[Any]) -> StoredEvent:
    position, id, kind, resource, revision, stored, text = row
    return StoredEvent(id, kind, resource, revision, f"{position:016x}", stored, text)


def _delivery_queue(row: Sequence[Any]) -> DeliveryQueue:
    subscription, kind, resource, first, last, failures = row
    return DeliveryQueue(QueueKey(subscription, kind, resource), first, last, failures)


def _positions(delivery: DeliveryQueue) -> tuple[int, int]:
    """The first and last position of a queue; an order with BEHIND begins at the next position."""
    return _last_position(delivery.first) + (len(delivery.first) > ORDER_LENGTH), _last_position(delivery.last)


def _last_position(order: str) -> int:
    return int(order[:ORDER_LENGTH], 16)


def _mark_fanned(connection: sqlite3.Connection, event: StoredEvent) -> bool:
    """Mark the event as fanned out; return whether it was not fanned out before."""
    marked = connection.execute(
        "UPDATE event SET fanned = 1 WHERE position = ? AND fanned = 0", (_last_position(event.order),)
    )
    return marked.rowcount == 1


def _extend(connection: sqlite3.Connection, key: QueueKey, order: str) -> bool:
    """Extend the queue up to `order` at least; return whether the queue exists."""
    return connection.execute(f"UPDATE lane SET last = max(last, ?) WHERE {OF_LANE}", (order, *key)).rowcount == 1


def _make(
    connection: sqlite3.Connection, key: QueueKey, order: str, due: float, owner: str | None, until: float
) -> None:
    connection.execute(
        "INSERT INTO lane (listener, kind, resource, first, last, due, failures, owner, until)"
        " VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?)",
        (*key, order, order, due, owner, until),
    )


def _delivery_queue_of(connection: sqlite3.Connection, key: QueueKey, owner: str) -> DeliveryQueue | None:
    row = connection.execute(
        f"SELECT listener, kind, resource, first, last, failures FROM lane WHERE {OF_LANE} AND owner = ?", (*key, owner)
    ).fetchone()
    return _delivery_queue(row) if row is not None else None


def _take(connection: sqlite3.Connection, step: Step, owner: str, until: float) -> DeliveryQueue | None:
    """Record one step; see EventStore.record."""
    if step.attempt is not None:
        made = step.attempt
        connection.execute(
            "INSERT INTO attempt (listener, event, at, duration, status, answer, error) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (made.subscription, made.event, made.at, made.duration, made.status, made.answer, made.error),
        )
    key = step.delivery.key
    delivery = _delivery_queue_of(connection, key, owner)
    if delivery is None or delivery.first != step.delivery.first:
        return None
    if step.first > delivery.last:
        connection.execute(f"DELETE FROM lane WHERE {OF_LANE}", key)
        return None
    if step.due is not None:
        connection.execute(
            f"UPDATE lane SET first = ?, failures = ?, owner = NULL, due = ? WHERE {OF_LANE}",
            (step.first, step.failures, step.due, *key),
        )
        return None
    connection.execute(
        f"UPDATE lane SET first = ?, failures = ?, until = ? WHERE {OF_LANE}", (step.first, step.failures, until, *key)
    )
    return DeliveryQueue(key, step.first, delivery.last, step.failures)


EXPIRED_EVENTS = (
    "stored < ? AND fanned = 1"
    " AND NOT ((e.kind, e.resource) IN (SELECT kind, resource FROM lane) AND EXISTS (SELECT 1 FROM lane AS l"
    " WHERE l.kind = e.kind AND l.resource = e.resource"
    " AND printf('%016x', e.position) BETWEEN l.first AND l.last))"
)
EXPIRED_AUDIT = "stored < ? AND fanned = 2"


def _expire_some(connection: sqlite3.Connection, which: str, before: float) -> int:
    removed = connection.execute(
        f"DELETE FROM event WHERE position IN (SELECT position FROM event AS e WHERE {which} LIMIT ?)",
        (before, EXPIRE_BATCH),
    )
    return removed.rowcount
