"""Filters: the terms and `filter` expressions of a query become one condition (TMF630 part 1, filtering).

Promise: names are paths, operators come from a fixed table, operands are data. Whatever cannot be read is a 400 that
names the parameter. Different parameters are ANDed; an equality that is repeated is ORed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from tmf_sales.contract.attributes import Attribute, Attributes, path_of
from tmf_sales.errors import InvalidFilter
from tmf_sales.messages import shown
from tmf_sales.query.query_string import Part, Term
from tmf_sales.query.regex import UnsupportedPattern, checked_pattern
from tmf_sales.query.values import CoercionError, Operand, any_of, compare
from tmf_sales.storage.conditions import Condition, Exists, Not, Operator, Path, Regex

MOST_CONDITIONS = 30
MOST_OPERANDS = 100
PLAIN_LABEL = 100

_ORDERINGS = {"gt": Operator.GT, "gte": Operator.GTE, "lt": Operator.LT, "lte": Operator.LTE}


@dataclass(frozen=True, slots=True)
class Criterion:
    """One of the conditions that all have to hold; for a plain equality also its path and its different operands."""

    condition: Condition
    path: Path | None = None
    operands: tuple[str, ...] = ()


@dataclass(slots=True)
class Bounds:
    """Counts conditions and operands; raises InvalidFilter when a query has too many of them."""

    conditions: int = 0
    operands: int = 0

    def count(self, label: str, operands: int = 1) -> None:
        self.conditions += 1
        self.operands += operands
        if self.conditions > MOST_CONDITIONS:
            raise InvalidFilter(f"{shown_label(label)}: more than {MOST_CONDITIONS} conditions")
        if self.operands > MOST_OPERANDS:
            raise InvalidFilter(f"{shown_label(label)}: more than {MOST_OPERANDS} values")


def shown_label(label: str) -> str:
    """A parameter's name as it may appear in a message: plain when it is harmless."""
    return label if len(label) <= PLAIN_LABEL and path_of(label.rstrip("=<>*~")) else shown(label)


@dataclass(frozen=True, slots=True)
class Filters:
    """Turns the terms of one query into criteria, by what is known of the attributes."""

    attributes: Attributes
    strict: bool
    bounds: Bounds = field(default_factory=Bounds)

    def criteria(self, parts: Iterable[Part]) -> tuple[Criterion, ...]:
        """One criterion for each part, but one for all equalities of the same attribute, where the first one stands."""
        found: list[Criterion | Path] = []
        equalities: dict[Path, Term] = {}
        for terms in (part.terms for part in parts if part.terms):
            first = terms[0]
            if len(terms) > 1:
                found.append(Criterion(any_of([self.condition(term) for term in terms])))
            elif first.operator != "eq":
                found.append(Criterion(self.condition(first)))
            elif (path := self.path(first)) in equalities:
                known = equalities[path]
                equalities[path] = Term(known.label, known.name, "eq", known.operands + first.operands)
            else:
                equalities[path] = first
                found.append(path)
        return tuple(
            entry if isinstance(entry, Criterion) else self._equality(entry, equalities[entry]) for entry in found
        )

    def _equality(self, path: Path, term: Term) -> Criterion:
        return Criterion(self.condition(term), path, tuple(dict.fromkeys(term.operands)))

    def condition(self, term: Term) -> Condition:
        """What one term asks for; raises InvalidFilter naming its parameter."""
        path = self.path(term)
        attribute = self.attributes.at(path)
        self.bounds.count(term.label, len(term.operands))
        try:
            return self._condition(path, attribute, term.operator, dict.fromkeys(term.operands))
        except (CoercionError, UnsupportedPattern) as error:
            raise InvalidFilter(f"{shown_label(term.label)}: {error}") from None

    def path(self, term: Term) -> Path:
        path = path_of(term.name)
        if path is None:
            raise InvalidFilter(f"{shown(term.name)} is not the name of an attribute")
        if self.strict and self.attributes.at(path) is None:
            raise InvalidFilter(f"{shown_label(term.label)}: is not an attribute of this resource")
        return path

    def _condition(self, path: Path, attribute: Attribute | None, operator: str, operands: Iterable[str]) -> Condition:
        if operator == "exists":
            return existence(path, operands)
        if operator == "regex":
            return any_of([matching(path, attribute, pattern) for pattern in operands])
        if operator in _ORDERINGS:
            return any_of([compare(path, attribute, _ORDERINGS[operator], Operand(text)) for text in operands])
        equal = self.equality(path, attribute, [Operand(text) for text in operands])
        return Not(equal) if operator == "ne" else equal

    def equality(self, path: Path, attribute: Attribute | None, operands: Iterable[Operand]) -> Condition:
        """Some value equals one of the operands; raises Unfit, for strict also where an enum does not have it."""
        readings: list[Condition] = []
        for operand in operands:
            if self.strict and attribute and attribute.enum and operand.text not in attribute.enum:
                raise CoercionError(f"{shown(operand.text)} is not one of {', '.join(attribute.enum)}")
            readings.append(compare(path, attribute, Operator.EQ, operand))
        return any_of(readings)


def matching(path: Path, attribute: Attribute | None, pattern: str) -> Condition:
    """Some text contains a match of the pattern; raises Unfit, UnsupportedPattern."""
    if attribute is not None and attribute.type not in {"string", "any"}:
        raise CoercionError(f"regex is for text, and this is {_WITH_ARTICLE[attribute.type]}")
    return Regex(path, checked_pattern(pattern))


_WITH_ARTICLE = {
    "number": "a number",
    "integer": "a number",
    "boolean": "a boolean",
    "date-time": "a date-time",
    "object": "an object",
}


def existence(path: Path, operands: Iterable[str]) -> Condition:
    wanted = list(operands)
    if wanted not in (["true"], ["false"]):
        raise CoercionError(f"{shown(','.join(wanted))} is not true or false")
    return Exists(path) if wanted == ["true"] else Not(Exists(path))
