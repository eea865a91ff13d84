"""Answers the probes of an operator: is the process alive, can it serve. Outside all bounds of the API.

Guarantee: /live never touches the store; /ready answers within its timeout whatever the store does, asks the store at
most once a second however many callers there are, and says no as soon as the service drains.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

import orjson

from tmf_sales.errors import MethodNotAllowed, Unavailable
from tmf_sales.http.middleware import App, Receive, Scope
from tmf_sales.http.responses import PAGE_METHODS, Send, send_error, send_response

READY_TIMEOUT = 1.0
CHECK_INTERVAL = 1.0
DRAINING = "tmf_sales.draining"  # the member of the server's state that says that the process is about to end


class Readiness:
    """Whether the store can read and write, asked at most once in `interval` seconds; all callers share the answer."""

    def __init__(
        self,
        ping: Callable[[], Awaitable[None]],
        interval: float = CHECK_INTERVAL,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ping = ping
        self._interval = interval
        self._clock = clock
        self._check: asyncio.Task[bool] | None = None
        self._begun = 0.0

    async def is_ready(self) -> bool:
        now = self._clock()
        if self._check is None or (self._check.done() and now - self._begun >= self._interval):
            self._begun = now
            self._check = asyncio.create_task(self._ask())
        # A caller that goes away must not take the check of the others with it.
        return await asyncio.shield(self._check)

    async def _ask(self) -> bool:
        try:
            async with asyncio.timeout(READY_TIMEOUT):
                await self._ping()
        except (TimeoutError, Unavailable):
            return False
        return True


def probes(ping: Callable[[], Awaitable[None]]) -> Mapping[str, App]:
    """The probe of each path; `ping` returns when the store can read and write."""
    readiness = Readiness(ping)

    async def live(scope: Scope, _receive: Receive, send: Send) -> None:
        await _say(scope, send, {"status": "live"})

    async def ready(scope: Scope, _receive: Receive, send: Send) -> None:
        if scope.get("state", {}).get(DRAINING):
            await send_error(send, Unavailable("The service is about to end"), scope)
        elif await readiness.is_ready():
            await _say(scope, send, {"status": "ready"})
        else:
            await send_error(send, Unavailable("The store does not answer"), scope)

    return {"/live": live, "/ready": ready}


async def _say(scope: Scope, send: Send, value: dict[str, str]) -> None:
    if scope["method"] in PAGE_METHODS:
        headers = [(b"cache-control", b"no-store")]
        await send_response(send, 200, orjson.dumps(value), headers, head=scope["method"] == "HEAD")
    else:
        await send_error(send, MethodNotAllowed.among(scope["method"], PAGE_METHODS), scope)
