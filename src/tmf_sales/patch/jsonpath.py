"""JSONPath as the path of a JSON Patch operation (TMF630): `item[?(@.id=='2')].quantity`.

python-jsonpath reads the text; only a closed subset of what it reads is taken over: members, indexes, `[*]`, and
conditions of comparisons, existence, `&&`, `||`, `!`. Promise: no function, regular expression or descent runs, and a
lookup costs at most what `Work` allows.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from jsonpath import JSONPath
from jsonpath.filter import (
    BaseExpression,
    BooleanLiteral,
    InfixExpression,
    Nil,
    PrefixExpression,
    RelativeFilterQuery,
    StringLiteral,
)
from jsonpath.segments import JSONPathChildSegment
from jsonpath.selectors import Filter, IndexSelector, JSONPathSelector, NameSelector, WildcardSelector

from tmf_sales.json_numbers import is_exact, why_not_exact
from tmf_sales.messages import shown
from tmf_sales.patch.pointers import Location, MalformedPath, Work, query_enters, reached
from tmf_sales.query.jsonpath_parser import NumberLiteral, Source, UnsupportedExpression

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
    """The elements of a list for which the predicate holds."""

    holds: Predicate


Step = str | int | Where


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed JSONPath; a name steps into an object, an index or a condition into a list."""

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
    """Raises MalformedPath, also for JSONPath that is valid but outside the subset."""
    try:
        return Query(tuple(_steps(Source(text).parse())))
    except UnsupportedExpression as error:
        raise MalformedPath(str(error)) from None


def _steps(path: JSONPath) -> Iterator[Step]:
    for segment in path.segments:
        if not isinstance(segment, JSONPathChildSegment) or len(segment.selectors) != 1:
            raise MalformedPath("expected single members, indexes, [*] and [?(...)] only")
        yield _step(segment.selectors[0])


def _step(selector: JSONPathSelector) -> Step:
    if isinstance(selector, NameSelector):
        return selector.name
    if isinstance(selector, IndexSelector):
        return selector.index
    if isinstance(selector, WildcardSelector):
        return Where(_always)
    if isinstance(selector, Filter):
        return Where(_predicate(selector.expression.expression))
    raise MalformedPath("expected single members, indexes, [*] and [?(...)] only")


def _always(element: Any, work: Work) -> bool:
    return True


def _predicate(expression: BaseExpression) -> Predicate:
    if isinstance(expression, RelativeFilterQuery):
        return _exists(_members(expression))
    if isinstance(expression, PrefixExpression) and expression.operator == "!":
        return _negated(_predicate(expression.right))
    if isinstance(expression, InfixExpression):
        if expression.operator == "&&":
            return _both(_predicate(expression.left), _predicate(expression.right))
        if expression.operator == "||":
            return _either(_predicate(expression.left), _predicate(expression.right))
        return _comparison(expression)
    raise MalformedPath("expected comparisons of members with values, joined by && and ||, in a condition")


def _comparison(expression: InfixExpression) -> Predicate:
    left, sign, right = expression.left, expression.operator, expression.right
    if sign not in _MIRRORED:
        raise MalformedPath("expected ==, !=, <, <=, > or >= in a condition")
    if isinstance(right, RelativeFilterQuery):
        left, sign, right = right, _MIRRORED[sign], left
    if not isinstance(left, RelativeFilterQuery):
        raise MalformedPath("expected a member of the element (@.name) in a comparison")
    path, value = _members(left), _literal(right)
    if sign in _ORDERS:
        if isinstance(right, NumberLiteral) and not is_exact(right.value):
            raise MalformedPath(f"the number {shown(right.value)} {why_not_exact(right.value)}")
        return _some(path, _ordered(_ORDERS[sign], value))
    same = _some(path, _same_as(value, right.value if isinstance(right, NumberLiteral) else None))
    return same if sign == "==" else _negated(same)


def _members(query: RelativeFilterQuery) -> tuple[str, ...]:
    steps = tuple(_steps(query.path))
    names = tuple(step for step in steps if isinstance(step, str))
    if len(names) != len(steps):
        raise MalformedPath("expected member names only after @ in a condition")
    return names


def _literal(expression: BaseExpression) -> Any:
    if isinstance(expression, Nil):
        return None
    if isinstance(expression, NumberLiteral):
        return float(expression.value) if is_exact(expression.value) else expression.value  # equal to texts only
    if isinstance(expression, StringLiteral | BooleanLiteral):
        return expression.value
    raise MalformedPath("expected text, a number, true, false or null to compare with")


def _same_as(value: Any, written: str | None) -> Callable[[Any], bool]:
    """Equal as JSON scalars: 1 is 1.0 but never true. A number also equals the text of its digits, as in `filter`."""

    def same(found: Any) -> bool:
        if isinstance(found, str):
            return found in (value, written)
        return isinstance(found, bool) == isinstance(value, bool) and bool(found == value)

    return same


def _ordered(compare: Callable[[Any, Any], bool], value: Any) -> Callable[[Any], bool]:
    """Texts compare with texts, numbers with numbers."""
    kind: Any = str if isinstance(value, str) else int | float if isinstance(value, float) else ()
    return lambda found: isinstance(found, kind) and not isinstance(found, bool) and compare(found, value)


def _exists(path: tuple[str, ...]) -> Predicate:
    return lambda node, work: any(True for _ in reached(node, path, work))


def _some(path: tuple[str, ...], fits: Callable[[Any], bool]) -> Predicate:
    return lambda node, work: any(fits(value) for value in reached(node, path, work))


def _negated(inner: Predicate) -> Predicate:
    return lambda node, work: not inner(node, work)


def _both(one: Predicate, other: Predicate) -> Predicate:
    return lambda node, work: one(node, work) and other(node, work)


def _either(one: Predicate, other: Predicate) -> Predicate:
    return lambda node, work: one(node, work) or other(node, work)
