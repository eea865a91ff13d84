"""`scripts/bench further`: measures what `make bench` leaves out, in turns, by processor time per request.

Quotes of 16 KB and of 100 items are compared with the floor and with Fastify, whose responses must be equal. Sorting,
JSONPath filters, other patches and quotes of 1,000 items are compared with simpler requests to the same store. The last
figure is the memory of idle connections.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace

from scripts.benchmark import report
from scripts.benchmark.comparison import answers_to, exchanged, refuse_unequal, reject_other_pages
from scripts.benchmark.contenders.schemas import write_schemas
from scripts.benchmark.figures import (
    FASTIFY,
    FLOOR,
    FURTHER,
    GET,
    GET_100,
    IDLE,
    ITEMS,
    JSON_PATCH,
    JSONPATH,
    LARGE,
    LIST,
    MEMORY,
    OURS,
    PATCH,
    PATCH_1,
    PATCH_100,
    PATCH_1000,
    PATCH_ONE,
    POST_16_KB,
    POST_100,
    SORTED,
    Results,
    Sample,
    Target,
    Turn,
    further_targets,
)
from scripts.benchmark.load import Unanswered, has_wrk
from scripts.benchmark.processes import Running
from scripts.benchmark.round import CONNECTIONS, Alive, alive, available, created, measured, standings
from scripts.benchmark.traffic import PATCHED, TEXTS_OF_ONE, creation_of_items, sent

SLOW = 2
"""Turns with quotes of 1,000 items take so many times as long, because few requests are answered in a second."""
FEW_CONNECTIONS = 4
"""For the same turns: the work for requests without an answer at the end of a turn is counted for the others."""

LONGER = (1, 2, 4)
"""A turn without a response is repeated with more time, so that a busy machine does not end the measurement."""


def measure(living: Sequence[Alive], count: int, seconds: float) -> Iterator[Turn]:
    """Measure all kinds of requests, each with those that it is compared with in the same turns.

    Lists come first, as later quotes are longer, and creations last, as they make the stores larger.
    """
    ours = [each for each in living if each.contender.name in OURS]
    reject_pages_of_others(ours)
    yield from turns([(kind, each) for kind in (LIST, SORTED, JSONPATH) for each in ours], count, seconds)
    yield from turns([(kind, each) for kind in (PATCH, JSON_PATCH, PATCH_ONE) for each in ours], count, seconds)
    of_sizes = [(kind, each) for kind, items in ((PATCH_1, 1), (PATCH_1000, ITEMS)) for each in filled(ours, items)]
    yield from turns(of_sizes, count, SLOW * seconds, FEW_CONNECTIONS)
    large = filled(living, 100)
    refuse_unequal({each.contender.name: answers_to(each.server, each.ids, LARGE) for each in large})
    for kind in (GET_100, PATCH_100, POST_16_KB, POST_100):
        yield from turns([(kind, each) for each in large], count, seconds)


def turns(
    requests: Sequence[tuple[str, Alive]], count: int, seconds: float, connections: int = CONNECTIONS
) -> Iterator[Turn]:
    """Warm up, then send each kind of request to its server `count` times, so that compared runs are close in time."""
    texts = itertools.count(step=TEXTS_OF_ONE)

    def answered(kind: str, to: Alive) -> Sample:
        for times in LONGER:
            with contextlib.suppress(Unanswered):
                return measured(to.server, sent(kind, to.ids, next(texts)), times * seconds, connections)
        raise Unanswered(f"{kind}, {to.contender.name}: no response in {LONGER[-1] * seconds} s")

    for number in range(count + 1):
        found = {(each.contender.name, kind): answered(kind, each) for kind, each in requests}
        if number:  # the first turn warms up
            tell(found)
            yield found


def tell(turn: Turn) -> None:
    for kind in dict.fromkeys(kind for _, kind in turn):
        costs = (f"{name} {sample.cpu:.0f}" for (name, each), sample in turn.items() if each == kind)
        print(f"{kind}: {', '.join(costs)} us", file=sys.stderr)


def filled(living: Sequence[Alive], items: int) -> list[Alive]:
    """Create quotes of so many items in each contender; their ids replace those of the others."""
    request = creation_of_items(items)
    return [each._replace(ids=[created(each.server, request) for _ in range(PATCHED)]) for each in living]


def reject_pages_of_others(living: Sequence[Alive]) -> None:
    for each in living:
        with contextlib.closing(each.server.connect()) as connection:
            for kind in (LIST, SORTED, JSONPATH):
                reject_other_pages(exchanged(connection, sent(kind, each.ids)[0]).read())


def resident_of_idle(server: Running, ids: Sequence[str]) -> int:
    """Bytes of IDLE connections that have each sent one GET; raise HTTPException when the server closed one."""
    requests = sent(GET, ids)
    with contextlib.ExitStack() as opened:
        before = server.resident()
        connections = [opened.enter_context(contextlib.closing(server.connect())) for _ in range(IDLE)]
        for number, connection in enumerate(connections):
            exchanged(connection, requests[number % len(requests)]).read()
        taken = server.resident() - before
        for connection in connections:
            connection.auto_open = 0
            exchanged(connection, requests[0]).read()
        return taken


def tables(results: Results, found: Sequence[Target]) -> Iterator[str]:
    ours = replace(results, standings={name: results.standings[name] for name in OURS})
    for part, kinds in ((results, LARGE), (ours, FURTHER)):
        for table in (report.costs(part, kinds), report.rate_table(part, kinds)):
            yield from table
            yield ""
    yield from report.target_table(found)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/bench further", description=f"{__doc__} Exits with 1 when a target is missed."
    )
    parser.add_argument("--turns", type=int, default=5, help="of each kind of request")
    parser.add_argument("--seconds", type=int, default=1, help="of each turn")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/explanation/speed.md")
    given = parser.parse_args()
    if not has_wrk():
        print("without wrk (on Debian: apt-get install wrk): Python sends the requests", file=sys.stderr)
    write_schemas()
    with alive(list(available([*OURS, FLOOR, FASTIFY]))) as living:
        stood = standings(living)
        of_memory = next(each for each in living if each.contender.name == MEMORY)
        idle = resident_of_idle(of_memory.server, of_memory.ids)
        results = Results(list(measure(living, given.turns, given.seconds)), stood)
    found = further_targets(results, idle)
    loads = f"{CONNECTIONS} connections ({FEW_CONNECTIONS} for quotes of 1 and of 1,000 items)"
    how = f"{report.circumstances()}, {loads}, {given.turns} x {given.seconds} s"
    lines = [*tables(results, found), "", how]
    print("\n".join(lines))
    if given.write:
        report.put(report.DOCS, "further", "scripts/bench further", lines)
    return int(any(target.met is False for target in found))


if __name__ == "__main__":
    sys.exit(main())
