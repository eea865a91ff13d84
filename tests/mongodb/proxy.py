"""A TCP proxy in front of a MongoDB server, which can cut off the clients of one name.

A driver says its application's name in the first message of each connection, so that a connection can be told by it.
"""

from __future__ import annotations

import asyncio
import contextlib

HEAD = 1 << 16


class Proxy:
    """Passes connections on to `target`, a port of this machine."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._cut: set[bytes] = set()
        self._open: dict[asyncio.Task[None], bytes] = {}

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await self._server.wait_closed()

    def cut(self, name: str) -> None:
        """Swallow what clients of this name send, and what is sent to them, from now on; nothing is closed."""
        self._cut.add(name.encode())

    def mend(self) -> None:
        """Let everybody through; what was swallowed stays lost, so the connections that missed it end."""
        for task, head in self._open.items():
            if self._is_cut(head):
                task.cancel()
        self._cut.clear()

    def _is_cut(self, head: bytes) -> bool:
        return any(name in head for name in self._cut)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open[task] = b""
        with contextlib.suppress(OSError, asyncio.CancelledError):
            self._open[task] = head = await reader.read(HEAD)
            await self._pass(head, reader, writer)
        del self._open[task]
        writer.close()

    async def _pass(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._target)
        try:
            if not self._is_cut(head):
                server_writer.write(head)
            ways = [
                asyncio.create_task(self._copy(head, reader, server_writer)),
                asyncio.create_task(self._copy(head, server_reader, writer)),
            ]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        finally:
            server_writer.close()

    async def _copy(self, head: bytes, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while chunk := await source.read(HEAD):
            if not self._is_cut(head):
                target.write(chunk)
                await target.drain()
