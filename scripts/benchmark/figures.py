"""The arithmetic of the benchmark: samples, medians and targets. Pure functions."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

GET, LIST, FILTER, POST, PATCH = "GET by id", "list of 20", "filtered list of 20, fields", "POST", "merge PATCH"
REQUESTS = (GET, LIST, FILTER, POST, PATCH)
JSON_PATCH = "JSON Patch"
"""Counted and profiled, but not timed beside the other contenders, which apply merge patches only."""

GET_100, PATCH_100, POST_100 = "GET of 100 items", "merge PATCH of 100 items", "POST of 100 items"
POST_16_KB = "POST of 16 KB"
LARGE = (GET_100, PATCH_100, POST_16_KB, POST_100)
"""What `scripts/bench further` sends to the floor and to Fastify, too."""
SORTED, JSONPATH = "sorted list of 20", "JSONPath filter, list of 20"
PATCH_ONE, PATCH_1, PATCH_1000 = "merge PATCH of one document", "merge PATCH of 1 item", "merge PATCH of 1,000 items"
FURTHER = (LIST, SORTED, JSONPATH, PATCH, JSON_PATCH, PATCH_ONE, PATCH_1, PATCH_1000)
"""What it sends to the service alone."""
LENGTHY = (SORTED, JSONPATH, POST_100)
"""Each of them executes millions of instructions, so fewer are counted."""
COUNTED_KINDS = (*REQUESTS, JSON_PATCH, *LENGTHY)

MEMORY, SQLITE, FLOOR, FASTAPI = "tmf-sales, memory", "tmf-sales, SQLite", "floor", "FastAPI"
FLASK_APP, ASYNC_APP, FASTIFY = "Connexion FlaskApp", "Connexion AsyncApp", "Fastify"
OURS = (MEMORY, SQLITE)

MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Sample:
    """One run of one kind of request. `cpu`: microseconds of the server per request; latencies in milliseconds."""

    requests: int
    seconds: float
    cpu: float
    p50: float
    p99: float
    longest: float = 0.0

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


Turn = Mapping[tuple[str, str], Sample]
"""By contender and kind of request: what was measured within seconds, on the machine as it was then."""


class Figures(NamedTuple):
    """Medians over all turns."""

    cpu: float
    rate: float
    p50: float
    p99: float


class Standing(NamedTuple):
    """A contender as a whole: seconds until its first response, and resident bytes after reading all quotes once."""

    start: float
    resident: float


class Doubled(NamedTuple):
    """Requests per second of one worker and of two, and the longest wait with two, in milliseconds."""

    one: float
    two: float
    longest: float


@dataclass(frozen=True, slots=True)
class Results:
    """All measurements. `doubled`: the effect of a second worker, by kind of request."""

    turns: Sequence[Turn]
    standings: Mapping[str, Standing]
    doubled: Mapping[str, Doubled] = field(default_factory=dict)

    def contenders(self) -> list[str]:
        return list(self.standings)

    def figures(self, contender: str, request: str) -> Figures | None:
        samples = [turn[contender, request] for turn in self.turns if (contender, request) in turn]
        return _middle(samples) if samples else None

    def ratio(self, request: str, ours: str, other: str, other_request: str | None = None) -> float | None:
        """How many times as fast `ours` is as `other`, by processor time per request; None if one was not measured.

        It is the median of the ratios within each turn, as the machine's speed changes between turns.
        """
        mine, theirs = (ours, request), (other, other_request or request)
        found = [turn[theirs].cpu / turn[mine].cpu for turn in self.turns if mine in turn and theirs in turn]
        return statistics.median(found) if found else None


def middle_standing(standings: Sequence[Standing]) -> Standing:
    return Standing(*(statistics.median(each) for each in zip(*standings, strict=True)))


def _middle(samples: Sequence[Sample]) -> Figures:
    return Figures(
        *(statistics.median(getattr(each, name) for each in samples) for name in ("cpu", "rate", "p50", "p99"))
    )


@dataclass(frozen=True, slots=True)
class Target:
    """A target. `at_least` False: the bound is a maximum. `measured` None: it was not measured."""

    title: str
    measured: float | None
    bound: float
    at_least: bool = True
    unit: str = "x"

    @property
    def met(self) -> bool | None:
        if self.measured is None:
            return None
        return self.measured >= self.bound if self.at_least else self.measured <= self.bound


MOST = (
    (POST, MEMORY, FLOOR, 1.6),
    (PATCH, MEMORY, FLOOR, 2),
    (FILTER, MEMORY, FLOOR, 2.5),
    (FILTER, SQLITE, FLOOR, 2.5),
    (GET, SQLITE, MEMORY, 1.4),
    (LIST, SQLITE, MEMORY, 1.3),
    (POST, SQLITE, MEMORY, 1.7),
    (PATCH, SQLITE, MEMORY, 2.2),
)
"""How much a request may cost at most in comparison with what another contender pays for it."""


def cost(results: Results, request: str, ours: str, other: str, other_request: str | None = None) -> float | None:
    speed = results.ratio(request, ours, other, other_request)
    return None if speed is None else 1 / speed


def targets(results: Results) -> list[Target]:
    """Every target, in the order of the table."""
    ratio = results.ratio
    found = [
        Target("GET by id, memory, of the floor", ratio(GET, MEMORY, FLOOR), 0.6),
        Target("GET by id, memory, of FastAPI", ratio(GET, MEMORY, FASTAPI), 2),
        Target("list of 20, memory, of the floor", ratio(LIST, MEMORY, FLOOR), 0.8),
        Target("list of 20, memory, of Fastify", ratio(LIST, MEMORY, FASTIFY), 1.5),
        Target("POST, memory, of FastAPI", ratio(POST, MEMORY, FASTAPI), 2),
        Target("durable POST, SQLite, of FastAPI", ratio(POST, SQLITE, FASTAPI), 0.8),
        *(
            Target(f"{request}, {ours}, cost of {other}", cost(results, request, ours, other), bound, at_least=False)
            for request, ours, other, bound in MOST
        ),
    ]
    for name in (each for each in OURS if each in results.standings):
        store, standing = name.rpartition(", ")[2], results.standings[name]
        resident = standing.resident / MB
        found.append(Target(f"resident memory of a worker, {store}", resident, 70, at_least=False, unit="MB"))
        found.append(Target(f"start, {store}", standing.start, 0.5, at_least=False, unit="s"))
    for request, bound in ((GET, 1.8), (LIST, 1.8)):
        rates = results.doubled.get(request)
        ratio_of_rates = rates.two / rates.one if rates else None
        found.append(Target(f"{request}, two workers, of one (rate, 4 cores)", ratio_of_rates, bound))
    if writes := results.doubled.get(POST):
        found.append(Target("durable writes of two workers, of one (rate)", writes.two / writes.one, 1.2))
        found.append(Target("longest wait of a writer with two", writes.longest / 1000, 1, at_least=False, unit="s"))
    return found


IDLE = 1000
"""So many connections stay open."""
ITEMS = 1000
MOST_OF_ITS_OWN = (
    (SORTED, LIST, MEMORY, 15),
    (SORTED, LIST, SQLITE, 2),
    (JSONPATH, LIST, MEMORY, 25),
    (JSONPATH, LIST, SQLITE, 60),
    (JSON_PATCH, PATCH, MEMORY, 1.2),
    (JSON_PATCH, PATCH, SQLITE, 1.2),
    (PATCH_ONE, PATCH, MEMORY, 1.3),
    (PATCH_ONE, PATCH, SQLITE, 1.3),
)
"""How much a request may cost at most compared with another one to the same store; speed.md has the reasons."""


def further_targets(results: Results, resident_of_idle: float | None) -> list[Target]:
    """The targets of `scripts/bench further`. `resident_of_idle`: the bytes that IDLE connections take."""
    found = [Target(f"{request}, memory, of Fastify", results.ratio(request, MEMORY, FASTIFY), 1) for request in LARGE]
    for request, other, ours, bound in MOST_OF_ITS_OWN:
        title = f"{request}, {ours.rpartition(', ')[2]}, cost of {other}"
        found.append(Target(title, cost(results, request, ours, ours, other), bound, at_least=False))
    for ours in OURS:
        whole, title = cost(results, PATCH_1000, ours, ours, PATCH_1), f"{PATCH_1000}, {ours.rpartition(', ')[2]}"
        of_each = None if whole is None else whole / ITEMS
        found.append(Target(f"{title}, for each item, cost of {PATCH_1}", of_each, 1, at_least=False))
    idle = None if resident_of_idle is None else resident_of_idle / MB
    return [*found, Target(f"memory of {IDLE:,} idle connections", idle, 20, at_least=False, unit="MB")]


def growth(costs: Sequence[float]) -> float:
    """The ratio of the largest later cost to the first cost."""
    return max(costs[1:], default=costs[0]) / costs[0]


def excess(known: Mapping[str, float], now: Mapping[str, float], tolerance: float) -> list[str]:
    """The names whose cost grew by more than the tolerance; names without a known cost are not listed."""
    return [name for name, cost in now.items() if cost > known.get(name, cost) * (1 + tolerance)]
