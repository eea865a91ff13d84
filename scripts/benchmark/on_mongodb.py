"""`make bench`, second part: compares the service on MongoDB with a hand-written Starlette + pymongo application.

Measures the processor time of the application's process for each kind of request, on the same MongoDB server, with 16
connections; the lowest of turns that alternate, because other work on the machine only adds to it. A turn in which a
request failed is left out.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from pymongo import MongoClient
from scripts.benchmark.contenders.catalogue import OWN_PYTHON, Contender, service, uvicorn
from scripts.benchmark.contenders.schemas import write_schemas
from scripts.benchmark.figures import FILTER, GET, LIST, PATCH, POST, Sample
from scripts.benchmark.round import Alive, alive, measured
from scripts.benchmark.traffic import MERGE_PATCH, QUOTES, Sent, sent
from tests.mongodb.server import MongoServer, used

SERVICE, FLOOR = "tmf-sales, MongoDB", "Starlette + pymongo"
PATCH_ONE = "merge PATCH of one document"
PATCH_MANY = f"{PATCH} over 200 documents"
KINDS = (GET, LIST, FILTER, PATCH_MANY, PATCH_ONE, POST)
TARGETS = ((GET, 1.2), (LIST, 1.2), (POST, 1.5))
OWN_TARGETS = ((PATCH_MANY, POST, 1.3), (PATCH_ONE, PATCH_MANY, 1.3))

PATIENT = "timeoutMS=60000&connectTimeoutMS=20000&heartbeatFrequencyMS=20000"
"""On a busy machine, requests take longer than the service would wait; processor time is compared all the same."""

Found = Mapping[str, Mapping[str, list[Sample]]]


def contenders(uri: str) -> tuple[Contender, Contender]:
    os.environ["BENCH_MONGODB"] = f"{uri}/floor"

    def index() -> None:
        with MongoClient[dict[str, object]](uri) as client:
            client.floor.floor.create_index("document.externalId")

    floor = uvicorn(OWN_PYTHON, "scripts.benchmark.contenders.pymongo_floor:app")
    return Contender(SERVICE, service(f"{uri}/service?{PATIENT}")), Contender(FLOOR, floor, fresh=index)


def requests(kind: str, ids: list[str]) -> list[Sent]:
    if kind not in (PATCH_ONE, PATCH_MANY):
        return sent(kind, ids)
    patched = ids[:1] if kind == PATCH_ONE else ids[:200]
    return [
        Sent("PATCH", f"{QUOTES}/{id}", MERGE_PATCH, json.dumps({"description": f"offer {number}"}).encode())
        for number in range(40 if kind == PATCH_ONE else 2)
        for id in patched
    ]


def measure(living: list[Alive], turns: int, seconds: float) -> Found:
    """Measure in turns. Raises RuntimeError when a kind of request fails in each of them."""
    found: dict[str, dict[str, list[Sample]]] = {kind: {each.contender.name: [] for each in living} for kind in KINDS}
    for kind in KINDS:
        for turn in range(turns + 1):  # the first one warms up
            for contender, server, ids in living:
                title = f"{kind}, {contender.name}"
                try:
                    sample = measured(server, requests(kind, list(ids)), seconds)
                except RuntimeError as failure:
                    print(f"{title}: left out: {failure}", file=sys.stderr)
                    continue
                if turn:
                    found[kind][contender.name].append(sample)
                print(f"{title}: {sample.cpu:.0f} us", file=sys.stderr)
        for name, samples in found[kind].items():
            if not samples:
                raise RuntimeError(f"{kind}, {name}: no turn without a failed request")
    return found


def cost(found: Found, kind: str, name: str) -> float:
    return min(sample.cpu for sample in found[kind][name])


def table(found: Found) -> Iterator[str]:
    yield f"| processor time of a request, in µs | {SERVICE} | {FLOOR} | ratio | requests/s | p50, ms | p99, ms |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    for kind in KINDS:
        ours, theirs = cost(found, kind, SERVICE), cost(found, kind, FLOOR)
        samples = found[kind][SERVICE]
        rate, p50, p99 = (statistics.median(getattr(each, name) for each in samples) for name in ("rate", "p50", "p99"))
        yield f"| {kind} | {ours:.0f} | {theirs:.0f} | {ours / theirs:.2f} | {rate:.0f} | {p50:.1f} | {p99:.1f} |"


def targets(found: Found) -> Iterator[tuple[str, float, float]]:
    for kind, most in TARGETS:
        yield f"{kind}, of {FLOOR}", cost(found, kind, SERVICE) / cost(found, kind, FLOOR), most
    for kind, other, most in OWN_TARGETS:
        yield f"{kind}, of {other}", cost(found, kind, SERVICE) / cost(found, other, SERVICE), most


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench_mongo", description=__doc__)
    parser.add_argument("--turns", type=int, default=3, help="of each kind of request")
    parser.add_argument("--seconds", type=int, default=2, help="of each turn")
    given = parser.parse_args()
    write_schemas()
    os.environ["TMF_SALES_STATEMENT_TIMEOUT"] = "60"
    with (
        tempfile.TemporaryDirectory(prefix="bench_mongo") as folder,
        MongoServer(Path(folder)) as server,
        alive(contenders(server.uri)) as living,
    ):
        found = measure(living, given.turns, given.seconds)
    print("\n".join(table(found)))
    print(f"\nMongoDB {', '.join(used)}; load {os.getloadavg()[0]:.1f}")
    missed = [(title, ratio, most) for title, ratio, most in targets(found) if ratio > most]
    for title, ratio, most in missed:
        print(f"missed: {title}: {ratio:.2f}, at most {most}")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
