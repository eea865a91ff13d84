"""TCP proxies in front of MongoDB servers, in a process of their own; they can cut off the clients of one name.

A driver says its application's name in the first message of each connection, so that connections are recognized by it.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
CHUNK = 1 << 16


class Proxies:
    """Starts and commands the process; `ports` are where the proxies listen, one for each target."""

    def __init__(self, targets: Sequence[int]) -> None:
        self._targets = targets

    def start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.mongodb.proxy", *map(str, self._targets)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.ports = [int(port) for port in self._answer().split()]

    def cut(self, number: int, name: str) -> None:
        """Swallow what clients of this name send to one target, and what it sends to them; nothing is closed."""
        self._command(f"cut {number} {name}")

    def mend(self) -> None:
        """Let everybody through again; connections that missed something end."""
        self._command("mend")

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()

    def _command(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        self._answer()

    def _answer(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the proxies have ended"
        return line


class Proxy:
    """Passes connections on to `target`, a port of this machine."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._cut: set[bytes] = set()
        self._open: dict[asyncio.Task[None], bytes] = {}

    async def start(self) -> int:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def cut(self, name: str) -> None:
        self._cut.add(name.encode())

    def mend(self) -> None:
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
            self._open[task] = head = await reader.read(CHUNK)
            await self._pass(head, reader, writer)
        del self._open[task]
        writer.close()

    async def _pass(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._target)
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
            server_writer.close()

    async def _copy(self, head: bytes, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while chunk := await source.read(CHUNK):
            if not self._is_cut(head):
                target.write(chunk)
                await target.drain()


async def main(targets: Sequence[str]) -> None:
    proxies = [Proxy(int(target)) for target in targets]
    print(*[await proxy.start() for proxy in proxies], flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        match line.split():
            case ["cut", number, name]:
                proxies[int(number)].cut(name)
            case _:
                for proxy in proxies:
                    proxy.mend()
        print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
