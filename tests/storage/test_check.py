"""`tmf-sales check` on each store: resources that a changed contract refuses are listed, and can still be read."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from click.testing import CliRunner, Result
from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure
from tests.storage.deviations import LISTS_IN_LISTS

from tmf_sales.app.context import stored_kinds
from tmf_sales.app.seeding import examples
from tmf_sales.cli import main
from tmf_sales.contract.files import contracts_folder
from tmf_sales.contract.loader import load_contracts
from tmf_sales.storage.factory import open_store
from tmf_sales.storage.mongo.sharding import BY_ID, shard
from tmf_sales.storage.protocol import Storage, StoreRefused
from tmf_sales.storage.records import Change, Version

T = TypeVar("T")
CONTRACTS = load_contracts(contracts_folder())
SAMPLES: dict[str, dict[str, Any]] = {
    type.noun: next(examples(contract, type)) for contract in CONTRACTS for type in contract.resources.values()
}


@pytest.fixture(params=["sqlite", "mongo"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store.sqlite"
    return str(request.getfixturevalue("mongo_url"))


@pytest.fixture(autouse=True)
def _only_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """The contracts and the service are good, and looking at them takes a second."""
    module = importlib.import_module("tmf_sales.cli.check")
    monkeypatch.setattr(module, "contracts_found", lambda _: iter(()))
    monkeypatch.setattr(module, "service_found", lambda _: iter(()))
    monkeypatch.setattr("tmf_sales.app.context.load_contracts", lambda *_: CONTRACTS)
    monkeypatch.setattr("tmf_sales.contract.loader.load_contracts", lambda *_: CONTRACTS)


def check(url: str, *options: str) -> Result:
    return CliRunner().invoke(main, ["check", "--store", url, *options])


def put(url: str, kind: str, documents: dict[str, dict[str, Any]]) -> None:
    async def write(store: Storage) -> None:
        for id, document in documents.items():
            await store.commit(Change(kind, id, 0, (Version(1, {**document, "id": id}),)))

    asyncio.run(_with(url, write))


def read(url: str, kind: str, id: str) -> dict[str, Any] | None:
    async def get(store: Storage) -> dict[str, Any] | None:
        stored = await store.get(kind, id)
        return stored.current.document if stored else None

    return asyncio.run(_with(url, get))


async def _with(url: str, work: Callable[[Storage], Awaitable[T]]) -> T:
    store = open_store(url, stored_kinds(CONTRACTS))
    await store.open()
    try:
        return await work(store)
    finally:
        await store.close()


def test_resources_that_a_changed_contract_refuses_are_listed_and_stay_readable(url: str) -> None:
    of_old = {**SAMPLES["salesLead"], "status": "aStateOfOld", "rating": 7}
    put(url, "tmf699/salesLead", {"good": SAMPLES["salesLead"], "old\n": of_old})
    put(url, "tmf648/quote", {"fine": SAMPLES["quote"]})

    result = check(url)

    assert result.exit_code == 1
    [found] = [line for line in result.output.splitlines() if "documents: tmf699/salesLead" in line]
    assert found.startswith("BAD  documents: tmf699/salesLead old\\n: /versions/0/document: /")
    assert "/status" in found
    assert "BAD  documents: 1 stored resources stay readable" in result.output
    assert "holds 2 tmf699/salesLead" in result.output
    stored = read(url, "tmf699/salesLead", "old\n")
    assert stored is not None
    assert stored["status"] == "aStateOfOld"


def test_a_stored_member_name_that_no_body_may_have_is_listed(url: str) -> None:
    put(url, "tmf699/salesLead", {"old": {**SAMPLES["salesLead"], "channel": {"id": "1", "$set": 1}}})
    put(url, "tmf699/salesLead", {"good": {**SAMPLES["salesLead"], "description": "$9, '\"$', '\".'"}})

    result = check(url)

    assert result.exit_code == 1
    [found] = [line for line in result.output.splitlines() if "documents: tmf699/salesLead" in line]
    assert found == (
        "BAD  documents: tmf699/salesLead old: /versions/0/document: the member name '$set' starts with $ or ."
        " or holds a NUL character"
    )


@pytest.mark.deviation(LISTS_IN_LISTS)
def test_many_resources_that_are_refused_are_counted(url: str) -> None:
    put(url, "tmf648/quote", {f"{number:02}": {**SAMPLES["quote"], "category": [["x" * 400]]} for number in range(23)})

    lines = check(url).output.splitlines()

    assert len([line for line in lines if line.startswith("BAD  documents: tmf648/quote ")]) == 20
    assert "BAD  documents: and 3 more" in lines
    assert lines[-1].startswith("BAD  documents: 23 stored resources")
    assert max(map(len, lines)) < 500


def test_a_store_whose_resources_are_all_good_is_good(url: str) -> None:
    for contract in CONTRACTS:
        for noun, type in contract.resources.items():
            put(url, type.kind, {"1": SAMPLES[noun]})

    result = check(url)

    assert result.exit_code == 0, result.output
    assert "ok   documents: every stored resource is valid" in result.output
    assert "documents" not in check(url, "--quick").output


def test_sharding_a_server_without_shards_changes_nothing(url: str) -> None:
    put(url, "tmf648/quote", {"1": SAMPLES["quote"]})

    result = check(url, "--quick", "--shard")

    assert result.exit_code == 1
    [line] = [line for line in result.output.splitlines() if line.startswith("BAD")]
    reason = "is not a router of a sharded cluster" if url.startswith("mongodb") else "is not MongoDB"
    assert reason in line
    assert line.endswith("nothing was changed")
    assert read(url, "tmf648/quote", "1") is not None
    assert check(url).exit_code == 0


# The commands that a router of a sharded cluster gets; there is none to ask.


class Router:
    """The parts of a client of a sharded cluster that are asked, and what they were asked."""

    def __init__(self, refuses: dict[str, OperationFailure]) -> None:
        self.name = "sales"
        self.asked: list[tuple[str, Any]] = []
        self.client = self.admin = self
        self._refuses = refuses

    def __getitem__(self, name: str) -> Router:
        return self

    async def create_index(self, keys: list[tuple[str, str]]) -> None:
        assert keys == [("_id", "hashed")]

    async def command(self, command: str, value: Any = None, **options: Any) -> dict[str, Any]:
        if command == "hello":
            return {"msg": "isdbgrid"}
        self.asked.append((command, value))
        assert options == ({"key": BY_ID} if command == "shardCollection" else {})
        if value in self._refuses:
            raise self._refuses[value]
        return {}


async def test_every_collection_is_sharded_by_its_hashed_id() -> None:
    router = Router({"sales.event": OperationFailure("already sharded", 23)})

    lines = await shard(router, ["resource_quote", "event"])  # type: ignore[arg-type]

    assert router.asked == [
        ("enableSharding", "sales"),
        ("shardCollection", "sales.resource_quote"),
        ("shardCollection", "sales.event"),
    ]
    assert lines == [
        "resource_quote is sharded by its hashed id",
        "event is sharded by another key already and was left as it is",
    ]


@pytest.mark.parametrize("refused", ["sales", "sales.event"])
async def test_a_cluster_that_refuses_is_reported_in_one_line(refused: str) -> None:
    router = Router({refused: OperationFailure("not allowed, secret", 13, {"codeName": "Unauthorized"})})

    with pytest.raises(StoreRefused) as raised:
        await shard(router, ["event"])  # type: ignore[arg-type]

    assert str(raised.value) == "the cluster cannot shard sales: Unauthorized"


async def test_a_store_shards_all_that_grows(mongo_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def note(_: object, collections: list[str]) -> list[str]:
        asked.extend(collections)
        return []

    monkeypatch.setattr("tmf_sales.storage.mongo.store.shard", note)
    store = open_store(mongo_url, stored_kinds(CONTRACTS))
    await store.open()
    await store.shard()  # type: ignore[attr-defined]
    await store.close()

    async with AsyncMongoClient[dict[str, Any]](mongo_url) as client:
        made = set(await client.get_default_database().list_collection_names())
    assert made - {"setting"} == set(asked)
