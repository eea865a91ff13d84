"""A small HTTP/1.1 client: connects to a vetted address, sends a POST, reads the response, keeps the connection open.

It connects only to the given address, uses no proxy, follows no redirect and reads no more of a response than it must
(RFC 9112). A webhook needs no more than that, and this client costs a tenth of a general one.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Iterable
from typing import cast

import httptools

from tmf_sales.events.ssrf_guard import Target

ANSWER_SHOWN = 2048
ANSWER_LIMIT = 64 * 1024


class ConnectionFailed(Exception):
    """Raised when no response came: unreachable, closed, not HTTP. `was_idle`: it broke before anything was read."""

    def __init__(self, message: str, *, was_idle: bool = False) -> None:
        super().__init__(message)
        self.was_idle = was_idle


class Answer:
    """A response: its status, its Retry-After header and the first 2 KB of its body."""

    __slots__ = ("body", "retry_after", "status")

    def __init__(self) -> None:
        self.status = 0
        self.retry_after: str | None = None
        self.body = b""


class Connection(asyncio.Protocol):
    """A connection with at most one open request. Open it with `connect`."""

    def __init__(self) -> None:
        self._transport: asyncio.WriteTransport
        self._parser: httptools.HttpResponseParser
        self._response = Answer()
        self._received = 0
        self._waiter: asyncio.Future[Answer] | None = None
        self.is_open = False

    @classmethod
    async def connect(cls, address: str, target: Target, tls: ssl.SSLContext) -> Connection:
        """Connect to `address`; the certificate must be for the target's name. Raises ConnectionFailed."""
        loop = asyncio.get_running_loop()
        try:
            if target.secure:
                secured = loop.create_connection(cls, address, target.port, ssl=tls, server_hostname=target.host)
                return (await secured)[1]
            return (await loop.create_connection(cls, address, target.port))[1]
        except (OSError, ssl.SSLError) as error:
            raise ConnectionFailed(_text_of(error)) from error

    async def post(self, target: Target, headers: Iterable[tuple[str, str]], body: bytes) -> Answer:
        """Send a request and wait for the response; raises ConnectionFailed. Cancelling closes the connection."""
        if not self.is_open:
            raise ConnectionFailed("the connection is closed", was_idle=True)
        self._response, self._received = Answer(), 0
        self._parser = httptools.HttpResponseParser(self)
        self._waiter = asyncio.get_running_loop().create_future()
        self._transport.write(_request(target, headers, body))
        try:
            return await self._waiter
        except BaseException:
            self.close()
            raise
        finally:
            self._waiter = None

    def close(self) -> None:
        self.is_open = False
        self._transport.abort()

    # asyncio calls these

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's transport is not a subclass
        self.is_open = True

    def data_received(self, data: bytes) -> None:
        if self._waiter is None or self._waiter.done():
            self.close()  # unsolicited data would be taken for the next response
            return
        self._received += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._end("the answer is not HTTP/1.1")
        if self._received > ANSWER_LIMIT:
            self._end("the answer has too many headers")

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(_text_of(exc) if isinstance(exc, OSError) else "the connection was closed before the answer")

    # httptools calls these

    def on_message_begin(self) -> None:
        if self._waiter is None or self._waiter.done():
            self.close()  # a second response followed the first

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"retry-after":
            self._response.retry_after = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        self._response.status = status if status >= 200 else 0

    def on_body(self, body: bytes) -> None:
        if len(self._response.body) < ANSWER_SHOWN:
            self._response.body = (self._response.body + body)[:ANSWER_SHOWN]

    def on_message_complete(self) -> None:
        if self._response.status:  # 0 after 100 Continue and the like: the response is yet to come
            if not self._parser.should_keep_alive():
                self.close()
            self._hand_over()
        self._response = Answer()

    def _end(self, failure: str) -> None:
        """End the request early. A status that was read counts, even if the body is too long or was cut off."""
        self.close()
        if self._response.status:
            self._hand_over()
        elif self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(ConnectionFailed(failure, was_idle=self._received == 0))

    def _hand_over(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(self._response)


def _request(target: Target, headers: Iterable[tuple[str, str]], body: bytes) -> bytes:
    lines = [
        f"POST {target.path} HTTP/1.1",
        f"host: {target.authority}",
        "accept: application/json",
        f"content-length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers),
    ]
    return "\r\n".join(lines).encode("ascii") + b"\r\n\r\n" + body


def _text_of(error: OSError) -> str:
    """Describe the error in words, without addresses."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not valid: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return "TLS failed"
    return f"{type(error).__name__}: {os.strerror(error.errno) if error.errno else 'failed'}"
