"""Walks along documents: what each of them visits, changes and finds."""

from __future__ import annotations

from typing import Any

import pytest
from tests.contract.small_contract import document

from tmf_sales.contract.leniency import BOOLEAN_TEXT, EMPTY_AS_MISSING
from tmf_sales.contract.types import ObjectType, ObjectTypes, unknown_members
from tmf_sales.engine.defaults import apply_defaults, apply_defaults_to_new_elements
from tmf_sales.engine.leniency import Mending
from tmf_sales.engine.normalize import normalize
from tmf_sales.engine.states import states
from tmf_sales.storage.records import Document

NOW = "2026-01-01T00:00:00.000Z"
SHAPES = ObjectTypes(document())


@pytest.fixture(scope="module")
def order() -> ObjectType:
    return SHAPES.named("Order")


def normalized(body: Document, object_type: ObjectType) -> list[str]:
    return [str(violation) for violation in normalize(body, object_type)]


def test_a_shape_knows_its_members_through_all_of(order: ObjectType) -> None:
    assert order.required == {"id", "href"}
    assert order.members["date"].is_date_time
    assert order.members["reminders"].is_date_time
    assert order.members["reminders"].is_list
    assert not order.members["name"].is_date_time
    assert order.members["valid"].object_type is SHAPES.named("Period")
    assert order.members["line"].merge_key == "id"
    assert order.members["state"].enum == ("open", "waiting", "done")
    assert order.members["contact"].object_type is not None
    assert order.members["contact"].object_type.members["preferred"].lenient == "booleanText"
    assert order.lifecycle_member is order.members["state"]
    assert SHAPES.named("Note").lifecycle_member is None


def test_a_type_may_hold_itself(order: ObjectType) -> None:
    line = order.members["line"].object_type

    assert line is not None
    assert line.members["line"].object_type is line
    assert {path for path in order.lists() if len(path) < 3} == {
        ("reminders",),
        ("line",),
        ("line", "line"),
        ("note",),
        ("box", "line"),
    }


def test_what_may_not_change_and_what_is_always_there_is_in_the_schemas() -> None:
    assert SHAPES.read_only("Order_Update") == {"id", "href", "date"}
    assert SHAPES.required("Order_Full") == {"id", "href", "state"}


def test_a_reference_with_words_beside_it_is_that_type_with_these_words() -> None:
    object_types = ObjectTypes(
        document(
            Plain={"$ref": "#/components/schemas/Renamed"},
            Renamed={"allOf": [{"$ref": "#/components/schemas/Period"}]},
            Holder={"properties": {"one": {"$ref": "#/components/schemas/Plain"}, "many": {"type": "array"}}},
        )
    )

    assert object_types.named("Plain").members.keys() == {"from", "to"}
    holder = object_types.named("Holder")
    assert holder.members["one"].object_type is not None
    assert holder.members["one"].object_type.members.keys() == {"from", "to"}
    assert (holder.members["many"].type, holder.members["many"].is_list) == ("any", True)


def test_every_instant_gets_its_one_form(order: ObjectType) -> None:
    body: Document = {
        "date": "2019-05-06T02:00:00+02:00",
        "reminders": ["2019-05-06T00:00:00z", 5],
        "valid": {"from": "2019-05-06T00:00:00Z"},
        "line": [{"line": [{"valid": {"to": "2019-05-06T00:00:00.1234Z"}}]}, 7],
        "unknown": "2019-05-06T00:00:00Z",
        "name": "2019-05-06T00:00:00Z",
        "wanted": None,
        "box": [],
        "note": {},
        "stateDate": 5,
    }

    assert normalized(body, order) == []
    assert body["date"] == "2019-05-06T00:00:00.000Z"
    assert body["reminders"] == ["2019-05-06T00:00:00.000Z", 5]
    assert body["valid"] == {"from": "2019-05-06T00:00:00.000Z"}
    assert body["line"] == [{"line": [{"valid": {"to": "2019-05-06T00:00:00.123Z"}}]}, 7]
    assert body["unknown"] == body["name"] == "2019-05-06T00:00:00Z"


