"""Serves the health probes /live and /ready, outside all limits of the API.

Guarantee: /live never touches the store. /ready responds within a second whatever the store does: a caller waits for a
check at most ANSWER_TIMEOUT after it began, and never for the end of a check that hangs. It pings the store at most
once a second for all callers together, reports "not ready" as soon as the service drains, and says why.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

import orjson

from tmf_sales.errors import MethodNotAllowed, Unavailable
from tmf_sales.http.middleware import App, Receive, Scope
from tmf_sales.http.responses import PAGE_METHODS, Send, send_error, send_response

ANSWER_TIMEOUT = 0.6
"""Seconds after the start of a check within which /ready responds; a busy machine may add the rest of the second."""
CHECK_TIMEOUT = 0.9
"""Seconds after which a check gives up; the next caller gets the result of one that was too late for the first."""
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
        # `wait` cancels nothing: a cancelled driver may take its time to end, and other callers share the check.
        done, _ = await asyncio.wait((self._check,), timeout=max(0.0, self._begun + ANSWER_TIMEOUT - now))
        if not done:
            self.reason = NO_ANSWER
            return False
        return done.pop().result()

    async def _ask(self) -> bool:
        try:
            async with asyncio.timeout(CHECK_TIMEOUT):
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
