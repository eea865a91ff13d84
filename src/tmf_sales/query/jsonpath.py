"""Compiles `filter=` expressions, a closed subset of JSONPath, into conditions (TMF630 part 1; RFC 9535).

`member.member[?(@.a=='x' && (@.b>3 || !(@.c=='y')) && @.d[?(@.e)])]`, or `$[?(...)]` for the resource itself. One
element must satisfy the whole filter. Other expressions are rejected with the unsupported part and its position.
"""

from __future__ import annotations

from dataclasses import dataclass

from tmf_sales.errors import InvalidFilter
from tmf_sales.query.filters import Filters, matching, shown_label
from tmf_sales.query.jsonpath_parser import UnsupportedExpression, parse, unsupported
from tmf_sales.query.jsonpath_tree import (
    AllOf,
    AnyOf,
    BooleanLiteral,
    Comparison,
    Expression,
    Index,
    Literal,
    Location,
    Member,
    Negation,
    NullLiteral,
    NumberLiteral,
    Operand,
    PatternLiteral,
    Test,
    TextLiteral,
    Where,
)
from tmf_sales.query.names import MOST_STEPS, NameProblem, dotted, reject_members_of_scalars, reject_misspelt_attribute
from tmf_sales.query.regex import UnsupportedPattern
from tmf_sales.query.values import CoercionError, TypedText, all_of, any_of, compare
from tmf_sales.storage.conditions import Condition, Element, Exists, Not, Operator, Path
from tmf_sales.values.messages import shown

_OPERATORS = {"==": Operator.EQ, ">": Operator.GT, ">=": Operator.GTE, "<": Operator.LT, "<=": Operator.LTE}
_MIRRORED = {"==": "==", "!=": "!=", ">": "<", ">=": "<=", "<": ">", "<=": ">="}


@dataclass(frozen=True, slots=True)
class Leg:
    """One section of an expression's path: members, then a filter on the elements of the list there.

    `path` is empty when the filter is on the resource itself; `filter` is None when the path ends at a member.
    """

    path: Path
    filter: Condition | None


def read_expression(text: str, filters: Filters) -> tuple[Leg, ...]:
    """Compile the value of a `filter` parameter; raises InvalidFilter."""
    try:
        return _Compiler(filters).legs(parse(text), ())
    except (UnsupportedExpression, NameProblem) as error:
        raise InvalidFilter(f"filter: {error}") from None


def condition_of(legs: tuple[Leg, ...]) -> Condition:
    """The condition that the path goes to a value."""
    leg, rest = legs[0], legs[1:]
    if leg.filter is None:
        return Exists(leg.path)
    inner = all_of([leg.filter, condition_of(rest)]) if rest else leg.filter
    return Element(leg.path, inner) if leg.path else inner


class _Compiler:
    def __init__(self, filters: Filters) -> None:
        self.filters = filters

    def legs(self, location: Location, context: Path) -> tuple[Leg, ...]:
        """The path to a location, starting at the attribute `context`, or at the resource when that is empty."""
        legs: list[Leg] = []
        names: list[str] = []
        for selector in location.selectors:
            if isinstance(selector, Member):
                names.append(selector.name)
                self._reject_bad_name((*context, *names), selector)
            elif isinstance(selector, Where):
                if not names and (context or legs):
                    raise unsupported("a filter on something other than a list of this name", selector.position)
                context = (*context, *names)
                self._reject_filter_on_scalar(context, selector)
                legs.append(Leg(tuple(names), self.condition(selector.expression, context)))
                names = []
            else:
                raise unsupported("an index" if isinstance(selector, Index) else "a wildcard", selector.position)
        if names:
            legs.append(Leg(tuple(names), None))
        if not legs:
            raise UnsupportedExpression("the expression names nothing")
        return tuple(legs)

    def _reject_bad_name(self, path: Path, member: Member) -> None:
        if not _is_storable(member.name) or member.name.startswith("$") or len(path) > MOST_STEPS:
            raise unsupported(f"the name {shown(member.name)}", member.position)
        reject_members_of_scalars(path, self.filters.attributes)
        if not member.enclosed:
            reject_misspelt_attribute(path, self.filters.attributes)
        if self.filters.strict and self.filters.attributes.at(path) is None:
            raise UnsupportedExpression(f"{shown(dotted(path))} is not an attribute of this resource")

    def _reject_filter_on_scalar(self, path: Path, where: Where) -> None:
        attribute = self.filters.attributes.at(path) if path else None
        if attribute and not attribute.through_list and attribute.type != "any":
            raise unsupported(f"a filter on {shown(path[-1])}, which is not a list,", where.position)

    def condition(self, expression: Expression, context: Path) -> Condition:
        """The condition of a filter on one element of the list at `context`."""
        match expression:
            case AllOf(parts):
                return all_of([self.condition(part, context) for part in parts])
            case AnyOf(parts):
                return any_of([self.condition(part, context) for part in parts])
            case Negation(inner):
                return Not(self.condition(inner, context))
            case Test(location):
                self.filters.bounds.count("filter")
                return condition_of(self.legs(self._relative(location), context))
            case _:
                return self.comparison(expression, context)

    def _relative(self, location: Location) -> Location:
        if location.absolute:
            raise unsupported("'$' in a filter, where @ is the element,", location.position)
        return location

    def comparison(self, comparison: Comparison, context: Path) -> Condition:
        left, operator, right = comparison.left, comparison.operator, comparison.right
        if isinstance(right, Location) and not isinstance(left, Location) and operator in _MIRRORED:
            left, operator, right = right, _MIRRORED[operator], left
        if not isinstance(left, Location):
            raise unsupported("a comparison without a member of the element, such as @.id,", comparison.position)
        (leg, *others) = self.legs(self._relative(left), context)
        if others or leg.filter:
            raise unsupported("a comparison behind a filter", comparison.position)
        self.filters.bounds.count("filter")
        try:
            return self._compare(leg.path, (*context, *leg.path), operator, right)
        except (CoercionError, UnsupportedPattern) as error:
            raise UnsupportedExpression(f"{shown_label(dotted((*context, *leg.path)))}: {error}") from None

    def _compare(self, path: Path, full: Path, operator: str, operand: Operand) -> Condition:
        attribute = self.filters.attributes.at(full)
        if operator == "=~":
            if not isinstance(operand, PatternLiteral | TextLiteral):
                raise CoercionError("=~ needs a regular expression between slashes")
            return matching(path, attribute, _storable(operand.value))
        value = _typed(operand)
        if operator in {"==", "!="}:
            equal = self.filters.equality(path, attribute, [value])
            return equal if operator == "==" else Not(equal)
        return compare(path, attribute, _OPERATORS[operator], value)


def _typed(operand: Literal | Location) -> TypedText:
    """The value of a literal, with the type it is written in, unless the contract gives the attribute another."""
    match operand:
        case TextLiteral(text):
            return TypedText(_storable(text), ("text",))
        case NumberLiteral(text):
            return TypedText(text, ("number",))
        case BooleanLiteral(value):
            return TypedText("true" if value else "false", ("boolean",))
    hint = " (null: a member that is missing is !@.member)" if isinstance(operand, NullLiteral) else ""
    raise CoercionError(f"it is compared with something other than a text, a number, true or false{hint}")


def _storable(text: str) -> str:
    if not _is_storable(text):
        raise CoercionError(f"{shown(text)} has a character that no text has")
    return text


def _is_storable(text: str) -> bool:
    r"""Whether the text has no NUL and no lone surrogate (from an escape such as \ud800), as stored text never has."""
    return not any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text)
