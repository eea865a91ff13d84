"""Measures the delivery of events: throughput of one delivery worker, and the delay under a steady load.

Writers, receivers and their clock are in this process, the service runs in its own; all on loopback. The correlation id
of a write identifies its event.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import uvloop

from tmf_sales.events.delivery.http_client import Connection
from tmf_sales.events.ssrf_guard import Target, parse_callback

HUB = "/tmf-api/sales/v4/hub"
LEADS = "/tmf-api/sales/v4/salesLead"
LEAD = orjson.dumps(
    {
        "name": "Fibre for the new branch office",
        "description": "Asked at the trade show for fibre access and two managed routers.",
        "priority": "medium",
        "relatedParty": [{"id": "94587", "role": "customer", "name": "Example Ltd", "@referredType": "Organization"}],
        "note": [{"text": "Call back in the morning", "author": "Desk 4"}],
    }
)
JSON = ("content-type", "application/json")
TICKS = os.sysconf("SC_CLK_TCK")
STEADY_LOADS = {1: 500, 10: 100, 100: 10}
"""Writes per second, by the number of listeners."""
BACKLOGS = {1: 4000, 10: 1000, 100: 200, 1000: 20}
"""Writes, by the number of listeners."""
SECONDS = 10
ALL_LISTENERS_HERE = {
    "TMF_SALES_LISTENER_LIMIT": "0",
    "TMF_SALES_SUBSCRIPTIONS_PER_HOST": "0",
    "TMF_SALES_DELIVERY_CONNECTIONS": "1200",
}
"""One caller registers them all, at one host; each keeps its connection."""


@dataclass
class Figures:
    """The times of the responses to writes and of the arrivals of events, by correlation id."""

    answered: dict[str, float] = field(default_factory=dict)
    arrivals: list[tuple[str, float]] = field(default_factory=list)

    def delays(self) -> list[float]:
        """Milliseconds from response to arrival; an event may arrive before the response."""
        return sorted(max(0.0, at - self.answered[id]) * 1000 for id, at in self.arrivals if id in self.answered)


class Listener(asyncio.Protocol):
    """Receives events: accepts any number of requests on a connection and returns 204 to each."""

    def __init__(self, figures: Figures) -> None:
        self.figures = figures
        self.buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = bytes(self.buffer[:end]).lower()
            length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
            if len(self.buffer) < end + 4 + length:
                return
            body = bytes(self.buffer[end + 4 : end + 4 + length])
            del self.buffer[: end + 4 + length]
            self.figures.arrivals.append((orjson.loads(body)["correlationId"], time.perf_counter()))
            self.transport.write(b"HTTP/1.1 204 No Content\r\n\r\n")  # type: ignore[attr-defined]


class Process:
    """A tmf-sales process, and the CPU time that it has used."""

    def __init__(self, *arguments: str) -> None:
        environ = {name: value for name, value in os.environ.items() if not name.startswith("TMF_SALES_")}
        command = [sys.executable, "-m", "tmf_sales", *arguments]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ | ALL_LISTENERS_HERE)
        self.said = self._process.stdout.readline() if self._process.stdout else ""

    @property
    def url(self) -> str:
        return next(word for word in self.said.split() if word.startswith("http://"))

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def end(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(30)


class Client:
    """Posts over as many connections as are needed at once."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._idle: list[Connection] = []
        self._tls = ssl.create_default_context()

    async def post(self, path: str, body: bytes, *headers: tuple[str, str]) -> None:
        target: Target = parse_callback(self._url + path)
        self._idle = [connection for connection in self._idle if connection.is_open]
        connection = self._idle.pop() if self._idle else await Connection.connect("127.0.0.1", target, self._tls)
        answer = await connection.post(target, [JSON, *headers], body)
        self._idle.append(connection)
        if answer.status != 201:
            raise SystemExit(f"POST {path} was answered {answer.status}: {answer.body.decode()}")

    def close(self) -> None:
        for connection in self._idle:
            connection.close()


async def register(client: Client, figures: Figures, count: int) -> list[asyncio.Server]:
    servers = []
    for _ in range(count):
        server = await asyncio.get_running_loop().create_server(lambda: Listener(figures), "127.0.0.1", 0)
        servers.append(server)
        callback = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        await client.post(HUB, orjson.dumps({"callback": callback}))
    return servers


