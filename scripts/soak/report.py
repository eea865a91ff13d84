"""The figures of a run as text, and what went wrong in it."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from scripts.soak.load import Load
from scripts.soak.plan import SAMPLED

MOST_GROWTH = 0.05
SPARE_DESCRIPTORS = 8
"""Connections to the proxy, to receivers and to MongoDB come and go with the load of the moment."""
MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Sample:
    """Memory in bytes and open descriptors of one process with its workers, at the end of a cycle."""

    memory: int
    descriptors: int


@dataclass(slots=True)
class Figures:
    """What a run has measured. `samples` are by process, `outages` by step: (seconds, announced 503s)."""

    capacity: float = 0.0
    rate: float = 0.0
    seconds: float = 0.0
    samples: dict[str, list[Sample]] = field(default_factory=lambda: defaultdict(list))
    outages: dict[str, list[tuple[float, int]]] = field(default_factory=lambda: defaultdict(list))
    log_errors: list[str] = field(default_factory=list)
    kept: int = 0


def lines(figures: Figures, load: Load) -> Iterator[str]:
    records = load.records
    yield (
        f"{figures.seconds / 60:.1f} minutes, {figures.rate:.0f} requests/s at most "
        f"(without a limit: {figures.capacity:.0f}), longest response {load.longest:.1f} s"
    )
    yield f"requests: {load.requests:,}; {_counted(load.statuses)}"
    yield f"errors: {_counted(load.errors) or 'none'}"
    yield (
        f"writes: {records.acknowledged:,} acknowledged, {records.unknown:,} answered 503; "
        f"{figures.kept:,} leads at the end, each as last acknowledged"
    )
    yield f"events: {records.events:,} received, {records.again:,} of them again"
    yield ""
    yield "| step | times | longest time without a write, s: median | longest | announced 503s |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    for step, outages in figures.outages.items():
        seconds, announced = zip(*outages, strict=True)
        median = statistics.median(seconds)
        yield f"| {step} | {len(outages)} | {median:.1f} | {max(seconds):.1f} | {sum(announced)} |"
    yield ""
    yield "| process | memory, MiB: start | middle | end | growth | descriptors: start | middle | end |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    for name, samples in figures.samples.items():
        shown = [samples[0], samples[len(samples) // 2], samples[-1]]
        memory = " | ".join(f"{each.memory / MEGABYTE:.1f}" for each in shown)
        descriptors = " | ".join(str(each.descriptors) for each in shown)
        yield f"| {name} | {memory} | {growth(samples):+.1%} | {descriptors} |"


def failures(figures: Figures, load: Load) -> Iterator[str]:
    """What must not happen, in sentences; nothing if the run was good."""
    yield from (f"{count} times {error}" for error, count in load.errors.items())
    yield from load.records.problems
    yield from figures.log_errors
    for name in SAMPLED:
        samples = figures.samples[name]
        if len(samples) < 2:
            yield f"{name}: measured {len(samples)} times, at least 2 are needed"
            continue
        if growth(samples) > MOST_GROWTH:
            yield f"{name}: memory grew by {growth(samples):.1%}, at most {MOST_GROWTH:.0%}"
        more = samples[-1].descriptors - samples[0].descriptors
        if more > SPARE_DESCRIPTORS:
            yield f"{name}: {more} descriptors more, at most {SPARE_DESCRIPTORS}"


def growth(samples: Sequence[Sample]) -> float:
    return samples[-1].memory / samples[0].memory - 1


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name}: {count:,}" for name, count in Counter(counts).most_common())
