"""Sends a streamed response chunk by chunk, until it ends, the client disconnects, or the server stops.

A chunk is made only when the server has taken the one before it, so a slow client costs the memory of one chunk. The
stream ends when the client takes nothing for 30 seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from tmf_sales.engine.request import StreamedResponse

STREAM_ENDS = "tmf_sales.stream_ends"
"""In the scope of a request for a stream: an asyncio.Event that is set when the server stops."""

STALLED_AFTER = 30.0

Message = MutableMapping[str, Any]


async def send_stream(
    scope: Message,
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
    response: StreamedResponse,
) -> None:
    try:
        await _send(scope, receive, send, response)
    finally:
        response.release()


async def _send(
    scope: Message,
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
    response: StreamedResponse,
) -> None:
    ends: asyncio.Event = scope.get(STREAM_ENDS) or asyncio.Event()
    await send({"type": "http.response.start", "status": response.status, "headers": response.headers})
    sending = asyncio.create_task(_send_chunks(send, response))
    others = [asyncio.create_task(_until_gone(receive)), asyncio.create_task(ends.wait())]
    try:
        await asyncio.wait([sending, *others], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (sending, *others):
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        with contextlib.suppress(asyncio.CancelledError):
            await sending
    await send({"type": "http.response.body", "body": b""})


async def _send_chunks(send: Callable[[Message], Awaitable[None]], response: StreamedResponse) -> None:
    try:
        async for chunk in response.chunks:
            async with asyncio.timeout(STALLED_AFTER):
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
    except TimeoutError:
        return
    finally:
        await response.chunks.aclose()


async def _until_gone(receive: Callable[[], Awaitable[Message]]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
