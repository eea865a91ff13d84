"""`make bench`: every contender on one core, the same requests from the other, medians of interleaved rounds."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence

from scripts.benchmark import report
from scripts.benchmark.contenders import CONTENDERS, Contender, Missing, write_schemas
from scripts.benchmark.figures import Life, Results, medians
from scripts.benchmark.round import live, refuse_unequal
from scripts.benchmark.two_workers import durable_writes


def available(wanted: Sequence[str]) -> Iterator[Contender]:
    for contender in CONTENDERS:
        if wanted and not any(word.lower() in contender.name.lower() for word in wanted):
            continue
        try:
            contender.prepare()
        except Missing as reason:
            print(f"without {contender.name}: {reason}", file=sys.stderr)
        else:
            yield contender


def measure(contenders: Sequence[Contender], rounds: int, seconds: float) -> Results:
    lives: list[Life] = []
    for number in range(rounds):
        answers = {}
        for contender in contenders:
            life, answers[contender.name] = live(contender, seconds)
            lives.append(life)
            shown = ", ".join(f"{name} {sample.cpu:.0f}" for name, sample in life.samples.items())
            print(f"round {number + 1}, {life.contender}: {shown} us", file=sys.stderr)
        refuse_unequal(answers)
    return medians(lives)


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=2, help="of each kind of request in each round")
    parser.add_argument("--only", nargs="*", default=[], help="words of the names of contenders")
    parser.add_argument("--write", action="store_true", help="put the tables into README.md and docs/speed.md")
    given = parser.parse_args()
    write_schemas()
    results = measure(list(available(given.only)), given.rounds, given.seconds)
    if not given.only:
        results = durable_writes(results, given.seconds)
    for line in report.whole(results):
        print(line)
    if given.write:
        report.write(results)


if __name__ == "__main__":
    main()
