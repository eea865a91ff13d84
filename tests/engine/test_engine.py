"""What the engine does when the store refuses: lost races, a unit that would be too large."""

from __future__ import annotations

import gc
import itertools
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.contract import small_contract

from tmf_sales.access import FULL_ACCESS
from tmf_sales.engine.documents import DocumentBuilder
from tmf_sales.engine.engine import EngineSettings, ResourceEngine
from tmf_sales.engine.expansion import References
from tmf_sales.engine.hooks import Rules
from tmf_sales.engine.idempotency import IDEMPOTENCY_KIND, Idempotency
from tmf_sales.engine.long_work import LONG_WORK
from tmf_sales.engine.pending_changes import RACES
from tmf_sales.engine.request import Request
from tmf_sales.errors import PatchResultRefused, ResourceTooLarge, Unavailable
from tmf_sales.storage.memory.store import MemoryStorage
from tmf_sales.storage.protocol import RecordTooLarge, RevisionConflict
from tmf_sales.storage.records import Change, Document, Version
from tmf_sales.values.json_values import CONTAINER_LIMIT
from tmf_sales.values.messages import Violation

STORED = {"id": "7", "name": "x", "version": "1", "state": "open", "date": "2026-01-01T00:00:00.000Z"}
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"


class Refusing(MemoryStorage):
    """Refuses the next `times` commits with `error`; every other works."""

    error: type[Exception] = RevisionConflict
    times = 0

    async def commit(self, change: Change) -> int:
        if self.times > 0:
            self.times -= 1
            raise self.error
        return await super().commit(change)


@pytest.fixture
def engine(tmp_path: Path) -> ResourceEngine:
    return new_engine(tmp_path, Rules(), EngineSettings())


def new_engine(folder: Path, rules: Rules, settings: EngineSettings) -> ResourceEngine:
    folder.mkdir(exist_ok=True)
    resource = small_contract.contract(folder).resources["order"]
    store = Refusing((resource.stored_kind(), IDEMPOTENCY_KIND))
    keys = Idempotency(store, now, lambda: "new", timedelta(seconds=10))
    ids = itertools.count()
    return ResourceEngine(
        resource,
        rules,
        store,
        settings,
        now,
        lambda: f"new{next(ids)}",
        keys,
        References((), store, lambda _: lambda _: FULL_ACCESS),
    )


def now() -> datetime:
    return datetime(2026, 2, 1, tzinfo=UTC)


async def stored(engine: ResourceEngine, error: type[Exception], times: int) -> Refusing:
    """The engine's store, with one resource in it, about to refuse."""
    store = engine._store
    assert isinstance(store, Refusing)
    await store.commit(Change("tmf999/order", "7", 0, (Version(1, STORED),)))
    store.error, store.times = error, times
    return store


def patch(name: str) -> Request:
    return Request("patchOrder", "PATCH", {"id": "7"}, "", {}, "http://host", "", body={"name": name}, media_type=MERGE)


def delete() -> Request:
    return Request("deleteOrder", "DELETE", {"id": "7"}, "", {}, "http://host", "")


def create(**members: str) -> Request:
    return Request("createOrder", "POST", {}, "", {}, "http://host", "", body={"name": "y", **members})


async def test_a_lost_race_is_run_again(engine: ResourceEngine) -> None:
    store = await stored(engine, RevisionConflict, 3)

    assert (await engine.patch(patch("y"))).status == 200
    store.times = 3
    assert (await engine.create(create(id="7"))).status == 201
    store.times = 3
    assert (await engine.delete(delete())).status == 204
    assert await store.get("tmf999/order", "7") is None


