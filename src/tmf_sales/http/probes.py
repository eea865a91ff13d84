"""What operators ask: is the process alive, can it serve. Answered on the event loop, outside all bounds of the API.

Promise: /live never touches the store; /ready answers within its timeout whatever the store does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import orjson

from tmf_sales.errors import MethodNotAllowed, Unavailable
from tmf_sales.http.middleware import App, Receive, Scope
from tmf_sales.http.responses import PAGE_METHODS, Send, send_error, send_response

READY_TIMEOUT = 1.0


def probes(ping: Callable[[], Awaitable[None]]) -> Mapping[str, App]:
    """The probe of each path; `ping` returns when the store can read and write."""

    async def live(scope: Scope, _receive: Receive, send: Send) -> None:
        await _say(scope, send, {"status": "live"})

    async def ready(scope: Scope, _receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(READY_TIMEOUT):
                await ping()
        except (TimeoutError, Unavailable):
            await send_error(send, Unavailable("The store does not answer"), scope)
        else:
            await _say(scope, send, {"status": "ready"})

    return {"/live": live, "/ready": ready}


async def _say(scope: Scope, send: Send, value: dict[str, str]) -> None:
    if scope["method"] in PAGE_METHODS:
        headers = [(b"cache-control", b"no-store")]
        await send_response(send, 200, orjson.dumps(value), headers, head=scope["method"] == "HEAD")
    else:
        await send_error(send, MethodNotAllowed.among(scope["method"], PAGE_METHODS), scope)
