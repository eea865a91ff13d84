"""Whatever a client asks: a MongoDB filter has only operators of the table, and SQL only bound values.

Names in SQL are those of the layout, so a path stands in it only when the contract's x-index has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from tests.query_strings import CORPUS, QUERIES, REPEATABLE
from tests.storage.random_queries import make_case

from tmf_sales.contract.loader import load_contracts
from tmf_sales.errors import BadRequest
from tmf_sales.query.query import parse_query
from tmf_sales.storage.conditions import Query
from tmf_sales.storage.mongo.compile import compile_sort, compile_sort_stages, compile_where
from tmf_sales.storage.sqlite.compile import Statement, compile_query
from tmf_sales.storage.sqlite.layout import Layout

QUOTE = next(
    contract.resources["quote"]
    for contract in load_contracts(Path(__file__).parents[2] / "openapi")
    if "quote" in contract.resources
)
LAYOUT = Layout(QUOTE.stored_kind())

COMPARISONS = {"$eq", "$gt", "$gte", "$lt", "$lte", "$regex", "$exists", "$nin"}
CONNECTIVES = {"$and", "$or", "$nor"}
SORT_OPERATORS = {"$addFields", "$sort", "$cond", "$in", "$type"}
PATH = re.compile(r"(_id|deleted|_|(document\.)?[^$.\0]+(\.[^$.\0]+)*)")

SQL_WORDS = {
    *("SELECT", "FROM", "AS", "WHERE", "AND", "OR", "ORDER", "BY", "LIMIT", "OFFSET", "DESC", "NULLS", "LAST"),
    *("IN", "EXISTS", "CROSS", "JOIN", "ON", "count", "satisfies", "sort_value"),
    *("r", "e", "x", "p", "id", "changed", "current", "path", "value"),
}
SQL_TOKEN = re.compile(r"""\s+|"(?P<name>[^"]*)"|(?P<text>x?'[^']*')|(?P<word>\w+)|\?|[(),.*]|[<>]=?|=""")


def parsed(raw: str) -> Query | None:
    try:
        return parse_query(raw, QUOTE.attributes, strict=False).query
    except BadRequest:
        return None


def assert_closed_filter(compiled: Any) -> None:
    """A filter of paths, connectives and comparisons; operands are scalars."""
    assert isinstance(compiled, dict)
    for name, value in compiled.items():
        if name in CONNECTIVES:
            assert isinstance(value, list)
            assert value
            for each in value:
                assert_closed_filter(each)
        else:
            assert PATH.fullmatch(name), name
            [(operator, operand)] = value.items()
            if operator == "$elemMatch":
                assert_closed_filter(operand)
            else:
                assert operator in COMPARISONS, operator
                assert isinstance(operand, str | int | float | bool) or operand == []


def operators_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name.startswith("$"):
                yield name
            yield from operators_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from operators_in(inner)


def assert_closed_sql(statement: Statement, allowed_names: set[str]) -> None:
    """Only the compiler's own words, names of the layout, empty texts, and as many placeholders as values."""
    end = 0
    while end < len(statement.sql):
        token = SQL_TOKEN.match(statement.sql, end)
        assert token, statement.sql[end:]
        end = token.end()
        if token["name"] is not None:
            assert token["name"] in allowed_names
        elif token["text"]:
            assert token["text"] in {"''", "x''"}
        elif token["word"]:
            assert token["word"] in SQL_WORDS or re.fullmatch("(sort)?[0-9]+", token["word"]), token["word"]
    assert statement.sql.count("?") == len(statement.values)
    assert all(value is None or isinstance(value, str | int | float | bytes) for value in statement.values)


def assert_closed(query: Query, layout: Layout) -> None:
    assert_closed_filter(compile_where(query.where))
    if compile_sort(query.sort) is None:
        assert set(operators_in(compile_sort_stages(query.sort))) <= SORT_OPERATORS
    names = {name.strip('"') for name in (layout.table, layout.entries, *layout.columns.values())}
    for even in (True, False):
        plan = compile_query(query, layout, even=even)
        statements = [part for part in map(plan.__getattribute__, plan.__slots__) if isinstance(part, Statement)]
        assert plan.page in statements
        for statement in statements:
            assert_closed_sql(statement, names)


@pytest.mark.parametrize("raw", CORPUS)
def test_nothing_of_a_hostile_query_becomes_code(raw: str) -> None:
    if query := parsed(raw):
        assert_closed(query, LAYOUT)


@REPEATABLE
@given(QUERIES)
@example("state=approved&sort=-quoteDate")
@example("relatedParty.id=x'%20OR%201=1--&category=%22%3B&sort=externalId,version")
@example("filter=relatedParty[?(@.id=='$where'%26%26@.role=='%22')]&state.ne=approved")
def test_nothing_of_any_query_becomes_code(raw: str) -> None:
    if query := parsed(raw):
        assert_closed(query, LAYOUT)


@pytest.mark.parametrize("seed", range(30))
def test_nothing_of_any_tree_becomes_code(seed: int) -> None:
    for query in make_case(seed, 20).queries:
        assert_closed(query, LAYOUT)


@pytest.mark.parametrize(
    ("name", "is_indexed"),
    [("category", True), ("billingAccount.id", True), ("relatedParty.role", False), ("description", False)],
)
def test_a_path_is_in_sql_only_when_the_contract_has_an_index_on_it(name: str, is_indexed: bool) -> None:
    query = parsed(f"{name}=a")
    assert query is not None

    sql = compile_query(query, LAYOUT, even=True).page.sql

    assert ("satisfies(r.current)" in sql) != is_indexed
