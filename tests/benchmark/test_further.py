"""`scripts/bench further`: larger quotes, requests that are compared with simpler ones, and idle connections."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator, Sequence
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

import pytest
from scripts.benchmark import further, instructions, report
from scripts.benchmark.comparison import reject_other_pages
from scripts.benchmark.contenders.catalogue import CONTENDERS
from scripts.benchmark.driver import Lifespan, call
from scripts.benchmark.figures import (
    FASTIFY,
    FLOOR,
    FURTHER,
    GET,
    ITEMS,
    JSON_PATCH,
    JSONPATH,
    LARGE,
    LIST,
    MB,
    MEMORY,
    PATCH,
    PATCH_1,
    PATCH_1000,
    PATCH_ONE,
    POST_16_KB,
    POST_100,
    SORTED,
    SQLITE,
    Results,
    Sample,
    Standing,
    Target,
    further_targets,
)
from scripts.benchmark.load import Unanswered
from scripts.benchmark.processes import Running
from scripts.benchmark.round import Alive
from scripts.benchmark.traffic import KB, NOTES, SAMPLE, Sent, creation_of_items, creations, sent
from scripts.markers import with_made

from tmf_sales.app import create_app
from tmf_sales.configuration.settings import Settings

STANDING = Standing(0.5, 70 * MB)


def sample(cpu: float) -> Sample:
    return Sample(100, 2.0, cpu, 1.0, 9.0)


def titled(title: str, costs: dict[tuple[str, str], float], idle: float | None = None) -> Target:
    results = Results([{key: sample(cpu) for key, cpu in costs.items()}], {})
    return next(target for target in further_targets(results, idle) if target.title == title)


def test_the_larger_quotes_are_as_large_as_their_names_say() -> None:
    [longer], [of_items] = sent(POST_16_KB, []), sent(POST_100, [])
    items = json.loads(of_items.body)["quoteItem"]

    assert 0 <= 16 * KB - len(longer.body) < NOTES
    assert len({note["id"] for note in json.loads(longer.body)["note"]}) == NOTES
    assert len({item["id"] for item in items}) == 100
    assert {**items[99], "id": "1"} == SAMPLE["quoteItem"][0]
    assert len(json.loads(creation_of_items(1).body)["quoteItem"]) == 1


@pytest.mark.parametrize("kind", [SORTED, JSONPATH])
async def test_the_further_lists_find_a_page_of_what_is_stored(kind: str) -> None:
    app = create_app(Settings(store="memory:", no_delivery=True))
    async with Lifespan(app):
        for creation in creations(25):
            await call(app, creation)

        page = await call(app, sent(kind, [])[0])

    reject_other_pages(page)


@pytest.mark.parametrize(("ours", "met"), [(100, True), (101, False)])
def test_quotes_of_many_items_are_to_cost_no_more_than_with_fastify(ours: float, met: bool) -> None:
    title = "POST of 100 items, memory, of Fastify"

    assert titled(title, {(MEMORY, POST_100): ours, (FASTIFY, POST_100): 100}).met is met
    assert titled(title, {(MEMORY, POST_100): ours}).met is None


@pytest.mark.parametrize(("json_patch", "met"), [(120, True), (121, False)])
def test_a_request_is_compared_with_another_one_to_the_same_store(json_patch: float, met: bool) -> None:
    costs = {(SQLITE, JSON_PATCH): json_patch, (SQLITE, PATCH): 100, (MEMORY, PATCH): 1}

    assert titled("JSON Patch, SQLite, cost of merge PATCH", costs).met is met
    assert titled("JSON Patch, memory, cost of merge PATCH", costs).met is None


@pytest.mark.parametrize(("cpu", "met"), [(20 * ITEMS, True), (20 * ITEMS + 1, False)])
def test_the_cost_of_a_patch_is_compared_for_each_item(cpu: float, met: bool) -> None:
    title = f"{PATCH_1000}, memory, for each item, cost of {PATCH_1}"

    assert titled(title, {(MEMORY, PATCH_1000): cpu, (MEMORY, PATCH_1): 20}).met is met


@pytest.mark.parametrize(("resident", "met"), [(20 * MB, True), (20 * MB + 1, False), (None, None)])
def test_idle_connections_have_a_target_of_memory(resident: float | None, met: bool | None) -> None:
    assert titled("memory of 1,000 idle connections", {}, resident).met is met


@pytest.mark.parametrize("kind", [PATCH, JSON_PATCH, PATCH_ONE, PATCH_1000])
def test_every_patch_of_every_turn_changes_something(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    runs: list[set[tuple[str, bytes]]] = []

    def measured(_: Running, requests: Sequence[Sent], seconds: float, connections: int) -> Sample:
        runs.append({(request.path, request.body) for request in requests})
        assert len(runs[-1]) == len(requests)
        return sample(1)

    monkeypatch.setattr(further, "measured", measured)
    living = [Alive(contender, cast(Running, None), ["1", "2"]) for contender in CONTENDERS[:2]]

    turns = list(further.turns([(kind, each) for each in living], 3, 1))

    assert [set(turn) for turn in turns] == [{(MEMORY, kind), (SQLITE, kind)}] * 3
    assert len(runs) == 8
    assert len(set.union(*runs)) == sum(map(len, runs))


def test_a_turn_without_a_response_is_repeated_with_more_time(monkeypatch: pytest.MonkeyPatch) -> None:
    lengths: list[float] = []

    def measured(_: Running, __: object, seconds: float, ___: int) -> Sample:
        lengths.append(seconds)
        if seconds < enough:
            raise Unanswered("too busy")
        return sample(1)

    monkeypatch.setattr(further, "measured", measured)
    living = [(GET, Alive(CONTENDERS[0], cast(Running, None), ["1"]))]

    enough = 4
    assert len(list(further.turns(living, 1, 2))) == 1
    assert lengths == [2, 4, 2, 4]
    enough = 9
    with pytest.raises(Unanswered, match=r"^GET by id, tmf-sales, memory: no response in 8 s$"):
        list(further.turns(living, 1, 2))


def test_the_tables_have_a_place_in_the_documentation() -> None:
    costs = {(name, kind): sample(40) for name in (MEMORY, SQLITE, FLOOR, FASTIFY) for kind in LARGE}
    costs |= {(name, kind): sample(50) for name in (MEMORY, SQLITE) for kind in FURTHER}
    results = Results([costs], {name: STANDING for name, _ in costs})

    lines = list(further.tables(results, further_targets(results, 5 * MB)))

    assert "| Fastify | 40 (1.00) | 40 (1.00) | 40 (1.00) | 40 (1.00) |" in lines
    assert f"| tmf-sales, SQLite |{' 50 |' * len(FURTHER)}" in lines
    assert f"| floor |{' 50 |' * len(FURTHER)}" not in lines
    assert "| memory of 1,000 idle connections <= 20 MB | 5.00 MB | met |" in lines
    assert "\n\nnew\n\n" in with_made(report.DOCS.read_text(), "further", "scripts/bench further", "new")


class Answering(BaseHTTPRequestHandler):
    """Answers every GET with an empty object."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: Any) -> None:
        pass


