"""One round: all contenders started, filled, compared with each other, loaded in turns, ended."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from scripts.benchmark.contenders import BASE_PATH, BUILD, ROOT, Contender, cores, environment_for
from scripts.benchmark.figures import FILTER, GET, LIST, PATCH, POST, Sample, Standing
from scripts.benchmark.load import Sent, load
from scripts.benchmark.processes import Running, free_port, running

STORED = 500
PER_EXTERNAL_ID = 20
PATCHED = 50
CONNECTIONS = 16
QUOTES = f"{BASE_PATH}/quote"
FIELDS = "state,category,externalId,quoteDate"
JSON, MERGE_PATCH = "application/json", "application/merge-patch+json"
SAMPLE: dict[str, Any] = json.loads((ROOT / "tests/samples/tmf648-create-request.json").read_text())
SECONDS_OF_WARM_UP = 1
_DATE_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})")

Answers = Mapping[str, Any]


class Unequal(Exception):
    """Raised when two contenders answer differently, so that comparing their speed would mean nothing."""


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
            answers[contender.name] = dict(one_of_each(server, ids))
            living.append(Alive(contender, server, ids))
        refuse_unequal(answers)
        yield living


def started(contender: Contender) -> contextlib.AbstractContextManager[Running]:
    contender.fresh()
    port, (core, _) = free_port(), cores()
    command, environment = contender.command(port), environment_for(contender, port)
    return running(command, environment, port, str(core), contender.probe, BUILD / f"{contender.name}.log")


def standings(living: Sequence[Alive]) -> dict[str, Standing]:
    """What each takes of the machine when its quotes have been read once, before it is written to much."""
    found = {}
    for contender, server, ids in living:
        measured(server, sent(GET, ids), SECONDS_OF_WARM_UP)
        found[contender.name] = Standing(server.start, server.resident())
    return found


def turns(living: Sequence[Alive], count: int, seconds: float) -> Iterator[dict[tuple[str, str], Sample]]:
    """Each kind of request `count` times at one contender after the other; what is compared is close together in time.

    Creations come last, as a list is another one on a larger store; a patch is compared with them.
    """
    for requests in ((GET,), (LIST,), (FILTER,), (PATCH, POST)):
        for _ in range(count):
            yield {
                (contender.name, request): measured(server, sent(request, ids), seconds)
                for request in requests
                for contender, server, ids in living
            }


def measured(server: Running, requests: Sequence[Sent], seconds: float) -> Sample:
    _, other = cores()
    return load(server, requests, seconds=seconds, connections=CONNECTIONS, core=other, folder=BUILD)


def store_quotes(server: Running, count: int = STORED) -> list[str]:
    """Create quotes one after the other; answers their ids."""
    connection, ids = server.connect(), []
    for number in range(count):
        body = {**SAMPLE, "externalId": f"order-{number % (count // PER_EXTERNAL_ID)}"}
        connection.request("POST", QUOTES, json.dumps(body), {"Content-Type": JSON})
        answer = connection.getresponse()
        created = json.loads(answer.read())
        if answer.status != 201:
            raise Unequal(f"the sample is refused: {answer.status} {created}")
        ids.append(created["id"])
    connection.close()
    return ids


def sent(request: str, ids: Sequence[str]) -> list[Sent]:
    """The requests of one kind, which are sent in turn."""
    if request == GET:
        return [Sent("GET", f"{QUOTES}/{id}") for id in ids]
    if request == LIST:
        return [Sent("GET", f"{QUOTES}?limit=20")]
    if request == FILTER:
        return [Sent("GET", f"{QUOTES}?externalId=order-7&limit=20&fields={FIELDS}")]
    if request == POST:
        return [Sent("POST", QUOTES, JSON, json.dumps(SAMPLE).encode())]
    return [  # In turn, and again from the start, so that each one changes something.
        Sent("PATCH", f"{QUOTES}/{id}", MERGE_PATCH, json.dumps({"description": f"offer {number}"}).encode())
        for number in range(2)
        for id in ids[:PATCHED]
    ]


def one_of_each(server: Running, ids: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """The answer to each kind of request, without what must differ: ids, the host, the time of creation."""
    connection = server.connect()
    for request in (GET, LIST, FILTER, POST, PATCH):
        (first, *_) = sent(request, ids)
        connection.request(first.method, first.path, first.body, {"Content-Type": first.type} if first.type else {})
        answer = connection.getresponse()
        body = json.loads(answer.read())
        counts = [answer.getheader(name) for name in ("X-Total-Count", "X-Result-Count")]
        location = answer.getheader("Location")
        if location is not None and location != body["href"]:
            raise Unequal(f"Location is {location}, href {body['href']}")
        yield request, [answer.status // 100, counts, comparable(body, top=True)]
    connection.close()


def comparable(value: Any, *, top: bool = False) -> Any:
    """A quote, or a list of them, with what each server makes itself replaced by one text for all."""
    if isinstance(value, list):
        return [comparable(each, top=top) for each in value]
    if isinstance(value, dict):
        own = {name: name for name in ("id", "href", "quoteDate", "externalId") if top and name in value}
        return {**{name: comparable(inner) for name, inner in value.items()}, **own}
    if isinstance(value, str) and _DATE_TIME.fullmatch(value):
        return datetime.fromisoformat(value).timestamp()
    return value


def refuse_unequal(answers: Mapping[str, Answers]) -> None:
    """Raise Unequal unless all contenders answered the same."""
    (first, expected), *others = answers.items()
    for name, found in others:
        for request, answer in expected.items():
            if found[request] != answer:
                raise Unequal(f"{request}: {name} answers {found[request]}, but {first} {answer}")
