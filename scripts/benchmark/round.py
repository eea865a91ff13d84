"""One round: all contenders started, filled, compared with each other, loaded in turns, ended."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from scripts.benchmark.comparison import Unequal, answers_of, exchanged, refuse_unequal
from scripts.benchmark.contenders import Contender, cores, environment_for
from scripts.benchmark.figures import FILTER, GET, LIST, PATCH, POST, Sample, Standing
from scripts.benchmark.load import load
from scripts.benchmark.packages import BUILD
from scripts.benchmark.processes import Running, free_port, running
from scripts.benchmark.traffic import Sent, creations, sent

CONNECTIONS = 16
SECONDS_OF_WARM_UP = 1


class Alive(NamedTuple):
    """A contender that answers, with the ids of the quotes that it holds."""

    contender: Contender
    server: Running
    ids: Sequence[str]


@contextlib.contextmanager
def alive(contenders: Sequence[Contender]) -> Iterator[list[Alive]]:
    """All contenders at once, with quotes stored; raises Unequal unless they answer the same."""
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
    """What each takes of the machine when its quotes have been read once, before it is written to much."""
    found = {}
    for contender, server, ids in living:
        measured(server, sent(GET, ids), SECONDS_OF_WARM_UP)
        found[contender.name] = Standing(server.start, server.resident())
    return found


def turns(
    living: Sequence[Alive], wanted: Sequence[str], count: int, seconds: float
) -> Iterator[dict[tuple[str, str], Sample]]:
    """Each kind of request `count` times at one contender after the other; what is compared is close together in time.

    Creations come last, as a list is another one on a larger store; a patch is compared with them.
    """
    for compared in ((GET,), (LIST,), (FILTER,), (PATCH, POST)):
        requests = [each for each in compared if each in wanted]
        for _ in range(count if requests else 0):
            yield {
                (contender.name, request): measured(server, sent(request, ids), seconds)
                for request in requests
                for contender, server, ids in living
            }


def measured(server: Running, requests: Sequence[Sent], seconds: float) -> Sample:
    _, other = cores()
    return load(server, requests, seconds=seconds, connections=CONNECTIONS, core=other, folder=BUILD)


def store_quotes(server: Running) -> list[str]:
    """Create quotes one after the other; answers their ids."""
    connection, ids = server.connect(), []
    for request in creations():
        answer = exchanged(connection, request)
        created = json.loads(answer.read())
        if answer.status != 201:
            raise Unequal(f"the sample is refused: {answer.status} {created}")
        ids.append(created["id"])
    connection.close()
    return ids