class KeepingOpen(Answering):
    protocol_version = "HTTP/1.1"


class Served:
    """Stands for a contender: each look at its memory finds 7 bytes more."""

    def __init__(self, port: int) -> None:
        self._port, self._resident = port, 0

    def connect(self) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self._port, timeout=30)

    def resident(self) -> int:
        self._resident += 7
        return self._resident


@contextlib.contextmanager
def served(handler: type[Answering]) -> Iterator[Running]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield cast(Running, Served(server.server_port))
        finally:
            server.shutdown()
            thread.join()


def test_connections_that_the_server_closes_are_not_counted_as_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(further, "IDLE", 3)

    with served(KeepingOpen) as server:
        assert further.resident_of_idle(server, ["1", "2"]) == 7
    with served(Answering) as server, pytest.raises(HTTPException):
        further.resident_of_idle(server, ["1"])


@pytest.mark.parametrize(("most", "code"), [(20 * MB, 0), (20 * MB + 1, 1)])
def test_the_script_fails_when_a_target_is_missed(monkeypatch: pytest.MonkeyPatch, most: int, code: int) -> None:
    living = [Alive(CONTENDERS[0], cast(Running, None), [])]
    monkeypatch.setattr(further, "write_schemas", lambda: None)
    monkeypatch.setattr(further, "available", lambda _: [])
    monkeypatch.setattr(further, "alive", lambda _: contextlib.nullcontext(living))
    monkeypatch.setattr(further, "standings", lambda _: {MEMORY: STANDING, SQLITE: STANDING})
    monkeypatch.setattr(further, "resident_of_idle", lambda *_: most)
    monkeypatch.setattr(further, "measure", lambda *_: [{(MEMORY, LIST): sample(40)}])
    monkeypatch.setattr("sys.argv", ["further"])

    assert further.main() == code


def test_counts_are_divided_by_the_number_of_their_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instructions, "COUNTED_KINDS", (GET, SORTED))
    monkeypatch.setattr(instructions, "counted", lambda _: {GET: 75_000_000, SORTED: 30_000_000})

    assert dict(instructions.thousands()) == {
        f"{GET}, memory": 150,
        f"{SORTED}, memory": 1500,
        f"{GET}, sqlite": 150,
    }
