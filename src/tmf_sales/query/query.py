"""Parses a raw query string: filters, sorting, paging, field selection and page links (TMF630 part 1).

Independent of the store. Every string gives either a request or a 400 that names the parameter. Requests are immutable,
so equal strings share one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from tmf_sales.contract.attributes import Attributes
from tmf_sales.errors import InvalidFilter, InvalidParameter
from tmf_sales.query.expansion import Expansion, read_expansion
from tmf_sales.query.fields import OF_A_RESOURCE, OF_AN_EVENT, FieldSelection, read_fields
from tmf_sales.query.filters import Criterion, Filters
from tmf_sales.query.jsonpath import condition_of, read_expression
from tmf_sales.query.names import NameProblem, reject_misspelt_parameter
from tmf_sales.query.paging import LARGEST_OFFSET, Paging, in_url, page_links, read_number, read_sort
from tmf_sales.query.query_string import Part, read_parts
from tmf_sales.query.values import all_of, any_of
from tmf_sales.storage.conditions import Condition, Path, Query
from tmf_sales.storage.evaluate import Predicate, predicate
from tmf_sales.storage.records import Document
from tmf_sales.values.messages import shown

DEFAULT_PAGING = Paging()
CACHED_LENGTH = 512
_CACHED_QUERIES = 256  # a client that pages or refreshes sends the same ones; each takes 1 KB and more


@dataclass(frozen=True, slots=True, eq=False)
class ListRequest:
    """The parsed query string of a list operation. `paged`: limit or offset was given, so a partial list is a 206.

    Equal only to itself, so that it is a cheap key; equal strings share one. `raw` is the query string as received,
    `others` the same without offset and limit.
    """

    raw: str
    others: str
    query: Query
    criteria: tuple[Criterion, ...]
    selection: FieldSelection | None
    expansion: Expansion | None
    paged: bool

    def equality_on(self, path: Path) -> tuple[str, ...] | None:
        """The distinct values, as text, of the top-level equality on this attribute; None without such a filter."""
        return next((criterion.operands for criterion in self.criteria if criterion.path == path), None)

    @property
    def single_id(self) -> str | None:
        """The value of the top-level equality on `id`, when it has exactly one."""
        operands = self.equality_on(("id",))
        return operands[0] if operands and len(operands) == 1 else None

    def where_without(self, *paths: Path) -> Condition:
        """The condition without its top-level equalities on these attributes."""
        return all_of([criterion.condition for criterion in self.criteria if criterion.path not in paths])

    def links(self, returned: int, total: int, *, exact: bool, is_cut: bool = False) -> Iterator[tuple[str, str]]:
        """The relation and query string of each link of this page of `returned` out of `total` (RFC 8288)."""
        yield "self", in_url(self.raw)
        query, others = self.query, in_url(self.others)
        yield from page_links(others, query.offset, query.limit, returned, total, exact=exact, is_cut=is_cut)


@dataclass(frozen=True, slots=True)
class View:
    """How to show one resource: trims the lists at these paths to matching elements, expands, then selects fields."""

    selection: FieldSelection | None = None
    trims: tuple[tuple[Path, Condition], ...] = ()
    expansion: Expansion | None = None

    def apply(self, document: Document) -> Document:
        """The document as requested, not expanded; does not change the given one."""
        return self.select(self.trim(document))

    def trim(self, document: Document) -> Document:
        """The document with only matching elements in the trimmed lists."""
        for path, condition in self.trims:
            document = _trimmed(document, path, predicate(condition))
        return document

    def select(self, document: Document) -> Document:
        """The requested fields of a document."""
        return self.selection.select(document) if self.selection else document


WHOLE = View()


class EventQuery(NamedTuple):
    """A subscription's query: which events to send, and which of their fields."""

    condition: Condition
    selection: FieldSelection | None


def parse_query(raw: str, attributes: Attributes, *, strict: bool, paging: Paging = DEFAULT_PAGING) -> ListRequest:
    """Read the query string of a list operation. `raw` is not decoded: each character is one byte (latin-1).

    Raises InvalidFilter and InvalidParameter. Equal short strings share one result.
    """
    parse = _parse_query_once if len(raw) <= CACHED_LENGTH else _parse_query
    return parse(raw, attributes, strict, paging)


def _parse_query(
    raw: str, attributes: Attributes, strict: bool, paging: Paging, always: Sequence[str] = OF_A_RESOURCE
) -> ListRequest:
    parts = read_parts(raw)
    filters = Filters(attributes, strict)
    criteria = (*filters.criteria(parts), *_expressions(parts, filters))
    selection = read_fields(_values(parts, "fields"), attributes, strict=strict, always=always)
    expansion = read_expansion(_values(parts, "expand"), _values(parts, "depth"), attributes)
    limit = read_number("limit", _values(parts, "limit"), paging.largest_limit)
    offset = read_number("offset", _values(parts, "offset"), LARGEST_OFFSET)
    query = Query(
        where=all_of([criterion.condition for criterion in criteria]),
        sort=read_sort(_values(parts, "sort"), attributes, strict=strict),
        offset=offset or 0,
        limit=paging.default_limit if limit is None else limit,
        count_limit=paging.count_limit,
        size_limit=paging.size_limit,
        fields=selection.top_level if selection else None,
    )
    others = "&".join(part.raw for part in parts if not (part.parameter and part.parameter.name in {"offset", "limit"}))
    paged = limit is not None or offset is not None
    return ListRequest(raw, others, query, criteria, selection, expansion, paged)