async def write(client: Client, figures: Figures, id: str) -> None:
    await client.post(LEADS, LEAD, ("x-correlation-id", id))
    figures.answered[id] = time.perf_counter()


async def arrived(figures: Figures, count: int) -> None:
    async with asyncio.timeout(300):
        while len(figures.arrivals) < count:  # noqa: ASYNC110  a small delay here does not change the figures
            await asyncio.sleep(0.02)


async def steady(store: str, listeners: int) -> str:
    """Delay at a steady rate of writes, service and delivery in one process."""
    service, figures, rate = Process("serve", "--port", "0", "--store", store), Figures(), STEADY_LOADS[listeners]
    client = Client(service.url)
    servers = await register(client, figures, listeners)
    await asyncio.gather(*(write(client, Figures(), f"warm {number}") for number in range(50)))
    await arrived(figures, 50 * listeners)
    figures.arrivals.clear()
    start, writes = time.perf_counter(), []
    for number in range(rate * SECONDS):
        await asyncio.sleep(max(0.0, start + number / rate - time.perf_counter()))
        writes.append(asyncio.create_task(write(client, figures, str(number))))
    await asyncio.gather(*writes)
    await arrived(figures, rate * SECONDS * listeners)
    finish(client, servers, service)
    delays = figures.delays()
    p50, p99 = statistics.median(delays), delays[int(len(delays) * 0.99)]
    return f"{listeners:>9} {rate:>8} {rate * listeners:>12} {p50:>8.1f} {p99:>8.1f} {delays[-1]:>8.1f}"


async def backlog(store: str, listeners: int) -> str:
    """Throughput of one worker in its own process, on events that were waiting for it."""
    service, figures, count = (
        Process("serve", "--port", "0", "--store", store, "--no-delivery"),
        Figures(),
        BACKLOGS[listeners],
    )
    client = Client(service.url)
    servers = await register(client, figures, listeners)
    for first in range(0, count, 100):
        numbers = range(first, min(first + 100, count))
        await asyncio.gather(*(write(client, figures, str(number)) for number in numbers))
    worker = Process("deliver", "--store", store)
    used = worker.cpu_seconds()
    await arrived(figures, count * listeners)
    used = worker.cpu_seconds() - used
    taken = figures.arrivals[-1][1] - figures.arrivals[0][1]
    worker.end()
    finish(client, servers, service)
    total = count * listeners
    return f"{listeners:>9} {total:>11} {total / taken:>13,.0f} {total / used:>21,.0f}"


def finish(client: Client, servers: list[asyncio.Server], service: Process) -> None:
    client.close()
    for server in servers:
        server.close()
    service.end()


def new_store(kind: str) -> Callable[[], str]:
    folder, numbers = Path(tempfile.mkdtemp(prefix="bench-events-")), iter(range(1000))
    if kind.startswith("mongodb"):
        return lambda: f"{kind}_{os.getpid()}_{next(numbers)}"
    return lambda: f"sqlite:///{folder}/{next(numbers)}.sqlite" if kind == "sqlite" else "memory:"


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench events", description=__doc__)
    parser.add_argument("--store", default="sqlite", help="sqlite, memory, or the start of a MongoDB URL")
    parser.add_argument("--listeners", default="1,10,100,1000", help="how many, separated by commas")
    options = parser.parse_args()
    make, counts = new_store(options.store), [int(each) for each in options.listeners.split(",")]
    print(f"store {options.store}, {os.cpu_count()} cores shared by service, writers and listeners\n")
    print("delay from a write's answer to the event's arrival, ms")
    print("listeners writes/s deliveries/s      p50      p99      max")
    for listeners in (each for each in counts if each in STEADY_LOADS):
        print(uvloop.run(steady(make(), listeners)), flush=True)
    if options.store == "memory":
        return
    print("\none worker on a backlog")
    print("listeners  deliveries  deliveries/s  deliveries/CPU second")
    for listeners in counts:
        print(uvloop.run(backlog(make(), listeners)), flush=True)


if __name__ == "__main__":
    main()
