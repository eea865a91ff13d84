"""The closed condition tree by which the service queries a store; every adapter compiles all of it, or interprets it.

It holds no database's query language, and text from a client only as values and as names of members. How a path meets
a document: each step goes into an object's member; where there is a list, into each of its elements (one level, as
MongoDB does). A condition holds when some value reached satisfies it. A list at the path's end offers its elements.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from enum import StrEnum

Scalar = str | int | float | bool
Path = tuple[str, ...]


class Operator(StrEnum):
    """How a stored value is compared with the operand. Values of different JSON types never satisfy any of them.

    Texts compare by code point; numbers by value (1 equals 1.0); booleans only by `eq`.
    """

    EQ = "eq"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    PREFIX = "prefix"


@dataclass(frozen=True, slots=True)
class Compare:
    """Some value at `path` is `operator` the operand. `prefix` takes text: the value starts with it."""

    path: Path
    operator: Operator
    value: Scalar


@dataclass(frozen=True, slots=True)
class Regex:
    """Some text at `path` contains a match. `pattern` is of the closed subset, already checked, in RE2's syntax."""

    path: Path
    pattern: str


@dataclass(frozen=True, slots=True)
class Between:
    """Some value at `path`, one and the same, is at least `low` and at most `high`: two numbers, or two texts."""

    path: Path
    low: Scalar
    high: Scalar


class TextOperator(StrEnum):
    """What a stored text has to do with the operand."""

    EQ = "eq"
    CONTAINS = "contains"
    STARTS_WITH = "startswith"
    ENDS_WITH = "endswith"


@dataclass(frozen=True, slots=True)
class Text:
    """Some text at `path` is `operator` the operand; `ignore_case` compares by Unicode's simple case folding."""

    path: Path
    operator: TextOperator
    value: str
    ignore_case: bool = False


@dataclass(frozen=True, slots=True)
class Exists:
    """The member at `path` is there on some way to it; null and an empty list count as there."""

    path: Path


@dataclass(frozen=True, slots=True)
class HasValue:
    """The member at `path` is there and not null on some way to it; an empty list counts as a value."""

    path: Path


@dataclass(frozen=True, slots=True)
class Element:
    """Some element of a list at `path` satisfies `condition` as a whole; paths in it start at the element.

    Only elements with members count, so objects, and lists (which have none of the members that are asked for).
    """

    path: Path
    condition: Condition


@dataclass(frozen=True, slots=True)
class And:
    """All hold; none to hold is true."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """One holds; none to hold is false."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The condition does not hold; so a missing value satisfies the negation of any comparison."""

    condition: Condition


@functools.lru_cache(maxsize=4096)
def is_plain(path: Path) -> bool:
    """Whether `path` can be written as MongoDB's dotted name.

    MongoDB would take a step that is empty, a number, begins with `$`, or has a dot or NUL in it for something else
    than a member's name.
    """
    return bool(path) and not any(
        not step or step.startswith("$") or "." in step or "\0" in step or step.isdecimal() for step in path
    )


Condition = Compare | Between | Text | Regex | Exists | HasValue | Element | And | Or | Not

EVERYTHING = And(())


@dataclass(frozen=True, slots=True)
class Sort:
    """Order by the single scalar at `path` (it passes through no list); missing values last in both directions.

    `always_present` says that every stored document has the member, so a store need not care for missing ones.
    """

    path: Path
    descending: bool = False
    always_present: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """What to find: matches of `where`, ordered by `sort` then by id, `limit` of them after `offset`.

    `count_limit`: count matches exactly up to this many, 0 means without bound.
    `fields`: top-level member names that the answer needs, or None for all; a store may use it to read less.
    """

    where: Condition = EVERYTHING
    sort: tuple[Sort, ...] = ()
    offset: int = 0
    limit: int = 100
    count_limit: int = 0
    fields: frozenset[str] | None = field(default=None)

    def is_last_page(self, found: int) -> bool:
        """Whether a page of `found` resources shows where the matches end, so that they need not be counted."""
        return found < self.limit and (found > 0 or self.offset == 0)
