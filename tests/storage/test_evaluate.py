"""What a condition means (tmf_sales.storage.conditions): the cases in which stores like to differ."""

from __future__ import annotations

from typing import Any

import pytest

from tmf_sales.storage.conditions import (
    And,
    Between,
    Compare,
    Condition,
    Element,
    Exists,
    HasValue,
    Not,
    Operator,
    Or,
    Path,
    Regex,
    Sort,
    Text,
    TextOperator,
)
from tmf_sales.storage.evaluate import in_order, matches, may_match, meets_list, single_value_at

EQ, GT, GTE, LT, LTE, PREFIX = (
    Operator.EQ,
    Operator.GT,
    Operator.GTE,
    Operator.LT,
    Operator.LTE,
    Operator.PREFIX,
)
A: Path = ("a",)
A_B: Path = ("a", "b")


@pytest.mark.parametrize(
    ("document", "condition", "expected"),
    [
        # A value of another type never compares.
        ({"a": 1}, Compare(A, EQ, 1.0), True),
        ({"a": True}, Compare(A, EQ, 1), False),
        ({"a": 1}, Compare(A, EQ, True), False),
        ({"a": "1"}, Compare(A, EQ, 1), False),
        ({"a": None}, Compare(A, EQ, False), False),
        ({"a": "b"}, Compare(A, GT, 1), False),
        ({"a": True}, Compare(A, EQ, True), True),
        ({"a": True}, Compare(A, GTE, True), False),
        ({"a": True}, Compare(A, GT, False), False),
        ({"a": {"b": 1}}, Compare(A, EQ, 1), False),
        # Numbers by value, texts by code point.
        ({"a": 2**53 + 1}, Compare(A, GT, float(2**53)), True),
        ({"a": -0.0}, Compare(A, EQ, 0), True),
        ({"a": "B"}, Compare(A, LT, "a"), True),
        ({"a": "\U0001f600"}, Compare(A, GT, "\uffff"), True),
        ({"a": 3}, Compare(A, LTE, 3), True),
        ({"a": 3}, Compare(A, LT, 3), False),
        # A prefix is one of texts.
        ({"a": "abc"}, Compare(A, PREFIX, "ab"), True),
        ({"a": "abc"}, Compare(A, PREFIX, ""), True),
        ({"a": 12}, Compare(A, PREFIX, "1"), False),
        ({"a": 12}, Compare(A, PREFIX, 1), False),
        # Lists: a step goes into the elements, one level deep; the last one offers its elements.
        ({"a": [1, 2]}, Compare(A, EQ, 2), True),
        ({"a": [[1]]}, Compare(A, EQ, 1), False),
        ({"a": [{"b": 1}, {"b": 2}]}, Compare(A_B, EQ, 2), True),
        ({"a": [[{"b": 1}]]}, Compare(A_B, EQ, 1), False),
        ({"a": [{"b": [1, 2]}]}, Compare(A_B, EQ, 2), True),
        ({"a": []}, Compare(A, EQ, 1), False),
        ({"a": [1, None]}, Compare(A, LT, 2), True),
        # Negation is plain.
        ({}, Not(Compare(A, EQ, 1)), True),
        ({"a": [1, 2]}, Not(Compare(A, EQ, 1)), False),
        ({"a": None}, Not(Compare(A, EQ, 1)), True),
        # There is there, whatever it is.
        ({"a": None}, Exists(A), True),
        ({"a": []}, Exists(A), True),
        ({"a": []}, Exists(A_B), False),
        ({"a": [{"b": None}, 1]}, Exists(A_B), True),
        ({}, Exists(A), False),
        # Any name is a member's; a number is no place in a list.
        ({"0": 1}, Exists(("0",)), True),
        ({"a": [1]}, Exists(("a", "0")), False),
        ({"a": [{"0": 1}]}, Exists(("a", "0")), True),
        ({"a.b": 1}, Exists(("a.b",)), True),
        ({"a": {"b": 1}}, Exists(("a.b",)), False),
        ({"": 1}, Exists(("",)), True),
        ({"a": 1}, Exists(()), False),
        # Null is no value; an empty list is one.
        ({"a": None}, HasValue(A), False),
        ({"a": 0}, HasValue(A), True),
        ({"a": []}, HasValue(A), True),
        ({"a": [None]}, HasValue(A), True),
        ({}, HasValue(A), False),
        ({"a": [{"b": None}, {"b": ""}]}, HasValue(A_B), True),
        ({"a": [{"b": None}, {}]}, HasValue(A_B), False),
        # Both bounds hold of one value.
        ({"a": 5}, Between(A, 5, 5), True),
        ({"a": [1, 10]}, Between(A, 2, 9), False),
        ({"a": [1, 10, 4]}, Between(A, 2, 9), True),
        ({"a": [{"b": 1}, {"b": 10}]}, Between(A_B, 2, 9), False),
        ({"a": [{"b": 1}, {"b": [10, 9]}]}, Between(A_B, 2, 9), True),
        ({"a": "5"}, Between(A, 1, 9), False),
        ({"a": True}, Between(A, 0, 9), False),
        ({"a": "b"}, Between(A, "a", "c"), True),
        ({"a": 5}, Between(A, 9, 1), False),
        # Texts, with and without regard to case.
        ({"a": "xaby"}, Text(A, TextOperator.CONTAINS, "ab"), True),
        ({"a": "xAby"}, Text(A, TextOperator.CONTAINS, "ab"), False),
        ({"a": "xAby"}, Text(A, TextOperator.CONTAINS, "aB", ignore_case=True), True),
        ({"a": ["x", "STRASSE"]}, Text(A, TextOperator.STARTS_WITH, "stra", ignore_case=True), True),
        ({"a": "STRA\u1e9eE"}, Text(A, TextOperator.EQ, "stra\u00dfe", ignore_case=True), True),
        ({"a": "STRASSE"}, Text(A, TextOperator.EQ, "stra\u00dfe", ignore_case=True), False),
        ({"a": "\u212a"}, Text(A, TextOperator.EQ, "k", ignore_case=True), True),
        ({"a": "\u039f\u0394\u039f\u03a3"}, Text(A, TextOperator.ENDS_WITH, "\u03c2", ignore_case=True), True),
        ({"a": "ab\n"}, Text(A, TextOperator.ENDS_WITH, "b"), False),
        ({"a": ""}, Text(A, TextOperator.CONTAINS, ""), True),
        ({"a": 12}, Text(A, TextOperator.CONTAINS, "1"), False),
        ({"a": "a.b"}, Text(A, TextOperator.CONTAINS, "a?b", ignore_case=True), False),
        # Conditions on one element.
        ({"a": [{"b": 1, "c": 1}]}, Element(A, And((Compare(("b",), EQ, 1), Compare(("c",), EQ, 1)))), True),
        ({"a": [{"b": 1}, {"c": 1}]}, Element(A, And((Compare(("b",), EQ, 1), Compare(("c",), EQ, 1)))), False),
        ({"a": {"b": 1}}, Element(A, Compare(("b",), EQ, 1)), False),
        ({"a": [1, "x"]}, Element(A, Not(Compare(("b",), EQ, 1))), False),
        ({"a": [[{"b": 1}]]}, Element(A, Compare(("b",), EQ, 1)), False),
        ({"a": [[{"b": 1}]]}, Element(A, Not(Compare(("b",), EQ, 1))), True),
        ({"a": [{"b": [{"c": 1}]}]}, Element(A_B, Compare(("c",), EQ, 1)), True),
        # Patterns are searched for, in texts only, and `$` is the very end.
        ({"a": "xaby"}, Regex(A, "ab"), True),
        ({"a": ["x", "ab"]}, Regex(A, "^ab$"), True),
        ({"a": "ab\n"}, Regex(A, "b$"), False),
        ({"a": 12}, Regex(A, "1"), False),
        ({"a": "z\0y"}, Regex(A, "^z.y$"), True),
        ({}, And(()), True),
        ({}, Or(()), False),
    ],
)
def test_a_condition_means(document: dict[str, Any], condition: Condition, expected: bool) -> None:
    assert matches(condition, document) is expected


