"""A connection is kept for requests, not for heads that never end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from tmf_sales.server import protocol as http_protocol
from tmf_sales.server import write_progress
from tmf_sales.server.one_worker import UVICORN
from tmf_sales.server.protocol import Protocol
from tmf_sales.server.request_head import LONGEST_HEAD

REQUEST = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"
FOREVER = 1e6
AT_ONCE = 0.0


IN_CHUNKS = REQUEST[:-2] + b"Transfer-Encoding: chunked\r\n\r\n"
Message = MutableMapping[str, Any]


async def answer_nothing(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """At once, at /slow a little later, at /read when the body has come: 403 if there is a header X-Trailer by then."""
    status = 204
    if scope["path"] == "/slow":
        for _ in range(100):  # turns of the loop
            await asyncio.sleep(0)
    if scope["path"] == "/large":
        status = 200
    if scope["path"] == "/read":
        while (await receive()).get("more_body", False):
            pass
        if any(name == b"x-trailer" for name, _ in scope["headers"]):
            status = 403
    await send({"type": "http.response.start", "status": status, "headers": []})
    if scope["path"] == "/large":
        for _ in range(1000):
            await send({"type": "http.response.body", "body": bytes(100_000), "more_body": True})
    await send({"type": "http.response.body"})


@pytest.fixture
def opened() -> list[Protocol]:
    """The server's ends of the connections."""
    return []


@pytest.fixture
async def port(opened: list[Protocol]) -> AsyncIterator[int]:
    config = uvicorn.Config(answer_nothing, **UVICORN)
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()

    def protocol() -> Protocol:
        opened.append(Protocol(config, state, {}))
        return opened[-1]

    server = await loop.create_server(protocol, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()


async def said_to(port: int, sent: bytes) -> bytes:
    """All that is said until the other side closes the connection; this side does not."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    try:
        return await reader.read()
    except ConnectionResetError:  # closed before it had read what was sent
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize("sent", [b"", REQUEST[:-3]], ids=["nothing", "half a head"])
async def test_a_head_that_does_not_end_is_waited_for_so_long(
    port: int, sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "HEAD_SECONDS", AT_ONCE)

    assert await said_to(port, sent) == b""


async def test_so_is_the_head_of_a_later_request(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "HEAD_SECONDS", FOREVER)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(REQUEST)
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 204 ")

    monkeypatch.setattr(http_protocol, "HEAD_SECONDS", AT_ONCE)
    writer.write(REQUEST[:-3])

    assert await reader.read() == b""
    writer.close()


async def test_a_head_that_came_in_time_has_no_end_to_fear(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "HEAD_SECONDS", FOREVER)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in (REQUEST[:5], REQUEST[5:20], REQUEST[20:]):
        writer.write(piece)
        await writer.drain()
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 204 ")

    writer.write(REQUEST)

    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 204 ")
    writer.close()


async def test_a_head_that_is_too_long_is_refused(port: int) -> None:
    answer = await said_to(port, REQUEST[:-2] + b"X-Filler: x\r\n" * (LONGEST_HEAD // 10))

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"the head of the request is longer than 262144 bytes" in answer


async def test_a_connection_is_idle_behind_an_empty_line_too(port: int, opened: list[Protocol]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while not opened:  # noqa: ASYNC110 - nobody says when the server has accepted
        await asyncio.sleep(0)
    opened[0].timeout_keep_alive = 0.1  # type: ignore[assignment]
    writer.write(REQUEST)
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 204 ")

    writer.write(b"\r\n")

    assert await reader.read() == b""
    writer.close()


async def test_the_rest_of_a_body_that_is_answered_is_waited_for_so_long(
    port: int, opened: list[Protocol], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "HEAD_SECONDS", FOREVER)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while not opened:  # noqa: ASYNC110 - nobody says when the server has accepted
        await asyncio.sleep(0)

    monkeypatch.setattr(http_protocol, "HEAD_SECONDS", AT_ONCE)
    writer.write(REQUEST[:-2] + b"Content-Length: 100\r\n\r\nx")

    assert (await reader.read()).startswith(b"HTTP/1.1 204 ")
    writer.close()


async def test_behind_the_rest_of_a_body_another_request_may_come(port: int, opened: list[Protocol]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(REQUEST[:-2] + b"Content-Length: 3\r\n\r\nx")
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 204 ")
    writer.write(b"y")

    writer.write(b"z" + REQUEST)

    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 204 ")
    assert opened[0].waiting is None
    writer.close()


async def test_a_half_head_cuts_no_answer_off(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(REQUEST)
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 204 ")

    monkeypatch.setattr(http_protocol, "HEAD_SECONDS", AT_ONCE)
    writer.write(REQUEST.replace(b"/", b"/slow", 1) + REQUEST[:-3])

    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 204 ")
    writer.close()


async def test_trailers_are_no_headers(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(IN_CHUNKS.replace(b"/", b"/read", 1) + b"0\r\nX-Trailer: x\r\n\r\n")

    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 204 ")
    writer.close()


@pytest.mark.parametrize(
    ("endless", "said"),
    [
        (b"0\r\n" + b"X: x\r\n" * 5000, b"the trailers of the body are longer than 16384 bytes"),
        (b"0\r\nX: " + b"x" * 20_000, b"a line between the chunks of the body is longer than 16384 bytes"),
        (b"1;x=" + b"x" * 2000, b"a line between the chunks of the body is longer than 1024 bytes"),
        (b"1\r\nx\r\n" * 70_000, b"the body has more than 65536 chunks"),
    ],
    ids=["trailers", "a trailer", "an extension of a chunk", "small chunks"],
)
async def test_what_surrounds_the_bytes_of_a_body_is_bounded(port: int, endless: bytes, said: bytes) -> None:
    answer = await said_to(port, IN_CHUNKS.replace(b"/", b"/read", 1) + endless)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert said in answer


async def test_a_client_that_does_not_read_is_let_go(
    port: int, opened: list[Protocol], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_progress, "WRITE_SECONDS", 0.1)
    _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    writer.write(REQUEST.replace(b"/ HTTP", b"/large HTTP").replace(b" HTTP/1.1", b" HTTP/1.1", 1))

    while not opened or opened[0].parser is not None:  # noqa: ASYNC110 - until the connection is lost
        await asyncio.sleep(0.01)

    writer.transport.abort()


async def test_a_client_that_has_ended_its_side_gets_its_answers(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(REQUEST.replace(b"/", b"/slow", 1) * 2)
    writer.write_eof()

    assert (await reader.read()).count(b"HTTP/1.1 204 ") == 2
    writer.close()


async def test_a_client_that_ends_within_a_body_is_not_waited_for(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(REQUEST[:-2] + b"Content-Length: 3\r\n\r\nx")
    writer.write_eof()

    await reader.read()  # ends
    writer.close()
