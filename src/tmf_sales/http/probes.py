"""Serves the health probes /live and /ready, outside all limits of the API.

Guarantee: /live never touches the store. /ready responds within its timeout whatever the store does, pings the store at
most once a second for all callers together, reports "not ready" as soon as the service drains, and says why.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

import orjson

from tmf_sales.errors import MethodNotAllowed, Unavailable
from tmf_sales.http.middleware import App, Receive, Scope
from tmf_sales.http.responses import PAGE_METHODS, Send, send_error, send_response

READY_TIMEOUT = 0.9
"""Seconds; so that the response arrives within one."""
CHECK_INTERVAL = 1.0
NO_ANSWER = "The store does not answer"
DRAINING = "tmf_sales.draining"  # set in the server's state when the process is about to end


class Readiness:
    """Checks that the store can read and write, at most once in `interval` seconds; all callers share the result."""

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
        self.reason = NO_ANSWER

    async def is_ready(self) -> bool:
        now = self._clock()
        if self._check is None or (self._check.done() and now - self._begun >= self._interval):
            self._begun = now
            self._check = asyncio.create_task(self._ask())
        # A caller that disconnects must not cancel the check for the others.
        return await asyncio.shield(self._check)

    async def _ask(self) -> bool:
        try:
            async with asyncio.timeout(READY_TIMEOUT):
                await self._ping()
        except TimeoutError:
            self.reason = NO_ANSWER
            return False
        except Unavailable as error:
            self.reason = error.message
            return False
        return True


def probes(readiness: Readiness) -> Mapping[str, App]:
    """The probe of each path."""

    async def live(scope: Scope, _receive: Receive, send: Send) -> None:
        await _say(scope, send, {"status": "live"})

    async def ready(scope: Scope, _receive: Receive, send: Send) -> None:
        if scope.get("state", {}).get(DRAINING):
            await send_error(send, Unavailable("The service is shutting down"), scope)
        elif await readiness.is_ready():
            await _say(scope, send, {"status": "ready"})
        else:
            await send_error(send, Unavailable(readiness.reason), scope)

    return {"/live": live, "/ready": ready}


async def _say(scope: Scope, send: Send, value: dict[str, str]) -> None:
    if scope["method"] in PAGE_METHODS:
        headers = [(b"cache-control", b"no-store")]
        await send_response(send, 200, orjson.dumps(value), headers, head=scope["method"] == "HEAD")
    else:
        await send_error(send, MethodNotAllowed.among(scope["method"], PAGE_METHODS), scope)
