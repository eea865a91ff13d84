"""Evaluates JSONPath in the paths of JSON Patch operations (TMF630): `item[?(@.id=='2')].quantity`.

Supports members, indexes, `[*]`, and conditions with comparisons, existence tests, `&&`, `||` and `!`, in the syntax of
`filter`. Functions, regular expressions and descent are rejected, and `Work` limits the cost of a lookup.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tmf_sales.patch.pointers import Location, MalformedPath, Work, query_enters, reached
from tmf_sales.query.jsonpath_parser import UnsupportedExpression, parse
from tmf_sales.query.jsonpath_tree import (
    AllOf,
    AnyOf,
    BooleanLiteral,
    Comparison,
    Expression,
    Index,
    Member,
    Negation,
    NullLiteral,
    NumberLiteral,
    Operand,
    Selector,
    Test,
    TextLiteral,
)
from tmf_sales.query.jsonpath_tree import Location as JsonPath
from tmf_sales.query.jsonpath_tree import Where as Condition
from tmf_sales.values.json_numbers import is_exact, why_not_exact
from tmf_sales.values.messages import shown

Predicate = Callable[[Any, Work], bool]
_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


@dataclass(frozen=True, slots=True)
class Where:
    """The elements of a list that satisfy the predicate."""

    holds: Predicate


Step = str | int | Where


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed JSONPath. A name steps into an object, an index or a condition into a list."""

    steps: tuple[Step, ...]

    def places(self, document: Any, work: Work, creating: bool) -> list[Location]:
        return list(self._from(document, 0, (), work, creating))

    def enters(self, source: Location, document: Any, work: Work) -> bool:
        beginnings = (Query(self.steps[:count]) for count in range(len(self.steps)))
        return query_enters(self, beginnings, source, document, work)

    def _from(self, node: Any, depth: int, location: Location, work: Work, creating: bool) -> Iterator[Location]:
        work.spend()
        if depth == len(self.steps):
            yield location
            return
        step = self.steps[depth]
        if isinstance(step, str) and isinstance(node, dict):
            if step in node:
                yield from self._from(node[step], depth + 1, (*location, step), work, creating)
            elif creating and depth + 1 == len(self.steps):
                yield (*location, step)
        elif not isinstance(step, str) and isinstance(node, list):
            for number in _chosen(step, node, work):
                yield from self._from(node[number], depth + 1, (*location, number), work, creating)


def _chosen(step: int | Where, elements: list[Any], work: Work) -> Iterator[int]:
    if isinstance(step, Where):
        yield from (number for number, element in enumerate(elements) if step.holds(element, work))
    elif -len(elements) <= step < len(elements):
        yield step % len(elements)


def parse_jsonpath(text: str) -> Query:
    """Parse a JSONPath; raises MalformedPath, also for JSONPath that is valid but outside the subset."""
    try:
        return Query(_steps(parse(text)))
    except UnsupportedExpression as error:
        raise MalformedPath(str(error)) from None


def _steps(path: JsonPath) -> tuple[Step, ...]:
    return tuple(map(_step, path.selectors))


def _step(selector: Selector) -> Step:
    match selector:
        case Member(name):
            return name
        case Index(index):
            return index
        case Condition(expression):
            return Where(_predicate(expression))
        case _:
            return Where(_always)


def _always(element: Any, work: Work) -> bool:
    return True


def _predicate(expression: Expression) -> Predicate:
    match expression:
        case Test(location):
            return _exists(_members(location))
        case Negation(inner):
            return _negated(_predicate(inner))
        case AllOf(parts):
            return _all([_predicate(part) for part in parts])
        case AnyOf(parts):
            return _any([_predicate(part) for part in parts])
        case _:
            return _comparison(expression)


def _comparison(comparison: Comparison) -> Predicate:
    left, sign, right = comparison.left, comparison.operator, comparison.right
    if sign not in _MIRRORED:
        raise MalformedPath("expected ==, !=, <, <=, > or >= in a condition")
    if isinstance(right, JsonPath):
        left, sign, right = right, _MIRRORED[sign], left
    if not isinstance(left, JsonPath):
        raise MalformedPath("expected a member of the element (@.name) in a comparison")
    path, value = _members(left), _literal(right)
    if sign in _ORDERS:
        if isinstance(right, NumberLiteral) and not is_exact(right.value):
            raise MalformedPath(f"the number {shown(right.value)} {why_not_exact(right.value)}")
        return _some(path, _ordered(_ORDERS[sign], value))
    same = _some(path, _same_as(value, right.value if isinstance(right, NumberLiteral) else None))
    return same if sign == "==" else _negated(same)


def _members(location: JsonPath) -> tuple[str, ...]:
    names = tuple(selector.name for selector in location.selectors if isinstance(selector, Member))
    if location.absolute or len(names) != len(location.selectors):
        raise MalformedPath("expected member names only after @ in a condition")
    return names


def _literal(operand: Operand) -> Any:
    match operand:
        case NullLiteral():
            return None
        case NumberLiteral(text):
            return float(text) if is_exact(text) else text  # equals only text
        case TextLiteral(value) | BooleanLiteral(value):
            return value
    raise MalformedPath("expected text, a number, true, false or null to compare with")


def _same_as(value: Any, written: str | None) -> Callable[[Any], bool]:
    """Test equality of JSON scalars: 1 is 1.0 but never true. A number also equals its own text, as in `filter`."""

    def same(found: Any) -> bool:
        if isinstance(found, str):
            return found in (value, written)
        return isinstance(found, bool) == isinstance(value, bool) and bool(found == value)

    return same


def _ordered(compare: Callable[[Any, Any], bool], value: Any) -> Callable[[Any], bool]:
    """Test an order: text compares only with text, numbers only with numbers."""
    kind: Any = str if isinstance(value, str) else int | float if isinstance(value, float) else ()
    return lambda found: isinstance(found, kind) and not isinstance(found, bool) and compare(found, value)


def _exists(path: tuple[str, ...]) -> Predicate:
    return lambda node, work: any(True for _ in reached(node, path, work))


def _some(path: tuple[str, ...], fits: Callable[[Any], bool]) -> Predicate:
    return lambda node, work: any(fits(value) for value in reached(node, path, work))


def _negated(inner: Predicate) -> Predicate:
    return lambda node, work: not inner(node, work)


def _all(parts: list[Predicate]) -> Predicate:
    return lambda node, work: all(holds(node, work) for holds in parts)


def _any(parts: list[Predicate]) -> Predicate:
    return lambda node, work: any(holds(node, work) for holds in parts)
