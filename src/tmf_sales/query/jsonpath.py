"""`filter=` expressions: a closed subset of JSONPath becomes conditions (TMF630 part 1, filtering; RFC 9535).

`member.member[?(@.a=='x' && (@.b>3 || !(@.c=='y')) && @.d[?(@.e)])]`, or `$[?(...)]` for the resource itself. What a
filter asks for has to hold of one and the same element. Anything else is refused, naming what and where.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from jsonpath import JSONPath, selectors
from jsonpath.filter import (
    BaseExpression,
    BooleanLiteral,
    InfixExpression,
    Nil,
    PrefixExpression,
    RelativeFilterQuery,
    StringLiteral,
)
from jsonpath.segments import JSONPathRecursiveDescentSegment
from jsonpath.token import TOKEN_NAME, Token

from tmf_sales.contract.attributes import path_of
from tmf_sales.errors import InvalidFilter
from tmf_sales.messages import shown
from tmf_sales.query.filters import Filters, matching, shown_label
from tmf_sales.query.jsonpath_parser import NumberLiteral, PatternLiteral, Source, UnsupportedExpression
from tmf_sales.query.regex import UnsupportedPattern
from tmf_sales.query.values import CoercionError, Operand, all_of, any_of, compare
from tmf_sales.storage.conditions import Condition, Element, Exists, Not, Operator, Path

_OPERATORS = {"==": Operator.EQ, ">": Operator.GT, ">=": Operator.GTE, "<": Operator.LT, "<=": Operator.LTE}
_TURNED = {"==": "==", "!=": "!=", ">": "<", ">=": "<=", "<": ">", "<=": ">="}
_REFUSED: dict[type[selectors.JSONPathSelector], str] = {
    selectors.IndexSelector: "an index",
    selectors.SliceSelector: "a slice",
    selectors.WildcardSelector: "a wildcard",
}


@dataclass(frozen=True, slots=True)
class Leg:
    """A part of the way that an expression goes: members, then a filter on the elements of the list there.

    `path` is empty where the filter is on the resource itself; `filter` is None where the way ends at a member.
    """

    path: Path
    filter: Condition | None


def read_expression(text: str, filters: Filters) -> tuple[Leg, ...]:
    """The way that a `filter` parameter goes; raises InvalidFilter."""
    source = Source(text)
    try:
        return _Compiler(source, filters).legs(source.parse(), ())
    except UnsupportedExpression as error:
        raise InvalidFilter(f"filter: {error}") from None


def condition_of(legs: tuple[Leg, ...]) -> Condition:
    """Whether something is at the end of the way."""
    leg, rest = legs[0], legs[1:]
    if leg.filter is None:
        return Exists(leg.path)
    inner = all_of([leg.filter, condition_of(rest)]) if rest else leg.filter
    return Element(leg.path, inner) if leg.path else inner


class _Compiler:
    def __init__(self, source: Source, filters: Filters) -> None:
        self.source = source
        self.filters = filters

    def legs(self, query: JSONPath, context: Path) -> tuple[Leg, ...]:
        """The way of a query that starts at the attribute `context` (nowhere: the resource)."""
        legs: list[Leg] = []
        names: list[str] = []
        for selector, token in self._selectors(query):
            if isinstance(selector, selectors.NameSelector):
                names.append(selector.name)
                self._reject_bad_names((*context, *names), token)
            elif isinstance(selector, selectors.Filter):
                if not names and (context or legs):
                    raise self.source.refusal("a filter on something other than a list of this name", token)
                context = (*context, *names)
                self._reject_filter_on_scalar(context, token)
                legs.append(Leg(tuple(names), self.condition(selector.expression.expression, context, token)))
                names = []
            else:
                raise self.source.refusal(_REFUSED.get(type(selector), "a selector of this kind"), token)
        if names:
            legs.append(Leg(tuple(names), None))
        if not legs:
            raise UnsupportedExpression("the expression names nothing")
        return tuple(legs)

    def _selectors(self, query: JSONPath) -> Iterator[tuple[selectors.JSONPathSelector, Token]]:
        for segment in query.segments:
            if isinstance(segment, JSONPathRecursiveDescentSegment):
                raise self.source.refusal("'..'", segment.token)
            if segment.token.kind == TOKEN_NAME:
                raise self.source.refusal(f"{shown(segment.token.value)} without a dot before it", segment.token)
            if len(segment.selectors) > 1:
                raise self.source.refusal("a list of selectors", segment.token)
            yield segment.selectors[0], segment.token

    def _reject_bad_names(self, path: Path, token: Token) -> None:
        if path_of(".".join(path)) != path:
            raise self.source.refusal(f"the name {shown(path[-1])}", token)
        if self.filters.strict and self.filters.attributes.at(path) is None:
            raise UnsupportedExpression(f"{shown('.'.join(path))} is not an attribute of this resource")

    def _reject_filter_on_scalar(self, path: Path, token: Token) -> None:
        attribute = self.filters.attributes.at(path) if path else None
        if attribute and not attribute.through_list and attribute.type != "any":
            raise self.source.refusal(f"a filter on {shown(path[-1])}, which is no list,", token)

    def condition(self, expression: BaseExpression, context: Path, token: Token) -> Condition:
        """What a filter asks of one element of the list at `context`; `token` says about where it stands."""
        match expression:
            case InfixExpression(operator="&&" | "||" as operator):
                both = [self.condition(side, context, token) for side in (expression.left, expression.right)]
                return all_of(both) if operator == "&&" else any_of(both)
            case InfixExpression():
                return self.comparison(expression, context, token)
            case PrefixExpression():
                return Not(self.condition(expression.right, context, token))
            case RelativeFilterQuery():
                self.filters.bounds.count("filter")
                return condition_of(self.legs(expression.path, context))
        raise self.source.refusal(f"what stands in the filter{_hint(expression)}", token)

    def comparison(self, expression: InfixExpression, context: Path, token: Token) -> Condition:
        left, operator, right = expression.left, expression.operator, expression.right
        if isinstance(right, RelativeFilterQuery) and operator in _TURNED:
            left, operator, right = right, _TURNED[operator], left
        if not isinstance(left, RelativeFilterQuery) or operator not in {*_TURNED, "=~"}:
            raise self.source.refusal(f"the comparison {shown(operator)} of these{_hint(right)}", token)
        (leg, *others) = self.legs(left.path, context)
        if others or leg.filter:
            raise self.source.refusal("a comparison behind a filter", token)
        self.filters.bounds.count("filter")
        try:
            return self._compare(leg.path, (*context, *leg.path), operator, right)
        except (CoercionError, UnsupportedPattern) as error:
            raise UnsupportedExpression(f"{shown_label('.'.join((*context, *leg.path)))}: {error}") from None

    def _compare(self, path: Path, full: Path, operator: str, literal: BaseExpression) -> Condition:
        attribute = self.filters.attributes.at(full)
        if operator == "=~":
            if not isinstance(literal, PatternLiteral | StringLiteral):
                raise CoercionError("=~ needs a regular expression between slashes")
            return matching(path, attribute, _storable(literal.value))
        operand = _operand(literal)
        if operator in {"==", "!="}:
            equal = self.filters.equality(path, attribute, [operand])
            return equal if operator == "==" else Not(equal)
        return compare(path, attribute, _OPERATORS[operator], operand)


def _operand(literal: BaseExpression) -> Operand:
    """A literal has the type that it is written in, unless the contract gives the attribute another one."""
    match literal:
        case StringLiteral(value=text):
            return Operand(_storable(text), ("text",))
        case NumberLiteral(value=text):
            return Operand(text, ("number",))
        case BooleanLiteral(value=value):
            return Operand("true" if value else "false", ("boolean",))
    raise CoercionError(f"it is compared with something other than a text, a number, true or false{_hint(literal)}")


def _storable(text: str) -> str:
    r"""The text, unless it has what only an escape such as \ud800 can bring in and no stored text has."""
    if any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text):
        raise CoercionError(f"{shown(text)} has a character that no text has")
    return text


def _hint(expression: BaseExpression) -> str:
    if isinstance(expression, Nil):
        return " (null: a member that is missing is !@.member)"
    return ""
