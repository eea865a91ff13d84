"""A creation that is sent again is made once, whatever happened to the first try."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from tmf_sales.access import FULL_ACCESS, NO_ACCESS, Access
from tmf_sales.app.composition import create_engines, create_references
from tmf_sales.app.context import create_context
from tmf_sales.configuration.settings import Settings
from tmf_sales.contract.loader import load_contracts
from tmf_sales.engine import idempotency
from tmf_sales.engine.engine import ResourceEngine
from tmf_sales.engine.idempotency import IDEMPOTENCY, IDEMPOTENCY_KIND, Idempotency, _digest
from tmf_sales.engine.request import Request, Response
from tmf_sales.errors import Conflict, Forbidden, IdempotencyConflict, NotFound, Unavailable
from tmf_sales.storage.conditions import Query
from tmf_sales.storage.memory.store import MemoryStorage
from tmf_sales.storage.protocol import RECORD_LIMIT, RevisionConflict
from tmf_sales.storage.records import Change, Record

APIS = load_contracts(Path(__file__).parents[2] / "openapi")


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 1, 31, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now


class FailingStorage(MemoryStorage):
    """Fails the commits whose number (from 1) is in `lost`: before or after they are written."""

    def __init__(self, kinds: Any) -> None:
        super().__init__(kinds)
        self.commits = 0
        self.lost_before: set[int] = set()
        self.lost_after: set[int] = set()

    async def commit(self, change: Change) -> int:
        self.commits += 1
        if self.commits in self.lost_before:
            raise Unavailable("away")
        revision = await super().commit(change)
        if self.commits in self.lost_after:
            raise Unavailable("away")
        return revision


class Service:
    def __init__(self) -> None:
        numbers = itertools.count(1)
        self.clock = Clock()
        new_id: Callable[[], str] = lambda: f"id-{next(numbers)}"  # noqa: E731
        kinds = [resource.stored_kind() for api in APIS for resource in api.resources.values()]
        self.store = FailingStorage([*kinds, IDEMPOTENCY_KIND])
        self.idempotency = Idempotency(self.store, self.clock, new_id, timedelta(seconds=10))
        context = replace(create_context(Settings(store="memory:")), store=self.store)
        references = create_references(context, lambda _: lambda _: FULL_ACCESS)
        engines = create_engines(context, self.clock, new_id, self.idempotency, references)
        self.engines: dict[str, ResourceEngine] = {e.type.kind: e for each in engines.values() for e in each}

    async def create(
        self,
        body: dict[str, Any],
        key: str | None = "k1",
        kind: str = "tmf648/quote",
        access: Access = FULL_ACCESS,
    ) -> Response:
        headers = {b"idempotency-key": key.encode()} if key is not None else {}
        request = Request(
            operation_id=f"create{kind}",
            method="POST",
            path_parameters={},
            raw_query="",
            headers=headers,
            public_url="http://service",
            correlation_id="c",
            body=orjson.loads(orjson.dumps(body)),
            access=access,
        )
        return await self.engines[kind].create(request)

    async def stored(self, kind: str = "tmf648/quote") -> list[str]:
        return [row.id for row in (await self.store.find(kind, Query(limit=1000))).rows]

    async def record(self, id: str) -> Record:
        record = await self.store.get("tmf648/quote", id)
        assert record is not None
        return record


@pytest.fixture
def service() -> Service:
    return Service()


QUOTE = {"description": "one", "quoteItem": [{}]}


async def test_the_same_key_and_body_get_the_same_answer_and_create_once(service: Service) -> None:
    first = await service.create(QUOTE)
    again = await service.create(QUOTE)

    assert again == first
    assert await service.stored() == [orjson.loads(first.text)["id"]]


async def test_without_a_key_each_request_creates(service: Service) -> None:
    await service.create(QUOTE, key=None)
    await service.create(QUOTE, key=None)

    assert len(await service.stored()) == 2


async def test_another_key_and_another_kind_create_again(service: Service) -> None:
    await service.create(QUOTE)
    await service.create(QUOTE, key="k2")
    await service.create({"name": "lead"}, kind="tmf699/salesLead")

    assert len(await service.stored()) == 2
    assert len(await service.stored("tmf699/salesLead")) == 1


async def test_a_reservation_of_release_0_1_still_counts(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """That release left the kind out of the place under which it kept a reservation."""
    with monkeypatch.context() as patched:
        patched.setattr(idempotency, "_digest", lambda value: _digest(value[1:] if len(value) == 4 else value))
        first = await service.create(QUOTE)

    assert await service.create(QUOTE) == first
    assert len(await service.stored()) == 1


LARGE = {**QUOTE, "description": '"' * 2_100_000}  # JSON in JSON has twice the escapes


async def test_a_large_answer_is_kept_too(service: Service) -> None:
    first = await service.create(LARGE)
    await service.store.commit(Change("tmf648/quote", orjson.loads(first.text)["id"], 1, ()))

    again = await service.create(LARGE)

    assert again == first
    assert await service.stored() == []  # what was deleted is not made again


async def test_a_creation_is_answered_though_its_answer_is_too_large_to_keep(service: Service) -> None:
    large = {**QUOTE, "description": "x" * (RECORD_LIMIT - 550)}
    first = await service.create(large)
    [reservation] = (await service.store.find(IDEMPOTENCY, Query(limit=1))).rows
    assert "answer" not in reservation.version.document
    service.clock.now += timedelta(seconds=11)

    again = await service.create(large)

    assert again == first
    assert len(await service.stored()) == 1


async def test_the_same_key_with_another_body_is_refused(service: Service) -> None:
    await service.create(QUOTE)

    with pytest.raises(IdempotencyConflict, match="another request before; expected the same body and query"):
        await service.create({**QUOTE, "description": "two"})


async def test_a_second_try_while_the_first_runs_is_refused(service: Service) -> None:
    service.store.lost_before = {2}
    with pytest.raises(Unavailable):
        await service.create(QUOTE)

    with pytest.raises(IdempotencyConflict, match="still runs"):
        await service.create(QUOTE)


async def test_a_key_that_others_take_again_and_again_is_refused_as_too_busy(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def taken_by_another(_change: Change) -> int:
        raise RevisionConflict("somebody else was first")

    monkeypatch.setattr(service.store, "commit", taken_by_another)

    with pytest.raises(Unavailable, match="too many requests use it at once"):
        await service.create(QUOTE)


@pytest.mark.parametrize("lost", [{"lost_before": {2}}, {"lost_after": {2}}], ids=["not written", "written"])
async def test_a_try_after_the_deadline_completes_what_the_first_left(service: Service, lost: dict[str, Any]) -> None:
    vars(service.store).update(lost)
    with pytest.raises(Unavailable):
        await service.create(QUOTE)
    service.clock.now += timedelta(seconds=11)

    answer = await service.create(QUOTE)

    assert answer.status == 201
    assert await service.stored() == [orjson.loads(answer.text)["id"]]
    assert await service.create(QUOTE) == answer


@pytest.mark.parametrize("lost", [{"lost_before": {3}}, {"lost_after": {3}}], ids=["not written", "written"])
async def test_a_new_version_is_made_once_too(service: Service, lost: dict[str, Any]) -> None:
    id = orjson.loads((await service.create(QUOTE, key=None)).text)["id"]
    vars(service.store).update(lost)
    with pytest.raises(Unavailable):
        await service.create({"id": id, **QUOTE})
    service.clock.now += timedelta(seconds=11)

    answer = await service.create({"id": id, **QUOTE})

    assert answer.status == 201
    assert orjson.loads(answer.text)["version"] == "2"
    assert len((await service.record(id)).versions) == 2


async def test_an_answer_that_could_not_be_recorded_is_given_all_the_same(service: Service) -> None:
    service.store.lost_before = {3}

    answer = await service.create(QUOTE)

    assert answer.status == 201
    service.clock.now += timedelta(seconds=11)
    assert await service.create(QUOTE) == answer


async def test_a_refused_request_frees_its_key(service: Service) -> None:
    with pytest.raises(NotFound):
        await service.create({"id": "unknown", **QUOTE})

    answer = await service.create(QUOTE)

    assert answer.status == 201


@pytest.mark.parametrize("lost", [{"lost_before": {2}}, {"lost_after": {2}}], ids=["not written", "written"])
async def test_a_rejected_retry_does_not_forget_what_the_first_may_have_made(
    service: Service, lost: dict[str, Any]
) -> None:
    vars(service.store).update(lost)
    with pytest.raises(Unavailable):
        await service.create(QUOTE)
    service.clock.now += timedelta(seconds=11)
    with pytest.raises(Forbidden):
        await service.create(QUOTE, access=NO_ACCESS)
    with pytest.raises(IdempotencyConflict, match="another request before"):
        await service.create({**QUOTE, "description": "two"})

    answer = await service.create(QUOTE)  # at once: nothing runs

    assert answer.status == 201
    assert await service.stored() == [orjson.loads(answer.text)["id"]]
    assert await service.create(QUOTE) == answer


async def test_a_rejected_retry_for_a_new_version_does_not_make_it_twice(service: Service) -> None:
    id = orjson.loads((await service.create(QUOTE, key=None)).text)["id"]
    service.store.lost_after = {3}
    with pytest.raises(Unavailable):
        await service.create({"id": id, **QUOTE})
    service.clock.now += timedelta(seconds=11)
    with pytest.raises(NotFound):
        await service.create({"id": id, **QUOTE}, access=NO_ACCESS)

    answer = await service.create({"id": id, **QUOTE})

    assert orjson.loads(answer.text)["version"] == "2"
    assert len((await service.record(id)).versions) == 2


async def test_a_key_is_free_again_after_a_day(service: Service) -> None:
    first = await service.create(QUOTE)
    service.clock.now += timedelta(hours=25)

    second = await service.create(QUOTE)

    assert second.body != first.body
    assert len(await service.stored()) == 2


async def test_expired_reservations_are_forgotten(service: Service) -> None:
    await service.create(QUOTE)
    assert await service.idempotency.forget_expired() == 0
    service.clock.now += timedelta(hours=25)

    assert await service.idempotency.forget_expired() == 1
    assert (await service.store.find(IDEMPOTENCY, Query())).total == 0


async def test_an_instant_answer_is_remembered_though_nothing_is_stored(service: Service) -> None:
    body = {"instantSyncQuote": True, "quoteItem": [{"productOffering": {"id": "54gg-zza1"}}]}

    first = await service.create(body)

    assert first.status == 200
    assert await service.create(body) == first
    assert await service.stored() == []


async def test_an_id_that_is_taken_is_a_conflict_where_nothing_was_resumed(service: Service) -> None:
    service.engines["tmf648/quote"]._new_id = lambda: "same"
    service.idempotency._new_id = lambda: "same"
    await service.create(QUOTE, key=None)

    with pytest.raises(Conflict):
        await service.create(QUOTE, key=None)
