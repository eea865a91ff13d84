"""Measures the effect of a second worker: rates of one and of two on one file; the servers may use several cores."""

from __future__ import annotations

import os
import statistics
from collections.abc import Sequence
from dataclasses import replace

from scripts.benchmark.contenders.catalogue import CONTENDERS, Contender, database, environment_for, service
from scripts.benchmark.contenders.packages import BUILD
from scripts.benchmark.figures import GET, LIST, POST, SQLITE, Doubled, Results, Sample
from scripts.benchmark.processes import free_port, running
from scripts.benchmark.round import measured, store_quotes
from scripts.benchmark.traffic import sent

ROUNDS = 3
ENOUGH_CORES = 4
"""For two workers that read: one each, one for the load, and one for all else that the machine does."""


def with_second_worker(results: Results, seconds: float) -> Results:
    """Add the rates of one and of two workers, in turn: durable writes, and reads if there are enough cores."""
    mine = sorted(os.sched_getaffinity(0))
    kinds = [POST, *((GET, LIST) if len(mine) >= ENOUGH_CORES else ())]
    one = next(each for each in CONTENDERS if each.name == SQLITE)
    two = replace(one, command=service(f"sqlite:{database()}", "--workers", "2"))
    rounds = [[_rates(each, kinds, mine[:2], seconds) for each in (one, two)] for _ in range(ROUNDS)]
    return replace(results, doubled={kind: _doubled(kind, rounds) for kind in kinds})


def _doubled(kind: str, rounds: Sequence[Sequence[dict[str, Sample]]]) -> Doubled:
    ones, twos = ([found[number][kind] for found in rounds] for number in (0, 1))
    rate_of_one, rate_of_two = (statistics.median(each.rate for each in samples) for samples in (ones, twos))
    return Doubled(rate_of_one, rate_of_two, max(each.longest for each in twos))


def _rates(contender: Contender, kinds: Sequence[str], cores: Sequence[int], seconds: float) -> dict[str, Sample]:
    contender.fresh()
    port = free_port()
    command, environment = contender.command(port), environment_for(port)
    allowed = ",".join(map(str, cores))
    with running(command, environment, port, allowed, BUILD / "server.log") as server:
        ids = store_quotes(server)
        return {kind: measured(server, sent(kind, ids), seconds) for kind in reversed(kinds)}
