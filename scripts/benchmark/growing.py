"""Makes one comparison for `scripts/bench growth`: several servers, or several loads of one, measured in turns.

A figure is the median of the turns. Growth is the largest ratio to the first point. Each ratio is the median of the
ratios within a turn, as the machine's speed changes over time.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from scripts.benchmark.contenders.catalogue import cores
from scripts.benchmark.contenders.packages import BUILD
from scripts.benchmark.figures import Results, Sample, Turn, growth
from scripts.benchmark.load import load
from scripts.benchmark.processes import Running
from scripts.benchmark.traffic import Sent

GROWS = 3.0
SECONDS_OF_WARM_UP = 1
GET, FILTER, PAGE, CREATE = "GET by id", "indexed filter", "first page", "create"
CASES = (GET, FILTER, PAGE, CREATE)


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a comparison: a server, the requests to send by kind, and the number of connections.

    `parts`: the number of items in a quote; if there are several, the cost per item is compared.
    """

    title: str
    server: Running
    requests: Mapping[str, Sequence[Sent]]
    connections: int
    parts: int = 1

    def load(self, case: str, seconds: float) -> Sample:
        (_, other), sent = cores(), self.requests[case]
        return load(self.server, sent, seconds=seconds, connections=self.connections, core=other, folder=BUILD)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The titles of the points with their parts, in order, and the measurements."""

    parts: Mapping[str, int]
    results: Results

    def cases(self) -> list[str]:
        measured = {case for turn in self.results.turns for _, case in turn}
        return [case for case in CASES if case in measured]

    def costs(self, case: str) -> list[float]:
        return [figures.cpu for title in self.parts if (figures := self.results.figures(title, case))]

    def grown(self, case: str) -> float:
        first, *_ = self.parts
        found = ((self.results.ratio(case, first, title), parts) for title, parts in self.parts.items())
        return growth([ratio / parts for ratio, parts in found if ratio is not None])


def compared(points: Sequence[Point], turns: int, seconds: float) -> Comparison:
    """Measure each kind of request at each point, in turns; creations come last, as they make stores larger."""
    measured: list[Turn] = []
    for case in (each for each in CASES if each in points[0].requests):
        for point in points:
            point.load(case, SECONDS_OF_WARM_UP)
        for _ in range(turns):
            measured.append({(point.title, case): point.load(case, seconds) for point in points})
            costs = (f"{title} {sample.cpu:.0f}" for (title, _), sample in measured[-1].items())
            print(f"{case}: {', '.join(costs)} us", file=sys.stderr)
    return Comparison({point.title: point.parts for point in points}, Results(measured, {}))


def table(comparisons: Sequence[Comparison]) -> Iterator[str]:
    yield f"| microseconds a request (p50 / p99 in ms) | {' | '.join(CASES)} |"
    yield "|---|" + "---:|" * len(CASES)
    for comparison in comparisons:
        for title in comparison.parts:
            found = (comparison.results.figures(title, case) for case in CASES)
            cells = [f"{each.cpu:.0f} ({each.p50:.1f} / {each.p99:.1f})" if each else "" for each in found]
            yield f"| {title} | {' | '.join(cells)} |"


def verdicts(comparison: Comparison) -> Iterator[str]:
    """Report how much the cost of each kind of request grew, and whether that counts as flat."""
    first, *others = comparison.parts
    of_each = ", for each item" if any(parts > 1 for parts in comparison.parts.values()) else ""
    for case in comparison.cases():
        times = comparison.grown(case)
        state = "flat" if times <= GROWS else f"**not flat: more than {GROWS:g} times**"
        points = f"with {' or '.join(others)}, at most {times:.2f} times what it costs with {first}"
        yield f"- {case}: {points}{of_each}, {state}"


def all_flat(comparisons: Sequence[Comparison]) -> bool:
    return all(each.grown(case) <= GROWS for each in comparisons for case in each.cases())
