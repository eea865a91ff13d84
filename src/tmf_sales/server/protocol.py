"""HTTP/1.1 for uvicorn: splits the incoming bytes into heads and bodies, and passes them to httptools one by one.

Guarantee: the end of a request never depends on how its bytes arrive, nor on an Upgrade header. A connection serves one
request at a time. Invalid input gets a TMF Error with status 400, and the connection is closed. Request heads, idle
connections and unread responses are bounded in time and size (RFC 9112). The splitting can go when uvicorn no longer
drops bytes after an Upgrade (https://github.com/encode/uvicorn/issues/2722; tests/http/test_library_internals.py).
"""

from __future__ import annotations

import asyncio

import httptools
import orjson
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from tmf_sales.errors import BadRequest
from tmf_sales.http.probes import DRAINING
from tmf_sales.http.streaming import STREAM_ENDS
from tmf_sales.server.body_framing import BodyEnd, ChunksEnd, InvalidFraming, LengthEnd
from tmf_sales.server.joined_writes import JoinedWrites
from tmf_sales.server.lingering import linger
from tmf_sales.server.request_head import (
    LONGEST_HEAD,
    LONGEST_TARGET,
    InvalidHead,
    read_head,
    reject_hopeless_start,
)
from tmf_sales.server.write_progress import WriteWatch
from tmf_sales.telemetry.requests import REJECTED

HEAD_END = b"\r\n\r\n"
HEAD_SECONDS = 20.0  # to complete a head, to send a first request, or to end a body that already has its response
LAST_SECONDS = 1.0  # for the first request of a connection that was accepted just before shutdown


