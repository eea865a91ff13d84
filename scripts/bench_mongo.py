"""What the service costs beside the bare driver: get by id, an indexed page of 20 and create; prints a table.

Four ways to the same answer take turns: pymongo's own call, the adapter, the whole application called in this process,
and the running service over HTTP. Ratios are of processor time, of the process that does the work: how long the
database takes, and who else uses the machine, hardly shows in it.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, cast
from urllib.parse import urlsplit

import orjson
import uvloop

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.mongodb.server import MongoServer  # noqa: E402
from tests.service import Service, start_service  # noqa: E402

from tmf_sales.app import create_app  # noqa: E402
from tmf_sales.context import stored_kinds  # noqa: E402
from tmf_sales.contract.files import contracts_folder  # noqa: E402
from tmf_sales.contract.loader import load_contracts  # noqa: E402
from tmf_sales.query.query import parse_query  # noqa: E402
from tmf_sales.seeding import examples  # noqa: E402
from tmf_sales.settings import Settings  # noqa: E402
from tmf_sales.storage.mongo.compile import compile_sort, compile_where  # noqa: E402
from tmf_sales.storage.mongo.store import MongoStorage  # noqa: E402
from tmf_sales.storage.protocol import Change, Record, Version  # noqa: E402

QUOTES = "/tmf-api/quoteManagement/v4/quote"
LIST = "state=pending&sort=-quoteDate&limit=20"
STORED, PENDING = 1000, 100
CONTRACT = next(each for each in load_contracts(contracts_folder()) if "quote" in each.resources)
TYPE = CONTRACT.resources["quote"]
SAMPLE = next(examples(CONTRACT, TYPE))

Call = Callable[[], Awaitable[object]]
Clock = Callable[[], float]


class Cost(NamedTuple):
    """Microseconds of one call: of the process, and on the wall."""

    processor: float
    wall: float


class Way(NamedTuple):
    """A way to do it; `settle` waits until what it left to the background is done, `clock` is its processor time."""

    title: str
    call: Call
    normalize: Call
    clock: Clock = time.process_time


def document(number: int) -> dict[str, Any]:
    state = "pending" if number % (STORED // PENDING) == 0 else "inProgress"
    moment = f"2026-01-{1 + number % 28:02}T12:00:00.{number:03}Z"
    return {**SAMPLE, "id": f"q{number}", "state": state, "quoteDate": moment}


def body() -> bytes:
    content = CONTRACT.resolve(CONTRACT.document["paths"][TYPE.path]["post"]["requestBody"])["content"]
    return orjson.dumps(CONTRACT.resolve(content["application/json"]["examples"]["threeItems"])["value"])


async def nothing() -> None: ...


class Application:
    """The service called in this process, without a socket, within its lifespan."""

    def __init__(self, url: str) -> None:
        self._app = create_app(Settings(store=url, no_delivery=True))
        self._received: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        self._sent: asyncio.Queue[dict[str, str]] = asyncio.Queue()

    async def __aenter__(self) -> Application:
        scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
        self._life = asyncio.ensure_future(self._app(scope, self._received.get, cast(Any, self._sent.put)))
        await self._say("startup")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._say("shutdown")
        await self._life

    async def _say(self, what: str) -> None:
        await self._received.put({"type": f"lifespan.{what}"})
        answer = await self._sent.get()
        if answer["type"] != f"lifespan.{what}.complete":
            raise SystemExit(str(answer))

    async def ask(self, method: str, path: str, query: str = "", sent: bytes = b"") -> None:
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [
                (b"host", b"127.0.0.1"),
                (b"content-type", b"application/json"),
                (b"content-length", str(len(sent)).encode()),
            ],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }
        bodies = iter([{"type": "http.request", "body": sent, "more_body": False}])
        answered: list[int] = []

        async def receive() -> dict[str, Any]:
            return next(bodies, {"type": "http.disconnect"})

        async def send(message: dict[str, Any]) -> None:
            answered.append(message.get("status", 0))

        await self._app(scope, receive, cast(Any, send))
        if not 200 <= answered[0] < 300:
            raise SystemExit(f"{method} {path} was answered {answered[0]}")


class Client:
    """One connection to the running service, which is kept open."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._writer: asyncio.StreamWriter | None = None

    async def connect(self) -> None:
        """Anew before each round: the service closes a connection that is idle for long."""
        if self._writer is not None:
            self._writer.close()
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._service.port)

    async def ask(self, method: str, path: str, query: str = "", sent: bytes = b"") -> None:
        if self._writer is None:
            raise SystemExit("the client is not connected")
        head = (
            f"{method} {path}{'?' * bool(query)}{query} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(sent)}\r\n"
        )
        self._writer.write(f"{head}Content-Type: application/json\r\n\r\n".encode() + sent)
        answer = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        if not answer.startswith(b"http/1.1 20"):
            raise SystemExit(answer.decode())
        await self._reader.readexactly(int(answer.partition(b"content-length:")[2].partition(b"\r\n")[0]))

    def processor_time(self) -> float:
        """Of the service's process, all threads, from the kernel's own count in nanoseconds."""
        tasks = Path(f"/proc/{self._service.process.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


async def cost(way: Way, count: int) -> Cost:
    await way.normalize()
    processor, wall = way.clock(), time.perf_counter()
    for _ in range(count):
        await way.call()
    await way.normalize()
    return Cost((way.clock() - processor) / count * 1e6, (time.perf_counter() - wall) / count * 1e6)


async def measured(ways: Sequence[Way], rounds: int, count: int) -> list[Cost]:
    """The median of each way.

    They take turns after few calls, and how much more than the first way each costs is the median over the turns: so
    what changes on the machine meanwhile meets all of them.
    """
    locks = [[await cost(way, count) for way in ways] for _ in range(rounds + 1)]
    del locks[0]  # It makes connections and fills caches.
    bare = Cost(*(statistics.median(turn[0][part] for turn in locks) for part in (0, 1)))
    return [
        Cost(*(bare[part] * statistics.median(turn[n][part] / turn[0][part] for turn in locks) for part in (0, 1)))
        for n in range(len(ways))
    ]


class Bench:
    """The ways to each of the three answers."""

    def __init__(self, store: MongoStorage, app: Application, client: Client) -> None:
        self._store, self._app, self._client = store, app, client
        self._collection = store._resources["quote"]
        self._numbers = itertools.count()
        self._body = body()

    def ways(self) -> Iterator[tuple[str, list[Way]]]:
        one = f"q{STORED // 2}"
        query = parse_query(LIST, TYPE.attributes, strict=False).query
        where, order = compile_where(query.where), compile_sort(query.sort)
        find, count = self._collection.find, self._collection.count_documents

        async def bare_list() -> None:
            rows = await find(where, {"changed": 1, "document": 1}, sort=order, limit=20).to_list()
            if (len(rows), await count(where)) != (20, PENDING):
                raise SystemExit("the page is not what it should be")

        yield (
            "get by id",
            self._four(
                lambda: self._collection.find_one({"_id": one}),
                lambda: self._store.get("quote", one),
                ("GET", f"{QUOTES}/{one}"),
            ),
        )
        yield (
            "indexed page of 20, with the count",
            self._four(bare_list, lambda: self._store.find("quote", query), ("GET", QUOTES, LIST)),
        )
        yield "create", self._four(self._bare_create, self._create, ("POST", QUOTES, "", self._body))

    def _four(self, bare: Call, adapter: Call, request: tuple[Any, ...]) -> list[Way]:
        return [
            Way("pymongo", bare, nothing),
            Way("adapter", adapter, self._normalize),
            Way("application", lambda: self._app.ask(*request), nothing),
            Way(
                "service over HTTP",
                lambda: self._client.ask(*request),
                self._client.connect,
                self._client.processor_time,
            ),
        ]

    async def _bare_create(self) -> None:
        id = f"bare{next(self._numbers)}"
        await self._collection.insert_one({"_id": id, "revision": 1, "changed": 1, "document": {**SAMPLE, "id": id}})

    async def _create(self) -> None:
        """With its event, as every creation has one."""
        id = f"made{next(self._numbers)}"
        made = {**SAMPLE, "id": id}
        event = {"eventId": f"e-{id}", "eventTime": SAMPLE["quoteDate"], "event": {"quote": made}}
        await self._store.commit(Change("quote", id, 0, (Version(1, made),), (event,)))

    async def _normalize(self) -> None:
        if (task := self._store._outbox._task) is not None:
            await task


def table(rows: Sequence[tuple[str, Sequence[Way], Sequence[Cost]]]) -> Iterator[str]:
    yield "| processor time of one call, in microseconds | " + " | ".join(way.title for way in rows[0][1]) + " |"
    yield "|---|" + "---:|" * len(rows[0][1])
    for title, _, costs in rows:
        yield f"| {title} | " + " | ".join(shown(each.processor, costs[0].processor) for each in costs) + " |"
    for title, _, costs in rows:
        yield f"| {title}, on the wall | " + " | ".join(shown(each.wall, costs[0].wall) for each in costs) + " |"


def shown(value: float, bare: float) -> str:
    return f"{value:.0f}" if value == bare else f"{value:.0f} (x {value / bare:.2f})"


async def run(url: str, service: Service, rounds: int, count: int) -> None:
    store, client = MongoStorage(url, stored_kinds(load_contracts(contracts_folder()))), Client(service)
    await store.open()
    await store.ping()
    for first in range(0, STORED, 100):
        units = [Record(f"q{n}", 1, (Version(1, document(n)),)) for n in range(first, first + 100)]
        if await store.load("quote", units):
            raise SystemExit("the database is not empty")
    async with Application(url) as app:
        rows = []
        for title, ways in Bench(store, app, client).ways():
            rows.append((title, ways, await measured(ways, rounds, count)))
    await store.close()
    print("\n".join(table(rows)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--store", help="URL of an empty MongoDB database; otherwise what stands in for it in the tests"
    )
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--count", type=int, default=10, help="calls in a round")
    given = parser.parse_args()
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="bench_mongo")))
        url = given.store or f"{ends.enter_context(MongoServer(folder / 'mongo')).uri}/bench"
        service = ends.enter_context(start_service(folder / "log", "--store", url, "--no-delivery"))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run(url, service, given.rounds, given.count))
    host = urlsplit(url).hostname if given.store else "the tests' stand-in for MongoDB"
    print(
        f"\n{datetime.now(UTC):%Y-%m-%d}, {host}, {os.cpu_count()} cores, Python {platform.python_version()},", end=" "
    )
    print(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