def test_what_is_no_instant_is_found_and_left(order: ObjectType) -> None:
    body = {"date": "never", "line": [{"valid": {"from": "2019-02-30T00:00:00Z"}}], "reminders": ["x"]}

    places = [violation.partition(": ")[0] for violation in normalized(body, order)]

    assert places == ["/date", "/line/0/valid/from", "/reminders/0"]
    assert body["date"] == "never"


@pytest.mark.parametrize(
    ("period", "found"),
    [
        ({"from": "2019-01-02T00:00:00Z", "to": "2019-01-01T00:00:00Z"}, ["/valid/to: must not be before from"]),
        ({"from": "2019-01-01T12:00:00Z", "to": "2019-01-01T13:00:00+02:00"}, ["/valid/to: must not be before from"]),
        ({"from": "2019-01-01T00:00:00Z", "to": "2019-01-01T01:00:00+01:00"}, []),
        ({"from": "2019-01-01T00:00:00Z"}, []),
        ({"to": "2019-01-01T00:00:00Z"}, []),
        ({"from": 5, "to": None}, []),
    ],
)
def test_the_first_date_is_not_after_the_second(order: ObjectType, period: Document, found: list[str]) -> None:
    assert normalized({"valid": period}, order) == found


def test_a_key_is_unique_in_its_list(order: ObjectType) -> None:
    lines: list[Any] = [{"id": "a"}, {"id": "b", "line": [{"id": "a"}]}, {"id": "a"}, {}, {}, {"id": 5}, {"id": 5}, "x"]

    assert normalized({"line": lines}, order) == [
        "/line/2/id: is the same as that of element 0; it must be unique in its list"
    ]
    assert normalized({"line": {}}, order) == []


def test_a_key_is_unique_whatever_else_the_elements_are() -> None:
    keyed = {"type": "array", "x-merge-key": "id", "items": {"type": "object"}}
    object_type = ObjectTypes(document(Holder={"properties": {"many": keyed}})).named("Holder")

    assert len(normalized({"many": [{"id": "a"}, {"id": "a"}]}, object_type)) == 1


def test_a_new_object_gets_its_defaults(order: ObjectType) -> None:
    body: Document = {
        "wanted": "w",
        "line": [{}, {"line": [{}], "quantity": 7}, 5],
        "note": [{}],
        "box": {"line": [{}]},
    }

    apply_defaults(body, order, NOW)

    line = {"id": "1", "quantity": 1, "state": "open"}
    assert body == {
        "wanted": "w",
        "expected": "w",
        "version": "1",
        "date": NOW,
        "state": "open",
        "line": [line, {"line": [line], "quantity": 7, "state": "open", "id": "2"}, 5],
        "note": [{"id": "1"}],
        "box": {"line": [line]},
    }


def test_an_empty_object_gets_its_defaults_too() -> None:
    inner = {"type": "object", "properties": {"colour": {"type": "string", "x-default": "red"}, "size": {}}}
    outer = {"type": "object", "properties": {"inner": {"$ref": "#/components/schemas/Inner"}}}
    body: Document = {"inner": {}}

    apply_defaults(body, ObjectTypes(document(Inner=inner, Outer=outer)).named("Outer"), NOW)

    assert body == {"inner": {"colour": "red"}}


def test_a_default_that_is_an_object_is_filled_for_each_new_object_anew() -> None:
    inner = {"type": "object", "properties": {"at": {"type": "string", "format": "date-time", "x-default": "$now"}}}
    members = {
        "inner": {"allOf": [{"$ref": "#/components/schemas/Inner"}], "x-default": {}},
        "tags": {"type": "array", "items": {"type": "string"}, "x-default": []},
    }
    object_type = ObjectTypes(document(Inner=inner, Outer={"type": "object", "properties": members})).named("Outer")
    first: Document = {}
    second: Document = {}

    apply_defaults(first, object_type, NOW)
    first["tags"].append("of the first")
    apply_defaults(second, object_type, "later")

    assert second == {"inner": {"at": "later"}, "tags": []}


def test_what_was_sent_stands_even_null(order: ObjectType) -> None:
    body: Document = {"version": None, "state": "done", "date": "d", "line": None, "note": 7, "box": 5}

    apply_defaults(body, order, NOW)

    assert body == {"version": None, "state": "done", "date": "d", "line": None, "note": 7, "box": 5}


