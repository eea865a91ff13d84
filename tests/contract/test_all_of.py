"""Schemas in one piece: what they say, and that they say the same."""

from __future__ import annotations

from typing import Any

import pytest

from tmf_sales.contract.all_of import flattened

Json = dict[str, Any]


def reference(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


ENTITY: Json = {"type": "object", "properties": {"id": {"type": "string", "maxLength": 9}}}
PARTY: Json = {"allOf": [reference("Entity")], "properties": {"role": {"type": "string", "description": "What for."}}}
PARTY_CREATE: Json = {"allOf": [reference("Party")], "required": ["id"]}
SCHEMAS: dict[str, Json] = {
    "Entity": ENTITY,
    "Party": PARTY,
    "Party_Create": PARTY_CREATE,
    "Other": {"type": "object", "required": ["role"]},
    "Choice": {"oneOf": [reference("Party"), reference("Other")]},
}


def whole(*members: Json, **extended: Any) -> Json:
    """The narrowed form of a type whose one member `m` is said so by it, and otherwise by what it extends."""
    schemas = {f"Level{level}": {"properties": {"m": rule}} for level, rule in enumerate(members)}
    top = {"allOf": [reference(name) for name in schemas], **extended}
    return flattened({**SCHEMAS, **schemas, "Top": top})["Top"]


def test_a_type_has_the_members_and_rules_of_all_that_it_extends() -> None:
    assert flattened(SCHEMAS)["Party_Create"] == {
        "type": "object",
        "required": ["id"],
        "properties": {
            "id": {"type": "string", "maxLength": 9},
            "role": {"type": "string", "description": "What for."},
        },
    }


def test_a_type_that_extends_none_stays_as_it_is() -> None:
    assert flattened(SCHEMAS)["Entity"] is ENTITY


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        (reference("Party"), reference("Party_Create"), reference("Party_Create")),
        (reference("Party_Create"), reference("Party"), reference("Party_Create")),
        ({"allOf": [reference("Party")], "description": "x"}, reference("Party_Create"), reference("Party_Create")),
        ({"type": "string"}, {"type": "string", "maxLength": 3}, {"type": "string", "maxLength": 3}),
        ({"type": "array", "maxItems": 3}, {"not": {}}, {"not": {}}),
        (
            {"type": "array", "maxItems": 3, "items": reference("Party")},
            {"type": "array", "minItems": 1, "items": reference("Party_Create")},
            {"type": "array", "maxItems": 3, "minItems": 1, "items": reference("Party_Create")},
        ),
        ({"type": "array", "items": {"maxLength": 3}}, {"items": {"maxLength": 3}}, None),
    ],
)
def test_of_a_rule_and_a_narrower_one_the_narrower_is_left(one: Json, other: Json, both: Json | None) -> None:
    assert whole(one, other)["properties"]["m"] == (both or one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (reference("Party"), reference("Other")),
        (reference("Party"), {"type": "object"}),
        ({"type": "string", "maxLength": 3}, {"type": "string", "maxLength": 4}),
        ({"type": "string"}, {"type": "array"}),
        ({"properties": {"a": {}}, "additionalProperties": False}, {"additionalProperties": False}),
        ({"additionalProperties": False}, {"properties": {"a": {}}}),
    ],
)
def test_rules_that_do_not_go_into_one_are_both_kept(one: Json, other: Json) -> None:
    assert whole(one, other)["properties"]["m"] == {"allOf": [one, other]}


def test_alternatives_stay_beside_the_members() -> None:
    choice = [{"required": ["m"]}, {"required": ["n"]}]

    assert whole({"type": "string"}, anyOf=choice) == {"anyOf": choice, "properties": {"m": {"type": "string"}}}


@pytest.mark.parametrize(
    "schema",
    [
        {"allOf": [{"properties": {"m": {"type": "string"}}}]},
        {"allOf": [reference("Choice")], "required": ["m"]},
        {"allOf": [reference("Entity")], "maxProperties": 3},
        {"allOf": [reference("Choices")], "anyOf": [{"required": ["m"]}]},
    ],
)
def test_what_is_more_than_members_stays_as_it_is(schema: Json) -> None:
    choices = {"properties": {"m": {}}, "anyOf": [{"required": ["n"]}]}

    assert flattened({**SCHEMAS, "Choices": choices, "Top": schema})["Top"] is schema
