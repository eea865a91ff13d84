"""Adds headers to every response, has it encoded for clients that accept that, and reports each request to an observer.

Guarantee: no content sniffing, no caching of responses to authenticated requests. One wrapper does all of it, because
each wrapper around the application costs 2 % of a GET. A response has the X-Request-Id that the request sent; a 5xx
response always has one, by which its lines in the log are found.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from email.utils import format_datetime
from time import perf_counter
from typing import Any, Protocol

from tmf_sales.contract.deprecation import Deprecation
from tmf_sales.http.fields import fields_of
from tmf_sales.http.request_ids import CURRENT, REQUEST_ID, request_id

Message = MutableMapping[str, Any]

CREDENTIALS = frozenset({b"authorization", b"x-api-key"})
NOSNIFF = (b"x-content-type-options", b"nosniff")
PRIVATE = (b"cache-control", b"private, no-store")
FAILED = 500
VARY = (b"vary", b"accept-encoding")
NEGOTIATED = frozenset({b"accept-encoding", b"if-match", b"if-none-match"})
ADDED = "tmf_sales.added_headers"
"""In the extensions of a request's scope: further headers of its response, whatever its status."""

Send = Callable[[Message], Awaitable[None]]


def add_headers(scope: Message, headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Add headers to the response of this request, also if it fails."""
    scope.setdefault("extensions", {}).setdefault(ADDED, []).extend(headers)


def deprecation_headers(deprecation: Deprecation | None) -> tuple[tuple[bytes, bytes], ...]:
    """Deprecation (RFC 9745), Sunset (RFC 8594) and the Links to what to read and what to use instead."""
    if deprecation is None:
        return ()
    headers = [("deprecation", f"@{int(deprecation.since.timestamp())}")]
    if deprecation.sunset is not None:
        headers.append(("sunset", format_datetime(deprecation.sunset, usegmt=True)))
    if deprecation.documentation is not None:
        headers.append(("link", f'<{deprecation.documentation}>; rel="deprecation"'))
    if deprecation.successor is not None:
        headers.append(("link", f'<{deprecation.successor}>; rel="successor-version"'))
    return tuple((name.encode(), value.encode()) for name, value in headers)


class ResponseEncoding(Protocol):
    """Encodes responses. Only asked for requests with one of the headers in NEGOTIATED."""

    def encoded(self, scope: Message, send: Send) -> Send: ...


class RequestObserver(Protocol):
    """Gets to know each request; `start` is the first message of its response, None if there was no response.

    `request_begins` is None if nobody wants to know.
    """

    request_begins: Callable[[Message], None] | None

    def process_begins(self, scope: Message) -> None:
        """Called once, with the scope of the lifespan, before the service opens its store."""

    def request_ends(self, scope: Message, start: Message | None, seconds: float) -> None: ...


class ResponseHeaders:
    """Wraps an ASGI application."""

    def __init__(
        self,
        app: Callable[[Any, Any, Any], Awaitable[None]],
        observer: RequestObserver,
        encoding: ResponseEncoding | None = None,
    ) -> None:
        self._app = app
        self._process_begins = observer.process_begins
        self._begins = observer.request_begins
        self._ends = observer.request_ends
        self._encoding = encoding

    async def __call__(self, scope: Message, receive: Any, send: Send) -> None:
        if scope["type"] != "http":
            self._process_begins(scope)
            await self._app(scope, receive, send)
            return
        began = perf_counter()
        names = fields_of(scope).keys()
        is_private = not CREDENTIALS.isdisjoint(names)
        has_id = REQUEST_ID in names
        start: Message | None = None
        encoding = self._encoding
        if encoding is not None and not NEGOTIATED.isdisjoint(names):
            send = encoding.encoded(scope, send)

        def send_protected(message: Message) -> Awaitable[None]:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                headers = message["headers"] = protected(message.get("headers", ()), is_private=is_private)
                if encoding is not None and VARY not in headers:
                    headers.append(VARY)
                if (extensions := scope.get("extensions")) is not None and ADDED in extensions:
                    headers += extensions[ADDED]
                if has_id or message["status"] >= FAILED:
                    headers.append((REQUEST_ID, request_id(scope).encode()))
            return send(message)

        CURRENT.set(scope)
        if self._begins is not None:
            self._begins(scope)
        try:
            await self._app(scope, receive, send_protected)
        finally:
            self._ends(scope, start, perf_counter() - began)


def protected(headers: Any, *, is_private: bool) -> list[tuple[bytes, bytes]]:
    """Add the missing headers; a response to a request with a credential is never cacheable, whatever it says."""
    kept = list(headers)
    if NOSNIFF not in kept:
        kept.append(NOSNIFF)
    if is_private and not any(name.lower() == b"cache-control" and b"no-store" in value for name, value in kept):
        kept = [header for header in kept if header[0].lower() != b"cache-control"]
        kept.append(PRIVATE)
    return kept
