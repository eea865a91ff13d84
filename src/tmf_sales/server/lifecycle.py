"""Starts, drains, stops and reloads a serving process: uvicorn's server with this service's signals.

Guarantee: after SIGTERM, /ready fails at once. For the drain time the socket stays open and responses carry
`Connection: close`, so that a load balancer turns to other processes before any connection is refused. Connections that
the system has accepted by then are served. SIGINT skips the drain. SIGHUP reloads; SIGUSR1 and SIGUSR2 do nothing.
With TLS, the first socket is encrypted and a second one, of the management port, is not.

Most of this can go when uvicorn has a drain (https://github.com/Kludex/uvicorn/pull/2414;
tests/http/test_library_internals.py).
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import ssl
from collections.abc import Callable
from types import FrameType

import uvicorn

from tmf_sales.configuration.reloading import Reloading
from tmf_sales.http.probes import DRAINING
from tmf_sales.server.ports import HANDSHAKES_END_IN, ignore_new_connections, take_accept_queue
from tmf_sales.server.protocol import Protocol
from tmf_sales.server.tls import HANDSHAKE_SECONDS, Tls
from tmf_sales.telemetry.requests import REQUESTS, WORKER

LAST_HANDSHAKE_SECONDS = 1.0  # of a connection that was accepted just before shutdown
NOT_FOR_US = ("SIGUSR1", "SIGUSR2")  # ignored: by default they end a process


class Server(uvicorn.Server):
    """A server that announces when it is ready, and that drains before it ends."""

    def __init__(
        self,
        config: uvicorn.Config,
        announce: Callable[[], None],
        reloading: Reloading | None,
        drain: float,
        worker: int | None = 0,
        tls: Tls | None = None,
    ) -> None:
        """`worker`: the number of this process among the workers, see telemetry/requests.py."""
        super().__init__(config)
        self.announce = announce
        self.reloading = reloading
        self.drain = drain
        self.worker = worker
        self.tls = tls
        self._is_draining = False
        self._listeners: list[socket.socket] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        for name in NOT_FOR_US:
            self._handle_signal(name, lambda: None)
        self._handle_signal("SIGHUP", (lambda: None) if self.reloading is None else self.reloading.begin)
        self.lifespan.state[WORKER] = self.worker
        self.lifespan.state[REQUESTS] = self.server_state.tasks
        encrypted = (sockets or [])[:1] if self.tls is not None else []
        await super().startup((sockets or [])[len(encrypted) :])
        for each in encrypted:
            await self._start_encrypted(each)
        if self.started:
            # Duplicates of uvicorn's sockets: they stay open to accept the last connections, see shutdown.
            self._listeners = [socket.socket(fileno=os.dup(each.fileno())) for each in sockets or []]
            self.announce()

    async def _start_encrypted(self, listener: socket.socket) -> None:
        server = await asyncio.get_running_loop().create_server(
            self._protocol,
            sock=listener,
            ssl=self._context_of(0),
            backlog=self.config.backlog,
            ssl_handshake_timeout=HANDSHAKE_SECONDS,
        )
        self.servers.append(server)

    def _context_of(self, position: int) -> ssl.SSLContext | None:
        """The TLS of the socket at this position; None if it is not encrypted."""
        return self.tls.context if self.tls is not None and position == 0 else None

    def _handle_signal(self, name: str, action: Callable[[], None]) -> None:
        number = getattr(signal, name, None)  # Windows has none of them
        if number is not None and self._loop is not None:
            self._loop.add_signal_handler(number, action)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin the drain on SIGTERM; end at once on SIGINT, or on a second signal. Python calls this."""
        may_drain = self.started and not self._is_draining and not self.should_exit
        if sig == signal.SIGTERM and self.drain and may_drain and self._loop is not None:
            self._captured_signals.append(sig)
            self._is_draining = True
            self._loop.call_soon_threadsafe(self._begin_drain, self.drain)
        else:
            super().handle_exit(sig, frame)

    def _begin_drain(self, seconds: float) -> None:
        self._announce_end()
        asyncio.get_running_loop().call_later(seconds, self._end_drain)

    def _announce_end(self) -> None:
        """Let each response that begins from now on end its connection; a head that was sent promised to keep it."""
        self.lifespan.state[DRAINING] = True
        for connection in self.server_state.connections:
            cycle = connection.cycle if isinstance(connection, Protocol) else None
            if cycle is not None and not cycle.response_started:
                cycle.keep_alive = False

    def _end_drain(self) -> None:
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._announce_end()
        for server in self.servers:
            server.close()
        ignoring = [ignore_new_connections(listener) for listener in self._listeners]
        if any(ignoring):
            await asyncio.sleep(HANDSHAKES_END_IN)
        # Nothing is awaited between the last accept and the close: a connection that arrives there would be reset.
        last = []
        for position, listener in enumerate(self._listeners):
            last += [(connection, self._context_of(position)) for connection in take_accept_queue(listener)]
            listener.close()
        # All at once: each may take the time of a handshake that never ends.
        await asyncio.gather(*(self._connect(*each) for each in last), return_exceptions=True)
        await super().shutdown(sockets)

    async def _connect(self, connection: socket.socket, context: ssl.SSLContext | None) -> None:
        connect = asyncio.get_running_loop().connect_accepted_socket
        if context is None:
            await connect(self._protocol, connection)
        else:
            await connect(self._protocol, connection, ssl=context, ssl_handshake_timeout=LAST_HANDSHAKE_SECONDS)

    def _protocol(self) -> asyncio.Protocol:
        protocol: asyncio.Protocol = self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return protocol
