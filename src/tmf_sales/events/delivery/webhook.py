"""Sends one signed POST to one callback, through the SSRF guard.

`post` never raises for what a receiver does; it returns an Attempt within the timeout. Connections are kept open and
reused; a new one goes to an address that the guard has just vetted. 2xx is success, redirects are failures (Standard
Webhooks 1.0).
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tmf_sales.errors import CallbackRefused, InvalidBody
from tmf_sales.events.delivery.http_client import Answer, Connection, ConnectionFailed
from tmf_sales.events.delivery.retry import read_retry_after
from tmf_sales.events.signing import Secret, signature_headers
from tmf_sales.events.ssrf_guard import SsrfGuard, Target, Unresolved, parse_callback
from tmf_sales.storage.events import is_success

TIMEOUT = 15.0
CONNECT_TIMEOUT = 5.0
IDLE_PER_ORIGIN = 8
CONNECTIONS = 128
CONTENT_TYPE = ("content-type", "application/json")
TRACEPARENT = "traceparent"  # W3C Trace Context
USER_AGENT = ("user-agent", "tmf-sales")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt: when (seconds since 1970), how long it took (seconds), and either a status or an error.

    `answer` is the first 2 KB of the body as text. `retry_after` is in seconds.
    """

    at: float
    duration: float
    status: int | None = None
    answer: str = ""
    error: str | None = None
    retry_after: float | None = None

    @property
    def succeeded(self) -> bool:
        return is_success(self.status)

    @property
    def is_gone(self) -> bool:
        """The receiver asks for no more events (410)."""
        return self.status == 410


@dataclass(frozen=True, slots=True)
class Message:
    """A message to post: `id` is the same in every attempt; `headers` are added to the standard ones."""

    id: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


def standard_headers(
    id: str, timestamp: int, body: bytes = b"", secrets: Sequence[Secret] = ()
) -> list[tuple[str, str]]:
    """Return the headers of every message; without secrets there is no signature."""
    return [CONTENT_TYPE, USER_AGENT, *signature_headers(id, timestamp, body, secrets)]


class Webhook:
    """Posts messages. `now` gives seconds since 1970.

    `connections`: the most open connections, idle ones included. Callers must not open more deliveries than that.
    """

    def __init__(
        self,
        guard: SsrfGuard,
        now: Callable[[], float] = time.time,
        *,
        timeout: float = TIMEOUT,
        connect_timeout: float = CONNECT_TIMEOUT,
        tls: ssl.SSLContext | None = None,
        connections: int = CONNECTIONS,
    ) -> None:
        self._guard = guard
        self._now = now
        self._timeout = timeout
        self._connect_timeout = connect_timeout
        self._tls = tls
        self._idle: dict[tuple[bool, str, int], deque[Connection]] = {}
        self._idle_count = 0
        self._connections = connections
        self._open = 0

    async def post(self, callback: str, message: Message, secrets: Sequence[Secret] = ()) -> Attempt:
        at, started = self._now(), time.perf_counter()
        headers = [*standard_headers(message.id, int(at), message.body, secrets), *message.headers]
        answer, error = Answer(), None
        self._open += 1
        try:
            async with asyncio.timeout(self._timeout):
                answer = await self._exchange(parse_callback(callback), headers, message.body)
        except TimeoutError:
            error = "no answer in time"
        except Unresolved:
            error = "the host's name has no address"
        except (CallbackRefused, InvalidBody) as refused:
            error = f"refused: {refused.message}"
        except ConnectionFailed as failed:
            error = str(failed)
        finally:
            self._open -= 1
        return Attempt(
            at=at,
            duration=time.perf_counter() - started,
            status=answer.status or None,
            answer=answer.body.decode("utf-8", "replace"),
            error=error,
            retry_after=read_retry_after(answer.retry_after, at),
        )

    def close(self) -> None:
        """Close the idle connections; those in use close when their post ends or is cancelled."""
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle.clear()
        self._idle_count = 0

    async def _exchange(self, target: Target, headers: list[tuple[str, str]], body: bytes) -> Answer:
        origin = (target.secure, target.host, target.port)
        while (connection := self._take_idle(origin)) is not None:
            try:
                return await self._use(connection, origin, target, headers, body)
            except ConnectionFailed as failed:
                # The receiver may close an idle connection at the moment of its reuse: that is not a failed delivery.
                if not failed.was_idle:
                    raise
        return await self._use(await self._connect(target), origin, target, headers, body)

    async def _use(
        self,
        connection: Connection,
        origin: tuple[bool, str, int],
        target: Target,
        headers: list[tuple[str, str]],
        body: bytes,
    ) -> Answer:
        answer = await connection.post(target, headers, body)
        self._keep_idle(origin, connection)
        return answer

    async def _connect(self, target: Target) -> Connection:
        self._make_room()
        addresses = await self._guard.addresses(target)
        failure = ConnectionFailed("no address to connect to")
        for address in addresses:
            try:
                async with asyncio.timeout(self._connect_timeout):
                    return await Connection.connect(address, target, self._tls_context())
            except TimeoutError:
                failure = ConnectionFailed("not reachable in time")
            except ConnectionFailed as failed:
                failure = failed
        raise failure

    def _tls_context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls

    def _take_idle(self, origin: tuple[bool, str, int]) -> Connection | None:
        connections = self._idle.get(origin)
        while connections:
            connection = connections.pop()
            self._idle_count -= 1
            if connection.is_open:
                return connection
        self._idle.pop(origin, None)
        return None

    def _keep_idle(self, origin: tuple[bool, str, int], connection: Connection) -> None:
        if not connection.is_open:
            return
        if self._idle_count + self._open > self._connections:
            self._forget_closed()
        connections = self._idle.setdefault(origin, deque())
        if len(connections) >= IDLE_PER_ORIGIN or self._idle_count + self._open > self._connections:
            connection.close()
            return
        connections.append(connection)
        self._idle_count += 1

    def _make_room(self) -> None:
        """Close idle connections until the new one stays within the limit."""
        if self._idle_count + self._open > self._connections:
            self._forget_closed()
        while self._idle_count and self._idle_count + self._open > self._connections:
            origin, connections = next(iter(self._idle.items()))
            connections.popleft().close()
            self._idle_count -= 1
            if not connections:
                del self._idle[origin]

    def _forget_closed(self) -> None:
        still_open = {origin: deque(each for each in idle if each.is_open) for origin, idle in self._idle.items()}
        self._idle = {origin: idle for origin, idle in still_open.items() if idle}
        self._idle_count = sum(map(len, self._idle.values()))
