"""Implements Idempotency-Key: a creation that a client repeats, because it got no response, is made only once.

For 24 hours, the same key, body and query of one caller get the same response. A different body or query gets 409, and
so does a second request while the first is still running. A process that dies midway leaves a reservation, which the
next attempt completes. It holds the id and the time of the creation, so that the next attempt builds the same document,
which may already be stored.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import NamedTuple

import orjson

from tmf_sales.engine.request import Request, Response
from tmf_sales.errors import IdempotencyConflict, TmfError, Unavailable
from tmf_sales.storage.conditions import Compare, Operator, Query, Sort
from tmf_sales.storage.protocol import AlreadyExists, RecordTooLarge, RevisionConflict, Storage
from tmf_sales.storage.records import Change, Document, Index, Kind, Version
from tmf_sales.values import datetimes

IDEMPOTENCY = "idempotency"
IDEMPOTENCY_KIND = Kind(IDEMPOTENCY, (Index(((("expires",), False),)),))
KEPT = timedelta(hours=24)
RACES = 20
SWEPT_AT_ONCE = 500


class Reservation(NamedTuple):
    """The right to make one creation, with its id and its time (canonical text).

    `resumed`: an earlier attempt with the same key may already have written the document.
    """

    id: str
    now: str
    resumed: bool


Create = Callable[[Reservation], Awaitable[Response]]


class Idempotency:
    """Runs each creation once per key. `deadline`: the longest time that a request may run."""

    def __init__(
        self, store: Storage, clock: Callable[[], datetime], new_id: Callable[[], str], deadline: timedelta
    ) -> None:
        self._store = store
        self._clock = clock
        self._new_id = new_id
        self._deadline = deadline

    async def answer(self, kind: str, request: Request, create: Create) -> Response:
        """Call `create`, or return its stored response to the same key, body and query; raises IdempotencyConflict.

        `kind`: the kind of the resource to create.
        """
        key = request.header(b"idempotency-key")
        if key is None:
            return await create(Reservation(self._new_id(), self._now(), resumed=False))
        place = await self._place(kind, request, key)
        body = _digest([request.body, request.raw_query])
        for _ in range(RACES):
            taken = await self._store.get(IDEMPOTENCY, place)
            entry = taken.current.document if taken else None
            if entry and entry["expires"] > self._now():
                if entry["body"] != body:
                    raise IdempotencyConflict(
                        "Idempotency-Key: it came with another request before; expected the same body and query"
                    )
                if "answer" in entry:
                    return _replayed(entry["answer"])
                if entry["running"] > self._now():
                    raise IdempotencyConflict("Idempotency-Key: the first request with it still runs")
            else:
                entry = None
            mine = self._reserved(place, body, entry)
            revision = taken.revision if taken else 0
            if await self._write(mine, revision):
                return await self._complete(mine, revision + 1, create, resumed=entry is not None)
        raise Unavailable("Idempotency-Key: too many requests use it at once")

    async def _place(self, kind: str, request: Request, key: str) -> str:
        """The id under which the reservation of this key is stored.

        Release 0.1 left out the kind; its reservations stay valid for a day after an upgrade.
        """
        place = _digest([kind, request.operation_id, request.principal.subject, key])
        earlier = _digest([request.operation_id, request.principal.subject, key])
        if await self._store.get(IDEMPOTENCY, place) is None and await self._store.get(IDEMPOTENCY, earlier):
            return earlier
        return place

    async def forget_expired(self) -> int:
        """Remove expired reservations and return their number. Several processes may do this at once."""
        gone = Query(
            Compare(("expires",), Operator.LT, self._now()),
            (Sort(("expires",), always_present=True),),
            limit=SWEPT_AT_ONCE,
        )
        page = await self._store.find(IDEMPOTENCY, gone)
        for row in page.rows:
            with contextlib.suppress(RevisionConflict):
                await self._store.commit(Change(IDEMPOTENCY, row.id, row.version.revision, ()))
        return len(page.rows)

    def _reserved(self, place: str, body: str, before: Document | None) -> Document:
        now = self._clock()
        return {
            "id": place,
            "body": body,
            "resource": before["resource"] if before else self._new_id(),
            "now": before["now"] if before else datetimes.written(now),
            "running": datetimes.written(now + self._deadline),
            "expires": before["expires"] if before else datetimes.written(now + KEPT),
        }

    async def _complete(self, mine: Document, revision: int, create: Create, *, resumed: bool) -> Response:
        try:
            result = await create(Reservation(mine["resource"], mine["now"], resumed))
        except Unavailable:
            raise  # unknown whether it was written: the next attempt uses the reservation to find out
        except TmfError:
            with contextlib.suppress(RevisionConflict, Unavailable):
                await self._release(mine, revision, resumed=resumed)
            raise
        with contextlib.suppress(Unavailable, RecordTooLarge):  # the next attempt makes the same response again
            await self._keep(mine, revision, result)
        return result

    async def _release(self, mine: Document, revision: int, *, resumed: bool) -> None:
        """Free the key of a rejected creation, so that the client can correct the request and use it again.

        After an earlier attempt, which may have written the document, only the same request may be sent again: it needs
        the id and the time in the reservation to find out.
        """
        if resumed:
            await self._write({**mine, "running": self._now()}, revision)
        else:
            await self._store.commit(Change(IDEMPOTENCY, mine["id"], revision, ()))

    async def _keep(self, mine: Document, revision: int, result: Response) -> None:
        """Store the response as text; if its escaped quotation marks make that too large, store it as JSON."""
        try:
            await self._write({**mine, "answer": _recorded(result)}, revision)
        except RecordTooLarge:
            await self._write({**mine, "answer": _recorded_as_json(result)}, revision)

    async def _write(self, entry: Document, expected_revision: int) -> bool:
        """Write the reservation; returns False when another request has written it."""
        version = Version(expected_revision + 1, entry)
        try:
            await self._store.commit(Change(IDEMPOTENCY, entry["id"], expected_revision, (version,)))
        except (AlreadyExists, RevisionConflict):
            return False
        return True

    def _now(self) -> str:
        return datetimes.written(self._clock())


def _digest(value: object) -> str:
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _recorded(result: Response) -> Document:
    headers = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in result.headers]
    return {"status": result.status, "headers": headers, "text": result.text.decode()}


def _recorded_as_json(result: Response) -> Document:
    recorded = _recorded(result)
    return {**recorded, "text": None, "json": orjson.loads(recorded["text"])}


def _replayed(answer: Document) -> Response:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer["headers"]]
    body = orjson.dumps(answer["json"]) if "json" in answer else answer["text"].encode()
    return Response(answer["status"], body, headers)
