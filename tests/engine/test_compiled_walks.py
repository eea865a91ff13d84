"""Walks along documents are compiled once for each type, and what a contract names is never run."""

from __future__ import annotations

from typing import Any

import pytest
from tests.contract.small_contract import document

from tmf_sales.contract.types import ObjectType, ObjectTypes
from tmf_sales.engine.defaults import apply_defaults
from tmf_sales.engine.normalize import normalize

NOW = "2026-01-01T00:00:00.000Z"
HOSTILE = 'a\'] = raised\n"""\\'


@pytest.fixture
def order() -> ObjectType:
    return ObjectTypes(document()).named("Order")


def test_the_functions_of_a_type_are_kept_with_those_of_the_types_inside(order: ObjectType) -> None:
    line = order.members["line"].object_type
    assert line is not None

    normalize({}, order)
    apply_defaults({}, order, NOW)
    compiled = dict(order.walks)
    normalize({}, order)

    assert order.walks == compiled
    assert line.walks.keys() == order.walks.keys() == {"normalization", "defaults"}


def test_any_text_may_be_the_name_of_a_member() -> None:
    date = {"type": "string", "format": "date-time"}
    held = {"type": "array", "x-merge-key": HOSTILE, "items": {"properties": {HOSTILE: date}}}
    given = {"type": "string", "x-default": HOSTILE}
    object_type = ObjectTypes(document(Holder={"properties": {HOSTILE: held, "given": given}})).named("Holder")
    body: dict[str, Any] = {HOSTILE: [{HOSTILE: "2026-01-01T00:00:00Z"}]}

    assert normalize(body, object_type) == []
    apply_defaults(body, object_type, NOW)

    assert body == {HOSTILE: [{HOSTILE: NOW}], "given": HOSTILE}


@pytest.mark.parametrize("default", [True, 1, 1.5, "text", [1, {"a": None}], {"a": [True]}])
def test_each_document_has_its_own_default(default: Any) -> None:
    object_type = ObjectTypes(document(Holder={"properties": {"one": {"x-default": default}}})).named("Holder")
    first: dict[str, Any] = {}
    second: dict[str, Any] = {}

    apply_defaults(first, object_type, NOW)
    apply_defaults(second, object_type, NOW)

    assert first == second == {"one": default}
    assert type(first["one"]) is type(default)
    assert not isinstance(default, list | dict) or first["one"] is not second["one"]


def test_a_misplaced_leap_second_is_left_to_the_contract(order: ObjectType) -> None:
    body = {"date": "2019-05-06T12:00:60Z", "reminders": ["2016-12-31T23:59:60Z"]}

    assert normalize(body, order) == []
    assert body == {"date": "2019-05-06T12:00:60Z", "reminders": ["2016-12-31T23:59:59.999Z"]}


def test_everything_invalid_is_found_in_the_order_of_the_document(order: ObjectType) -> None:
    body = {
        "line": [{"id": "1", "valid": {"to": NOW, "from": "2027-01-01T00:00:00Z"}}, {"id": "1"}],
        "wanted": "2026-01-01T01:00:00+01:00",
        "reminders": [5, "2026-01-01T01:00:00+01:00"],
        "stateDate": 5,
        "box": ["x"],
        "date": "never",
    }

    found = [str(violation).partition(":")[0] for violation in normalize(body, order)]

    assert found == ["/line/0/valid/to", "/line/1/id", "/date"]
    assert (body["wanted"], body["reminders"]) == (NOW, [5, NOW])


def test_types_of_one_name_are_walked_apart() -> None:
    inner, other, outer = ObjectType("Inner"), ObjectType("Inner"), ObjectType("Outer")
    inner.defaults, other.defaults = (("a", 1),), (("b", 2),)
    outer.entered = (("one", inner), ("two", other))
    body: dict[str, Any] = {"one": {}, "two": {}}

    apply_defaults(body, outer, NOW)

    assert body == {"one": {"a": 1}, "two": {"b": 2}}
