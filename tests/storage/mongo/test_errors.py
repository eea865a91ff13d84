"""What goes wrong in the MongoDB adapter without a server being at fault."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from pymongo import IndexModel, errors

from tmf_sales.storage.events import BATCH_BYTES
from tmf_sales.storage.factory import open_store
from tmf_sales.storage.mongo.availability import Availability
from tmf_sales.storage.mongo.client import _make_index_if_known
from tmf_sales.storage.mongo.kinds import NAMESPACE_NOT_FOUND, take_over_earlier_name
from tmf_sales.storage.mongo.outbox import _in_pieces
from tmf_sales.storage.protocol import StorageUnavailable, StoreRefused
from tmf_sales.storage.records import Kind

KIND = Kind("tmf999/order", earlier_name="order")


class Collection:
    """Fails with one code whatever it is asked to change."""

    name = "resource_order"

    def __init__(self, code: int) -> None:
        self._failure = errors.OperationFailure("said", code, {"codeName": "Named"})

    async def rename(self, _name: str) -> None:
        raise self._failure

    async def create_indexes(self, _indexes: list[IndexModel]) -> None:
        raise self._failure

    async def update_many(self, *_: Any) -> None:
        pass

    def find(self, *_: Any, **__: Any) -> Any:
        raise StopAsyncIteration


class Database:
    def __init__(self, names: list[str], code: int = 0) -> None:
        self._names, self._code = names, code

    async def list_collection_names(self, **_: Any) -> list[str]:
        return self._names

    def __getitem__(self, _name: str) -> Collection:
        return Collection(self._code)


async def test_a_store_with_both_names_of_a_kind_is_refused() -> None:
    with pytest.raises(StoreRefused, match="holds both resource_order and resource_tmf999/order"):
        await take_over_earlier_name(Database(["resource_order", "resource_tmf999/order"]), KIND)  # type: ignore[arg-type]


async def test_a_server_that_does_not_rename_is_named() -> None:
    with pytest.raises(StoreRefused, match="does not rename resource_order to resource_tmf999/order: Named"):
        await take_over_earlier_name(Database(["resource_order"], code=20), KIND)  # type: ignore[arg-type]


async def test_another_process_may_have_renamed_it_just_now(monkeypatch: pytest.MonkeyPatch) -> None:
    renamed: list[str] = []

    async def note(_database: Any, kind: Kind) -> None:
        renamed.append(kind.name)

    monkeypatch.setattr("tmf_sales.storage.mongo.kinds._rename_queues", note)

    await take_over_earlier_name(Database(["resource_order"], code=NAMESPACE_NOT_FOUND), KIND)  # type: ignore[arg-type]

    assert renamed == ["tmf999/order"]


async def test_a_kind_without_an_earlier_name_asks_nothing() -> None:
    await take_over_earlier_name(None, Kind("order"))  # type: ignore[arg-type]


async def test_an_index_that_fails_for_another_reason_is_an_error() -> None:
    with pytest.raises(errors.OperationFailure):
        await _make_index_if_known(Collection(13), IndexModel([("a", 1)]))  # type: ignore[arg-type]


async def test_a_closed_store_is_not_available() -> None:
    with pytest.raises(StorageUnavailable, match="the store is closed"):
        await Availability().wait()


def test_large_outboxes_are_moved_in_pieces() -> None:
    records: list[Any] = [{"outbox_size": BATCH_BYTES}, {"outbox_size": 1}, {"outbox_size": 2}]

    assert [len(piece) for piece in _in_pieces(records)] == [1, 2]


def test_a_store_without_its_driver_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tmf_sales.storage.mongo.store", None)

    with pytest.raises(ValueError, match=r"pip install 'tmf-sales\[mongodb\]'"):
        open_store("mongodb://127.0.0.1/x", [])
