"""How a body is mended that its schema rejects, and that each rule is used only where it is allowed, and counted."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tmf_sales.contract.leniency import LENIENCIES, Mode, allowed_leniencies, leniencies_used
from tmf_sales.contract.schemas import Schemas
from tmf_sales.contract.types import ObjectTypes
from tmf_sales.engine.leniency import LenientCheck

DOCUMENT: dict[str, Any] = {
    "components": {
        "schemas": {
            "Note": {
                "type": "object",
                "required": ["id", "kind"],
                "properties": {
                    "id": {"type": "string", "x-lenient": "missingId"},
                    "kind": {"type": "string", "x-lenient": "optionalMember"},
                },
            },
            "Thing": {
                "type": "object",
                "properties": {
                    "amount": {"type": "integer"},
                    "amounts": {"type": "array", "items": {"type": "integer"}},
                    "anything": {},
                    "urgent": {"type": "boolean", "x-lenient": "booleanText"},
                    "date": {"type": "string", "format": "date-time", "x-lenient": "emptyAsMissing"},
                    "name": {"type": "string"},
                    "maybe": {"type": "string", "nullable": True},
                    "maybeList": {"type": "array", "nullable": True, "items": {"type": "string"}},
                    "state": {"type": "string", "readOnly": True, "enum": ["new"], "x-lenient": "readOnlyMember"},
                    "note": {"type": "array", "items": {"$ref": "#/components/schemas/Note"}},
                    "inner": {"$ref": "#/components/schemas/Thing"},
                },
            },
        }
    }
}
SCHEMAS = Schemas(DOCUMENT)
THING = {"$ref": "#/components/schemas/Thing"}
ALL = allowed_leniencies(Mode.LENIENT, LENIENCIES)


def check_with(*rules: str) -> LenientCheck:
    relaxed = {"optionalMember", "readOnlyMember"} & set(rules)
    return LenientCheck(
        SCHEMAS.check(THING, reject_read_only=True),
        ObjectTypes(DOCUMENT).named("Thing"),
        frozenset(rules),
        SCHEMAS.check(THING, reject_read_only=True, relaxed=True) if relaxed else None,
    )


MENDED: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"name": None}, {}, "nullAsMissing"),
    ({"inner": {"note": None}}, {"inner": {}}, "nullAsMissing"),
    ({"name": None, "maybe": None, "maybeList": None, "anything": None, "unknown": None},
     {"maybe": None, "maybeList": None, "anything": None, "unknown": None}, "nullAsMissing"),
    ({"amount": 2.0}, {"amount": 2}, "wholeNumber"),
    ({"amounts": [1, 1e3]}, {"amounts": [1, 1000]}, "wholeNumber"),
    ({"amount": -0.0}, {"amount": 0}, "wholeNumber"),
    ({"urgent": "false"}, {"urgent": False}, "booleanText"),
    ({"date": ""}, {}, "emptyAsMissing"),
    ({"note": {}}, {}, "emptyObjectAsMissing"),
    ({"note": [{"kind": "k"}, {"id": "4", "kind": "k"}]},
     {"note": [{"kind": "k", "id": "5"}, {"id": "4", "kind": "k"}]}, "missingId"),
    ({"note": [{"id": "1"}]}, {"note": [{"id": "1"}]}, "optionalMember"),
    ({"state": "new"}, {"state": "new"}, "readOnlyMember"),
    ({"inner": {"inner": {"state": "new"}}}, {"inner": {"inner": {"state": "new"}}}, "readOnlyMember"),
]  # fmt: skip


def counted(value: Any, check: LenientCheck) -> tuple[list[str], dict[str, int]]:
    """The pointers of what is wrong, and the rules that were counted."""
    before = leniencies_used()
    places = [violation.pointer for violation in check.violations(value)]
    return places, {name: count - before[name] for name, count in leniencies_used().items() if count != before[name]}


@pytest.mark.parametrize(("body", "expected", "rule"), MENDED, ids=lambda each: str(each)[:40])
def test_a_rule_mends_what_it_is_for_and_is_counted(body: Any, expected: Any, rule: str) -> None:
    for check in (check_with(rule), check_with(*ALL)):
        value = copy.deepcopy(body)

        assert counted(value, check) == ([], {rule: 1})
        assert value == expected
        assert [type(each) for each in value.values()] == [type(each) for each in expected.values()]


@pytest.mark.parametrize(("body", "expected", "rule"), MENDED, ids=lambda each: str(each)[:40])
def test_without_its_rule_nothing_is_forgiven_or_counted(body: Any, expected: Any, rule: str) -> None:
    others = ALL - {rule, "optionalMember", "readOnlyMember"}  # these two go together
    places, rules = counted(copy.deepcopy(body), check_with(*others))

    assert places
    assert rules == {}


@pytest.mark.parametrize(
    "body",
    [
        {"amount": 1.5},
        {"amount": 1e30},
        {"amount": "1"},
        {"urgent": "True"},
        {"urgent": ""},
        {"name": {}},
        {"note": ""},
        {"note": {"x": 1}},
        {"note": [None]},
        {"state": "old"},
        {"inner": [{}]},
        [],
        None,
    ],
    ids=str,
)
def test_nothing_else_is_forgiven(body: Any) -> None:
    places, rules = counted(body, check_with(*ALL))

    assert places
    assert rules == {}


def test_a_valid_body_is_not_touched() -> None:
    body = {"anything": None, "note": [{"id": "1", "kind": ""}], "maybe": None}

    assert counted(body, check_with(*ALL)) == ([], {})
    assert body == {"anything": None, "note": [{"id": "1", "kind": ""}], "maybe": None}


def test_a_rule_is_counted_once_a_request() -> None:
    body = {"amounts": [1.0, 2.0], "amount": 3.0, "name": None, "note": [{"id": "1"}, {"id": "2"}]}

    assert counted(body, check_with(*ALL)) == ([], {"wholeNumber": 1, "nullAsMissing": 1, "optionalMember": 1})


def test_what_is_relaxed_is_accepted() -> None:
    assert check_with(*ALL).accepts({"state": "new"})
    assert not check_with().accepts({"state": "new"})
    assert check_with().accepts({})


def test_each_mode_allows_what_the_stricter_ones_do() -> None:
    strict, standard, lenient = (allowed_leniencies(mode, LENIENCIES) for mode in Mode)

    assert strict == frozenset()
    assert strict < standard < lenient == frozenset(LENIENCIES)


def test_a_contract_that_names_no_rule_has_none_for_itself() -> None:
    assert allowed_leniencies(Mode.STANDARD, ()) == {"booleanText", "emptyAsMissing"}