def parse_retrieve(raw: str, attributes: Attributes, *, strict: bool) -> View:
    """Read the query string of an operation on one resource.

    It has `fields`, `expand` and `depth`, and `filter` expressions that trim the lists of the resource.

    Raises InvalidFilter, and InvalidParameter for any other parameter.
    """
    parse = _parse_retrieve_once if len(raw) <= CACHED_LENGTH else _parse_retrieve
    return parse(raw, attributes, strict)


def _parse_retrieve(raw: str, attributes: Attributes, strict: bool) -> View:
    parts = read_parts(raw)
    _reject_misspelt(parts)
    _reject_all_but(parts, ("fields", "filter", "expand", "depth"))
    selection = read_fields(_values(parts, "fields"), attributes, strict=strict)
    expansion = read_expansion(_values(parts, "expand"), _values(parts, "depth"), attributes)
    return View(selection, _trims(_values(parts, "filter"), Filters(attributes, strict)), expansion)


def parse_event_query(raw: str, attributes: Attributes, *, strict: bool = False) -> EventQuery:
    """Read a subscription's query: filters and `fields` on the event document. `raw` is text, not bytes.

    Raises InvalidFilter and InvalidParameter.
    """
    try:
        parts = read_parts(raw.removeprefix("?").encode().decode("latin-1"))
    except UnicodeEncodeError:
        raise InvalidFilter(f"{shown(raw)} has a character that no text has") from None
    _reject_misspelt(parts)
    filters = Filters(attributes, strict)
    criteria = (*filters.criteria(parts), *_expressions(parts, filters))
    _reject_expansion(parts)
    for name in ("limit", "offset", "sort"):
        if _values(parts, name):
            raise InvalidParameter(f"{name}: events have no pages and no order")
    selection = read_fields(_values(parts, "fields"), attributes, strict=strict, always=OF_AN_EVENT)
    return EventQuery(all_of([criterion.condition for criterion in criteria]), selection)


def parse_event_list(raw: str, attributes: Attributes, paging: Paging = DEFAULT_PAGING) -> ListRequest:
    """Read the query string of a list of events, like `parse_query`; rejects attributes that no event can have.

    Raises InvalidFilter and InvalidParameter.
    """
    parts = read_parts(raw)
    _reject_misspelt(parts)
    _reject_expansion(parts)
    return _parse_query(raw, attributes, strict=True, paging=paging, always=OF_AN_EVENT)


_parse_query_once = lru_cache(maxsize=_CACHED_QUERIES)(_parse_query)
_parse_retrieve_once = lru_cache(maxsize=_CACHED_QUERIES)(_parse_retrieve)


def _reject_expansion(parts: Iterable[Part]) -> None:
    for name in ("depth", "expand"):
        if _values(parts, name):
            raise InvalidParameter(f"{name}: references in events are not expanded")


def _values(parts: Iterable[Part], name: str) -> list[str]:
    return [part.parameter.value for part in parts if part.parameter and part.parameter.name == name]


def _reject_all_but(parts: Iterable[Part], names: tuple[str, ...]) -> None:
    for part in parts:
        name = part.parameter.name if part.parameter else part.terms[0].name
        if name not in names:
            raise InvalidParameter(f"{shown(name)} is not a parameter here, where there is only {', '.join(names)}")


def _reject_misspelt(parts: Iterable[Part]) -> None:
    """Reject misspelt parameters; of the names that this operation does not know, only these get a suggestion."""
    for part in parts:
        if part.parameter is None and not part.terms[0].exact:
            try:
                reject_misspelt_parameter(part.terms[0].name, words=False)
            except NameProblem as problem:
                raise InvalidParameter(f"{shown(part.terms[0].name)}: {problem}") from None


def _expressions(parts: Iterable[Part], filters: Filters) -> tuple[Criterion, ...]:
    """All `filter` parameters as one condition: one of them must match."""
    conditions = [condition_of(read_expression(text, filters)) for text in _values(parts, "filter")]
    return (Criterion(any_of(conditions)),) if conditions else ()


def _trims(expressions: Iterable[str], filters: Filters) -> tuple[tuple[Path, Condition], ...]:
    """The lists that `filter` expressions trim, outer ones first, with the condition on their elements."""
    trims: dict[Path, list[Condition]] = {}
    for text in expressions:
        path: Path = ()
        for leg in read_expression(text, filters):
            path = (*path, *leg.path)
            if leg.filter is None or not path:
                raise InvalidFilter(f"filter: {shown(text)} does not end at a list with a filter, as member[?(...)]")
            trims.setdefault(path, []).append(leg.filter)
    return tuple((path, any_of(trims[path])) for path in sorted(trims, key=len))


def _trimmed(value: Any, path: Path, is_wanted: Predicate) -> Any:
    """A copy of the value whose list at the path contains only matching elements."""
    if isinstance(value, list):
        return [_trimmed(element, path, is_wanted) for element in value]
    if not isinstance(value, dict) or path[0] not in value:
        return value
    inner = value[path[0]]
    if len(path) > 1:
        inner = _trimmed(inner, path[1:], is_wanted)
    elif isinstance(inner, list):
        inner = list(filter(is_wanted, inner))
    return {**value, path[0]: inner}
