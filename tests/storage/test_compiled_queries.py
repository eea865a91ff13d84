"""Whatever a client asks: a MongoDB filter has only operators of the table, and SQL only bound values.

Names in SQL are those of the layout, so a path stands in it only when the contract's x-index has it.
"""

from __future__ import annotations

import re
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
from tmf_sales.storage.sqlite.compile import Statement, compile_first_page, compile_query
from tmf_sales.storage.sqlite.layout import Layout

QUOTE = next(
    contract.resources["quote"]
    for contract in load_contracts(Path(__file__).parents[2] / "openapi")
    if "quote" in contract.resources
)
LAYOUT = Layout(QUOTE.stored_kind())

COMPARISONS = {"$eq", "$gt", "$gte", "$lt", "$lte", "$regex", "$exists", "$nin", "$type", "$not"}
CONNECTIVES = {"$and", "$or", "$nor"}
SORT_STAGES = ("$addFields", "$sort")
VALUE_TYPES = {"string", "int", "long", "double", "bool", "object", "array"}
EXPRESSION_OPERATORS = {
    *("$and", "$or", "$not", "$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$cond", "$ifNull", "$let", "$type"),
    *("$map", "$filter", "$reduce", "$concatArrays", "$anyElementTrue", "$arrayElemAt", "$isArray", "$size"),
    *("$objectToArray", "$regexMatch"),
}
EXPRESSION_KEYS = {"input", "as", "in", "cond", "initialValue", "regex", "vars", "object"}
EXPRESSION_TEXT = re.compile(
    r"\$document(\.[^$.\0]+)*|\$\$(this|value|object|member(\.[kv])?|element[0-9]+)|member|value|object|element[0-9]+"
)
PATH = re.compile(r"(_id|deleted|_|(document\.)?[^$.\0]+(\.[^$.\0]+)*)")

SQL_WORDS = {
    *("SELECT", "FROM", "AS", "WHERE", "AND", "OR", "ORDER", "BY", "LIMIT", "OFFSET", "DESC", "NULLS", "LAST"),
    *("IN", "EXISTS", "CROSS", "JOIN", "ON", "count", "satisfies", "sort_value"),
    *("CASE", "WHEN", "THEN", "END", "uneven", "kind", "name", "total"),
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
        if name == "$expr":
            assert_closed_expression(value)
        elif name in CONNECTIVES:
            assert isinstance(value, list)
            assert value
            for each in value:
                assert_closed_filter(each)
        else:
            assert PATH.fullmatch(name), name
            assert isinstance(value, dict)
            if inner := value.get("$elemMatch"):
                assert list(value) == ["$elemMatch"]
                if any(operator in COMPARISONS for operator in inner):
                    assert_closed_comparisons(inner)
                else:
                    assert_closed_filter(inner)
            else:
                assert_closed_comparisons(value)


def assert_closed_comparisons(operators: dict[str, Any]) -> None:
    for operator, operand in operators.items():
        assert operator in COMPARISONS, operator
        is_types = operator == "$type" and set(operand) <= VALUE_TYPES
        is_closed = operand in ([], {"$type": "array"}) or is_types
        assert is_closed or isinstance(operand, str | int | float | bool), operand


def assert_closed_expression(expression: Any) -> None:
    """Operators and variables of the compiler; what a client wrote stands in a $literal, and is a scalar."""
    if isinstance(expression, dict):
        for name, inner in expression.items():
            if name == "$literal":
                assert isinstance(inner, str | int | float | bool)
            else:
                assert name in EXPRESSION_OPERATORS | EXPRESSION_KEYS, name
                assert_closed_expression(inner)
    elif isinstance(expression, list):
        for inner in expression:
            assert_closed_expression(inner)
    elif isinstance(expression, str):
        assert EXPRESSION_TEXT.fullmatch(expression) or expression in VALUE_TYPES, expression
    else:
        assert expression in (None, True, False, 0, 1)


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
        keys, order = (each[name] for each, name in zip(compile_sort_stages(query.sort), SORT_STAGES, strict=True))
        assert all(re.fullmatch("(missing|key)[0-9]", key) for key in keys)
        assert order.keys() == {*keys, "_id"}
        for expression in keys.values():
            assert_closed_expression(expression)
    names = {name.strip('"') for name in (layout.table, layout.entries, *layout.columns.values())}
    for even in (True, False):
        plan = compile_query(query, layout, even=even)
        statements = [part for part in map(plan.__getattribute__, plan.__slots__) if isinstance(part, Statement)]
        assert plan.page in statements
        for statement in statements:
            assert_closed_sql(statement, names)
    if (first_page := compile_first_page(query, layout)) is not None:
        assert_closed_sql(first_page, names)


@pytest.mark.parametrize("raw", CORPUS)
def test_nothing_of_a_hostile_query_becomes_code(raw: str) -> None:
    if query := parsed(raw):
        assert_closed(query, LAYOUT)


@REPEATABLE
@given(QUERIES)
@example('"$where"=x&ext."$function".a=1&"a.$b"."7".containsi=$document&sort=-"x.$y",ext."$$ROOT"&fields="$a"')
@example('ext."a.b".between=1,5&"7"."8".isnull=true&filter=[?(@["a.b"][?(@["$$this"]=~/x/)])]')
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
