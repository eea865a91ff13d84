"""Limits what one worker handles at a time: active requests, incoming bodies, body memory, outgoing responses, time.

Guarantee: a request only occupies a slot while the service works on it. It gives the slot back while its body arrives
and while a large response is sent, and a large response has no deadline. Slow clients therefore block nobody else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from tmf_sales.errors import BodyTimeout, Unavailable
from tmf_sales.http.responses import LARGE, Send, large_size
from tmf_sales.http.timeout import Timeout, Timeouts
from tmf_sales.http.transfers import Transfer, Transfers

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

SMALL_BODY = 64 * 1024  # smaller bodies are not counted: the number of slots already bounds them
UNREAD_BYTES = 64 * 1024 * 1024  # total size of large responses being sent; beyond it, requests get 503


class Bounds:
    """The limits that all requests of a worker share. `body_memory`: bytes of large bodies held in memory at a time."""

    def __init__(self, *, deadline: float, max_concurrent: int, body_memory: int) -> None:
        self.deadline = deadline
        self.timeouts = Timeouts(deadline)
        self.free = max_concurrent
        self.free_body_memory = body_memory
        self.arriving = Transfers(max_concurrent)
        self.leaving = Transfers(UNREAD_BYTES)


class BoundedRequest:
    """One request, counted against the shared limits."""

    __slots__ = (
        "_arriving",
        "_body_size",
        "_bounds",
        "_has_place",
        "_is_whole",
        "_leaving",
        "_receive",
        "_send",
        "_timeout",
        "_was_slow",
        "started",
    )

    def __init__(self, bounds: Bounds, receive: Receive, send: Send) -> None:
        """Take a slot; raise Unavailable when none is free."""
        self._bounds = bounds
        self._take_place()
        self._is_whole = self._was_slow = self.started = False
        self._arriving: Transfer | None = None
        self._leaving: Transfer | None = None
        self._body_size = 0
        self._receive = receive
        self._send = send
        self._timeout = Timeout(bounds.timeouts)

    async def run(self, app: App, scope: Scope) -> None:
        """Run the application; raise BodyTimeout or Unavailable when time runs out before the response has started."""
        try:
            with self._timeout:
                await app(scope, self.receive, self.send)
        except TimeoutError:
            if self.started:
                return  # the server closes the connection of an incomplete response
            within = f"within {self._bounds.deadline:g} seconds"
            if self._was_slow:
                raise BodyTimeout("It arrived too slowly while other bodies were waiting") from None
            if self._arriving is not None:
                raise BodyTimeout(f"It was not complete {within}") from None
            raise Unavailable(f"No response {within}") from None

    def end(self) -> None:
        self._give_place_back()
        if self._arriving is not None:
            self._arriving.end()
        if self._leaving is not None:
            self._leaving.end()
        if self._body_size > SMALL_BODY:
            self._bounds.free_body_memory += self._body_size

    async def receive(self) -> MutableMapping[str, Any]:
        """Return the next part of the body. Until the body is complete, the request holds no slot."""
        if self._is_whole:
            return await self._receive()
        if self._arriving is None:
            self._arriving = self._bounds.arriving.begin(1, self._give_up_body)
            self._give_place_back()
        message = await self._receive()
        size = len(message.get("body", b""))
        self._arriving.moved += size
        self._count_body(size)
        if not message.get("more_body", False):
            self._is_whole = True
            self._arriving.end()
            self._arriving = None
            self._take_place()
        return message

    def send(self, message: MutableMapping[str, Any]) -> Awaitable[None]:
        """Count the message and pass it on; no coroutine of its own, since every response has two messages."""
        if message["type"] == "http.response.start":
            if (size := large_size(message)) > LARGE:
                self._begin_leaving(size)
            self.started = True
        elif message.get("more_body", False) and self._has_place:
            self._begin_leaving(0)
        if self._leaving is not None:
            self._leaving.moved += len(message.get("body", b""))
        return self._send(message)

    def _begin_leaving(self, size: int) -> None:
        """Free the slot and stop the deadline: the client sets the pace, and the server closes stalled connections."""
        self._leaving = self._bounds.leaving.begin(size, self._timeout.expire)
        self._give_place_back()
        self._timeout.disarm()

    def _take_place(self) -> None:
        if self._bounds.free <= 0:
            raise Unavailable("Too many concurrent requests")
        self._bounds.free -= 1
        self._has_place = True

    def _give_place_back(self) -> None:
        if self._has_place:
            self._bounds.free += 1
            self._has_place = False

    def _count_body(self, size: int) -> None:
        before, self._body_size = self._body_size, self._body_size + size
        if self._body_size > SMALL_BODY:
            self._bounds.free_body_memory -= self._body_size if before <= SMALL_BODY else size
            if self._bounds.free_body_memory < 0:
                raise Unavailable("Too many large request bodies at the same time", headers={"Connection": "close"})

    def _give_up_body(self) -> None:
        self._was_slow = True
        self._timeout.expire()
