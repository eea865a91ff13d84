"""Compiles a query into SQL for one kind: index values are compared in SQL, everything else in Python, row by row.

Evaluating JSON in SQLite costs the same per row and differs from version to version in NUL, escapes and member names;
so SQL sees index values only. Every value is bound; names of tables and columns come from the layout.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field

import orjson

from tmf_sales.storage.conditions import (
    EVERYTHING,
    And,
    Between,
    Compare,
    Condition,
    Element,
    Operator,
    Or,
    Path,
    Query,
    Scalar,
    Sort,
    Text,
    TextOperator,
)
from tmf_sales.storage.evaluate import predicate, single_value_at
from tmf_sales.storage.sqlite.layout import Layout, SqlValue, stored_value

SYMBOLS = {Operator.EQ: "=", Operator.GT: ">", Operator.GTE: ">=", Operator.LT: "<", Operator.LTE: "<="}
LAST_CODE_POINT = 0x10FFFF


@dataclass(slots=True)
class Statement:
    """SQL and the values to bind."""

    sql: str
    values: list[SqlValue]


@dataclass(slots=True)
class Plan:
    """How to find a page: rows of (id, changed, current, 0). `search` is the part of it that finds the rows.

    `count` is None when the kind's counter has the count. The SQL calls the two Python functions as
    `satisfies(current)` and `sort_value(number, current)`.
    """

    page: Statement
    search: Statement
    count: Statement | None
    satisfies: Callable[[bytes], bool]
    sort_values: list[Callable[[bytes], SqlValue]]

    @property
    def needs_python(self) -> bool:
        """Whether finding the page calls one of the two functions."""
        return self.page is self.search


@dataclass(slots=True)
class _Where:
    """The WHERE clause, collected from conditions that must all hold."""

    terms: list[str] = field(default_factory=list)
    values: list[SqlValue] = field(default_factory=list)
    residual: list[Condition] = field(default_factory=list)

    def add(self, sql: str, *values: SqlValue) -> None:
        self.terms.append(sql)
        self.values.extend(values)

    @property
    def sql(self) -> str:
        return " AND ".join(f"({term})" for term in self.terms) or "1"


def compile_first_page(query: Query, layout: Layout) -> Statement | None:
    """Return one statement for a page in the order of ids: of all resources, or of those with one indexed value.

    Its rows are (id, changed, current, total); the total is NULL when an index may miss values. None for other queries.
    Skipping rows costs more than in a plan, so it is for pages near the first one.
    """
    where, name, place = query.where, layout.kind.name, (query.limit, query.offset)
    if query.sort:
        return None
    if where == EVERYTHING:
        return Statement(layout.first_page, [name, *place])
    if not isinstance(where, Compare) or where.operator is not Operator.EQ:
        return None
    bound = (query.count_limit + 1,) if query.count_limit else ()
    value = stored_value(where.value)
    if where.path in layout.single:
        return Statement(_page_of_column(layout, where.path, bool(bound)), [value, *bound, name, value, *place])
    if where.path in layout.listed:
        entry = (layout.listed[where.path], value)
        return Statement(_page_of_entries(layout, bool(bound)), [*entry, *bound, *entry, *place])
    return None


@functools.lru_cache
def _page_of_column(layout: Layout, path: Path, bounded: bool) -> str:
    found = f"{layout.table} AS r WHERE r.{layout.single[path]} = ?"
    total = f"SELECT CASE uneven WHEN 0 THEN ({_counted(found, bounded)}) END FROM kind WHERE name = ?"
    return f"SELECT r.id, r.changed, r.current, ({total}) FROM {found} ORDER BY r.id LIMIT ? OFFSET ?"


@functools.lru_cache
def _page_of_entries(layout: Layout, bounded: bool) -> str:
    of_value = "WHERE e.path = ? AND e.value = ?"
    total = _counted(f"{layout.entries} AS e {of_value}", bounded)
    found = f"{layout.entries} AS e CROSS JOIN {layout.table} AS r ON r.id = e.id {of_value}"
    return f"SELECT r.id, r.changed, r.current, ({total}) FROM {found} ORDER BY e.id LIMIT ? OFFSET ?"


def compile_query(query: Query, layout: Layout, *, even: bool, checkpoint: Callable[[], None] | None = None) -> Plan:
    """Return the plan for `query`. `even`: no document has a list where the contract has none.

    Otherwise a column may miss values that a path reaches, and only the evaluation in Python decides. It calls
    `checkpoint` repeatedly, which may raise to stop it.
    """
    conjuncts = [each for each in _conjuncts(query.where) if each != EVERYTHING]
    compiler = _Compiler(layout, even)
    driver = compiler.choose_driver(conjuncts)
    where = _Where()
    if driver is not None:
        where.add("e.path = ? AND e.value = ?", layout.listed[driver.path], stored_value(driver.value))
    for each in conjuncts:
        if each is not driver:
            compiler.add(each, where, driven=driver is not None)
    return _finish(query, layout, where, checkpoint, driven=driver is not None)


def _finish(
    query: Query, layout: Layout, where: _Where, checkpoint: Callable[[], None] | None, *, driven: bool
) -> Plan:
    if where.residual:
        where.add("satisfies(r.current)")
    order = _order(query.sort, layout)
    # The entries of one value are in the order of ids, so a page of an equality reads only as many as it shows.
    rows = f"{layout.entries} AS e CROSS JOIN {layout.table} AS r ON r.id = e.id" if driven else f"{layout.table} AS r"
    only_entries = f"{layout.entries} AS e" if driven and len(where.terms) == 1 else rows
    id = "e.id" if driven else "r.id"
    values = [*where.values, query.limit, query.offset]
    count = _count(query, where, only_entries)
    if where.residual or order.functions:
        terms = ", ".join([*order.terms, id])
        page = Statement(
            f"SELECT r.id, r.changed, r.current, 0 FROM {rows} WHERE {where.sql} ORDER BY {terms} LIMIT ? OFFSET ?",
            values,
        )
        return Plan(page, page, count, _predicate(where.residual, checkpoint), order.functions)
    search = Statement(_search_by_index(rows if order.terms else only_entries, where, order, id), values)
    page = Statement(_read_found(layout, search.sql, order), values)
    return Plan(page, search, count, _predicate([], None), [])


def _search_by_index(source: str, where: _Where, order: _Order, id: str) -> str:
    """Find the ids of a page in the index values alone, when they answer the whole query.

    Then neither sorting nor a large offset reads a document that is not shown.
    """
    keys = ", ".join([f"{id} AS id", *(f"{column} AS sort{number}" for number, column in enumerate(order.columns))])
    return f"SELECT {keys} FROM {source} WHERE {where.sql} ORDER BY {', '.join([*order.terms, id])} LIMIT ? OFFSET ?"


def _read_found(layout: Layout, search: str, order: _Order) -> str:
    terms = ", ".join([*(f"p.sort{number}{how}" for number, how in enumerate(order.directions)), "p.id"])
    rows = f"({search}) AS p CROSS JOIN {layout.table} AS r ON r.id = p.id"
    return f"SELECT r.id, r.changed, r.current, 0 FROM {rows} ORDER BY {terms}"


def _count(query: Query, where: _Where, source: str) -> Statement | None:
    if not where.terms:
        return None
    bound = [query.count_limit + 1] if query.count_limit else []
    return Statement(_counted(f"{source} WHERE {where.sql}", bool(bound)), [*where.values, *bound])


def _counted(found: str, bounded: bool) -> str:
    return f"SELECT count(*) FROM (SELECT 1 FROM {found} LIMIT ?)" if bounded else f"SELECT count(*) FROM {found}"


@dataclass(slots=True)
class _Order:
    """The ORDER BY clause before the id: columns with their directions, and the functions they call."""

    columns: list[str] = field(default_factory=list)
    directions: list[str] = field(default_factory=list)
    functions: list[Callable[[bytes], SqlValue]] = field(default_factory=list)

    @property
    def terms(self) -> list[str]:
        return [column + how for column, how in zip(self.columns, self.directions, strict=True)]


def _order(sort: tuple[Sort, ...], layout: Layout) -> _Order:
    order = _Order()
    for each in sort:
        if each.path in layout.columns:
            order.columns.append(f"r.{layout.columns[each.path]}")
        else:
            order.columns.append(f"sort_value({len(order.functions)}, r.current)")
            order.functions.append(_sort_function(each.path))
        if each.descending:
            # A missing value is NULL, which SQLite sorts below all others, so it comes last without NULLS LAST.
            order.directions.append(" DESC")
        else:
            order.directions.append("" if each.always_present else " NULLS LAST")
    return order


def _sort_function(path: Path) -> Callable[[bytes], SqlValue]:
    return lambda text: stored_value(single_value_at(orjson.loads(text), path))


def _predicate(conditions: list[Condition], checkpoint: Callable[[], None] | None) -> Callable[[bytes], bool]:
    condition = And(tuple(conditions))
    needles = list(_necessary_texts(condition))
    holds = predicate(condition, checkpoint)

    def satisfies(text: bytes) -> bool:
        return all(needle in text for needle in needles) and holds(orjson.loads(text))

    return satisfies


def _necessary_texts(condition: Condition) -> list[bytes]:
    """Return texts that the JSON of every match contains; searching for them first is cheaper than parsing."""
    found: list[bytes] = []
    for each in _conjuncts(condition):
        if isinstance(each, Compare) and isinstance(each.value, str):
            if each.operator is Operator.EQ:
                found.append(orjson.dumps(each.value))
            elif each.operator is Operator.PREFIX:
                found.append(orjson.dumps(each.value)[:-1])
        elif isinstance(each, Text) and not each.ignore_case:
            found.append(_json_with(each.operator, each.value))
        elif isinstance(each, Element):
            found.extend(_necessary_texts(each.condition))
    return found


def _json_with(operator: TextOperator, text: str) -> bytes:
    """Return the JSON of `text`, without a quotation mark where the stored text may go on before or after it."""
    start = 0 if operator in (TextOperator.EQ, TextOperator.STARTS_WITH) else 1
    end = None if operator in (TextOperator.EQ, TextOperator.ENDS_WITH) else -1
    return orjson.dumps(text)[start:end]


def _conjuncts(condition: Condition) -> list[Condition]:
    if isinstance(condition, And):
        return [part for each in condition.conditions for part in _conjuncts(each)]
    return [condition]


class _Compiler:
    """Turns the conditions that index values can decide into SQL."""

    def __init__(self, layout: Layout, even: bool) -> None:
        self._listed = layout.listed
        self._columns = layout.columns if even else {}
        self._entries = layout.entries

    def choose_driver(self, conjuncts: list[Condition]) -> Compare | None:
        """Return an equality on a path through lists, whose entries the search walks; None when there is none."""
        for each in conjuncts:
            if isinstance(each, Compare) and each.operator is Operator.EQ and each.path in self._listed:
                return each
        return None

    def add(self, condition: Condition, where: _Where, *, driven: bool) -> None:
        """Add one condition: as SQL when that decides it, else for Python, with SQL that excludes rows where it can."""
        term = self._term(condition, driven=driven)
        if term is not None:
            where.add(term.sql, *term.values)
            return
        where.residual.append(condition)
        if isinstance(condition, Element):
            for inner in _conjuncts(condition.condition):
                if isinstance(inner, Compare):
                    narrower = self._term(
                        Compare(condition.path + inner.path, inner.operator, inner.value), driven=driven
                    )
                    if narrower is not None:
                        where.add(narrower.sql, *narrower.values)

    def _term(self, condition: Condition, *, driven: bool) -> Statement | None:
        match condition:
            case Compare(path) | Between(path) if path in self._columns:
                return _value_term(f"r.{self._columns[path]}", condition)
            case Compare(path) | Between(path) if path in self._listed:
                term = _value_term("x.value", condition)
                rows = f"FROM {self._entries} AS x WHERE x.path = ? AND {term.sql}"
                sql = f"EXISTS (SELECT 1 {rows} AND x.id = r.id)" if driven else f"r.id IN (SELECT x.id {rows})"
                return Statement(sql, [self._listed[path], *term.values])
            case And(conditions):
                return self._combined(" AND ", "1", conditions, driven=driven)
            case Or(conditions):
                return self._combined(" OR ", "0", conditions, driven=driven)
            case _:
                return None

    def _combined(self, word: str, empty: str, conditions: tuple[Condition, ...], *, driven: bool) -> Statement | None:
        terms: list[Statement] = []
        for each in conditions:
            term = self._term(each, driven=driven)
            if term is None:
                return None
            terms.append(term)
        sql = word.join(f"({term.sql})" for term in terms) or empty
        return Statement(sql, [value for term in terms for value in term.values])


def _value_term(column: str, condition: Compare | Between) -> Statement:
    if isinstance(condition, Compare):
        return _comparison(column, condition.operator, condition.value)
    # Numbers sort before texts and texts before booleans, so both bounds together only admit values of their type.
    values = [stored_value(condition.low), stored_value(condition.high)]
    return Statement(f"{column} >= ? AND {column} <= ?", values)


def _comparison(column: str, operator: Operator, operand: Scalar) -> Statement:
    """Compare only with values of the same type: numbers end before '', texts before the empty blob."""
    value = stored_value(operand)
    if operator is Operator.EQ:
        return Statement(f"{column} = ?", [value])
    if isinstance(value, bytes):
        return Statement("0", [])
    if operator is Operator.PREFIX:
        if not isinstance(value, str):
            return Statement("0", [])
        return _starts_with(column, value)
    symbol = SYMBOLS[operator]
    if operator in (Operator.GT, Operator.GTE):
        beyond = "x''" if isinstance(value, str) else "''"
        return Statement(f"{column} {symbol} ? AND {column} < {beyond}", [value])
    if isinstance(value, str):
        return Statement(f"{column} {symbol} ? AND {column} >= ''", [value])
    return Statement(f"{column} {symbol} ?", [value])


def _starts_with(column: str, prefix: str) -> Statement:
    after = _next_text(prefix)
    if after is None:
        return Statement(f"{column} >= ? AND {column} < x''", [prefix])
    return Statement(f"{column} >= ? AND {column} < ?", [prefix, after])


def _next_text(prefix: str) -> str | None:
    """Return the first text after all those that start with `prefix`, or None when there is none."""
    kept = prefix.rstrip(chr(LAST_CODE_POINT))
    if not kept:
        return None
    last = ord(kept[-1])
    # The code points from D800 to DFFF are surrogates, which no text contains.
    following = 0xE000 if last == 0xD7FF else last + 1
    return kept[:-1] + chr(following)
