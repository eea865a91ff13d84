"""uvicorn's HTTP/1.1, which stays HTTP/1.1, says what it cannot read by a TMF Error, and lets the client read it.

Java's HttpClient offers HTTP/2 with every first request over plain http, and httptools takes what follows such an offer
for the other protocol, so the body would be lost. RFC 9110, 7.8: "A server MAY ignore a received Upgrade header field".
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import socket
import sys

import httptools
import orjson
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from tmf_sales.errors import BadRequest

HEAD_END = b"\r\n\r\n"
UPGRADE = re.compile(rb"\r\nupgrade[ \t]*:", re.IGNORECASE)
LONGEST_TARGET = 65_535  # httptools keeps places in it in 16 bits

HEAD_SECONDS = 20.0  # for a head that has begun, and for the first one of a connection to begin and end
LONGEST_HEAD = 256 * 1024

LINGER_SECONDS = 10.0
LINGER_BYTES = 64 * 1024 * 1024
MOST_LINGERING = 100  # those beyond are closed at once, as nobody may bind the server by sending without end

_lingering: set[asyncio.Task[None]] = set()


class Protocol(HttpToolsProtocol):
    """Hides the Upgrade header from the parser; the header `X-Upgrade-Ignored` has its value.

    Nobody keeps a connection, or memory, by a head without end: one has a longest time and size.
    """

    refused = False
    head_has_begun = False
    head_size = 0
    head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.head_timer = self.loop.call_later(HEAD_SECONDS, self._give_up_waiting)

    def data_received(self, data: bytes) -> None:
        super().data_received(without_upgrade(data) if self._a_head_is_next() else data)
        if self.head_has_begun:
            self._bound_head(len(data))

    def _a_head_is_next(self) -> bool:
        return self.cycle is None or self.cycle.response_complete or not self.cycle.more_body

    def on_message_begin(self) -> None:
        self.head_has_begun = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._end_head()
        super().on_headers_complete()

    def _bound_head(self, more: int) -> None:
        self.head_size += more
        if self.head_size > LONGEST_HEAD:
            self._refuse(f"the head of the request is longer than {LONGEST_HEAD} bytes")
        elif self.head_timer is None:
            self.head_timer = self.loop.call_later(HEAD_SECONDS, self._give_up_waiting)

    def _end_head(self) -> None:
        self.head_has_begun = False
        self.head_size = 0
        if self.head_timer is not None:
            self.head_timer.cancel()
            self.head_timer = None

    def _give_up_waiting(self) -> None:
        self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """Called by uvicorn while it handles the parser's exception."""
        self._refuse(what_is_wrong(sys.exception(), len(self.url or b"")))

    def _refuse(self, why: str) -> None:
        self.refused = True
        self._end_head()
        body = orjson.dumps(BadRequest(why).body())
        headers = [
            *self.server_state.default_headers,
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
        ]
        lines = b"".join(b"%b: %b\r\n" % header for header in headers)
        self.transport.write(STATUS_LINE[400] + lines + b"\r\n" + body)
        self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._end_head()
        is_cut_off = self.refused or self._was_answered_before_its_end()
        if exc is None and is_cut_off and len(_lingering) < MOST_LINGERING:
            with contextlib.suppress(OSError):  # no file descriptor is left: then the client is not waited for
                task = self.loop.create_task(linger(still_open(self.transport), self.loop))
                _lingering.add(task)
                task.add_done_callback(_lingering.discard)

    def _was_answered_before_its_end(self) -> bool:
        return self.cycle is not None and self.cycle.response_complete and self.cycle.more_body


def what_is_wrong(error: BaseException | None, target_size: int) -> str:
    if isinstance(error, httptools.HttpParserInvalidMethodError):
        return "the method is none that HTTP knows"
    if target_size > LONGEST_TARGET:
        return f"the target of the request is longer than {LONGEST_TARGET} bytes"
    if isinstance(error, httptools.HttpParserCallbackError | httptools.HttpParserInvalidURLError):
        return "the target of the request is no URL in ASCII (RFC 3986)"
    return "expected a request of HTTP/1.1 (RFC 9112)"


def still_open(transport: asyncio.Transport) -> socket.socket:
    """The connection of a transport that is about to close its own end of it."""
    kept = socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno()))
    kept.setblocking(False)
    return kept


async def linger(connection: socket.socket, loop: asyncio.AbstractEventLoop) -> None:
    """Let the client send on for a while, so that it comes to read the answer (RFC 9112, 9.6).

    A connection that is closed while something is unread is reset, and the answer is lost with it.
    """
    waste = bytearray(64 * 1024)
    passed_over = 0
    try:
        connection.shutdown(socket.SHUT_WR)
        async with asyncio.timeout(LINGER_SECONDS):
            while passed_over < LINGER_BYTES and (size := await loop.sock_recv_into(connection, waste)):
                passed_over += size
    except OSError:  # The client is gone, or too slow: TimeoutError is one.
        pass
    finally:
        connection.close()


def without_upgrade(data: bytes) -> bytes:
    """What begins a request, its Upgrade header under another name; the body stays as it is."""
    head, end, rest = data.partition(HEAD_END)
    return UPGRADE.sub(b"\r\nX-Upgrade-Ignored:", head) + end + rest
