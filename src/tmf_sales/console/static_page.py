"""Serves a page that is made once, at the first request; compressed for clients that accept gzip."""

from __future__ import annotations

import asyncio
import gzip
import re
from collections.abc import Callable, Iterable, Sequence

from tmf_sales.errors import MethodNotAllowed
from tmf_sales.http.middleware import App, Receive, Scope
from tmf_sales.http.responses import PAGE_METHODS, Send, send_error

SMALLEST_COMPRESSED = 1024  # below it, compressing saves no packet
Headers = Sequence[tuple[bytes, bytes]]


class StaticPage:
    """An ASGI application for one page; `make` runs once, in a thread."""

    def __init__(self, media_type: bytes, make: Callable[[], bytes], headers: Headers) -> None:
        self._make = make
        self._headers = [(b"content-type", media_type), *headers]
        self._made: tuple[bytes, bytes] | None = None

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["method"] not in PAGE_METHODS:
            await send_error(send, MethodNotAllowed.among(scope["method"], PAGE_METHODS), scope)
            return
        if self._made is None:
            self._made = await asyncio.to_thread(self._compressed)
        body, compressed = self._made
        headers = list(self._headers)
        if compressed:
            headers.append((b"vary", b"accept-encoding"))
            if accepts_gzip(scope["headers"]):
                body = compressed
                headers.append((b"content-encoding", b"gzip"))
        headers.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body if scope["method"] == "GET" else b""})

    def _compressed(self) -> tuple[bytes, bytes]:
        """The page, and its compressed form or nothing where that saves nothing."""
        body = self._make()
        return body, gzip.compress(body, mtime=0) if len(body) >= SMALLEST_COMPRESSED else b""


def static_page(media_type: bytes, make: Callable[[], bytes], headers: Headers) -> App:
    """Create the application of a page with these headers."""
    return StaticPage(media_type, make, headers)


def accepts_gzip(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether Accept-Encoding names gzip with a weight above 0 (RFC 9110, 12.5.3)."""
    accepted = b",".join(value for name, value in headers if name == b"accept-encoding").lower()
    entries = (entry.replace(b" ", b"").partition(b";q=") for entry in accepted.split(b","))
    return any(name == b"gzip" and not re.fullmatch(rb"0(\.0*)?", weight) for name, _, weight in entries)
