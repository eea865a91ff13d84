"""The query language of TMF630 part 1: a raw query string becomes what to find, what to show of it, and the links.

Promise: pure and closed. It knows no store; whatever the string, the outcome is a request or a 400 that names the
parameter. What it makes never changes, so that equal strings share one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from tmf_sales.errors import InvalidParameter
from tmf_sales.errors import quoted as shown
from tmf_sales.storage import Document
from tmf_sales.storage.criteria import Condition, Path, Query, Sort
from tmf_sales.tmf630.attributes import Attributes, path_of
from tmf_sales.tmf630.filters import Criterion, Filters, all_of
from tmf_sales.tmf630.pairs import Part, read_parts
from tmf_sales.tmf630.selection import Selection, read_fields

LARGEST_OFFSET = 2**53 - 1
MOST_SORT_KEYS = 8
_DIGITS = re.compile(r"[0-9]{1,16}")
_CACHED_LENGTH = 512


@dataclass(frozen=True, slots=True)
class Paging:
    """The page sizes that an operation offers. `count_limit`: matches are counted exactly up to it; 0 is no bound."""

    default_limit: int = 100
    largest_limit: int = 1000
    count_limit: int = 0


DEFAULT_PAGING = Paging()


@dataclass(frozen=True, slots=True)
class ListRequest:
    """What a list operation was asked for. `paged`: limit or offset was given, so a part of the whole is a 206."""

    raw: str
    query: Query
    criteria: tuple[Criterion, ...]
    selection: Selection | None
    paged: bool

    def equality_on(self, path: Path) -> tuple[str, ...] | None:
        """The different operands of the top-level equality on this attribute, as text; None when there is none."""
        return next((criterion.operands for criterion in self.criteria if criterion.path == path), None)

    @property
    def single_id(self) -> str | None:
        """The operand of the only top-level equality on `id`, when it has just one."""
        operands = self.equality_on(("id",))
        return operands[0] if operands and len(operands) == 1 else None

    def where_without(self, *paths: Path) -> Condition:
        """The condition without its top-level equalities on these attributes."""
        return all_of([criterion.condition for criterion in self.criteria if criterion.path not in paths])


def parse_query(raw: str, attributes: Attributes, *, strict: bool, paging: Paging = DEFAULT_PAGING) -> ListRequest:
    """Read the query string of a list operation; `raw` is not decoded, its characters are its bytes (latin-1).

    Raises InvalidFilter and InvalidParameter. Equal short strings share one result.
    """
    parse = _parse_query_once if len(raw) <= _CACHED_LENGTH else _parse_query
    return parse(raw, attributes, strict, paging)


def _parse_query(raw: str, attributes: Attributes, strict: bool, paging: Paging) -> ListRequest:
    parts = read_parts(raw)
    criteria = Filters(attributes, strict).criteria(parts)
    selection = read_fields(_values(parts, "fields"), attributes, strict=strict)
    limit = _read_number(parts, "limit", paging.largest_limit)
    offset = _read_number(parts, "offset", LARGEST_OFFSET)
    query = Query(
        where=all_of([criterion.condition for criterion in criteria]),
        sort=_read_sort(_values(parts, "sort"), attributes),
        offset=offset or 0,
        limit=min(paging.default_limit, paging.largest_limit) if limit is None else limit,
        count_limit=paging.count_limit,
        fields=selection.top_level if selection else None,
    )
    return ListRequest(raw, query, criteria, selection, paged=limit is not None or offset is not None)


_parse_query_once = lru_cache(maxsize=1024)(_parse_query)


def _values(parts: Iterable[Part], name: str) -> list[str]:
    return [part.parameter.value for part in parts if part.parameter and part.parameter.name == name]


def _read_number(parts: Iterable[Part], name: str, largest: int) -> int | None:
    values = _values(parts, name)
    if not values:
        return None
    if len(values) > 1:
        raise InvalidParameter(f"{name}: is given more than once")
    if not _DIGITS.fullmatch(values[0]) or int(values[0]) > largest:
        raise InvalidParameter(f"{name}: {shown(values[0])} is not an integer from 0 to {largest}")
    return int(values[0])


def _read_sort(values: Iterable[str], attributes: Attributes) -> tuple[Sort, ...]:
    """The sort keys of all `sort` parameters together, the first one first."""
    names = [name.strip() for value in values for name in value.split(",")]
    keys = [_sort_key(name, attributes) for name in names if name]
    if len(keys) > MOST_SORT_KEYS:
        raise InvalidParameter(f"sort: more than {MOST_SORT_KEYS} names")
    return tuple({key.path: key for key in reversed(keys)}.values())[::-1]


def _sort_key(name: str, attributes: Attributes) -> Sort:
    # An encoded `+` arrives as a blank, which strip has taken away.
    path = path_of(name.lstrip("+-") if name[:2] not in {"--", "++", "+-", "-+"} else "")
    attribute = attributes.at(path) if path else None
    if path is None or attribute is None:
        raise InvalidParameter(f"sort: {shown(name)} is not an attribute of this resource")
    if attribute.through_list or attribute.type in {"object", "any"}:
        raise InvalidParameter(f"sort: {shown(name)} has no order, as it is not a single value")
    return Sort(path, descending=name.startswith("-"), always_present=attribute.always_present)


@dataclass(frozen=True, slots=True)
class View:
    """How one resource is to be shown."""

    selection: Selection | None

    def apply(self, document: Document) -> Document:
        """The document as it was asked for; the one given is left as it is."""
        return self.selection.select(document) if self.selection else document


def parse_retrieve(raw: str, attributes: Attributes, *, strict: bool) -> View:
    """Read the query string of an operation on one resource."""
    return View(read_fields(_values(read_parts(raw), "fields"), attributes, strict=strict))
