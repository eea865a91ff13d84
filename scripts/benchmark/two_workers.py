"""Durable writes by one worker process and by two that share the file; here the servers may use every core."""

from __future__ import annotations

import statistics
from dataclasses import replace

from scripts.benchmark.contenders import BUILD, CONTENDERS, Contender, cores, database, environment_for, service
from scripts.benchmark.figures import POST, SQLITE, Results, Sample
from scripts.benchmark.processes import free_port, running
from scripts.benchmark.round import measured, sent

ROUNDS = 3


def durable_writes(results: Results, seconds: float) -> Results:
    """The results with the rates of one worker and of two, in turn, and the longest wait that two had."""
    one = next(each for each in CONTENDERS if each.name == SQLITE)
    two = replace(one, command=service(f"sqlite:{database()}", "--workers", "2"))
    ones, twos = [], []
    for _ in range(ROUNDS):
        ones.append(_written(one, seconds))
        twos.append(_written(two, seconds))
    rates = [statistics.median(each.rate for each in samples) for samples in (ones, twos)]
    return replace(results, doubled=(rates[0], rates[1], max(each.longest for each in twos)))


def _written(contender: Contender, seconds: float) -> Sample:
    contender.fresh()
    port, (first, last) = free_port(), cores()
    command, environment = contender.command(port), environment_for(contender, port)
    with running(command, environment, port, f"{first},{last}", contender.probe, BUILD / "server.log") as server:
        return measured(server, sent(POST, ()), seconds)
