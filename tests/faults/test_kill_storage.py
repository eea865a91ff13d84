"""kill -9 while writes are unanswered: no acknowledged write is lost, and none is half there."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest
from tests.faults import writer_process
from tests.mongodb.server import MongoServer
from tests.storage.tickets import KINDS

from tmf_sales.storage.conditions import Query
from tmf_sales.storage.factory import open_store
from tmf_sales.storage.protocol import Storage

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = [pytest.param(3, id="some"), pytest.param(25, id="many", marks=pytest.mark.full)]
MORE_ANSWERS = 40


@dataclass
class Life:
    """What is known of one ticket: what was tried on it in turn, and up to which revision that was answered."""

    tried: list[str] = field(default_factory=list)
    acknowledged: int = 0
    happened: int = 0


class Writer:
    """A writing process, and what it has said so far."""

    def __init__(self, url: str, name: str) -> None:
        self.lives: dict[str, Life] = {}
        self._process = subprocess.Popen(
            [sys.executable, "-m", writer_process.__name__, url, name], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self._output = self._process.stdout

    def answers(self, count: int, kind: str = "ack") -> None:
        """Wait for so many more answers, or failures when `kind` is `lost`."""
        while count:
            line = self._output.readline()
            assert line, "the writer ended by itself"
            count -= self._note(line) == kind

    def kill(self) -> None:
        self._process.kill()
        self.end()

    def end(self) -> None:
        """Read what it still had to say, and let it go."""
        for line in self._output:
            self._note(line)
        self._output.close()
        self._process.wait()

    def _note(self, line: str) -> str:
        """Take one line down; answers `ack` or `lost` for those that a test waits for."""
        match line.split():
            case ["try", id, _, operation] if line.endswith("\n"):
                self.lives.setdefault(id, Life()).tried.append(operation)
            case ["ack", id, revision] if line.endswith("\n"):
                self.lives[id].acknowledged = int(revision)
                return "ack"
            case ["lost", _]:
                return "lost"
            case ["late", id]:
                raise AssertionError(f"{id} was not answered within {writer_process.DEADLINE} s")
        return ""


async def check(store: Storage, lives: dict[str, Life], found: Counter[str]) -> None:
    """Each ticket is as its last acknowledged write left it, or as the one unanswered write after that did.

    A write may be of several revisions.
    """
    await store.events.sweep()
    received = await events_by_revision(store)
    alive = 0
    for id, life in lives.items():
        assert len(life.tried) - life.acknowledged in (0, 1, 2)
        happened = len(received[id])
        assert received[id] == set(range(1, happened + 1)), f"{id} lost an event"
        assert happened >= life.acknowledged, f"{id} lost revision {life.acknowledged}"
        assert happened <= len(life.tried), f"{id} has an event of what never happened"
        assert happened in (life.acknowledged, len(life.tried)), f"{id} has a part of a write"
        stored = await store.get("ticket", id)
        assert (stored is not None) == (happened > 0 and life.tried[happened - 1] != "delete"), id
        if stored is not None:
            alive += 1
            assert (stored.revision, stored.current.document["revision"]) == (happened, happened)
        life.happened = happened
    found["acknowledged"] = sum(life.acknowledged for life in lives.values())
    found["unknown"] = sum(len(life.tried) - life.acknowledged for life in lives.values())
    found["recovered"] = sum(life.happened - life.acknowledged for life in lives.values())
    page = await store.find("ticket", Query(limit=0))
    assert page.total == alive


async def events_by_revision(store: Storage) -> dict[str, set[int]]:
    """Which revisions of each ticket the log has an event of; none of them twice."""
    received: dict[str, set[int]] = defaultdict(set)
    events, cursor = await store.events.log(None, 0, 1000)
    while events:
        for each in events:
            id, _, revision = each.id.rpartition("@")
            assert (each.resource, each.revision) == (id, int(revision))
            assert each.revision not in received[id]
            received[id].add(each.revision)
        events, cursor = await store.events.log(cursor, 0, 1000)
    return received


async def open_and_check(url: str, lives: dict[str, Life], found: Counter[str]) -> None:
    store = open_store(url, KINDS)
    await store.open()
    try:
        await store.ping()
        await check(store, lives, found)
    finally:
        await store.close()


Record = Callable[[str, object], None]


@contextmanager
def figures(record: Record, title: str) -> Iterator[Counter[str]]:
    found: Counter[str] = Counter()
    yield found
    record("figure", "kills: " + ", ".join(f"{count} {name}" for name, count in found.items()) + f" ({title})")
    assert found["unknown"] >= found["rounds"], "a kill that nobody notices proves nothing"


@pytest.mark.parametrize("rounds", ROUNDS)
async def test_killing_writers_of_a_sqlite_store(rounds: int, tmp_path: Path, record_property: Record) -> None:
    url = f"sqlite:///{tmp_path}/store.sqlite"
    random = Random(1)
    lives: dict[str, Life] = {}
    with figures(record_property, "writers, SQLite") as found:
        for number in range(rounds):
            first, second = Writer(url, f"a{number}"), Writer(url, f"b{number}")
            first.answers(random.randrange(1, 300))
            first.kill()
            second.answers(MORE_ANSWERS)  # It does not wait for what the dead one held.
            second.kill()
            found["rounds"] += 1
            lives |= first.lives | second.lives
            await open_and_check(url, lives, found)


@pytest.mark.parametrize("rounds", ROUNDS)
async def test_killing_writers_and_the_server_of_a_mongodb_store(
    rounds: int, tmp_path: Path, record_property: Record
) -> None:
    random = Random(2)
    lives: dict[str, Life] = {}
    with (
        MongoServer(tmp_path / "data") as server,
        figures(record_property, "writers and servers, MongoDB") as found,
    ):
        for number in range(rounds):
            writer = Writer(server.uri, f"w{number}")
            writer.answers(random.randrange(1, 150))
            if number % 3 == 2:
                writer.kill()
            else:
                server.kill()
                server.start()
                writer.kill()
            found["rounds"] += 1
            lives |= writer.lives
            await open_and_check(server.uri, lives, found)


async def test_a_service_outlives_its_server_that_is_stopped_killed_and_paused(
    tmp_path: Path, record_property: Record
) -> None:
    with MongoServer(tmp_path / "data") as server, figures(record_property, "one writer, MongoDB away") as found:
        writer = Writer(f"{server.uri}/db?timeoutMS=1000&serverSelectionTimeoutMS=500&heartbeatFrequencyMS=500", "w")
        for goes_away, comes_back in (
            (server.stop, server.start),
            (server.kill, server.start),
            (server.pause, server.resume),
        ):
            writer.answers(MORE_ANSWERS)
            goes_away()
            writer.answers(1, "lost")
            comes_back()
            found["rounds"] += 1
        writer.answers(MORE_ANSWERS)
        writer.kill()
        await open_and_check(f"{server.uri}/db", writer.lives, found)
