"""In strict mode a JSON Patch may keep what the contract does not know, if it was there before."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from tests.contract import small_contract

from tmf_sales.contract.types import ObjectType
from tmf_sales.errors import BodyTooLarge, InvalidBody
from tmf_sales.patch.json_patch import MAX_ADDED, apply_json_patch
from tmf_sales.patch.unknown_members import Arrivals

STORED: dict[str, Any] = {
    "id": "7",
    "old": {"x": 1},
    "line": [{"id": "1", "quantity": 1}, {"id": "2", "old": 1, "line": [{"id": "1", "old": 2}]}],
    "contact": {"preferred": True, "old": 3},
}


@pytest.fixture
def object_type(tmp_path: Path) -> ObjectType:
    return small_contract.contract(tmp_path).resources["order"].object_type


def patched(object_type: ObjectType, *operations: dict[str, Any], stored: Any = STORED) -> Any:
    arrivals = Arrivals(object_type)
    after = apply_json_patch(copy.deepcopy(stored), list(operations), arrivals)
    arrivals.reject_unknown()
    return after


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "add", "path": "/name", "value": "x"},
        {"op": "add", "path": "/anything", "value": {"whatever": [{"x": 1}]}},
        {"op": "add", "path": "/anything", "value": {}},
        {"op": "remove", "path": "/line/0"},
        {"op": "remove", "path": "/old"},
        {"op": "remove", "path": "/old/x"},
        {"op": "test", "path": "/old/x", "value": 1},
        {"op": "replace", "path": "/line/0/quantity", "value": 2},
        {"op": "move", "from": "/line/1", "path": "/line/0"},
        {"op": "copy", "from": "/line/1", "path": "/line/0/line/-"},
        {"op": "copy", "from": "/line", "path": "/box/line"},
    ],
    ids=str,
)
def test_what_was_there_before_is_left_alone(object_type: ObjectType, operation: dict[str, Any]) -> None:
    patched(
        object_type,
        operation,
        stored={**STORED, "box": {}, "line": [{**STORED["line"][0], "line": []}, STORED["line"][1]]},
    )


@pytest.mark.parametrize(
    ("operation", "place"),
    [
        ({"op": "add", "path": "/old", "value": 1}, "/old"),
        ({"op": "replace", "path": "/old/x", "value": 1}, "/old"),
        ({"op": "replace", "path": "/line/1", "value": {"id": "2", "old": 1}}, "/line/1/old"),
        ({"op": "replace", "path": "/line", "value": [{"line": [{"new": 1}]}]}, "/line/0/line/0/new"),
        ({"op": "copy", "from": "/contact", "path": "/line/0"}, "/line/0/preferred"),
        ({"op": "move", "from": "/old", "path": "/contact"}, "/contact/x"),
    ],
    ids=str,
)
def test_what_the_patch_brings_is_refused_where_it_comes_to(
    object_type: ObjectType, operation: dict[str, Any], place: str
) -> None:
    with pytest.raises(InvalidBody) as refused:
        patched(object_type, operation)

    assert refused.value.message == f"{place}: is not known to the contract"


def test_moving_much_to_another_type_has_a_bound(object_type: ObjectType) -> None:
    much = [{"text": "x" * 100_000}] * 8
    there, back = ({"op": "move", "from": f"/{a}", "path": f"/{b}"} for a, b in (("note", "line"), ("line", "note")))

    with pytest.raises(BodyTooLarge, match=str(MAX_ADDED)):
        patched(object_type, *([there, back] * 10), stored={"note": much})
