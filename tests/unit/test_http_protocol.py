"""A connection is kept for requests, not for heads that never end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from tmf_sales.cli import http_protocol
from tmf_sales.cli.http_protocol import LONGEST_HEAD, Protocol
from tmf_sales.cli.one_worker import UVICORN

REQUEST = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"
FOREVER = 1e6
AT_ONCE = 0.0


async def answer_nothing(
    _scope: MutableMapping[str, Any], _receive: object, send: Callable[[MutableMapping[str, Any]], Awaitable[None]]
) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


@pytest.fixture
async def port() -> AsyncIterator[int]:
    config = uvicorn.Config(answer_nothing, **UVICORN)
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Protocol(config, state, {}), "127.0.0.1", 0)
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
