"""`scripts/bench growth`: measures requests with more stored quotes, connections and items; writes a table and a chart.

The quotes are made from the contract's example by one fixed random sequence and loaded without the checks of an import.
Costs that should be flat must not grow more than GROWS times from the first point of their comparison to any other.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from scripts.benchmark import queries, report
from scripts.benchmark.chart import draw
from scripts.benchmark.contenders.catalogue import cores, environment_for, service
from scripts.benchmark.contenders.packages import BUILD
from scripts.benchmark.growing import (
    CASES,
    CREATE,
    FILTER,
    GET,
    PAGE,
    Comparison,
    Point,
    all_flat,
    compared,
    table,
    verdicts,
)
from scripts.benchmark.processes import Running, free_port, running
from scripts.benchmark.round import created
from scripts.benchmark.traffic import QUOTES, Sent, creation, creation_of_items

from tmf_sales.app.context import stored_kinds
from tmf_sales.contract.files import contracts_folder
from tmf_sales.contract.loader import load_contracts
from tmf_sales.storage.factory import open_store

CONNECTIONS = 16
OTHER_CONNECTIONS = (1, 16, 256)
ITEMS = (1, 1000)
BATCH = 500
READ = 1000
"""So many quotes from all over the store are read in turn, whatever its size."""
CHART = report.ROOT / "docs" / "explanation" / "speed-growth.png"


def requests_of(ids: Sequence[str]) -> dict[str, list[Sent]]:
    return {
        GET: [Sent("GET", f"{QUOTES}/{id}") for id in ids],
        FILTER: [Sent("GET", f"{QUOTES}?relatedParty.id=customer-{n}&limit=20") for n in range(200)],
        PAGE: [Sent("GET", f"{QUOTES}?limit=20")],
        CREATE: [creation()],
    }


async def fill(url: str, count: int) -> list[str]:
    """Load `count` quotes as an import does, but unchecked; return ids from all over the store."""
    store = open_store(url, stored_kinds(load_contracts(contracts_folder())), statement_timeout=60.0)
    await store.open()
    try:
        started, ids = time.monotonic(), []
        units = queries.units(count)
        while batch := list(itertools.islice(units, BATCH)):
            await store.load(queries.quote_type().kind, batch)
            ids += [each.id for each in batch]
        print(f"{count:,} quotes loaded in {time.monotonic() - started:.0f} s", file=sys.stderr)
        return ids[:: max(count // READ, 1)]
    finally:
        await store.close()


class Bench(contextlib.ExitStack):
    """The servers of one comparison, which run at the same time and end with it, and their stores."""

    def __init__(self, turns: int, seconds: float) -> None:
        super().__init__()
        self._turns, self._seconds = turns, seconds
        self._folder = Path(self.enter_context(tempfile.TemporaryDirectory(prefix="growth", dir=BUILD)))

    def filled(self, count: int) -> tuple[Running, list[str]]:
        url = f"sqlite:{self._folder / f'{count}.sqlite'}"
        ids = asyncio.run(fill(url, count)) if count else []
        port, (core, _) = free_port(), cores()
        command, log = service(url)(port), BUILD / "server.log"
        return self.enter_context(running(command, environment_for(port), port, str(core), log)), ids

    def compared(self, points: Sequence[Point]) -> Comparison:
        return compared(points, self._turns, self._seconds)


def by_size(bench: Bench, sizes: Sequence[int]) -> Comparison:
    stores = {f"{size:,} quotes": bench.filled(size) for size in sizes}
    return bench.compared(
        [Point(title, server, requests_of(ids), CONNECTIONS) for title, (server, ids) in stores.items()]
    )


def by_connections(bench: Bench, quotes: int) -> Comparison:
    server, ids = bench.filled(quotes)
    titles = {count: f"{count} connection{'s' * (count > 1)}" for count in OTHER_CONNECTIONS}
    return bench.compared([Point(title, server, requests_of(ids), count) for count, title in titles.items()])


def by_items(bench: Bench) -> Comparison:
    """Compare the cost per item, because the cost of a quote grows with its items."""
    server, _ = bench.filled(0)
    points = []
    for count in ITEMS:
        sent = creation_of_items(count)
        requests = {GET: requests_of([created(server, sent) for _ in range(10)])[GET], CREATE: [sent]}
        points.append(Point(f"{count:,} item{'s' * (count > 1)} a quote", server, requests, CONNECTIONS, parts=count))
    return bench.compared(points)


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench growth", description=f"{__doc__} Otherwise it exits with 1.")
    parser.add_argument("--sizes", default="10000,100000,1000000", help="stored quotes, separated by commas")
    parser.add_argument("--turns", type=int, default=5, help="of each kind of request")
    parser.add_argument("--seconds", type=int, default=2, help="of each measurement")
    parser.add_argument("--write", action="store_true", help="put table and chart into docs/explanation/speed.md")
    given = parser.parse_args()
    sizes = [int(size) for size in given.sizes.split(",")]
    BUILD.mkdir(parents=True, exist_ok=True)
    with Bench(given.turns, given.seconds) as bench:
        of_sizes = by_size(bench, sizes)
    with Bench(given.turns, given.seconds) as bench:
        of_connections = by_connections(bench, sizes[0])
    with Bench(given.turns, given.seconds) as bench:
        of_items = by_items(bench)
    found = [of_sizes, of_connections, of_items]
    judged = [line for each in found for line in verdicts(each)]
    how = f"{given.turns} turns of {given.seconds} s, {CONNECTIONS} connections but where others stand"
    lines = [*table(found), "", *judged, "", f"{report.circumstances()}, {how}"]
    print("\n".join(lines))
    if given.write:
        report.put(report.DOCS, "growth", "scripts/bench growth", lines)
        draw(CHART, {case: of_sizes.costs(case) for case in CASES}, list(of_sizes.parts))
    return int(not all_flat(found))


if __name__ == "__main__":
    sys.exit(main())
