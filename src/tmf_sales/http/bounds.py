"""The bounds of one worker: requests at work, bodies that arrive, bodies kept, answers that leave; and time.

Guarantee: a request waits for its own body outside the places for work, and an answer that is read slowly leaves
without a place and without a deadline; so neither half-sent bodies nor unread answers keep other requests out.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from tmf_sales.errors import BodyTimeout, Unavailable
from tmf_sales.http.responses import LARGE, Send, large_size
from tmf_sales.http.timeout import Timeout
from tmf_sales.http.transfers import Transfer, Transfers

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

SMALL_BODY = 64 * 1024  # bodies up to here count as none: the places for work bound them already
UNREAD_BYTES = 64 * 1024 * 1024  # of large answers under way; further ones get 503


class Bounds:
    """What the requests of one worker share. `body_memory`: bytes of large bodies that are kept at a time."""

    def __init__(self, *, deadline: float, max_concurrent: int, body_memory: int) -> None:
        self.deadline = deadline
        self.free = max_concurrent
        self.free_body_memory = body_memory
        self.arriving = Transfers(max_concurrent)
        self.leaving = Transfers(UNREAD_BYTES)


class BoundedRequest:
    """One request within the bounds."""

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
        """Takes a place; raises Unavailable when there is none."""
        self._has_place = self._is_whole = self._was_slow = self.started = False
        self._arriving: Transfer | None = None
        self._leaving: Transfer | None = None
        self._body_size = 0
        self._bounds = bounds
        self._receive = receive
        self._send = send
        self._timeout = Timeout(bounds.deadline)
        self._take_place()

    async def run(self, app: App, scope: Scope) -> None:
        """Raises BodyTimeout and Unavailable when the time is over before an answer has begun."""
        try:
            with self._timeout:
                await app(scope, self.receive, self.send)
        except TimeoutError:
            if self.started:
                return  # the server closes the connection of an answer without end
            within = f"within {self._bounds.deadline:g} seconds"
            if self._was_slow:
                raise BodyTimeout("It came too slowly while other bodies waited") from None
            if self._arriving is not None:
                raise BodyTimeout(f"It was not complete {within}") from None
            raise Unavailable(f"No answer {within}") from None

    def end(self) -> None:
        self._give_place_back()
        if self._arriving is not None:
            self._arriving.end()
        if self._leaving is not None:
            self._leaving.end()
        if self._body_size > SMALL_BODY:
            self._bounds.free_body_memory += self._body_size

    async def receive(self) -> MutableMapping[str, Any]:
        """The next part of the body. Until it is whole the request has no place, but is one of the arriving ones."""
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

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            if (size := large_size(message)) > LARGE:
                self._begin_leaving(size)
            self.started = True
        elif message.get("more_body", False) and self._has_place:
            self._begin_leaving(0)
        if self._leaving is not None:
            self._leaving.moved += len(message.get("body", b""))
        await self._send(message)

    def _begin_leaving(self, size: int) -> None:
        """From here on the client's speed decides: the server ends a connection on which nothing moves."""
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
                raise Unavailable("Other large bodies take all memory for them", headers={"Connection": "close"})

    def _give_up_body(self) -> None:
        self._was_slow = True
        self._timeout.expire()
