"""Defines the nodes of a parsed JSONPath expression. Positions count from 0 in the client's text."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Member:
    """`.name` or `['name']`; `enclosed` is the second form."""

    name: str
    position: int
    enclosed: bool = False


@dataclass(frozen=True, slots=True)
class Index:
    """`[3]`, or `[-1]` from the end."""

    index: int
    position: int


@dataclass(frozen=True, slots=True)
class Wildcard:
    """`[*]` or `.*`."""

    position: int


@dataclass(frozen=True, slots=True)
class Where:
    """`[?...]`: the elements that satisfy the expression."""

    expression: Expression
    position: int


@dataclass(frozen=True, slots=True)
class Location:
    """`$` (absolute) or `@` with the selectors after it."""

    selectors: tuple[Selector, ...]
    position: int
    absolute: bool = False


@dataclass(frozen=True, slots=True)
class TextLiteral:
    value: str


@dataclass(frozen=True, slots=True)
class NumberLiteral:
    """A number as it was written, so that an identifier made of digits keeps its exact text."""

    value: str


@dataclass(frozen=True, slots=True)
class BooleanLiteral:
    value: bool


@dataclass(frozen=True, slots=True)
class NullLiteral:
    pass


@dataclass(frozen=True, slots=True)
class PatternLiteral:
    """A regular expression between slashes, not compiled."""

    value: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """`operator` is ==, !=, <, <=, >, >= or =~."""

    left: Operand
    operator: str
    right: Operand
    position: int


@dataclass(frozen=True, slots=True)
class Test:
    """An existence test."""

    location: Location


@dataclass(frozen=True, slots=True)
class Negation:
    inner: Expression


@dataclass(frozen=True, slots=True)
class AllOf:
    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: tuple[Expression, ...]


Selector = Member | Index | Wildcard | Where
Literal = TextLiteral | NumberLiteral | BooleanLiteral | NullLiteral | PatternLiteral
Operand = Location | Literal
Expression = AllOf | AnyOf | Negation | Test | Comparison
