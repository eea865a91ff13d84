"""Serves pages that are made once: with an ETag for revalidation, and compressed for clients that accept gzip."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from tmf_sales.errors import MethodNotAllowed
from tmf_sales.http.middleware import App, Receive, Scope
from tmf_sales.http.negotiation import accepted, weights
from tmf_sales.http.public_base import PublicBase
from tmf_sales.http.responses import PAGE_METHODS, Send, send_error

SMALLEST_COMPRESSED = 1024  # below it, compressing saves no packet
KNOWN_BASES = 4
Headers = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class _Made:
    """A page, and its compressed form or nothing where that saves nothing."""

    body: bytes
    compressed: bytes
    digest: bytes

    def etag(self, *, compressed: bool) -> bytes:
        """Each form has its own strong tag (RFC 9110, 8.8.3.3)."""
        return b'"%s%s"' % (self.digest, b"-gzip" if compressed else b"")


class StaticPage:
    """An ASGI application for one page; `make` runs in a thread, once for each of the last few public URLs."""

    def __init__(
        self, media_type: bytes, make: Callable[[str], bytes], headers: Headers, public_base: PublicBase
    ) -> None:
        self._headers = [(b"content-type", media_type), *headers]
        self._public_base = public_base
        self._made = lru_cache(maxsize=KNOWN_BASES)(lambda base: _compressed(make(base)))

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["method"] not in PAGE_METHODS:
            await send_error(send, MethodNotAllowed.among(scope["method"], PAGE_METHODS), scope)
            return
        made = await asyncio.to_thread(self._made, self._public_base.of(scope))
        is_compressed = bool(made.compressed) and accepts_gzip(scope["headers"])
        headers = [*self._headers, (b"etag", made.etag(compressed=is_compressed))]
        if made.compressed:
            headers.append((b"vary", b"accept-encoding"))
        if has_tag(scope["headers"], made.etag(compressed=is_compressed)):
            await send({"type": "http.response.start", "status": 304, "headers": headers[1:]})
            await send({"type": "http.response.body", "body": b""})
            return
        body = made.compressed if is_compressed else made.body
        if is_compressed:
            headers.append((b"content-encoding", b"gzip"))
        headers.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body if scope["method"] == "GET" else b""})


def _compressed(body: bytes) -> _Made:
    compressed = gzip.compress(body, mtime=0) if len(body) >= SMALLEST_COMPRESSED else b""
    return _Made(body, compressed, hashlib.sha256(body).hexdigest()[:32].encode())


def static_page(media_type: bytes, make: Callable[[], bytes], headers: Headers) -> App:
    """Create the application of a page that is the same for everybody."""
    return StaticPage(media_type, lambda _base: make(), headers, PublicBase(""))


def page_with_links(media_type: bytes, make: Callable[[str], bytes], headers: Headers, public_base: PublicBase) -> App:
    """Create the application of a page that is made from the public URL of the request."""
    return StaticPage(media_type, make, headers, public_base)


def accepts_gzip(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether Accept-Encoding names gzip with a weight above 0 (RFC 9110, 12.5.3)."""
    return weights(accepted(headers, b"accept-encoding")).get("gzip", 0.0) > 0


def has_tag(headers: Iterable[tuple[bytes, bytes]], etag: bytes) -> bool:
    """Whether If-None-Match has the entity tag; the comparison is weak (RFC 9110, 13.1.2)."""
    listed = b",".join(value for name, value in headers if name == b"if-none-match")
    tags = [tag.strip().removeprefix(b"W/") for tag in listed.split(b",")]
    return etag in tags or tags == [b"*"]
