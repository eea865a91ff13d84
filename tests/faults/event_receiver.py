"""Listeners that fail now and then, in the test's own event loop, and what has arrived at them."""

from __future__ import annotations

import asyncio
import contextlib
import random
from dataclasses import dataclass, field
from typing import Any

import orjson

FAILING = 0.05
HANGING_UP = 0.03
LONGEST_DELAY = 0.05


@dataclass(slots=True)
class Receiver:
    """One listener. Each event fails at most once, as the second retry would come minutes later."""

    chance: random.Random
    url: str = ""
    arrived: list[dict[str, Any]] = field(default_factory=list)
    failed: set[str] = field(default_factory=set)
    unanswered: int = 0
    is_reliable: bool = False

    def first_arrivals(self) -> list[dict[str, Any]]:
        """Each event once, in the order in which they came for the first time."""
        return list({event["eventId"]: event for event in reversed(self.arrived)}.values())[::-1]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
                event = orjson.loads(await reader.readexactly(length))
                if not await self._response_text(event, writer):
                    break

    async def _response_text(self, event: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
        """Answer the event; False when the connection is to be closed instead."""
        self.unanswered += 1
        try:
            await asyncio.sleep(self.chance.random() * LONGEST_DELAY)
            outcome = 1.0 if self.is_reliable or event["eventId"] in self.failed else self.chance.random()
            if outcome < FAILING + HANGING_UP:
                self.failed.add(event["eventId"])
                if outcome < HANGING_UP:
                    return False
                writer.write(b"HTTP/1.1 500 Not now\r\ncontent-length: 0\r\n\r\n")
            else:
                self.arrived.append(event)
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
            await writer.drain()
            return True
        finally:
            self.unanswered -= 1


@contextlib.asynccontextmanager
async def receivers(count: int, chance: random.Random) -> Any:
    """So many listeners, each on a port of its own."""
    made = [Receiver(chance) for _ in range(count)]
    async with contextlib.AsyncExitStack() as ends:
        for receiver in made:
            tasks: set[asyncio.Task[None]] = set()

            def begin(
                reader: asyncio.StreamReader,
                writer: asyncio.StreamWriter,
                receiver: Receiver = receiver,
                tasks: set[asyncio.Task[None]] = tasks,
            ) -> None:
                tasks.add(asyncio.ensure_future(receiver.serve(reader, writer)))

            server = await asyncio.start_server(begin, "127.0.0.1", 0)
            ends.push_async_callback(_end, server, tasks)
            receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        yield made


async def _end(server: asyncio.Server, tasks: set[asyncio.Task[None]]) -> None:
    server.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0)  # so that the connections close
