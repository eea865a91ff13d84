"""Compiles the filters of a query string into one condition (TMF630 part 1, filtering).

Names are paths, operators come from a fixed table, values are data. A filter that is malformed or cannot match gets a
400 that names the parameter. Different parameters are ANDed; repeated equalities of one attribute are ORed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from tmf_sales.contract.attributes import Attribute, Attributes
from tmf_sales.errors import InvalidFilter
from tmf_sales.query.names import (
    OPERATORS,
    TYPE_NAMES,
    NameProblem,
    not_a_name,
    path_of,
    reject_members_of_scalars,
    reject_misspelt_attribute,
    reject_misspelt_parameter,
)
from tmf_sales.query.query_string import Part, Term
from tmf_sales.query.regex import UnsupportedPattern, checked_pattern
from tmf_sales.query.values import CoercionError, TypedText, any_of, between, compare
from tmf_sales.storage.case_folding import fold_case
from tmf_sales.storage.conditions import (
    Condition,
    Exists,
    HasValue,
    Not,
    Operator,
    Path,
    Regex,
    Text,
    TextOperator,
)
from tmf_sales.values.messages import shown

MOST_CONDITIONS = 30
MOST_OPERANDS = 100
PLAIN_LABEL = 100

LONGEST_IGNORING_CASE = 500

_NEGATED = {"ne", "nin"}
_TEXT_OPERATORS = {each.value: each for each in TextOperator if each is not TextOperator.EQ}
_ORDERINGS = {"gt": Operator.GT, "gte": Operator.GTE, "lt": Operator.LT, "lte": Operator.LTE}


@dataclass(frozen=True, slots=True)
class Criterion:
    """One of the ANDed conditions; for a plain equality also its path and its distinct values."""

    condition: Condition
    path: Path | None = None
    operands: tuple[str, ...] = ()


@dataclass(slots=True)
class Bounds:
    """Counts conditions and values; raises InvalidFilter when a query has too many."""

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
    """A parameter's name for a message: as it is when it is a short path, otherwise escaped and cut."""
    return label if len(label) <= PLAIN_LABEL and path_of(label.rstrip("=<>*~!")) else shown(label)


@dataclass(frozen=True, slots=True)
class Filters:
    """Turns the terms of one query into conditions, using the types of the attributes."""

    attributes: Attributes
    strict: bool
    bounds: Bounds = field(default_factory=Bounds)

    def criteria(self, parts: Iterable[Part]) -> tuple[Criterion, ...]:
        """One condition for each part; equalities of one attribute become one condition, at the place of the first."""
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
        """The condition of one term; raises InvalidFilter naming its parameter."""
        path = self.path(term)
        attribute = self.attributes.at(path)
        self.bounds.count(term.label, len(term.operands))
        try:
            return self._condition(path, attribute, term.operator, term.operands)
        except (CoercionError, UnsupportedPattern) as error:
            raise InvalidFilter(f"{shown_label(term.label)}: {error}") from None

    def path(self, term: Term) -> Path:
        """The path that a term names; raises InvalidFilter for a name that no resource can have."""
        path = path_of(term.name)
        if path is None:
            raise InvalidFilter(not_a_name(term.name))
        try:
            reject_members_of_scalars(path, self.attributes)
            if not term.exact:
                reject_misspelt_attribute(path, self.attributes)
                if len(path) == 1 and self.attributes.at(path) is None:
                    reject_misspelt_parameter(term.name)
        except NameProblem as problem:
            raise InvalidFilter(f"{shown_label(term.label)}: {problem}") from None
        if self.strict and self.attributes.at(path) is None:
            raise InvalidFilter(f"{shown_label(term.label)}: is not an attribute of this resource")
        return path

    def _condition(
        self, path: Path, attribute: Attribute | None, operator: str, operands: tuple[str, ...]
    ) -> Condition:
        values = tuple(dict.fromkeys(operands))
        plain, ignore_case = OPERATORS[operator], OPERATORS[operator] != operator
        match plain:
            case "exists":
                return existence(Exists(path), values)
            case "isnull":
                return existence(Not(HasValue(path)), values)
            case "regex":
                return any_of([matching(path, attribute, pattern) for pattern in values])
            case "between":
                return _between(path, attribute, operands)
            case "gt" | "gte" | "lt" | "lte":
                return any_of([compare(path, attribute, _ORDERINGS[plain], TypedText(text)) for text in values])
            case "contains" | "startswith" | "endswith":
                how = _TEXT_OPERATORS[plain]
                return any_of([text_match(path, attribute, how, text, ignore_case=ignore_case) for text in values])
        if ignore_case:
            equal = any_of([self._equality_ignoring_case(path, attribute, text) for text in values])
        else:
            equal = self.equality(path, attribute, [TypedText(text) for text in values])
        return Not(equal) if plain in _NEGATED else equal

    def equality(self, path: Path, attribute: Attribute | None, values: Iterable[TypedText]) -> Condition:
        """Match when some value equals one of these; raises CoercionError, also for a value outside the enumeration."""
        conditions: list[Condition] = []
        for value in values:
            if attribute and attribute.enum and value.text not in attribute.enum:
                raise _not_in_enumeration(value.text, attribute.enum)
            conditions.append(compare(path, attribute, Operator.EQ, value))
        return any_of(conditions)

    def _equality_ignoring_case(self, path: Path, attribute: Attribute | None, text: str) -> Condition:
        if attribute and attribute.enum and fold_case(text) not in map(fold_case, attribute.enum):
            raise _not_in_enumeration(text, attribute.enum)
        return text_match(path, attribute, TextOperator.EQ, text, ignore_case=True)


def _not_in_enumeration(text: str, known: tuple[str, ...]) -> CoercionError:
    return CoercionError(f"{shown(text)} is not one of {', '.join(known)}")


def text_match(
    path: Path, attribute: Attribute | None, how: TextOperator, text: str, *, ignore_case: bool
) -> Condition:
    """Match text that contains, starts with, ends with or equals the given text; raises CoercionError."""
    _reject_other_than_text(attribute, "this operator")
    if not ignore_case:
        return Text(path, how, text)
    if len(text) > LONGEST_IGNORING_CASE:
        raise CoercionError(f"a text compared without regard to case has at most {LONGEST_IGNORING_CASE} characters")
    return Text(path, how, text, ignore_case=True)


def _between(path: Path, attribute: Attribute | None, operands: tuple[str, ...]) -> Condition:
    if len(operands) != 2:
        raise CoercionError("expected two values, the lowest and the highest, as .between=1,5")
    return between(path, attribute, *operands)


def _reject_other_than_text(attribute: Attribute | None, what: str) -> None:
    if attribute is not None and attribute.type not in {"string", "any"}:
        raise CoercionError(f"{what} is for text, and this is {TYPE_NAMES[attribute.type]}")


def matching(path: Path, attribute: Attribute | None, pattern: str) -> Condition:
    """Match text in which the pattern is found; raises CoercionError, UnsupportedPattern."""
    _reject_other_than_text(attribute, "regex")
    return Regex(path, checked_pattern(pattern))


def existence(condition: Condition, values: tuple[str, ...]) -> Condition:
    """The condition for `true`, its negation for `false`; raises CoercionError."""
    if values not in {("true",), ("false",)}:
        raise CoercionError(f"{shown(','.join(values))} is not true or false")
    return condition if values == ("true",) else Not(condition)
