"""Adds security headers to every response, and reports every request to an observer.

Guarantee: no content sniffing, no caching of responses to authenticated requests. One wrapper does both, because each
wrapper around the application costs 2 % of a GET. A response has the X-Request-Id that the request sent; a 5xx response
always has one, by which its lines in the log are found.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, MutableMapping
from operator import itemgetter
from typing import Any, Protocol

from tmf_sales.http.request_ids import REQUEST_ID, request_id

Message = MutableMapping[str, Any]

CREDENTIALS = frozenset({b"authorization", b"x-api-key"})
NOSNIFF = (b"x-content-type-options", b"nosniff")
PRIVATE = (b"cache-control", b"private, no-store")
NAME = itemgetter(0)
FAILED = 500


class RequestObserver(Protocol):
    """Gets to know each request; `start` is the first message of its response, None if there was no response."""

    def process_begins(self, scope: Message) -> None:
        """Called once, with the scope of the lifespan, before the service opens its store."""

    def request_begins(self, scope: Message) -> None: ...

    def request_ends(self, scope: Message, start: Message | None, seconds: float) -> None: ...


class ResponseHeaders:
    """Wraps an ASGI application."""

    def __init__(self, app: Callable[[Any, Any, Any], Awaitable[None]], observer: RequestObserver) -> None:
        self._app = app
        self._observer = observer

    async def __call__(self, scope: Message, receive: Any, send: Callable[[Message], Awaitable[None]]) -> None:
        if scope["type"] != "http":
            self._observer.process_begins(scope)
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        names = set(map(NAME, scope["headers"]))
        is_private = not CREDENTIALS.isdisjoint(names)
        has_id = REQUEST_ID in names
        start: Message | None = None

        async def send_protected(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                message["headers"] = protected(message.get("headers", ()), is_private=is_private)
                if has_id or message["status"] >= FAILED:
                    message["headers"].append((REQUEST_ID, request_id(scope).encode()))
                start = message
            await send(message)

        self._observer.request_begins(scope)
        try:
            await self._app(scope, receive, send_protected)
        finally:
            self._observer.request_ends(scope, start, time.perf_counter() - began)


def protected(headers: Any, *, is_private: bool) -> list[tuple[bytes, bytes]]:
    """Add the missing headers; a response to a request with a credential is never cacheable, whatever it says."""
    kept = list(headers)
    if NOSNIFF not in kept:
        kept.append(NOSNIFF)
    if is_private and not any(name.lower() == b"cache-control" and b"no-store" in value for name, value in kept):
        kept = [header for header in kept if header[0].lower() != b"cache-control"]
        kept.append(PRIVATE)
    return kept
