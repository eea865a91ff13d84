"""`make bench-check`: fails when a request costs more instructions than before, counted by valgrind, without timing.

It counts the service in one process, on memory and on SQLite, without server and sockets, so that neither other work on
the machine nor the network disturbs. instructions.json has the figures to compare with, for one Python version.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from scripts.benchmark.driver import STORES, Lifespan, call, new_store, stored
from scripts.benchmark.figures import FILTER, LIST, REQUESTS, excess
from scripts.benchmark.packages import BUILD, ROOT
from scripts.benchmark.traffic import sent

from tmf_sales.app import create_app
from tmf_sales.configuration.settings import Settings

KNOWN = Path(__file__).with_name("instructions.json")
TOLERANCE = 0.05
COUNTED = 1000  # large, as the start, which is subtracted, varies by two million instructions
PAGE = 20
NOT_COMPARED = 3
_COLLECTED = re.compile(r"Collected : (\d+)")


async def work(url: str, request: str | None) -> None:
    """The counted work: start, store quotes, then COUNTED requests of one kind, or none."""
    app = create_app(Settings(store=url, no_delivery=True))
    async with Lifespan(app):
        ids = await stored(app)
        wanted = sent(request, ids) if request else []
        answers = [await call(app, wanted[number % len(wanted)]) for number in range(COUNTED if wanted else 0)]
    if request in (LIST, FILTER):
        reject_other_pages(answers[0])


def reject_other_pages(page: bytes) -> None:
    """Raise RuntimeError unless the page has the expected length: an empty page costs next to nothing."""
    if (length := len(json.loads(page))) != PAGE:
        raise RuntimeError(f"expected a page of {PAGE}, found {length}")


def counted(store: str, request: str | None) -> int:
    """Count the instructions of a process that does this work."""
    command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={BUILD / 'callgrind.out'}"]
    command += [sys.executable, "-W", "ignore", "-m", "scripts.benchmark.instructions", "--work", store, request or ""]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    ran = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT)
    found = _COLLECTED.search(ran.stderr)
    if ran.returncode or found is None:
        raise RuntimeError(ran.stderr[-2000:])
    return int(found[1])


def thousands() -> Iterator[tuple[str, int]]:
    """The cost of each kind of request on each store, in thousands of instructions."""
    for store in STORES:
        start = counted(store, None)
        for request in REQUESTS:
            yield f"{request}, {store}", round((counted(store, request) - start) / COUNTED / 1000)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench-check", description=__doc__)
    parser.add_argument("--write", action="store_true", help="take what is counted now as what is known")
    parser.add_argument("--work", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work is not None:
        store, request = given.work
        with new_store(store) as url:
            asyncio.run(work(url, request or None))
        return 0
    if not shutil.which("valgrind"):
        print("valgrind is missing; on Debian: apt-get install valgrind", file=sys.stderr)
        return NOT_COMPARED
    BUILD.mkdir(parents=True, exist_ok=True)
    now = dict(thousands())
    return write(now) if given.write else compare(now, json.loads(KNOWN.read_text()))


def write(now: dict[str, int]) -> int:
    KNOWN.write_text(json.dumps({"python": platform.python_version(), "thousands": now}, indent=2) + "\n")
    return compare(now, json.loads(KNOWN.read_text()))


def compare(now: dict[str, int], known: Mapping[str, Any]) -> int:
    """Return 1 when a cost grew beyond the tolerance, 3 when the figures are for another Python, else 0."""
    if known["python"] != platform.python_version():
        print(f"instructions.json is for Python {known['python']}, this is {platform.python_version()}; only told:")
        for request, count in now.items():
            print(f"{request}: {count} thousand instructions")
        return NOT_COMPARED
    more = excess(known["thousands"], now, TOLERANCE)
    for request, count in now.items():
        was = known["thousands"].get(request, count)
        print(f"{request}: {count} thousand instructions, {was} before{'  TOO MANY' if request in more else ''}")
    return int(bool(more))


if __name__ == "__main__":
    sys.exit(main())