def test_numbers_go_on_from_the_highest_of_their_list(order: ObjectType) -> None:
    ids = [{"id": "7"}, {}, {"id": "x"}, {"id": "\u0661"}, {"id": 99}, {"id": "9" * 16}, {}, {"id": "03"}]
    body: Document = {"note": ids}

    apply_defaults(body, order, NOW)

    assert [note["id"] for note in body["note"]] == ["7", "8", "x", "\u0661", 99, "9" * 16, "9", "03"]


def test_only_new_elements_of_a_keyed_list_are_filled(order: ObjectType) -> None:
    before: Document = {"line": [{"id": "1", "line": [{"id": "1"}]}, {"id": "2"}], "note": [{"id": "1"}]}
    after: Document = {
        "line": [{"id": "1", "line": [{"id": "1"}, {}]}, {}, {"id": "z"}, {"id": []}, 5],
        "note": [{"text": "x"}, {"id": "4"}],
        "box": 7,
    }

    apply_defaults_to_new_elements(before, after, order, NOW)

    new = {"quantity": 1, "state": "open"}
    assert after["line"] == [
        {"id": "1", "line": [{"id": "1"}, {"id": "2", **new}]},
        {"id": "2", **new},
        {"id": "z", **new},
        {"id": [], **new},
        5,
    ]
    assert after["note"] == [{"text": "x", "id": "5"}, {"id": "4"}]


def test_states_are_paired_with_those_that_were_stored(order: ObjectType) -> None:
    before: Document = {"state": "open", "line": [{"id": "1", "state": "open", "line": [{"id": "9", "state": "done"}]}]}
    after: Document = {
        "state": "done",
        "line": [{"id": "2"}, {"id": "1", "line": [{"id": "9"}]}, 5],
        "box": {"line": [{"id": "1"}]},
    }

    found = [(at.place, at.before) for at in states(before, after, order)]

    line = before["line"][0]
    assert found == [
        (("state",), before),
        (("line", 0, "state"), None),
        (("line", 1, "state"), line),
        (("line", 1, "line", 0, "state"), line["line"][0]),
        (("box", "line", 0, "state"), None),
    ]


def test_states_of_what_holds_other_things_than_it_should_are_passed_over(order: ObjectType) -> None:
    before: Document = {"line": {}, "box": []}
    after: Document = {"line": [{"id": "1"}], "box": {"line": "x"}}

    assert [at.place for at in states(before, after, order)] == [("state",), ("line", 0, "state")]
    assert [at.place for at in states(None, {"line": 5}, order)] == [("state",)]


def test_misprints_are_read_as_what_was_meant(order: ObjectType) -> None:
    body: Document = {
        "contact": {"preferred": "true"},
        "valid": {"from": "", "to": "x"},
        "line": [{"valid": {"to": ""}}, 5],
        "name": "",
    }

    Mending(frozenset({BOOLEAN_TEXT, EMPTY_AS_MISSING})).mend(body, order)

    assert body == {"contact": {"preferred": True}, "valid": {"to": "x"}, "line": [{"valid": {}}, 5], "name": ""}


@pytest.mark.parametrize("preferred", ["True", "", "no", 1, None])
def test_nothing_else_is_a_misprint(order: ObjectType, preferred: Any) -> None:
    body = {"contact": {"preferred": preferred}}

    Mending(frozenset({BOOLEAN_TEXT, EMPTY_AS_MISSING})).mend(body, order)

    assert body == {"contact": {"preferred": preferred}}


def test_unknown_members_are_found_at_any_depth(order: ObjectType) -> None:
    body: Document = {
        "colour": 1,
        "valid": {"colour": 1},
        "line": [{"line": [{"colour": 1}, 5]}],
        "anything": {"colour": 1},
        "note": [{"colour": 1, "@schemaLocation": "https://host/schema"}],
    }

    assert [*unknown_members(body, order)] == ["/colour", "/valid/colour", "/line/0/line/0/colour"]
    assert [*unknown_members({**body, "@schemaLocation": "x"}, order)] == []
