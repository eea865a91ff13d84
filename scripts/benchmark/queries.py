"""Measures queries on few and on many stored quotes, and prints the table of reference/queries.md.

The quotes are made from the contract's example by one fixed random sequence, so every run loads the same ones, as
`tmf-sales import` does. It measures how long the store takes for a parsed query, in one process.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import RawIOBase
from pathlib import Path
from random import Random
from typing import Any, BinaryIO, NamedTuple, cast

from tmf_sales.app.context import stored_kinds
from tmf_sales.app.seeding import examples
from tmf_sales.contract.files import contracts_folder
from tmf_sales.contract.loader import load_contracts
from tmf_sales.contract.resource_type import ResourceType
from tmf_sales.query.query import parse_query
from tmf_sales.storage.factory import open_store
from tmf_sales.storage.protocol import Storage
from tmf_sales.storage.records import Record, Version
from tmf_sales.transfer.checking import checks
from tmf_sales.transfer.lines import written
from tmf_sales.transfer.moving import Import

SIZES = "10000,1000000"
STATES = ["inProgress"] * 3 + ["pending"] + ["approved"] * 2 + ["accepted"] * 3 + ["rejected"]
QUOTES_OF_CUSTOMER = 40
REPETITIONS = 200
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
UNCOUNTED = 1

CONTRACTS = load_contracts(contracts_folder())


class Case(NamedTuple):
    """One row of the table. `counted`: None measures page and count together, False the page, True the count alone."""

    title: str
    query: str
    counted: bool | None = None


CASES = (
    Case("first page with the count of all", "limit=20"),
    Case("page of a customer's quotes, `relatedParty.id=`", "relatedParty.id=customer-7&limit=20", False),
    Case("page of a seller's quotes (10 % of all), `relatedParty.id=`", "relatedParty.id=seller-7&limit=20", False),
    Case("page by state, newest first, `state=&sort=-quoteDate`", "state=pending&sort=-quoteDate&limit=20", False),
    Case("page by external id, `externalId=`", "externalId=order-77&limit=20"),
    Case("page of a day, `quoteDate=2025-06-30&sort=quoteDate`", "quoteDate=2025-06-30&sort=quoteDate&limit=20", False),
    Case("count of a customer's quotes (40)", "relatedParty.id=customer-7", True),
    Case("count of a seller's quotes (10 % of all)", "relatedParty.id=seller-7", True),
    Case("count of a state (10 % of all)", "state=pending", True),
)


class Quotes(RawIOBase):
    """The lines of an export of `count` quotes, made as they are read."""

    def __init__(self, count: int) -> None:
        self._lines = lines(count)
        self._started = time.monotonic()
        self._count = count
        self._made = 0

    def readline(self, size: int | None = -1, /) -> bytes:
        self._made += 1
        if self._made % 50_000 == 0:
            print(f"  {self._made} of {self._count}, {time.monotonic() - self._started:.0f} s", file=sys.stderr)
        return next(self._lines, b"")


def lines(count: int) -> Iterator[bytes]:
    return (written(quote_type().kind, unit) for unit in units(count))


def units(count: int) -> Iterator[Record]:
    random = Random(630)
    sample = next(examples(CONTRACTS[0], quote_type()))
    for number in range(count):
        document = {
            **sample,
            "id": f"{random.getrandbits(64):016x}",
            "externalId": f"order-{number}",
            "category": f"category-{random.randrange(50)}",
            "quoteDate": instant(random),
            "expectedQuoteCompletionDate": instant(random),
            "state": random.choice(STATES),
            "relatedParty": [
                party(f"customer-{random.randrange(max(count // QUOTES_OF_CUSTOMER, 8))}", "Customer"),
                party(f"seller-{random.randrange(10)}", "Seller"),
            ],
        }
        yield Record(document["id"], 1, (Version(1, document),))


def quote_type() -> ResourceType:
    return CONTRACTS[0].resources["quote"]


def instant(random: Random) -> str:
    moment = EPOCH - timedelta(milliseconds=random.randrange(2 * 365 * 86_400_000))
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def party(id: str, role: str) -> dict[str, Any]:
    return {"@type": "RelatedParty", "@referredType": "Organization", "id": id, "name": id, "role": role}


async def load(store: Storage, count: int) -> tuple[float, float]:
    """Seconds that the import took, and the CPU seconds of this process in them."""

    def reject(number: int, reason: str) -> None:
        raise SystemExit(f"line {number}: {reason}")

    started, computed = time.monotonic(), time.process_time()
    tally = await Import(store, checks(CONTRACTS), reject, lambda _: None).run(cast(BinaryIO, Quotes(count)))
    if tally.added != count:
        raise SystemExit(f"the store is not empty: {tally}")
    return time.monotonic() - started, time.process_time() - computed


async def measure(store: Storage, case: Case) -> float:
    """The median time in milliseconds."""
    query = parse_query(case.query, quote_type().attributes, strict=False).query
    if case.counted is False:
        query = replace(query, count_limit=UNCOUNTED)
    elif case.counted:
        query = replace(query, limit=0)
    taken = []
    for _ in range(REPETITIONS):
        started = time.perf_counter()
        page = await store.find(quote_type().kind, query)
        taken.append(time.perf_counter() - started)
    if page.total == 0:
        raise SystemExit(f"{case.query} finds nothing")
    return statistics.median(taken) * 1000


async def column(url: str, count: int) -> list[float]:
    """The two figures of loading, then the milliseconds of each case."""
    store = open_store(url, stored_kinds(CONTRACTS), statement_timeout=60.0)
    await store.open()
    try:
        await store.ping()
        print(f"loading {count} quotes", file=sys.stderr)
        return [*await load(store, count), *[await measure(store, case) for case in CASES]]
    finally:
        await store.close()


def table(sizes: Sequence[int], columns: Sequence[Sequence[float]]) -> Iterator[str]:
    first, last = columns[0], columns[-1]
    yield f"| median of {REPETITIONS} | " + " | ".join(f"{size:,} quotes" for size in sizes) + " | ratio |"
    yield "|---|" + "---:|" * (len(sizes) + 1)
    for number, case in enumerate(CASES, 2):
        values = " | ".join(f"{each[number]:.2f} ms" for each in columns)
        yield f"| {case.title} | {values} | {last[number] / first[number]:.1f} |"
    yield "| loading with `tmf-sales import` | " + " | ".join(f"{each[0]:.0f} s" for each in columns) + " | |"
    yield "| processor time of that | " + " | ".join(f"{each[1]:.0f} s" for each in columns) + " | |"


async def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench queries", description=__doc__)
    parser.add_argument("--sizes", default=SIZES, help="how many quotes, separated by commas")
    parser.add_argument("--store", help="URL of an empty MongoDB database; a number is added. Otherwise a SQLite file")
    given = parser.parse_args()
    sizes = [int(size) for size in given.sizes.split(",")]
    with tempfile.TemporaryDirectory(prefix="queries") as folder:
        columns = [
            await column(f"{given.store}{size}" if given.store else f"sqlite:///{Path(folder) / str(size)}", size)
            for size in sizes
        ]
    for line in table(sizes, columns):
        print(line)
    print(f"\n{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, Python {platform.python_version()}")


if __name__ == "__main__":
    asyncio.run(main())