@pytest.mark.parametrize("document", [None, 1, "a", [], [{"a": 1}]])
def test_only_an_object_has_members(document: Any) -> None:
    assert not matches(Exists(A), document)
    assert matches(Not(Exists(A)), document)


@pytest.mark.parametrize("pattern", ["(a|aa)+$", "(a+)+$", "(.|a)*b"])
def test_no_pattern_takes_long(pattern: str) -> None:
    assert matches(Not(Regex(A, pattern)), {"a": "a" * 100_000 + "\n"})


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"a": {"b": 1}}, 1),
        ({"a": {"b": False}}, False),
        ({"a": [{"b": 1}]}, None),
        ({"a": {"b": [1]}}, None),
        ({}, None),
        ({"a": 1}, None),
        ({"a": {"b": None}}, None),
        ({"a": {"b": {}}}, None),
        ({"a": None}, None),
    ],
)
def test_documents_are_sorted_by_a_single_scalar(document: dict[str, Any], expected: Any) -> None:
    assert single_value_at(document, A_B) is expected


def test_any_member_sorts() -> None:
    assert single_value_at({"a.b": {"7": 1}}, ("a.b", "7")) == 1


@pytest.mark.parametrize(
    ("document", "expected"),
    [({"a": [1]}, True), ({"a": {"b": []}}, True), ({"a": {"b": {"c": []}}}, False), ({"a": 1}, False), ({}, False)],
)
def test_a_list_on_the_way_is_noticed(document: dict[str, Any], expected: bool) -> None:
    assert meets_list(document, A_B) is expected


def test_ties_are_broken_by_id_in_both_directions() -> None:
    rows = [("c", {"a": 1}), ("a", {"a": 1}), ("b", {"a": 2}), ("d", {})]

    def sorted_ids(*sort: Sort) -> str:
        ordered = in_order(rows, sort, document=lambda row: row[1], id=lambda row: row[0])
        return "".join(id for id, _ in ordered)

    assert sorted_ids() == "abcd"
    assert sorted_ids(Sort(A)) == "acbd"
    assert sorted_ids(Sort(A, descending=True)) == "bacd"


def test_whether_a_condition_may_match_with_one_value_known() -> None:
    kind, other = ("kind",), Compare(("size",), Operator.EQ, 1)
    is_a, is_b = (Compare(kind, Operator.EQ, value) for value in "ab")
    for condition, expected in (
        (is_a, True),
        (is_b, False),
        (other, True),
        (And((is_a, other)), True),
        (And((is_b, other)), False),
        (And((is_a, is_a)), True),
        (Or((is_b, other)), True),
        (Or((is_a, other)), True),
        (Or((is_b, is_b)), False),
        (Not(is_a), False),
        (Not(is_b), True),
        (Not(other), True),
        (Exists(kind), True),
    ):
        assert may_match(condition, kind, "a") is expected, condition
