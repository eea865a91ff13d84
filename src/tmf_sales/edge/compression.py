"""Compresses responses for clients that accept it (RFC 9110, 12.5.3): brotli or gzip, from 1 KiB.

Guarantee: requests without Accept-Encoding pay nothing. Each coding of a resource has its own strong entity tag
(RFC 9110, 8.8.3.3), "5-br" beside "5", and If-Match takes all of them. Large bodies are compressed in a thread, piece
by piece as the client reads. Responses of unknown length, event streams among them, stay as they are.
"""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from functools import lru_cache
from typing import Any, Protocol

import brotli

from tmf_sales.http.fields import FIELDS
from tmf_sales.http.negotiation import KNOWN_HEADERS, accepted, weights

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Header = tuple[bytes, bytes]

SMALLEST = 1024  # bytes; below it, compressing saves no packet
INLINE = 16 * 1024  # bytes; compressing so much takes less time than handing it to a thread and back would delay it
GZIP_LEVEL, BROTLI_QUALITY, BROTLI_WINDOW = 5, 3, 18
GZIP_FORMAT = 31  # zlib's number for the largest window with a gzip header
CODINGS = ("br", "gzip")  # the better one first
READING = ("GET", "HEAD")
COMPRESSIBLE = re.compile(rb"text/|image/svg\+xml|application/(.*\+)?(json|yaml|javascript)", re.IGNORECASE)
_CODED_TAG = r'(W/)?"([^"]*)-(?:%s)"'


class Compressor(Protocol):
    def compress(self, data: bytes) -> bytes: ...

    def flush(self) -> bytes: ...


class Brotli:
    """A brotli compressor with the methods of zlib's."""

    def __init__(self) -> None:
        self._compressor = brotli.Compressor(quality=BROTLI_QUALITY, lgwin=BROTLI_WINDOW)

    def compress(self, data: bytes) -> bytes:
        compressed: bytes = self._compressor.process(data)
        return compressed

    def flush(self) -> bytes:
        rest: bytes = self._compressor.finish()
        return rest


def compressor_of(coding: str) -> Compressor:
    return Brotli() if coding == "br" else zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, GZIP_FORMAT)


def compressed(coding: str, body: bytes) -> bytes:
    compressor = compressor_of(coding)
    return compressor.compress(body) + compressor.flush()


@lru_cache(maxsize=KNOWN_HEADERS)
def chosen_coding(accept_encoding: bytes) -> str | None:
    """The coding with the highest weight, the better one of equals; None when the client wants the body as it is."""
    named = weights(accept_encoding)
    best = max(CODINGS, key=lambda coding: named.get(coding, named.get("*", 0.0)))
    weight = named.get(best, named.get("*", 0.0))
    return best if weight > 0 and weight >= named.get("identity", 0.0) else None


class Compression:
    """Implements ResponseEncoding: prepares a request and its response."""

    def encoded(self, scope: Message, send: Send) -> Send:
        """Return the `send` for the response. In `scope`, add the plain form of each entity tag of a coding."""
        headers, is_read = scope["headers"], scope["method"] in READING
        coding = chosen_coding(accepted(headers, b"accept-encoding")) if scope["http_version"] != "1.0" else None
        known = accepted(headers, b"if-none-match")
        if known or accepted(headers, b"if-match"):
            scope["headers"] = [(name, _with_plain_tags(name, value, coding, is_read)) for name, value in headers]
            scope.pop(FIELDS, None)
        return send if coding is None else _EncodedResponse(coding, known, send).send


def _with_plain_tags(name: bytes, value: bytes, coding: str | None, is_read: bool) -> bytes:
    """Add `"5"` to a header with `"5-br"`. A read may only be answered 304 for the coding that it would get."""
    codings: tuple[str, ...] = CODINGS if name in (b"if-match", b"if-none-match") else ()
    if name == b"if-none-match" and is_read:
        codings = () if coding is None else (coding,)
    found = re.findall(_CODED_TAG % "|".join(codings), value.decode("latin-1")) if codings else []
    return b", ".join([value, *(f'{weak}"{tag}"'.encode("latin-1") for weak, tag in found)])


class _EncodedResponse:
    """Holds the start of a response until the first part of the body says whether it comes in pieces."""

    def __init__(self, coding: str, known_tags: bytes, send: Send) -> None:
        self._coding = coding
        self._known_tags = known_tags
        self._send = send
        self._start: Message | None = None
        self._compressor: Compressor | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await self._begin(message)
        elif self._compressor is not None:
            await self._send_piece(self._compressor, message)
        elif self._start is not None:
            await self._send_first(self._start, message)
        else:
            await self._send(message)

    async def _begin(self, start: Message) -> None:
        headers: list[Header] = start["headers"]
        if start["status"] == 304:
            start["headers"] = [self._with_known_tag(header) for header in headers]
        elif is_worth_compressing(headers):
            self._start = start
            start["headers"] = [
                *(_with_own_tag(header, self._coding) for header in headers if header[0].lower() != b"content-length"),
                (b"content-encoding", self._coding.encode()),
            ]
            return
        await self._send(start)

    async def _send_first(self, start: Message, message: Message) -> None:
        body, self._start = message.get("body", b""), None
        if message.get("more_body", False):
            self._compressor = compressor_of(self._coding)
            await self._send(start)
            await self._send_piece(self._compressor, message)
            return
        if body:  # a response to HEAD has none
            if len(body) > INLINE:
                body = await asyncio.to_thread(compressed, self._coding, body)
            else:
                body = compressed(self._coding, body)
            start["headers"].append((b"content-length", b"%d" % len(body)))
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})

    async def _send_piece(self, compressor: Compressor, message: Message) -> None:
        body, more = message.get("body", b""), message.get("more_body", False)
        piece = await asyncio.to_thread(compressor.compress, body) if body else b""
        if not more:
            piece += await asyncio.to_thread(compressor.flush)
        if piece or not more:
            await self._send({"type": "http.response.body", "body": piece, "more_body": more})

    def _with_known_tag(self, header: Header) -> Header:
        """A 304 has the entity tag that the client holds, with or without the coding."""
        own = _with_own_tag(header, self._coding)
        return own if own != header and own[1] in self._known_tags else header


def is_worth_compressing(headers: Iterable[Header]) -> bool:
    values = {name.lower(): value for name, value in headers}
    return (
        b"content-encoding" not in values
        and int(values.get(b"content-length", 0)) >= SMALLEST
        and COMPRESSIBLE.match(values.get(b"content-type", b"")) is not None
    )


def _with_own_tag(header: Header, coding: str) -> Header:
    """Add the coding to a strong entity tag; a weak one holds for every coding."""
    name, value = header
    if name.lower() == b"etag" and value.startswith(b'"'):
        return name, b'%s-%s"' % (value[:-1], coding.encode())
    return header
