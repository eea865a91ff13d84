"""Writes the tables: as text, and between the markers in README.md and docs/explanation/speed.md."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from scripts.benchmark.figures import FLOOR, MB, REQUESTS, Results, Target, targets
from scripts.benchmark.load import has_wrk
from scripts.markers import with_made

ROOT = Path(__file__).parents[2]
README, DOCS = ROOT / "README.md", ROOT / "docs" / "explanation" / "speed.md"


def whole(results: Results) -> Iterator[str]:
    for table in (cost_table(results), rate_table(results), target_table(targets(results))):
        yield from table
        yield ""
    yield f"{circumstances()}, 16 connections"


def cost_table(results: Results) -> Iterator[str]:
    """A table of processor time, with the speed relative to the floor in brackets."""
    yield f"| microseconds a request | {' | '.join(REQUESTS)} | memory | start |"
    yield "|---|" + "---:|" * (len(REQUESTS) + 2)
    for name in results.contenders():
        cells = [_cost(results, name, request) for request in REQUESTS]
        start, resident = results.standings[name]
        yield f"| {name} | {' | '.join(cells)} | {resident / MB:.0f} MB | {start:.2f} s |"


def costs(results: Results, requests: Sequence[str]) -> Iterator[str]:
    """The same table without memory and start, of these kinds of requests."""
    yield f"| microseconds a request | {' | '.join(requests)} |"
    yield "|---|" + "---:|" * len(requests)
    for name in results.contenders():
        yield f"| {name} | {' | '.join(_cost(results, name, request) for request in requests)} |"


def _cost(results: Results, name: str, request: str) -> str:
    figures, ratio = results.figures(name, request), results.ratio(request, name, FLOOR)
    if figures is None:
        return ""
    return f"{figures.cpu:.0f}" + (f" ({ratio:.2f})" if ratio is not None and name != FLOOR else "")


def rate_table(results: Results, requests: Sequence[str] = REQUESTS) -> Iterator[str]:
    yield f"| requests a second, p50 / p99 in ms | {' | '.join(requests)} |"
    yield "|---|" + "---:|" * len(requests)
    for name in results.contenders():
        found = (results.figures(name, request) for request in requests)
        cells = [f"{each.rate:,.0f}, {each.p50:.1f} / {each.p99:.1f}" if each else "" for each in found]
        yield f"| {name} | {' | '.join(cells)} |"


def target_table(targets: Iterable[Target]) -> Iterator[str]:
    yield "| target | measured | |"
    yield "|---|---:|---|"
    for target in targets:
        sign = ">=" if target.at_least else "<="
        measured = "not measured" if target.measured is None else f"{target.measured:.2f} {target.unit}"
        yield f"| {target.title} {sign} {target.bound:g} {target.unit} | {measured} | {_verdict(target)} |"


def _verdict(target: Target) -> str:
    return {True: "met", False: "**not met**", None: ""}[target.met]


def circumstances() -> str:
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, server on one core of {os.cpu_count()} ({processor()}), load from another by "
        f"{'wrk' if has_wrk() else 'Python'}, Python {platform.python_version()}"
    )


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return " ".join(line.partition(":")[2].split())
    return platform.machine()


def write(results: Results) -> None:
    readme = [*cost_table(results), "", f"{circumstances()}, 16 connections"]
    put(README, "bench", "make bench", readme)
    put(DOCS, "bench", "make bench", whole(results))


def put(file: Path, name: str, maker: str, lines: Iterator[str] | list[str]) -> None:
    """Replace the text between a file's markers; raise ValueError when it has none."""
    made = with_made(file.read_text(encoding="utf-8"), name, maker, "\n".join(lines))
    file.write_text(made, encoding="utf-8")