class Protocol(HttpToolsProtocol):
    """One connection.

    httptools parses each head and body as well, and must find their ends at the same places. It never gets bytes of two
    requests at once, because uvicorn drops the rest after an upgrade (encode/uvicorn issue 2722). When that is fixed,
    this class can get smaller; it still has to validate Host and codings, which httptools does not.
    """

    received: bytes | bytearray = b""  # not yet passed to the parser
    searched = 0  # bytes of an incomplete head already searched for its end
    body_end: BodyEnd | None = None  # while a body arrives
    is_parsed = True  # whether the parser has reached the end of a request
    takes_no_more = False
    client_has_ended = False
    was_rejected = False
    waiting: asyncio.TimerHandle | None = None
    write_watch: WriteWatch | None = None
    writes: JoinedWrites  # of the current response

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._start_waiting()

    def data_received(self, data: bytes) -> None:
        if self.takes_no_more:
            return
        if self.received:
            self.received += data
        else:
            self.received = data
        self._read()

    def eof_received(self) -> bool:  # type: ignore[override]
        """Keep the connection of a client that has finished sending and now only reads (RFC 9112, 9.6)."""
        self.client_has_ended = True
        # An event stream never ends, so no client half-closes it: this client is gone, and its slot becomes free.
        is_waiting = self._is_answering() and self.body_end is None and self._end_of_stream() is None
        return is_waiting and self.scheme != "https"

    def _end_of_stream(self) -> asyncio.Event | None:
        """The event that ends the current event stream; None without one."""
        ends = self.cycle.scope.get(STREAM_ENDS) if self.cycle is not None else None
        return ends if isinstance(ends, asyncio.Event) else None

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop_waiting()
        if self.write_watch is not None:
            self.write_watch.stop()
        self.received = b""
        if exc is None and (self.was_rejected or self._was_answered_before_its_end()):
            linger(self.transport, self.loop)

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _was_answered_before_its_end(self) -> bool:
        return self.cycle is not None and self.cycle.response_complete and self.cycle.more_body

    # Complete heads and bodies ---------------------------------------------------------------------------------------

    def _read(self) -> None:
        """Pass complete parts to the parser; the next request waits for the response to the one before it."""
        received, begin = self.received, 0
        try:
            while begin < len(received) and not self.takes_no_more:
                if self.body_end is not None:
                    end = self._read_body(self.body_end, received, begin)
                elif self._is_answering():
                    self.flow.pause_reading()
                    break
                else:
                    end = self._read_head(received, begin)
                if end == begin:
                    break
                begin = end
        except (InvalidHead, InvalidFraming) as error:
            self._reject(str(error))
        else:
            self._keep_rest(received, begin)

    def _keep_rest(self, received: bytes | bytearray, begin: int) -> None:
        if begin == len(received) or self.takes_no_more:
            self.received = b""
        elif isinstance(received, bytes):
            self.received = bytearray(received[begin:])
        elif begin:
            del received[:begin]

    def _read_head(self, received: bytes | bytearray, begin: int) -> int:
        """Read the head that begins at `begin`; return where it ends, or where an incomplete one begins."""
        while received.startswith(b"\r\n", begin):  # RFC 9112, 2.2
            begin += 2
        if begin == len(received) or (begin + 1 == len(received) and received.endswith(b"\r")):
            return begin
        end = received.find(HEAD_END, begin + self.searched) + len(HEAD_END)
        if (end if end >= len(HEAD_END) else len(received)) - begin > LONGEST_HEAD:
            raise InvalidHead(f"the head of the request is longer than {LONGEST_HEAD} bytes")
        self._unset_keepalive_if_required()
        if end < len(HEAD_END):
            reject_hopeless_start(received, begin, self.searched)
            self.searched = max(len(received) - begin - len(HEAD_END), 0)
            self._start_waiting()
            return begin
        self.searched = 0
        self._stop_waiting()
        self._start_request(bytes(received[begin:end]))
        return end

    def _start_request(self, text: bytes) -> None:
        head = read_head(text)
        if head.is_chunked:
            self.body_end = ChunksEnd()
        elif head.length:
            self.body_end = LengthEnd(head.length)
        self._parse(head.text, is_whole=self.body_end is None)
        if self.body_end is None:
            self._end_request()

    def _read_body(self, body_end: BodyEnd, received: bytes | bytearray, begin: int) -> int:
        end, is_whole = body_end.find(received, begin)
        if end > begin:
            self._parse(bytes(received[begin:end]), is_whole=is_whole)
        if is_whole:
            self.body_end = None
            self._end_request()
        return end

    def _parse(self, text: bytes, *, is_whole: bool) -> None:
        """Raise InvalidFraming when the parser rejects the text, or finds the end of the request elsewhere."""
        self.is_parsed = False
        try:
            self.parser.feed_data(text)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            raise InvalidFraming(find_fault(error, len(self.url or b""))) from None
        if self.is_parsed is not is_whole:
            raise InvalidFraming("the end of the request is not clear (RFC 9112, 6)")

    def _end_request(self) -> None:
        self._stop_waiting()
        if not self.cycle.keep_alive:
            self.takes_no_more = True
        elif self.cycle.response_complete:
            self._keep_idle()

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self.writes = JoinedWrites(self.transport)
        self.cycle.transport = self.writes  # type: ignore[assignment]
        if self.app_state.get(DRAINING):
            self.cycle.keep_alive = False
        self.headers = []  # the application has its own copy; trailers must not be added to it (RFC 9110, 6.5.1)

    def on_message_complete(self) -> None:
        self.is_parsed = True
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self.writes.flush()
        super().on_response_complete()
        if self.transport.get_write_buffer_size():
            self._watch_writing()
        if self.transport.is_closing():
            return
        if self.body_end is not None:
            self._unset_keepalive_if_required()
            self._start_waiting()
        elif self.received:
            self._read()
        if self.client_has_ended and not self._is_answering():
            self.transport.close()

    def shutdown(self) -> None:
        """Called by uvicorn at shutdown; a connection that has sent nothing yet may still send a request."""
        if self.cycle is None and not self.was_rejected:
            self._stop_waiting()
            self.waiting = self.loop.call_later(LAST_SECONDS, self._give_up_waiting)
        else:
            super().shutdown()
        if (ends := self._end_of_stream()) is not None:  # an event stream does not end by itself
            ends.set()

    # Unread responses ------------------------------------------------------------------------------------------------

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_writing()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self.write_watch is not None:
            self.write_watch.drained()

    def _watch_writing(self) -> None:
        if self.write_watch is None:
            self.write_watch = WriteWatch(self.transport, self.loop)
        self.write_watch.start()

    # Timeouts --------------------------------------------------------------------------------------------------------

    def _keep_idle(self) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def _start_waiting(self) -> None:
        if self.waiting is None:
            self.waiting = self.loop.call_later(HEAD_SECONDS, self._give_up_waiting)

    def _stop_waiting(self) -> None:
        if self.waiting is not None:
            self.waiting.cancel()
            self.waiting = None

    def _give_up_waiting(self) -> None:
        self.waiting = None
        self.transport.close()

    # Rejection -------------------------------------------------------------------------------------------------------

    def _reject(self, why: str) -> None:
        self.takes_no_more = self.was_rejected = True
        self.received = b""
        self._stop_waiting()
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            if self.cycle.response_started:
                self.transport.close()
                return
        body = orjson.dumps(BadRequest(why).body())
        if (rejected := self.app_state.get(REJECTED)) is not None:
            rejected(BadRequest.code)
        headers = [
            *self.server_state.default_headers,
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
        ]
        lines = b"".join(b"%b: %b\r\n" % header for header in headers)
        self.transport.write(STATUS_LINE[400] + lines + b"\r\n" + body)
        self.transport.close()


def find_fault(error: Exception, target_size: int) -> str:
    """Describe an error of the parser for a TMF Error."""
    if isinstance(error, httptools.HttpParserInvalidMethodError):
        return "the method is not an HTTP method"
    if target_size > LONGEST_TARGET:
        return f"the target of the request is longer than {LONGEST_TARGET} bytes"
    if isinstance(error, httptools.HttpParserCallbackError | httptools.HttpParserInvalidURLError):
        return "the target of the request is not a URL in ASCII (RFC 3986)"
    return "expected a request of HTTP/1.1 (RFC 9112)"
