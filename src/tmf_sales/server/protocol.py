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

    Nobody keeps a connection, or memory, by a head without end: one has a longest time and size. So has what stands
    between the parts of a body and behind it, and the rest of one that is answered already.
    """

    refused = False
    is_between_requests = True
    head_has_begun = False
    unused_size = 0  # bytes since the last part of a body, or the end of a head or of a request
    head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._start_waiting()

    def data_received(self, data: bytes) -> None:
        self.unused_size += len(data)
        super().data_received(without_upgrade(data) if self._a_head_is_next() else data)
        if not self.is_between_requests or self.cycle is None or self.cycle.response_complete:
            self._limit_incomplete_requests()

    def _a_head_is_next(self) -> bool:
        return self.cycle is None or self.cycle.response_complete or not self.cycle.more_body

    def _limit_incomplete_requests(self) -> None:
        """Not called where all that came is whole requests, and an answer is under way."""
        if self.transport.is_closing():
            return
        is_answered = self.cycle is not None and self.cycle.response_complete
        if not self.is_between_requests and self.unused_size > LONGEST_HEAD:
            self._reject_endless()
        elif self.head_has_begun or (is_answered and not self.is_between_requests):
            self._start_waiting()
        elif is_answered:  # uvicorn has stopped its timer, though no request has begun
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def on_message_begin(self) -> None:
        self.head_has_begun, self.is_between_requests = True, False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._end_head()
        super().on_headers_complete()
        self.headers = []  # the application has its own by now: trailers do not come among them (RFC 9110, 6.5.1)

    def on_body(self, body: bytes) -> None:
        self.unused_size = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self.is_between_requests = True
        self.unused_size = 0
        self._stop_waiting()
        super().on_message_complete()

    def _reject_endless(self) -> None:
        if self.head_has_begun:
            self._reject(f"the head of the request is longer than {LONGEST_HEAD} bytes")
        elif self.cycle.response_started:
            self.transport.close()
        else:
            self._reject(f"the body has more than {LONGEST_HEAD} bytes in a row that are none of it")

    def _start_waiting(self) -> None:
        if self.head_timer is None:
            self.head_timer = self.loop.call_later(HEAD_SECONDS, self._give_up_waiting)

    def _end_head(self) -> None:
        self.head_has_begun = False
        self.unused_size = 0
        self._stop_waiting()

    def _stop_waiting(self) -> None:
        if self.head_timer is not None:
            self.head_timer.cancel()
            self.head_timer = None

    def _give_up_waiting(self) -> None:
        self.head_timer = None
        if self.cycle is not None and not self.cycle.response_complete:
            self._start_waiting()  # an answer is under way, and meanwhile what comes behind its request may not be read
        else:
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """Called by uvicorn while it handles the parser's exception."""
        self._reject(find_faults(sys.exception(), len(self.url or b"")))

    def _reject(self, why: str) -> None:
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


def find_faults(error: BaseException | None, target_size: int) -> str:
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
