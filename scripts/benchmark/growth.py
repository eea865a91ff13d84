"""`scripts/bench_growth`: what requests cost on few and on many stored quotes, over HTTP; a table and a chart.

The quotes are loaded as `tmf-sales import` loads them, made from the contract's example by one fixed random sequence.
What should be flat must not grow by more than GROWS times from the smallest store to the largest.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

from scripts import bench_query
from scripts.benchmark import report
from scripts.benchmark.chart import draw
from scripts.benchmark.contenders import BUILD, Contender, cores, environment_for, service
from scripts.benchmark.figures import Sample, growth
from scripts.benchmark.load import Sent, load
from scripts.benchmark.processes import Running, free_port, running
from scripts.benchmark.round import JSON, QUOTES, SAMPLE

from tmf_sales.app import contracts_folder, stored_kinds
from tmf_sales.storage.opening import open_store
from tmf_sales.tmf630.contract import load_contracts

GROWS = 3.0
CONNECTIONS = 16
BATCH = 500
CHART = report.ROOT / "docs" / "speed-growth.png"
GET, FILTER, PAGE, CREATE = "GET by id", "indexed filter", "first page", "create"
CASES = (GET, FILTER, PAGE, CREATE)


class Point(NamedTuple):
    """One measurement: what was stored, over how many connections, and what came of it, by kind of request."""

    title: str
    samples: Mapping[str, Sample]


def requests_of(ids: Sequence[str]) -> dict[str, list[Sent]]:
    return {
        GET: [Sent("GET", f"{QUOTES}/{id}") for id in ids],
        FILTER: [Sent("GET", f"{QUOTES}?relatedParty.id=customer-{n}&limit=20") for n in range(200)],
        PAGE: [Sent("GET", f"{QUOTES}?limit=20")],
        CREATE: [Sent("POST", QUOTES, JSON, json.dumps(SAMPLE).encode())],
    }


def measured(server: Running, ids: Sequence[str], connections: int, seconds: float, cases: Sequence[str]) -> Point:
    found, (_, other) = {}, cores()
    requests = requests_of(ids)
    for case in cases:
        found[case] = load(server, requests[case], seconds=seconds, connections=connections, core=other, folder=BUILD)
    return Point("", found)


async def fill(url: str, count: int) -> list[str]:
    """Load so many quotes, in the way of an import but unchecked; answers ids from all over the store."""
    store = open_store(url, stored_kinds(load_contracts(contracts_folder())), statement_timeout=60.0)
    await store.open()
    try:
        started, ids = time.monotonic(), []
        units = bench_query.units(count)
        while batch := list(itertools.islice(units, BATCH)):
            await store.load("quote", batch)
            ids.append(batch[0].id)
        print(f"{count:,} quotes loaded in {time.monotonic() - started:.0f} s", file=sys.stderr)
        return ids
    finally:
        await store.close()


def by_size(sizes: Sequence[int], folder: Path, seconds: float) -> Iterator[Point]:
    for size in sizes:
        url = f"sqlite:{folder / f'{size}.sqlite'}"
        ids = asyncio.run(fill(url, size))
        with served(url) as server:
            yield measured(server, ids, CONNECTIONS, seconds, CASES)._replace(title=f"{size:,} quotes")
        for file in folder.iterdir():
            file.unlink()


def by_connections(counts: Sequence[int], folder: Path, seconds: float) -> Iterator[Point]:
    url = f"sqlite:{folder / 'connections.sqlite'}"
    ids = asyncio.run(fill(url, 10_000))
    with served(url) as server:
        for count in counts:
            yield measured(server, ids, count, seconds, CASES)._replace(title=f"{count} connection{'s' * (count > 1)}")


def by_items(counts: Sequence[int], folder: Path, seconds: float) -> Iterator[Point]:
    """Quotes of so many items; the cost is told for each item, and for those of few with what a request costs."""
    (item, *_) = SAMPLE["quoteItem"]
    with served(f"sqlite:{folder / 'items.sqlite'}") as server:
        for count in counts:
            body = {**SAMPLE, "quoteItem": [{**item, "id": str(number + 1)} for number in range(count)]}
            creation = Sent("POST", QUOTES, JSON, json.dumps(body).encode())
            ids = [created(server, creation) for _ in range(10)]
            (_, other) = cores()
            found = {
                case: load(server, requests, seconds=seconds, connections=CONNECTIONS, core=other, folder=BUILD)
                for case, requests in ((GET, requests_of(ids)[GET]), (CREATE, [creation]))
            }
            yield Point(f"{count:,} item{'s' * (count > 1)} a quote", found)


def created(server: Running, creation: Sent) -> str:
    connection = server.connect()
    connection.request("POST", creation.path, creation.body, {"Content-Type": creation.type})
    answer: dict[str, Any] = json.loads(connection.getresponse().read())
    connection.close()
    return cast(str, answer["id"])


def served(url: str) -> Any:
    contender = Contender("tmf-sales", service(url), probe="/live")
    port, (core, _) = free_port(), cores()
    return running(
        contender.command(port),
        environment_for(contender, port),
        port,
        str(core),
        contender.probe,
        BUILD / "server.log",
    )


def table(points: Sequence[Point]) -> Iterator[str]:
    yield f"| microseconds a request (p50 / p99 in ms) | {' | '.join(CASES)} |"
    yield "|---|" + "---:|" * len(CASES)
    for point in points:
        found = (point.samples.get(case) for case in CASES)
        cells = [f"{each.cpu:.0f} ({each.p50:.1f} / {each.p99:.1f})" if each else "" for each in found]
        yield f"| {point.title} | {' | '.join(cells)} |"


def verdict(points: Sequence[Point]) -> Iterator[str]:
    """How much each kind of request grew from the first point to the last."""
    for case in CASES:
        times = growth([point.samples[case].cpu for point in points])
        state = "flat" if times <= GROWS else f"**not flat: more than {GROWS:g} times**"
        yield f"- {case}: {times:.1f} times from {points[0].title} to {points[-1].title}, {state}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench_growth", description=__doc__)
    parser.add_argument("--sizes", default="10000,100000,1000000", help="stored quotes, separated by commas")
    parser.add_argument("--seconds", type=int, default=2, help="of each measurement")
    parser.add_argument("--write", action="store_true", help="put table and chart into docs/speed.md")
    given = parser.parse_args()
    BUILD.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="growth", dir=BUILD) as name:
        folder = Path(name)
        sizes = list(by_size([int(size) for size in given.sizes.split(",")], folder, given.seconds))
        connections = list(by_connections((1, 16, 256), folder, given.seconds))
        items = list(by_items((1, 1000), folder, given.seconds))
    lines = [*table([*sizes, *connections, *items]), "", *verdict(sizes), "", report.circumstances()]
    print("\n".join(lines))
    if given.write:
        report.put(report.DOCS, "growth", lines)
        draw(CHART, {case: [point.samples[case].cpu for point in sizes] for case in CASES}, [p.title for p in sizes])


if __name__ == "__main__":
    main()
