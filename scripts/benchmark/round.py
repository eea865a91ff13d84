"""One life of one server: started, compared with what the contract makes of the sample, loaded, ended."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from scripts.benchmark.contenders import BASE_PATH, BUILD, ROOT, Contender, cores, environment_for
from scripts.benchmark.figures import FILTER, GET, LIST, PATCH, POST, Life, Sample
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


def live(contender: Contender, seconds: float) -> tuple[Life, Answers]:
    """One life, and what the server answered, in a form in which all contenders must be equal."""
    contender.fresh()
    port, (core, other) = free_port(), cores()
    environment = environment_for(contender, port)
    log = BUILD / "server.log"
    with running(contender.command(port), environment, port, str(core), contender.probe, log) as server:
        ids = store_quotes(server)
        answers = dict(one_of_each(server, ids))
        samples, resident = {}, 0
        load(server, sent(GET, ids), seconds=SECONDS_OF_WARM_UP, connections=CONNECTIONS, core=other, folder=BUILD)
        for request in (GET, LIST, FILTER, PATCH, POST):
            samples[request] = measured(server, sent(request, ids), seconds, other)
            resident = resident or server.resident()
        return Life(contender.name, server.start, resident, samples), answers


def measured(server: Running, requests: Sequence[Sent], seconds: float, core: int) -> Sample:
    return load(server, requests, seconds=seconds, connections=CONNECTIONS, core=core, folder=BUILD)


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
