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
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from scripts.benchmark.comparison import reject_other_pages
from scripts.benchmark.contenders.packages import ROOT
from scripts.benchmark.driver import STORES, Lifespan, call, new_store, stored
from scripts.benchmark.figures import COUNTED_KINDS, JSONPATH, LENGTHY, SORTED, excess
from scripts.benchmark.traffic import LISTS, sent

from tmf_sales.app import create_app
from tmf_sales.configuration.settings import Settings

KNOWN = Path(__file__).with_name("instructions.json")
TOLERANCE = 0.05
WARM, COUNTED = 50, 500
WARM_LENGTHY, COUNTED_LENGTHY = 5, 20
PATIENT = 300.0
"""Seconds for a query and for a request: under valgrind they take longer than the service waits by default."""
NOT_COMPARED = 3
_KIND = re.compile(r"^desc: Trigger: dump (.+)$", re.MULTILINE)
_TOTAL = re.compile(r"^totals: (\d+)$", re.MULTILINE)


async def work(url: str) -> None:
    """The counted work: start, store quotes, then many requests of each kind, each kind counted apart."""
    app = create_app(Settings(store=url, no_delivery=True, statement_timeout=PATIENT, request_deadline=PATIENT))
    async with Lifespan(app):
        ids = await stored(app)
        for request in kinds(url):
            wanted, (warm, count) = sent(request, ids), repetitions(request)
            answers = [await call(app, wanted[number % len(wanted)]) for number in range(warm)]
            if request in LISTS:
                reject_other_pages(answers[0])
            control("--instr=on")
            for number in range(count):
                await call(app, wanted[number % len(wanted)])
            control(f"--dump={request}")
            control("--instr=off")


def kinds(store: str) -> list[str]:
    """The kinds of requests that are counted on a store.

    SQLite repeats a search in a thread when it takes 2 ms, which valgrind exceeds by chance: the counts would differ.
    """
    return [each for each in COUNTED_KINDS if not (store.startswith("sqlite") and each in (SORTED, JSONPATH))]


def repetitions(request: str) -> tuple[int, int]:
    """How many requests of this kind are sent first, uncounted, and how many are counted."""
    return (WARM_LENGTHY, COUNTED_LENGTHY) if request in LENGTHY else (WARM, COUNTED)


def control(order: str) -> None:
    """Make valgrind, under which this process runs, begin or stop counting, or write what it has counted."""
    subprocess.run(["callgrind_control", order, str(os.getpid())], check=True, capture_output=True)


def counted(store: str) -> Mapping[str, int]:
    """Count the instructions of all counted requests of each kind."""
    with tempfile.TemporaryDirectory(prefix="instructions-") as folder:
        command = ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={folder}/counted"]
        command += [sys.executable, "-W", "ignore", "-m", "scripts.benchmark.instructions", "--work", store]
        environment = {**os.environ, "PYTHONHASHSEED": "0"}
        ran = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT)
        if ran.returncode:
            raise RuntimeError(ran.stderr[-2000:])
        return dict(_dumped(file.read_text()) for file in Path(folder).glob("counted.*"))


def _dumped(dump: str) -> tuple[str, int]:
    """The kind of request, and how many instructions callgrind has counted for it."""
    kind, total = _KIND.search(dump), _TOTAL.search(dump)
    if kind is None or total is None:
        raise RuntimeError("callgrind wrote a dump in a form that this script does not know")
    return kind[1], int(total[1])


def thousands() -> Iterator[tuple[str, int]]:
    """The cost of each kind of request on each store, in thousands of instructions."""
    for store in STORES:
        found = counted(store)
        for request in kinds(store):
            _, count = repetitions(request)
            yield f"{request}, {store}", round(found[request] / count / 1000)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench-check", description=__doc__)
    parser.add_argument("--write", action="store_true", help="take what is counted now as what is known")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work is not None:
        with new_store(given.work) as url:
            asyncio.run(work(url))
        return 0
    if not shutil.which("valgrind"):
        print("valgrind is missing; on Debian: apt-get install valgrind", file=sys.stderr)
        return NOT_COMPARED
    now = dict(thousands())
    return write(now) if given.write else compare(now, json.loads(KNOWN.read_text()))


def write(now: dict[str, int]) -> int:
    KNOWN.write_text(json.dumps({"python": platform.python_version(), "thousands": now}, indent=2) + "\n")
    return compare(now, json.loads(KNOWN.read_text()))


def compare(now: dict[str, int], known: Mapping[str, Any]) -> int:
    """Return 1 when a cost grew beyond the tolerance, 3 when the figures are for another Python, else 0."""
    if known["python"] != platform.python_version():
        here = platform.python_version()
        print(f"instructions.json is for Python {known['python']}; with Python {here} nothing is compared:")
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
