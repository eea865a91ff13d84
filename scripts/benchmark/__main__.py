"""`make bench`: loads every contender on one core with the same requests from another; medians of interleaved turns."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence

from scripts.benchmark import report
from scripts.benchmark.contenders.catalogue import Contender
from scripts.benchmark.contenders.schemas import write_schemas
from scripts.benchmark.figures import REQUESTS, Results, Standing, Turn, middle_standing, targets
from scripts.benchmark.load import has_wrk
from scripts.benchmark.round import alive, available, standings, turns
from scripts.benchmark.two_workers import with_second_worker

SECONDS_OF_TWO_WORKERS = 2


def measure(contenders: Sequence[Contender], wanted: Sequence[str], rounds: int, count: int, seconds: float) -> Results:
    """Measure in rounds: each starts its own servers, and each of its turns sends one kind of request to all."""
    measured: list[Turn] = []
    stood: list[Mapping[str, Standing]] = []
    for number in range(rounds):
        with alive(contenders) as living:
            stood.append(standings(living))
            for turn in turns(living, wanted, count, seconds):
                measured.append(turn)
                tell(number + 1, turn)
    middle = {each.name: middle_standing([found[each.name] for found in stood]) for each in contenders}
    return Results(measured, middle)


def tell(number: int, measured: Turn) -> None:
    for request in dict.fromkeys(request for _, request in measured):
        costs = (f"{name} {sample.cpu:.0f}" for (name, each), sample in measured.items() if each == request)
        print(f"round {number}, {request}: {', '.join(costs)} us", file=sys.stderr)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=f"{__doc__} Exits with 1 when a target is missed.")
    parser.add_argument("--rounds", type=int, default=3, help="each with servers of its own")
    parser.add_argument("--turns", type=int, default=3, help="of each kind of request in each round")
    parser.add_argument("--seconds", type=int, default=1, help="of each turn")
    parser.add_argument("--only", nargs="*", default=[], help="words of the names of contenders")
    parser.add_argument("--requests", nargs="*", default=[""], help="words of the kinds of requests")
    parser.add_argument("--write", action="store_true", help="put the tables into README.md and docs/explanation")
    given = parser.parse_args()
    if not has_wrk():
        print("without wrk (on Debian: apt-get install wrk): Python sends the requests", file=sys.stderr)
    write_schemas()
    contenders = list(available(given.only))
    kinds = [kind for kind in REQUESTS if any(word.lower() in kind.lower() for word in given.requests)]
    results = measure(contenders, kinds, given.rounds, given.turns, given.seconds)
    if not given.only and kinds == list(REQUESTS):
        results = with_second_worker(results, SECONDS_OF_TWO_WORKERS)
    for line in report.whole(results):
        print(line)
    if given.write:
        report.write(results)
    return int(any(target.met is False for target in targets(results)))


if __name__ == "__main__":
    sys.exit(main())
