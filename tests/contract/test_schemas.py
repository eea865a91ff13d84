"""Schemas as checks, and what they say."""

from __future__ import annotations

from typing import Any

import pytest

from tmf_sales.contract.schemas import SchemaCheck, Schemas, faults_of_compilation
from tmf_sales.values.messages import VIOLATION_LIMIT

DOCUMENT: dict[str, Any] = {
    "components": {
        "schemas": {
            "Node": {
                "type": "object",
                "properties": {
                    "id": {"type": "string", "readOnly": True},
                    "next": {"$ref": "#/components/schemas/Node"},
                    "type": {"type": "string", "x-default": "node", "example": "x"},
                },
            },
            "Removable": {
                "type": "object",
                "nullable": True,
                "required": ["a"],
                "properties": {"a": {"type": "integer"}},
            },
            "Period": {"type": "string", "enum": ["day", "week"]},
        }
    }
}
SCHEMAS = Schemas(DOCUMENT)


def said(schema: dict[str, Any], value: Any, *, reject_read_only: bool = False) -> list[str]:
    return [str(violation) for violation in SCHEMAS.check(schema, reject_read_only=reject_read_only).violations(value)]


def reference(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


@pytest.mark.parametrize(
    ("schema", "value", "sentences"),
    [
        ({"type": "string"}, 5, ["the body: expected text, got number 5"]),
        ({"type": "string"}, {"a": 1}, ["the body: expected text, got an object"]),
        ({"type": "integer"}, 1.5, ["the body: expected an integer, got number 1.5"]),
        ({"type": "integer"}, 1.0, ["the body: expected an integer, got number 1.0"]),
        ({"type": "number"}, True, ["the body: expected a number, got true"]),
        ({"type": "array"}, "x", ["the body: expected a list, got text 'x'"]),
        ({"type": "boolean"}, None, ["the body: expected true or false, got null"]),
        ({"type": "string", "nullable": True}, [], ["the body: expected text or null, got a list"]),
        ({"type": "object", "required": ["a", "b~/"]}, {}, ["/a: is required", "/b~0~1: is required"]),
        ({"enum": ["a", 1]}, "b", ["the body: expected one of a, 1, got text 'b'"]),
        (
            {"type": "string", "enum": ["a"], "nullable": True},
            "b",
            ["the body: expected one of a or null, got text 'b'"],
        ),
        (
            {"type": "string", "format": "date-time"},
            "x",
            ["the body: text 'x' is not a date-time like 2026-01-31T12:00:00.000Z (RFC 3339)"],
        ),
        ({"type": "string", "format": "uri"}, "x", ["the body: text 'x' is not an absolute URI (RFC 3986)"]),
        ({"type": "string", "format": "ipv4"}, "x", ["the body: text 'x' is not ipv4"]),
        ({"type": "string", "pattern": "^a$"}, "b", ["the body: text 'b' does not match ^a$"]),
        ({"type": "string", "minLength": 1}, "", ["the body: must have at least 1 character"]),
        ({"type": "string", "maxLength": 2}, "abc", ["the body: must have at most 2 characters"]),
        ({"type": "array", "minItems": 2}, [], ["the body: must have at least 2 elements"]),
        ({"type": "array", "maxItems": 1}, [1, 2], ["the body: must have at most 1 element"]),
        ({"type": "object", "minProperties": 1}, {}, ["the body: must have at least 1 member"]),
        ({"type": "object", "maxProperties": 0}, {"a": 1}, ["the body: must have at most 0 members"]),
        ({"minimum": 1}, 0, ["the body: number 0 is less than 1"]),
        ({"maximum": 1}, 2, ["the body: number 2 is more than 1"]),
        ({"minimum": 1, "exclusiveMinimum": True}, 1, ["the body: number 1 is not more than 1"]),
        ({"maximum": 1, "exclusiveMaximum": True}, 1, ["the body: number 1 is not less than 1"]),
        ({"multipleOf": 2}, 3, ["the body: number 3 is not a multiple of 2"]),
        ({"uniqueItems": True}, [1, 1], ["the body: must not have the same element twice"]),
        ({"additionalProperties": False, "properties": {}}, {"a/b": 1}, ["the body: unknown members: a~1b"]),
        ({"not": {"type": "string"}}, "x", ["the body: may not be sent"]),
        ({"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}, {}, ["the body: must have a or b"]),
        (
            {"oneOf": [{"type": "string"}, {"type": "boolean"}]},
            1,
            ["the body: fits none of the allowed forms, got number 1"],
        ),
    ],
)
def test_every_rule_has_a_sentence(schema: dict[str, Any], value: Any, sentences: list[str]) -> None:
    assert said(schema, value) == sentences


def test_null_or_a_schema_of_its_own_says_what_the_schema_says() -> None:
    assert said(reference("Removable"), None) == []
    assert said(reference("Removable"), {"a": 1}) == []
    assert said({"nullable": True, "allOf": [reference("Period")]}, "year") == [
        "the body: expected one of day, week, got text 'year'"
    ]
    assert said(reference("Removable"), {"a": "x"}) == ["/a: expected an integer, got text 'x'"]


def test_violations_are_found_at_any_depth_of_a_type_that_holds_itself() -> None:
    assert said(reference("Node"), {"next": {"next": {"type": 1}}, "type": 2}) == [
        "/next/next/type: expected text, got number 1",
        "/type: expected text, got number 2",
    ]


def test_what_is_read_only_is_refused_where_that_is_asked() -> None:
    value = {"id": "1", "next": {"id": "2"}}

    assert said(reference("Node"), value) == []
    assert said(reference("Node"), value, reject_read_only=True) == [
        "/id: may not be sent",
        "/next/id: may not be sent",
    ]


def test_a_member_may_have_the_name_of_a_keyword() -> None:
    schema = {"type": "object", "properties": {"nullable": {"type": "string"}, "x-y": {"type": "string"}, "enum": {}}}

    assert said(schema, {"nullable": 1, "x-y": 1, "enum": 5}) == [
        "/nullable: expected text, got number 1",
        "/x-y: expected text, got number 1",
    ]


def test_equal_schemas_without_references_are_compiled_once() -> None:
    assert SCHEMAS.check({"type": "integer", "minimum": 3}) is SCHEMAS.check({"type": "integer", "minimum": 3})


def test_the_same_violation_is_reported_once() -> None:
    assert said({"allOf": [{"type": "string"}, {"type": "string"}]}, 1) == ["the body: expected text, got number 1"]


@pytest.mark.parametrize(
    ("schema", "value", "sentence"),
    [
        ({"type": "string", "enum": ["a", "b"]}, {}, "expected text, got an object"),
        ({"allOf": [{"enum": ["a", "b"]}, {"enum": ["a"]}]}, "c", "expected one of a, got text 'c'"),
        ({"allOf": [{"type": "string", "nullable": True}, {"type": "string"}]}, 5, "expected text, got number 5"),
        ({"allOf": [{"type": "string"}, {"not": {}}]}, 5, "may not be sent"),
        ({"type": "string", "enum": ["2026"], "minLength": 2}, "", "expected one of 2026, got text ''"),
    ],
)
def test_what_another_violation_implies_is_not_reported(schema: dict[str, Any], value: Any, sentence: str) -> None:
    assert said({"properties": {"x": schema}}, {"x": value}) == [f"/x: {sentence}"]


def test_what_no_other_violation_implies_is_reported() -> None:
    assert {*said({"type": "string", "minLength": 3, "pattern": "^b"}, "a")} == {
        "the body: text 'a' does not match ^b",
        "the body: must have at least 3 characters",
    }


LISTS = {
    "type": "object",
    "properties": {"a": {"type": "array", "items": {"type": "array", "items": {"type": "string"}}}},
}


def test_of_long_lists_the_first_elements_are_reported() -> None:
    sentences = said(LISTS, {"a": [[1, "x"]] * 5_000})

    assert sentences[0] == "/a/0/0: expected text, got number 1"
    assert VIOLATION_LIMIT < len(sentences) <= 300


def test_what_is_wrong_far_behind_in_a_long_list_is_reported() -> None:
    assert said(LISTS, {"a": [["x"]] * 5_000 + [[2]]}) == ["/a/5000/0: expected text, got number 2"]


def test_long_lists_in_long_lists_are_reported_by_their_first_elements() -> None:
    sentences = said(LISTS, {"a": [[1] * 400] * 400})

    assert sentences[:2] == ["/a/0/0: expected text, got number 1", "/a/0/1: expected text, got number 1"]
    assert len(sentences) == 100


def test_of_lists_that_branch_too_often_the_first_violation_is_reported() -> None:
    value: Any = 1
    for _ in range(9):
        value = {"a": [value], "b": [value]}
    tree = {"properties": {"a": {"items": reference("Tree")}, "b": {"items": reference("Tree")}}, "type": "object"}
    check = Schemas({"components": {"schemas": {"Tree": tree}}}).check(reference("Tree"))

    assert [str(violation) for violation in check.violations(value)] == [
        "/a/0/a/0/a/0/a/0/a/0/a/0/a/0/a/0/a/0: expected an object, got number 1"
    ]


def test_of_a_schema_or_null_each_violation_is_reported_at_its_own_place() -> None:
    schema = {"nullable": True, "allOf": [reference("Node")]}

    assert said(schema, {"next": {"type": 1}, "type": 2}) == [
        "/next/type: expected text, got number 1",
        "/type: expected text, got number 2",
    ]


def test_a_schema_that_cannot_be_compiled_is_an_error_of_who_gave_it() -> None:
    with pytest.raises(ValueError, match="regex"):
        Schemas({}).check({"pattern": "("})


def with_components(**components: Any) -> Schemas:
    return Schemas({"components": {"schemas": components}})


def test_a_schema_is_compiled_when_it_is_first_used() -> None:
    made: list[str] = []

    def schema() -> dict[str, Any]:
        made.append("schema")
        return {"type": "string"}

    check = SchemaCheck(schema)

    assert made == []
    assert check.accepts("a")
    assert not check.accepts(1)
    assert made == ["schema"]


def test_a_component_that_cannot_be_compiled_is_found_before_its_first_use() -> None:
    inner = {"type": "object", "properties": {"b": {"$ref": "#/components/schemas/B"}}}
    schemas = with_components(A=inner, B={"type": "string", "pattern": "("}, C={"pattern": "["})

    for _ in range(2):
        with pytest.raises(ValueError, match="regex"):
            schemas.check(reference("A"))


def test_a_reference_to_a_part_of_a_component_is_followed() -> None:
    schemas = with_components(A={"properties": {"b": {"type": "string"}}})

    assert not schemas.check({"$ref": "#/components/schemas/A/properties/b"}).accepts(1)


def test_a_reference_that_goes_nowhere_is_found_before_its_first_use() -> None:
    with pytest.raises(ValueError, match="nowhere"):
        with_components(A={}).check(reference("nowhere"))


def test_a_rule_that_cannot_be_compiled_is_found_though_members_have_names_of_rules() -> None:
    schema = {"properties": {"pattern": {"type": "string"}, "text": {"pattern": "("}}}

    assert list(faults_of_compilation(schema)) == [
        (("properties", "text", "pattern"), "'(' is no pattern of JSON Schema draft 4")
    ]


@pytest.mark.parametrize(
    ("value", "names", "accepted"),
    [
        ({"a": 1, "b": "x"}, ["a"], True),
        ({"a": "1", "b": "x"}, ["a"], False),
        ({"a": "1", "b": "x"}, ["b"], True),
        ({"a": 1}, ["a"], False),
        ({"a": 1, "b": {}, "c": []}, ["a", "c"], True),
    ],
)
def test_single_members_are_judged_when_the_others_are_known(value: Any, names: list[str], accepted: bool) -> None:
    whole = {"type": "object", "required": ["b"], "properties": {"a": {"type": "integer"}, "b": {"type": "string"}}}
    check = Schemas({"components": {"schemas": {"Whole": whole}}}).check_of_members("Whole")

    assert check is not None
    assert check.accepts(value, names) == accepted


@pytest.mark.parametrize(
    "rule", [{"anyOf": [{}]}, {"additionalProperties": False}, {"minProperties": 1}, {"type": "array"}]
)
def test_members_that_depend_on_each_other_are_judged_together(rule: dict[str, Any]) -> None:
    whole = {"type": "object", "properties": {"a": {}}, **rule}

    assert Schemas({"components": {"schemas": {"Whole": whole}}}).check_of_members("Whole") is None
