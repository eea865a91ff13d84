"""`scripts/bench capacity`: measures the MongoDB store with more and more quotes on a real mongod.

The calls of the store are made one after the other. A figure is the processor time of a call, of the store in this
process and of the server together, and the time that it took, which other work on the machine makes longer. Processor
times of what should be flat must not grow more than GROWS times from the smallest store to any other; each ratio is the
median of the ratios within a turn.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import os
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from pymongo import MongoClient
from scripts.benchmark.contenders.catalogue import cores, environment_for, service
from scripts.benchmark.contenders.packages import BUILD
from scripts.benchmark.load import load
from scripts.benchmark.processes import free_port, running
from scripts.benchmark.queries import CONTRACTS, STATES, UNCOUNTED, quote_type, units
from scripts.benchmark.traffic import QUOTES, Sent
from tests.mongodb.server import MongoServer, used

from tmf_sales.app.context import stored_kinds
from tmf_sales.query.query import parse_query
from tmf_sales.storage.conditions import Query
from tmf_sales.storage.factory import open_store
from tmf_sales.storage.protocol import Storage
from tmf_sales.storage.records import Change, Kind, Version

GROWS = 2.0
KIND = quote_type().kind
BATCH = 500
CALLS, COUNTS = 20, 5
"""So many calls make one figure; fewer of those that may count many quotes."""
READ = 1000
"""So many quotes from all over the store are read in turn, whatever its size."""
CUSTOMERS = 200
PATIENT = "timeoutMS=600000&connectTimeoutMS=60000&heartbeatFrequencyMS=60000"
"""A server that many documents are loaded into may not answer for seconds."""
SECONDS_OF_LOAD = 2
CONNECTIONS = 16
MB = 2**20

GET, PAGE, TENTH = "get", "indexed page of 20", "the same, counting a tenth of all"
FILTER, ALL = "filter that finds 20 of 40, with count", "unfiltered page, counting all"
CREATE, PATCH = "create with event", "patch with event"
FLAT = (GET, PAGE, FILTER, CREATE, PATCH)
TITLES = (GET, PAGE, TENTH, FILTER, ALL, CREATE, PATCH)

Call = Callable[[int], Awaitable[object]]


class Taken(NamedTuple):
    """Milliseconds of a call: processor time, and from begin to end (median)."""

    cpu: float
    p50: float


Times = Mapping[tuple[int, str], list[Taken]]
"""By size and title, one for each turn."""


class Served(NamedTuple):
    """Seconds that the missing indexes took, seconds until the first response, MB of the service after load."""

    indexing: float
    start: float
    resident: float


def query(raw: str) -> Query:
    return parse_query(raw, quote_type().attributes, strict=False).query


def calls(store: Storage, ids: Sequence[str]) -> Mapping[str, Call]:
    by_state = query(f"state={STATES[3]}&sort=-quoteDate&limit=20")
    page, everything = replace(by_state, count_limit=UNCOUNTED), query("limit=20")
    of_customer = [query(f"relatedParty.id=customer-{number}&limit=20") for number in range(CUSTOMERS)]
    new = next(units(1)).current.document

    async def create(_: int) -> int:
        id = uuid.uuid4().hex
        document = {**new, "id": id}
        return await store.commit(Change(KIND, id, 0, (Version(1, document),), (event(document),)))

    async def patch(number: int) -> int:
        record = await store.get(KIND, ids[number % len(ids)])
        if record is None:
            raise SystemExit(f"{ids[number % len(ids)]} is not in the store")
        document = {**record.current.document, "description": f"offer {uuid.uuid4()}"}
        version = Version(record.revision + 1, document)
        return await store.commit(Change(KIND, record.id, record.revision, (version,), (event(document),)))

    return {
        GET: lambda number: store.get(KIND, ids[number % len(ids)]),
        PAGE: lambda _: store.find(KIND, page),
        TENTH: lambda _: store.find(KIND, by_state),
        FILTER: lambda number: store.find(KIND, of_customer[number % CUSTOMERS]),
        ALL: lambda _: store.find(KIND, everything),
        CREATE: create,
        PATCH: patch,
    }


def event(document: dict[str, object]) -> dict[str, object]:
    return {"eventId": str(uuid.uuid4()), "eventTime": "2026-01-01T00:00:00.000Z", "event": {"quote": document}}


async def fill(url: str, size: int) -> float:
    """Load the quotes that are missing; return how many seconds their indexes took afterwards."""
    with MongoClient[dict[str, object]](url) as client:
        stored = client.get_default_database()[f"resource_{KIND}"].estimated_document_count()
    if stored < size:
        async with opened(f"{url}?{PATIENT}", [Kind(KIND)]) as store:
            quotes = units(size)
            while batch := list(itertools.islice(quotes, BATCH)):
                await store.load(KIND, batch)
    started = time.monotonic()
    async with opened(f"{url}?{PATIENT}", stored_kinds(CONTRACTS)):
        return time.monotonic() - started


@contextlib.asynccontextmanager
async def opened(url: str, kinds: Sequence[Kind]) -> AsyncIterator[Storage]:
    store = open_store(url, kinds, statement_timeout=60.0)
    await store.open()
    try:
        await store.ping()
        yield store
    finally:
        await store.close()


def ids_of(url: str) -> list[str]:
    with MongoClient[dict[str, str]](url) as client:
        stored = client.get_default_database()[f"resource_{KIND}"]
        return [each["_id"] for each in stored.aggregate([{"$sample": {"size": READ}}, {"$project": {"_id": 1}}])]


def serve(url: str, ids: Sequence[str]) -> tuple[float, float]:
    """Start the service, send reads and pages; return its start in seconds and its memory in MB."""
    port, (core, other), log = free_port(), cores(), BUILD / "server.log"
    with running(service(f"{url}?{PATIENT}")(port), environment_for(port), port, str(core), log) as server:
        for sent in ([Sent("GET", f"{QUOTES}/{id}") for id in ids], [Sent("GET", f"{QUOTES}?limit=20")]):
            load(server, sent, seconds=SECONDS_OF_LOAD, connections=CONNECTIONS, core=other, folder=BUILD)
        return server.start, server.resident() / MB


async def measure(urls: Mapping[int, str], ids: Mapping[int, Sequence[str]], turns: int, server: int) -> Times:
    found: dict[tuple[int, str], list[Taken]] = {(size, title): [] for size in urls for title in TITLES}
    async with contextlib.AsyncExitStack() as ends:
        of_size: dict[int, Mapping[str, Call]] = {}
        for size, url in urls.items():
            store = await ends.enter_async_context(opened(f"{url}?{PATIENT}", stored_kinds(CONTRACTS)))
            of_size[size] = calls(store, ids[size])
        for turn, title, size in itertools.product(range(turns + 1), TITLES, urls):
            taken = await repeated(of_size[size][title], CALLS if title in FLAT else COUNTS, server)
            if turn:  # the first one warms up
                found[size, title].append(taken)
            print(f"{title}, {size:,} quotes: {taken.cpu:.2f} ms ({taken.p50:.2f})", file=sys.stderr)
    return found


async def repeated(call: Call, times: int, server: int) -> Taken:
    taken, before, own = [], threads(server), time.process_time()
    for number in range(times):
        started = time.perf_counter()
        await call(number)
        taken.append(time.perf_counter() - started)
    of_server = sum(now - before.get(thread, 0) for thread, now in threads(server).items()) / 1e9
    computed = time.process_time() - own + of_server
    return Taken(computed / times * 1000, statistics.median(taken) * 1000)


def threads(id: int) -> dict[str, int]:
    """Return the nanoseconds that each thread of a process has computed; the process's own clock is less precise."""
    found = {}
    for thread in Path(f"/proc/{id}/task").iterdir():
        with contextlib.suppress(FileNotFoundError):  # it has ended
            found[thread.name] = int((thread / "schedstat").read_text().split()[0])
    return found