async def test_no_document_of_a_creation_waits_for_the_store(
    engine: ResourceEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    request, kept = create(), []

    async def commit(change: Change) -> int:
        name = request.body and request.body["name"]
        others = [each for each in gc.get_objects() if type(each) is dict and each.get("name") == "only here"]
        kept.append((name, [each for each in others if each is not change.versions[0].document]))
        return 1

    request.body["name"] = "only here"
    monkeypatch.setattr(engine._store, "commit", commit)
    response = await engine.create(request)

    assert response.status == 201
    assert kept == [(None, [])]


async def test_races_that_are_lost_for_ever_are_given_up(engine: ResourceEngine) -> None:
    store = await stored(engine, RevisionConflict, RACES)

    for lost in (engine.patch(patch("y")), engine.create(create(id="7")), engine.delete(delete())):
        store.times = RACES
        with pytest.raises(Unavailable, match="Too many concurrent changes"):
            await lost


class WholeRules(Rules):
    """Rules that may depend on any member, so that each patch takes the whole document."""

    def on_patch(self, before: Document, after: Document, now: str) -> None: ...


class NoNegativeAmount(Rules):
    depends_on = frozenset({"amount"})

    def check_body(self, document: Document) -> list[Violation]:
        return [Violation("/amount", "expected more")] if document.get("amount", 0) < 0 else []


async def test_a_patch_of_a_part_is_answered_logged_and_stored_like_one_of_the_whole(tmp_path: Path) -> None:
    outcomes = []
    for number, rules in enumerate((Rules(), WholeRules())):
        engine = new_engine(tmp_path / str(number), rules, EngineSettings(audit=True))
        store = await stored(engine, RevisionConflict, 0)
        answers = []
        for body in ({"name": "y"}, {"note": [{"text": "a"}]}, {"note": None, "amount": 2}, {"note": [], "amount": 2}):
            request = patch("")
            request.body = body
            answer = await engine.patch(request)
            answers.append((answer.status, answer.headers, answer.body))
        record = await store.get("tmf999/order", "7")
        assert record is not None
        events, _ = await store.events.log(None, 0, 100)
        outcomes.append((answers, record.revision, record.current.text, [event.text for event in events]))

    assert outcomes[0] == outcomes[1]
    assert len(outcomes[0][3]) == 8


async def test_new_rules_are_applied_to_what_was_verified_under_others(engine: ResourceEngine) -> None:
    store = await stored(engine, RevisionConflict, 0)
    below_zero = patch("")
    below_zero.body = {"amount": -1}
    await engine.patch(below_zero)
    await engine.patch(patch("y"))

    engine.use_rules(NoNegativeAmount())

    with pytest.raises(PatchResultRefused, match="/amount: expected more"):
        await engine.patch(patch("z"))
    record = await store.get("tmf999/order", "7")
    assert record is not None
    assert record.current.document["name"] == "y"


class Threads(Rules):
    """Rules that note which thread a document is built in."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    def on_patch(self, before: Document, after: Document, now: str) -> None:
        self.seen.append(threading.get_ident())

    def answer_instantly(self, body: Document, now: str) -> Document | None:
        self.seen.append(threading.get_ident())
        return None


LONG_TEXT = "x" * LONG_WORK


@pytest.mark.parametrize(
    ("body", "media_type", "body_size", "stored_name", "is_long"),
    [
        ({"name": "y"}, MERGE, 12, "x", False),
        ({"name": "y"}, MERGE, 12, LONG_TEXT, True),
        ({"name": "y"}, MERGE, LONG_WORK, "x", True),
        ([{"op": "add", "path": "/name", "value": "y"}], JSON_PATCH, 44, "x", False),
        ([{"op": "copy", "from": "/anything", "path": "/anything/-"}] * 12, JSON_PATCH, 600, "x", True),
    ],
)
async def test_what_takes_long_is_built_beside_the_event_loop(
    engine: ResourceEngine,
    body: Any,
    media_type: str,
    body_size: int,
    stored_name: str,
    is_long: bool,
) -> None:
    threads = Threads()
    engine._builder = DocumentBuilder(engine.type, threads)
    document = {**STORED, "name": stored_name, "anything": []}
    await engine._store.commit(Change("tmf999/order", "7", 0, (Version(1, document),)))
    request = Request("patchOrder", "PATCH", {"id": "7"}, "", {}, "http://host", "", body=body, body_size=body_size)
    request.media_type = media_type

    assert (await engine.patch(request)).status == 200
    [thread] = threads.seen
    assert (thread != threading.get_ident()) is is_long


@pytest.mark.parametrize(("body_size", "is_long"), [(LONG_WORK, False), (LONG_WORK + 1, True)])
async def test_a_long_body_is_worked_on_beside_the_event_loop(
    engine: ResourceEngine, body_size: int, is_long: bool
) -> None:
    threads = Threads()
    engine.use_rules(threads)
    request = create()
    request.body_size = body_size

    assert (await engine.create(request)).status == 201
    [thread] = threads.seen
    assert (thread != threading.get_ident()) is is_long


async def test_patches_cannot_make_a_document_of_more_containers_than_a_body_may_have(engine: ResourceEngine) -> None:
    half: list[Document] = [{}] * (CONTAINER_LIMIT // 2)
    document = {**STORED, "anything": half}
    await engine._store.commit(Change("tmf999/order", "7", 0, (Version(1, document),)))
    request = patch("y")
    request.body = {"more": half}

    with pytest.raises(PatchResultRefused, match="the resource: expected at most 100000 objects and lists"):
        await engine.patch(request)
    assert (await engine._store.get("tmf999/order", "7")).current.document == document  # type: ignore[union-attr]


async def test_what_would_be_too_large_is_refused(engine: ResourceEngine) -> None:
    store = await stored(engine, RecordTooLarge, 1)

    for refused, id in (
        (engine.patch(patch("y")), "7"),
        (engine.create(create(id="7")), "7"),
        (engine.create(create()), "new"),
    ):
        store.times = 1
        with pytest.raises(ResourceTooLarge, match=f"'{id}' with all its versions would exceed 8 MB"):
            await refused
