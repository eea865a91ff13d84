"""Runs one round: starts all contenders, fills them, compares their responses, loads them in turns, ends them."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from scripts.benchmark.comparison import Unequal, answers_of, exchanged, refuse_unequal
from scripts.benchmark.contenders.catalogue import CONTENDERS, Contender, cores, environment_for
from scripts.benchmark.contenders.packages import BUILD, Missing
from scripts.benchmark.figures import FILTER, GET, LIST, OURS, PATCH, POST, Sample, Standing
from scripts.benchmark.load import load
from scripts.benchmark.processes import NotStarted, Running, free_port, running
from scripts.benchmark.traffic import Sent, creations, sent

CONNECTIONS = 16
SECONDS_OF_WARM_UP = 1


class Alive(NamedTuple):
    """A running contender, with the ids of the quotes that it stores."""

    contender: Contender
    server: Running
    ids: Sequence[str]


def available(wanted: Sequence[str]) -> Iterator[Contender]:
    """Yield the wanted contenders that can run here; report and skip the others, but never the service itself."""
    for contender in CONTENDERS:
        if wanted and not any(word.lower() in contender.name.lower() for word in wanted):
            continue
        try:
            contender.prepare()
            start_once(contender)
        except Missing as reason:
            print(f"without {contender.name}: {reason}", file=sys.stderr)
        else:
            yield contender


def start_once(contender: Contender) -> None:
    """Start it once; raise Missing when a contender cannot run on this machine, NotStarted if it is the service."""
    try:
        with started(contender):
            pass
    except NotStarted as error:
        if contender.name in OURS:
            raise
        raise Missing(str(error)) from None


@contextlib.contextmanager
def alive(contenders: Sequence[Contender]) -> Iterator[list[Alive]]:
    """Run all contenders at once, with quotes stored; raise Unequal unless they give the same responses."""
    with contextlib.ExitStack() as servers:
        living, answers = [], {}
        for contender in contenders:
            server = servers.enter_context(started(contender))
            ids = store_quotes(server)
            answers[contender.name] = answers_of(server, ids)
            living.append(Alive(contender, server, ids))
        refuse_unequal(answers)
        yield living


def started(contender: Contender) -> contextlib.AbstractContextManager[Running]:
    contender.fresh()
    port, (core, _) = free_port(), cores()
    command, environment = contender.command(port), environment_for(port)
    return running(command, environment, port, str(core), BUILD / f"{contender.name}.log")


def standings(living: Sequence[Alive]) -> dict[str, Standing]:
    """The start time and memory of each contender when its quotes have been read once, before most of the writes."""
    found = {}
    for contender, server, ids in living:
        measured(server, sent(GET, ids), SECONDS_OF_WARM_UP)
        found[contender.name] = Standing(server.start, server.resident())
    return found


def turns(
    living: Sequence[Alive], wanted: Sequence[str], count: int, seconds: float
) -> Iterator[dict[tuple[str, str], Sample]]:
    """Send each kind of request `count` times, to each contender in turn, so that compared runs are close in time.

    Creations come last, because they change the cost of lists; patches are compared with creations.
    """
    for compared in ((GET,), (LIST,), (FILTER,), (PATCH, POST)):
        requests = [each for each in compared if each in wanted]
        for number in range(count if requests else 0):
            yield {
                (contender.name, request): measured(server, sent(request, ids, 2 * number), seconds)
                for request in requests
                for contender, server, ids in living
            }


def measured(server: Running, requests: Sequence[Sent], seconds: float, connections: int = CONNECTIONS) -> Sample:
    _, other = cores()
    return load(server, requests, seconds=seconds, connections=connections, core=other, folder=BUILD)


def created(server: Running, creation: Sent) -> str:
    """Create a quote; return its id."""
    with contextlib.closing(server.connect()) as connection:
        id: str = json.loads(exchanged(connection, creation).read())["id"]
        return id


def store_quotes(server: Running) -> list[str]:
    """Create quotes one after the other; return their ids."""
    connection, ids = server.connect(), []
    for request in creations():
        answer = exchanged(connection, request)
        created = json.loads(answer.read())
        if answer.status != 201:
            raise Unequal(f"the sample is refused: {answer.status} {created}")
        ids.append(created["id"])
    connection.close()
    return ids
