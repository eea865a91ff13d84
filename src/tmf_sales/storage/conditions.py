"""The condition tree that queries a store. Its node types are fixed: every adapter compiles or evaluates all of them.

It contains no database's query language; text from a client occurs only as values and as member names. Each step of a
path goes into an object's member; at a list, into each of its elements (one level, as in MongoDB). A condition holds
when any value that the path reaches satisfies it. A list at the end of the path contributes its elements.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from enum import StrEnum

Scalar = str | int | float | bool
Path = tuple[str, ...]


class Operator(StrEnum):
    """How a stored value is compared with the given one. Values of different JSON types satisfy none of these.

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
    """Some value at `path` compares to `value` by `operator`. `prefix` takes text: the stored value starts with it."""

    path: Path
    operator: Operator
    value: Scalar


@dataclass(frozen=True, slots=True)
class Regex:
    """Some text at `path` contains a match. `pattern` is in RE2's syntax, already checked to be in the subset."""

    path: Path
    pattern: str


@dataclass(frozen=True, slots=True)
class Between:
    """A single value at `path` is at least `low` and at most `high`: two numbers, or two texts."""

    path: Path
    low: Scalar
    high: Scalar


class TextOperator(StrEnum):
    """How a stored text is compared with the given one."""

    EQ = "eq"
    CONTAINS = "contains"
    STARTS_WITH = "startswith"
    ENDS_WITH = "endswith"


@dataclass(frozen=True, slots=True)
class Text:
    """Some text at `path` compares to `value` by `operator`; `ignore_case` uses Unicode's simple case folding."""

    path: Path
    operator: TextOperator
    value: str
    ignore_case: bool = False


@dataclass(frozen=True, slots=True)
class Exists:
    """The member at `path` exists in at least one place; null and an empty list count as existing."""

    path: Path


@dataclass(frozen=True, slots=True)
class HasValue:
    """The member at `path` exists and is not null in at least one place; an empty list counts as a value."""

    path: Path


@dataclass(frozen=True, slots=True)
class Element:
    """Some element of a list at `path` satisfies `condition` as a whole; paths in it start at the element.

    Only objects and lists count as elements; a list has none of the members that `condition` names.
    """

    path: Path
    condition: Condition


@dataclass(frozen=True, slots=True)
class And:
    """All conditions hold; true when there are none."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one condition holds; false when there are none."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The condition does not hold. A missing value therefore satisfies the negation of any comparison."""

    condition: Condition


@functools.lru_cache(maxsize=4096)
def is_plain(path: Path) -> bool:
    """Return whether `path` can be written as MongoDB's dotted name.

    MongoDB does not read a step as a member name when it is empty, a number, begins with `$`, or contains a dot or NUL.
    """
    return bool(path) and not any(
        not step or step.startswith("$") or "." in step or "\0" in step or step.isdecimal() for step in path
    )


Condition = Compare | Between | Text | Regex | Exists | HasValue | Element | And | Or | Not

EVERYTHING = And(())


@dataclass(frozen=True, slots=True)
class Sort:
    """Order by the single scalar at `path` (it passes through no list); missing values last in both directions.

    `always_present`: every stored document has the member, so a store need not handle missing values.
    """

    path: Path
    descending: bool = False
    always_present: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """What to find: matches of `where`, ordered by `sort` then by id, `limit` of them after `offset`.

    `count_limit`: count matches exactly up to this many, 0 means without bound.
    `size_limit`: end the page before its documents exceed so many bytes, 0 means without bound.
    `fields`: top-level member names that the answer needs, or None for all; a store may use it to read less.
    """

    where: Condition = EVERYTHING
    sort: tuple[Sort, ...] = ()
    offset: int = 0
    limit: int = 100
    count_limit: int = 0
    size_limit: int = 0
    fields: frozenset[str] | None = field(default=None)

    def is_last_page(self, found: int) -> bool:
        """Return whether a page of `found` resources shows where the matches end, so that no count is needed."""
        return found < self.limit and (found > 0 or self.offset == 0)
