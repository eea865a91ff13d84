"""Whatever the query string, the outcome is a request or a 400: nothing of it is executed, all work is bounded."""

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import TypeVar, get_args
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.query.typed_attributes import RESOURCE, Untyped
from tests.query_strings import CORPUS, QUERIES, REPEATABLE

from tmf_sales.errors import BadRequest
from tmf_sales.query.filters import LONGEST_IGNORING_CASE, MOST_CONDITIONS, MOST_OPERANDS
from tmf_sales.query.query import parse_event_query, parse_query, parse_retrieve
from tmf_sales.storage.conditions import (
    And,
    Between,
    Compare,
    Condition,
    Element,
    Not,
    Operator,
    Or,
    Regex,
    Text,
    TextOperator,
)
from tmf_sales.storage.evaluate import has_match

Parsed = TypeVar("Parsed")


def parts_of(condition: Condition) -> list[Condition]:
    match condition:
        case And(inner) | Or(inner):
            return [condition, *(part for each in inner for part in parts_of(each))]
        case Not(each) | Element(_, each):
            return [condition, *parts_of(each)]
    return [condition]


def assert_closed(condition: Condition) -> None:
    """Only the tree's own kinds, paths of plain names, operators of the table, operands that are scalars."""
    parts = parts_of(condition)
    assert len(parts) < 6 * (MOST_CONDITIONS + MOST_OPERANDS)
    for part in parts:
        assert isinstance(part, get_args(Condition))
        if not isinstance(part, And | Or | Not):
            assert 0 < len(part.path) <= 10
            assert not any(step.startswith("$") or "\0" in step for step in part.path)
            "".join(part.path).encode()
        if isinstance(part, Compare):
            assert isinstance(part.operator, Operator)
            assert isinstance(part.value, str | int | float | bool)
            assert "\0" not in str(part.value)
            str(part.value).encode()
            assert not isinstance(part.value, int) or abs(part.value) < 2**63
        if isinstance(part, Regex):
            has_match(part.pattern, "")
        if isinstance(part, Text):
            assert isinstance(part.operator, TextOperator)
            assert isinstance(part.value, str)
            assert len(part.value) <= LONGEST_IGNORING_CASE or not part.ignore_case
        if isinstance(part, Between):
            assert type(part.low) is not bool
            assert isinstance(part.low, str) == isinstance(part.high, str)


def parsed(parse: Callable[[], Parsed]) -> Parsed | None:
    """What was parsed, or None when it was refused as it should be; any other exception is a defect."""
    try:
        return parse()
    except BadRequest as error:
        refusal = error
    assert refusal.status == 400
    assert len(refusal.message) < 400
    refusal.message.encode()
    return None


def refused_or_closed(raw: str) -> None:
    for strict in (False, True):
        if request := parsed(partial(parse_query, raw, RESOURCE, strict=strict)):
            assert_closed(request.query.where)
            for _, query in request.links(1, 10, exact=True):
                assert query.isascii()
                assert not set(query) & set('<>" \\{}|^`')
        if view := parsed(partial(parse_retrieve, raw, RESOURCE, strict=strict)):
            view.apply({"id": "1", "party": [{"id": "2"}]})
    if listener := parsed(partial(parse_event_query, raw, Untyped())):
        assert_closed(listener.condition)


@pytest.mark.parametrize("raw", CORPUS)
def test_the_hostile_corpus_does_nothing(raw: str) -> None:
    refused_or_closed(raw)


@REPEATABLE
@given(QUERIES)
@example("name=%2522a%252C%22")
def test_any_query_string_is_closed_or_refused(raw: str) -> None:
    refused_or_closed(raw)


@REPEATABLE
@given(st.text(max_size=200))
def test_any_text_is_closed_or_refused(raw: str) -> None:
    refused_or_closed(raw)


@REPEATABLE
@given(st.text(alphabet="$@.[]?()&|!=<>~'\"/\\, \nabin019-_*:#^", max_size=60))
def test_any_expression_is_closed_or_refused(expression: str) -> None:
    refused_or_closed(f"filter={quote(expression)}")


@pytest.mark.parametrize("raw", ["", "state=open&sort=-created&limit=20", "fields=id,name"])
def test_equal_query_strings_share_one_request(raw: str) -> None:
    assert parse_query(raw, RESOURCE, strict=False) is parse_query(raw, RESOURCE, strict=False)


@pytest.mark.parametrize("raw", ["", "fields=id,name"])
def test_equal_query_strings_of_one_resource_share_one_view(raw: str) -> None:
    assert parse_retrieve(raw, RESOURCE, strict=False) is parse_retrieve(raw, RESOURCE, strict=False)


def test_long_query_strings_are_not_kept() -> None:
    raw = "fields=" + "x" * 600
    first, second = (parse_query(raw, RESOURCE, strict=False) for _ in range(2))
    assert first is not second
    assert all(getattr(first, each.name) == getattr(second, each.name) for each in dataclasses.fields(first))
    assert parse_retrieve(raw, RESOURCE, strict=False) is not parse_retrieve(raw, RESOURCE, strict=False)