def process_of(uri: str) -> int:
    with MongoClient[dict[str, int]](uri) as client:
        return int(client.admin.command("serverStatus")["pid"])


def table(times: Times, served: Mapping[int, Served]) -> Iterator[str]:
    yield f"| quotes | {' | '.join(TITLES)} | creating the indexes, s | start, s | memory, MB |"
    yield f"|---:|{'---:|' * (len(TITLES) + 3)}"
    for size, (indexing, start, resident) in served.items():
        cells = [
            f"{middle(times[size, title], 'cpu'):.1f} ({middle(times[size, title], 'p50'):.1f})" for title in TITLES
        ]
        yield f"| {size:,} | {' | '.join(cells)} | {indexing:.0f} | {start:.2f} | {resident:.0f} |"


def middle(taken: Sequence[Taken], figure: str) -> float:
    return float(statistics.median(getattr(each, figure) for each in taken))


def growth(times: Times, sizes: Sequence[int], title: str) -> float:
    first, *others = sizes
    ratios = [
        statistics.median(now.cpu / was.cpu for now, was in zip(times[size, title], times[first, title], strict=True))
        for size in others
    ]
    return max(ratios, default=1.0)


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench capacity", description=f"{__doc__} Otherwise it exits with 1.")
    parser.add_argument("--sizes", default="10000,100000,1000000", help="stored quotes, separated by commas")
    parser.add_argument("--turns", type=int, default=5, help="of each kind of call")
    parser.add_argument("--server", help="URL of a mongod that keeps the data; otherwise one is started and removed")
    given = parser.parse_args()
    sizes = [int(size) for size in given.sizes.split(",")]
    BUILD.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as ends:
        if not (uri := given.server):
            folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="capacity", dir=BUILD)))
            uri = ends.enter_context(MongoServer(folder)).uri
        urls = {size: f"{uri}/size{size}" for size in sizes}
        indexing = {size: asyncio.run(fill(url, size)) for size, url in urls.items()}
        ids = {size: ids_of(url) for size, url in urls.items()}
        times = asyncio.run(measure(urls, ids, given.turns, process_of(uri)))
        served = {size: Served(indexing[size], *serve(url, ids[size])) for size, url in urls.items()}
    grown = {title: growth(times, sizes, title) for title in TITLES}
    print("\n".join(table(times, served)))
    print(f"\ngrowth: {', '.join(f'{title} {times:.1f}' for title, times in grown.items())}")
    print(f"MongoDB {', '.join(used) or 'as given'}; load {os.getloadavg()[0]:.1f}")
    return int(any(grown[title] > GROWS for title in FLAT))


if __name__ == "__main__":
    sys.exit(main())
