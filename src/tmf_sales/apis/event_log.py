"""Lists and streams the events of each API (GET /event, an addition to TMF630).

As with subscriptions, a caller gets the events of the resources that it may retrieve, without members hidden from it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs

import orjson

from tmf_sales.access import ANONYMOUS_ADMIN, Principal
from tmf_sales.apis.hub import event_attributes, subscription_queries
from tmf_sales.contract.attributes import EventAttributes
from tmf_sales.contract.loader import Contract
from tmf_sales.contract.operations import EVENT, EVENT_VERBS
from tmf_sales.engine.listing import page_response
from tmf_sales.engine.request import EVENT_STREAM, Handler, Request, Response, StreamedResponse
from tmf_sales.errors import InvalidParameter, TooManyRequests
from tmf_sales.events.event_tail import EventTail
from tmf_sales.events.visibility import SeenBy, seen_event
from tmf_sales.query.fields import FieldSelection
from tmf_sales.query.paging import Paging
from tmf_sales.query.query import DEFAULT_PAGING, ListRequest, parse_event_list, parse_event_query
from tmf_sales.storage.conditions import EVERYTHING
from tmf_sales.storage.evaluate import Predicate, predicate
from tmf_sales.storage.events import AUDIT_RECORD, StoredEvent, is_of_type
from tmf_sales.storage.protocol import Storage, TookTooLong
from tmf_sales.storage.records import Document

SCAN_BATCH = 100
SCAN_BYTES = 1024 * 1024
COUNTED = 10_000
MATCHED = 100
PAGE_BYTES = 16 * 1024 * 1024
PIECE = 64 * 1024
EVENT_TIME = ("eventTime",)
RESET = (
    b'event: reset\ndata: {"code":"unknownEvent","reason":"Last-Event-ID is not in the log; the stream begins now",'
    b'"message":"read what you missed with GET, without Accept: text/event-stream"}\n\n'
)


@dataclass(frozen=True, slots=True)
class EventSettings:
    """`time_limit`: seconds per page. `streams_per_caller`: limit on open streams of an authenticated caller."""

    strict: bool = False
    paging: Paging = DEFAULT_PAGING
    time_limit: float = 2.0
    streams_per_caller: int = 25


@dataclass(slots=True)
class _Found:
    """The results of a scan of the log so far."""

    rows: list[bytes] = field(default_factory=list)
    total: int = 0
    size: int = 0
    exact: bool = True


class EventHandlers:
    """The event operations of one API. `seen_by`: returns what a caller may see of each kind of resource."""

    def __init__(
        self, api: Contract, store: Storage, seen_by: Callable[[Principal], SeenBy], settings: EventSettings
    ) -> None:
        self._api = api
        self._store = store
        self._seen_by = seen_by
        self._settings = settings
        self._kinds = tuple(resource.kind for resource in api.resources.values())
        self._attributes: EventAttributes = event_attributes(api, strict=settings.strict)
        self._parse_query = subscription_queries([api], strict=settings.strict)
        self._tail = EventTail(lambda: store.events, self._kinds)
        self._streams: Counter[str] = Counter()

    def handlers(self) -> Mapping[str, Handler]:
        listed = {verb.operation_id(EVENT): self.list_events for verb in EVENT_VERBS}
        return {**listed, "listEventMatch": self.list_matches}

    async def list_events(self, request: Request) -> Response:
        if request.wants_stream:
            return await self._stream(request)
        wanted = parse_event_list(request.raw_query, self._attributes, self._settings.paging)
        for key in wanted.query.sort:
            if key.path != EVENT_TIME or len(wanted.query.sort) > 1:
                raise InvalidParameter("sort: events are ordered by eventTime or -eventTime")
        found = await self._scan(wanted, self._visibility(request.principal))
        url = f"{request.public_url}{self._api.base_path}/event"
        response = page_response(url, wanted, len(found.rows), found.total, exact=found.exact)
        response.body = b"[" + b",".join(found.rows) + b"]"
        return response

    async def list_matches(self, request: Request) -> Response:
        """Say of each of the last events whether a subscription with the query would get it."""
        asked = parse_qs(request.raw_query, keep_blank_values=True).get("query", [])
        if len(asked) != 1:
            raise InvalidParameter(
                "query: is required once, as the query of a subscription; an empty one is every event"
            )
        wanted = self._parse_query(self._api.name, asked[0]) if asked[0] else None
        condition = predicate(wanted.condition) if wanted is not None and wanted.condition != EVERYTHING else None
        events = await self._last_events(self._visibility(request.principal))
        return Response(200, orjson.dumps([_match(each, condition) for each in events]))

    async def _last_events(self, seen_by: SeenBy | None) -> list[Document]:
        """The last MATCHED events that the caller may see, newest first; fewer if the time runs out before."""
        visible, place, found = _Matching(None, seen_by), None, list[Document]()
        end = time.monotonic() + self._settings.time_limit
        while True:
            events, place = await self._store.events.read_log(
                self._kinds, place=place, newest_first=True, limit=SCAN_BATCH, size=SCAN_BYTES
            )
            found += (seen for event in events if (seen := visible.seen(event)) is not None)
            if not events or len(found) >= MATCHED or time.monotonic() > end:
                return found[:MATCHED]
            await asyncio.sleep(0)

    def _visibility(self, principal: Principal) -> SeenBy | None:
        return None if principal is ANONYMOUS_ADMIN else self._seen_by(principal)

    async def _scan(self, wanted: ListRequest, seen_by: SeenBy | None) -> _Found:
        """Read the log until the page is full and the matches are counted, up to the limits on counting and time.

        Raises TookTooLong when the page is not full in time.
        """
        query, found = wanted.query, _Found()
        newest_first = not query.sort or query.sort[0].descending
        end, place, scanned = time.monotonic() + self._settings.time_limit, None, 0
        counted = min(COUNTED, query.count_limit or COUNTED)
        matching = _Matching(predicate(query.where) if query.where != EVERYTHING else None, seen_by)
        while True:
            events, place = await self._store.events.read_log(
                self._kinds, place=place, newest_first=newest_first, limit=SCAN_BATCH, size=SCAN_BYTES
            )
            if not events:
                return found
            for event in events:
                self._take(event, wanted, matching, found)
            scanned += len(events)
            is_full = found.total >= query.offset + query.limit
            if is_full and (scanned >= counted or time.monotonic() > end):
                found.exact = False
                return found
            if time.monotonic() > end:
                raise TookTooLong("the log has too many events to look through; narrow the filter or ask for less")
            await asyncio.sleep(0)

    def _take(self, event: StoredEvent, wanted: ListRequest, matching: _Matching, found: _Found) -> None:
        query = wanted.query
        is_on_page = query.offset <= found.total < query.offset + query.limit
        if not is_on_page and matching.has_all:
            found.total += not is_of_type(event, AUDIT_RECORD)
            return
        seen = matching.seen(event)
        if seen is None:
            return
        if is_on_page:
            text = _text_of(event, seen, wanted.selection)
            found.size += len(text)
            if found.size > PAGE_BYTES:
                raise InvalidParameter(f"limit: the page would have more than {PAGE_BYTES} bytes; ask for fewer events")
            found.rows.append(text)
        found.total += 1

    async def _stream(self, request: Request) -> StreamedResponse:
        wanted = parse_event_query(request.raw_query, self._attributes, strict=True)
        with contextlib.ExitStack() as reserved:
            reserved.enter_context(self._reserved_stream(request.principal))
            log = self._store.events
            last_id = request.header(b"last-event-id")
            end = await log.end_of_log()
            known = await log.place_of(last_id) if last_id else end
            condition = predicate(wanted.condition) if wanted.condition != EVERYTHING else None
            matching = _Matching(condition, self._visibility(request.principal))
            return StreamedResponse(
                200,
                headers=[
                    (b"content-type", EVENT_STREAM),
                    (b"cache-control", b"private, no-store"),
                    (b"x-accel-buffering", b"no"),
                ],
                chunks=self._messages(
                    end if known is None else known,
                    matching,
                    wanted.selection,
                    reset=known is None,
                    is_valid=request.principal.is_valid,
                ),
                release=reserved.pop_all().close,
            )

    @contextlib.contextmanager
    def _reserved_stream(self, principal: Principal) -> Iterator[None]:
        """Count one more stream of the caller, who has at most so many. Raises TooManyRequests."""
        most, caller = self._settings.streams_per_caller, principal.subject
        if principal is not ANONYMOUS_ADMIN and self._streams[caller] >= most:
            raise TooManyRequests(f"expected at most {most} event streams of one caller", {"Retry-After": "10"})
        self._streams[caller] += 1
        try:
            yield
        finally:
            self._streams[caller] -= 1
            if not self._streams[caller]:
                del self._streams[caller]

    async def _messages(
        self,
        place: str,
        matching: _Matching,
        selection: FieldSelection | None,
        *,
        reset: bool,
        is_valid: Callable[[], bool],
    ) -> AsyncGenerator[bytes]:
        """Yield the messages until the caller's credential expires or is removed, which each batch looks at."""
        yield b"retry: 2000\n\n"
        if reset:
            yield RESET
        async with contextlib.aclosing(self._tail.follow(place)) as batches:
            async for events in batches:
                if not is_valid():
                    return
                if not events:
                    yield b": heartbeat\n\n"
                for event in events:
                    seen = matching.seen(event)
                    if seen is None:
                        continue
                    text = memoryview(_text_of(event, seen, selection))
                    yield b"id: %s\ndata: " % event.id.encode()
                    for start in range(0, len(text), PIECE):
                        yield bytes(text[start : start + PIECE])
                    yield b"\n\n"
                await asyncio.sleep(0)


@dataclass(frozen=True, slots=True)
class _Matching:
    """Selects the events that a caller may see and asks for; parses an event only when necessary."""

    condition: Predicate | None
    seen_by: SeenBy | None

    @property
    def has_all(self) -> bool:
        """Whether every event of a resource is among them, so that none need be parsed to be counted."""
        return self.condition is None and self.seen_by is None

    def seen(self, event: StoredEvent) -> Document | None:
        """The event as the caller sees it; None when it is invisible to the caller or not wanted."""
        if is_of_type(event, AUDIT_RECORD):
            return None
        seen = seen_event(event.kind, event.document, self.seen_by)
        return seen if seen is not None and (self.condition is None or self.condition(seen)) else None


def _match(seen: Document, condition: Predicate | None) -> Document:
    members: Document = {name: seen[name] for name in ("eventId", "eventTime", "eventType", "title") if name in seen}
    return {**members, "matches": condition is None or condition(seen)}


def _text_of(event: StoredEvent, seen: Document, selection: FieldSelection | None) -> bytes:
    if selection is None and seen is event.document:
        return event.text
    return orjson.dumps(selection.select(seen) if selection else seen)
