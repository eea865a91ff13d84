"""Requests mean the same however their bytes are split over segments: every split point of every kind of head."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from tmf_sales.server.one_worker import UVICORN
from tmf_sales.server.protocol import Protocol

Message = MutableMapping[str, Any]
SMUGGLED = b"DELETE /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"


@dataclass
class Wire(asyncio.Transport):
    """A transport that keeps what is written to it."""

    written: bytearray = field(default_factory=bytearray)
    closed: bool = False

    def __post_init__(self) -> None:
        super().__init__()

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


@dataclass
class Seen:
    """What the application saw of one request."""

    method: str
    path: str
    body: bytes
    upgrade: bool


@dataclass
class Server:
    """The protocol over an application that notes what it sees."""

    config: uvicorn.Config
    state: ServerState = field(default_factory=ServerState)
    seen: list[Seen] = field(default_factory=list)

    async def receive(self, segments: Sequence[bytes]) -> Wire:
        """Give the segments to a new connection, one after the other, and let it answer in between."""
        wire = Wire()
        protocol = Protocol(self.config, self.state, {})
        protocol.connection_made(wire)
        for segment in segments:
            if not wire.closed:
                protocol.data_received(segment)
            await self.settled()
        protocol.connection_lost(ConnectionResetError())
        await self.settled()
        return wire

    async def settled(self) -> None:
        for _ in range(3):
            await asyncio.sleep(0)


@pytest.fixture
def server() -> Server:
    seen: list[Seen] = []

    async def note(
        scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message["body"]
            more = message["more_body"]
        upgrade = any(name == b"upgrade" for name, _ in scope["headers"])
        seen.append(Seen(scope["method"], scope["path"], body, upgrade))
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    config = uvicorn.Config(note, **UVICORN)
    config.load()
    return Server(config, seen=seen)


def with_length(*fields: bytes, body: bytes = SMUGGLED) -> bytes:
    lines = [b"POST /a HTTP/1.1", b"Host: a", *fields, b"Content-Length: %d" % len(body)]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def in_chunks(*fields: bytes) -> bytes:
    head = b"\r\n".join([b"POST /a HTTP/1.1", b"Host: a", *fields, b"Transfer-Encoding: chunked"]) + b"\r\n\r\n"
    first, second = SMUGGLED[:7], SMUGGLED[7:]
    return head + b"7\r\n%b\r\n%x;x=y\r\n%b\r\n0\r\nTrailer: x\r\n\r\n" % (first, len(second), second)


GET = b"GET /live HTTP/1.1\r\nHost: a\r\n\r\n"
UPGRADE = (b"Connection: Upgrade, HTTP2-Settings", b"HTTP2-Settings: AAEAAEAAAAIAAAAB", b"Upgrade: h2c")
POST, LIVE = Seen("POST", "/a", SMUGGLED, False), Seen("GET", "/live", b"", False)

KINDS: dict[str, tuple[bytes, list[Seen]]] = {
    "a length": (with_length(), [POST]),
    "chunks": (in_chunks(), [POST]),
    "an upgrade as Java writes it": (with_length(*UPGRADE), [POST]),
    "an upgrade, the length last": (with_length(b"Upgrade: websocket", b"connection: upgrade"), [POST]),
    "an upgrade in chunks": (in_chunks(*UPGRADE), [POST]),
    "an upgrade on GET /live with a body": (
        with_length(*UPGRADE).replace(b"POST /a", b"GET /live"),
        [Seen("GET", "/live", SMUGGLED, False)],
    ),
    "an upgrade without body": (GET.replace(b"\r\n\r\n", b"\r\n" + b"\r\n".join(UPGRADE) + b"\r\n\r\n"), [LIVE]),
    "two requests": (GET + with_length(), [LIVE, POST]),
    "an upgrade in the second of two": (GET + with_length(*UPGRADE), [LIVE, POST]),
    "an upgrade in the first of two": (with_length(*UPGRADE) + GET, [POST, LIVE]),
    "chunks, then an upgrade in chunks": (in_chunks() + in_chunks(*UPGRADE), [POST, POST]),
    "empty lines before": (b"\r\n\r\n" + with_length(), [POST]),
    "the end of a connection": (with_length(b"Connection: close"), [POST]),
    "HTTP/1.0": (with_length().replace(b"HTTP/1.1", b"HTTP/1.0", 1), [POST]),
    "a URL as target": (with_length().replace(b"/a", b"http://a/a", 1), [POST]),
}


@pytest.mark.parametrize(("sent", "wanted"), KINDS.values(), ids=KINDS.keys())
async def test_a_request_means_the_same_at_every_split_point(server: Server, sent: bytes, wanted: list[Seen]) -> None:
    for place in range(len(sent)):
        server.seen.clear()
        wire = await server.receive([sent[:place], sent[place:]] if place else [sent])

        assert server.seen == wanted, place
        assert wire.written.count(b"HTTP/1.1 204 ") == len(wanted), place


@pytest.mark.parametrize(("sent", "wanted"), KINDS.values(), ids=KINDS.keys())
async def test_a_request_means_the_same_byte_by_byte(server: Server, sent: bytes, wanted: list[Seen]) -> None:
    await server.receive([sent[place : place + 1] for place in range(len(sent))])

    assert server.seen == wanted


REJECTED = {
    "CONNECT": b"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n",
    "CONNECT with a body": b"CONNECT /a HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(SMUGGLED),
    "two lengths": with_length(b"Content-Length: 0"),
    "a length and chunks": with_length(b"Transfer-Encoding: chunked"),
    "a chunk that is longer than it says": in_chunks().replace(b"\r\n7\r\n", b"\r\n6\r\n"),
}


@pytest.mark.parametrize("sent", REJECTED.values(), ids=REJECTED.keys())
async def test_what_is_rejected_is_rejected_at_every_split_point(server: Server, sent: bytes) -> None:
    for place in range(len(sent)):
        wire = await server.receive([sent[:place], sent[place:] + SMUGGLED] if place else [sent + SMUGGLED])

        assert server.seen == [], place
        assert wire.written.startswith(b"HTTP/1.1 400 "), place
        assert wire.written.count(b"HTTP/1.1 ") == 1
        assert wire.closed
