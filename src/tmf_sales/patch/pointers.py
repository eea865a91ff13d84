"""Parses and resolves the paths of JSON Patch: JSON pointers (RFC 6901) and the two forms of JSON Patch Query (TMF630).

`/item/quantity?id=2` names members without indexes, goes through lists, and selects the elements that satisfy the
conditions. `item[?(@.id=='2')].quantity` is a subset of JSONPath (RFC 9535, see jsonpath.py): members, indexes, `[*]`
and conditions. `Work` limits the cost of a lookup.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from tmf_sales.errors import BodyTooLarge
from tmf_sales.values.json_numbers import is_exact
from tmf_sales.values.messages import json_pointer

MAX_WORK = 300_000
Location = tuple[str | int, ...]
MISSING: Any = object()
_INDEX = re.compile(r"0|[1-9][0-9]{0,14}")
_ENCODED = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_QUERY = re.compile(r"([^?]*)\?([^=?]+=.*)", re.DOTALL)


class MalformedPath(ValueError):
    """Raised for text that is not a path; the message says why."""


class NoSuchPlace(ValueError):
    """Raised when a path matches nothing; for a plain pointer the message names the first missing place."""


class Work:
    """Counts the values that the queries of one patch visit; raises BodyTooLarge beyond the limit."""

    def __init__(self) -> None:
        self.left = MAX_WORK

    def spend(self, steps: int = 1) -> None:
        self.left -= steps
        if self.left < 0:
            raise BodyTooLarge(f"the queries of the patch look at more than {MAX_WORK} values; send it in parts")


class Path(Protocol):
    """A parsed path."""

    def places(self, document: Any, work: Work, creating: bool) -> list[Location]:
        """The matching places in document order; with `creating` also those where only the last step is missing.

        A query may match none; a plain pointer matches one or raises NoSuchPlace.
        """

    def enters(self, source: Location, document: Any, work: Work) -> bool:
        """Whether the path goes inside the value at `source`, whether that place exists or not (RFC 6902, 4.4)."""


def query_enters(query: Path, beginnings: Iterator[Path], source: Location, document: Any, work: Work) -> bool:
    """Whether a query goes to a place inside the value at `source`.

    `beginnings`: the prefixes of the query, which decide when the whole query matches nothing.
    """
    if places := query.places(document, work, creating=True):
        return any(place != source and place[: len(source)] == source for place in places)
    return any(
        place[: len(source)] == source
        for beginning in beginnings
        for place in beginning.places(document, work, creating=False)
    )


def parse_pointer(text: str) -> Path:
    """Parse a pointer, plain or with a query. Raises MalformedPath.

    A `?` begins a query when `name=` follows it; use JSONPath for a member whose own name contains that.
    """
    query = _QUERY.fullmatch(text) if "?" in text else None
    return _parse_query(query[1], query[2]) if query else Pointer(_tokens(text))


def _tokens(pointer: str) -> tuple[str, ...]:
    if "~" not in pointer:
        return tuple(pointer.split("/")[1:])
    if re.search(r"~(?![01])", pointer):
        raise MalformedPath("expected ~0 or ~1 after ~ (RFC 6901, 3)")
    return tuple(token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:])


def written_pointer(location: Location) -> str:
    """The location as a JSON pointer."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in location)


def value_at(document: Any, location: Location) -> Any:
    """The value at an existing location."""
    for step in location:
        document = document[step]
    return document


class Pointer(NamedTuple):
    """A plain JSON pointer (RFC 6901): exactly one place."""

    tokens: tuple[str, ...]

    def is_prefix_of(self, other: Pointer) -> bool:
        """Whether the other pointer goes to a place below this one."""
        return len(self.tokens) < len(other.tokens) and other.tokens[: len(self.tokens)] == self.tokens

    def enters(self, source: Location, document: Any, work: Work) -> bool:
        return Pointer(tuple(map(str, source))).is_prefix_of(self)

    def places(self, document: Any, work: Work, creating: bool) -> list[Location]:
        location: Location = ()
        for number, token in enumerate(self.tokens, start=1):
            step = _step(document, token, may_be_new=creating and number == len(self.tokens))
            if step is None:
                raise NoSuchPlace(f"nothing is at {json_pointer((*location, token))}")
            location = (*location, step)
            if number < len(self.tokens):
                document = document[step]
        return [location]


def _step(node: Any, token: str, may_be_new: bool) -> str | int | None:
    """The member name or the index that a token means at a node, or None."""
    if isinstance(node, dict):
        return token if may_be_new or token in node else None
    if not isinstance(node, list):
        return None
    if token == "-":  # noqa: S105 - the end of a list
        return "-" if may_be_new else None
    if not _INDEX.fullmatch(token):
        return None
    index = int(token)
    return index if index < len(node) + may_be_new else None


def _is_list_step(token: str) -> bool:
    return token == "-" or _INDEX.fullmatch(token) is not None  # noqa: S105 - the end of a list


def _member(node: Any, step: str | int) -> Any:
    """The value at a step of an object or a list, or MISSING."""
    if isinstance(node, dict):
        return node.get(step, MISSING)
    return node[step] if isinstance(step, int) and step < len(node) else MISSING


@dataclass(frozen=True, slots=True)
class Condition:
    """Holds when some value at `path`, also inside lists, equals `text`."""

    path: tuple[str, ...]
    text: str

    def holds(self, node: Any, work: Work) -> bool:
        return any(_reads_as(value, self.text) for value in reached(node, self.path, work))


def reached(node: Any, path: tuple[str, ...], work: Work) -> Iterator[Any]:
    """The values at a path; a list on the path is searched element by element."""
    work.spend()
    if isinstance(node, list):
        for element in node:
            yield from reached(element, path, work)
    elif not path:
        yield node
    elif isinstance(node, dict) and path[0] in node:
        yield from reached(node[path[0]], path[1:], work)


def _reads_as(value: Any, text: str) -> bool:
    """Whether a scalar equals the text of a query, which has no types."""
    if isinstance(value, str):
        return value == text
    if value is None or isinstance(value, bool):
        return text == {None: "null", True: "true", False: "false"}[value]
    try:
        return bool(value == float(text)) and is_exact(text)
    except ValueError:
        return False


def _parse_query(pointer: str, query: str) -> PointerQuery:
    tokens = _tokens(pointer)
    claimed: dict[int, list[Condition]] = {}
    free = []
    for part in query.split("&"):
        name, equals, text = part.partition("=")
        path = tuple(_decoded(name).split("."))
        if not equals or not all(path):
            raise MalformedPath("expected name=value conditions, joined by &, after ?")
        position, own = _claim(path, tokens)
        condition = Condition(own, _decoded(text))
        if position is None:
            free.append(condition)
        else:
            claimed.setdefault(position, []).append(condition)
    return PointerQuery(tokens, {at: tuple(conditions) for at, conditions in claimed.items()}, tuple(free))


def _decoded(text: str) -> str:
    """Percent-decode (RFC 3986, 2.1), so that a value may contain & or =; a % that begins no code stays."""
    return _ENCODED.sub(lambda found: bytes.fromhex(found[0].replace("%", "")).decode("utf-8", "replace"), text)


def _claim(path: tuple[str, ...], tokens: tuple[str, ...]) -> tuple[int | None, tuple[str, ...]]:
    """The token to whose value a condition applies, and its path from there: `party.role` applies to `/party`, and
    `item.party.role` to `/item/party`. A condition that repeats no name (None) applies to the innermost list.
    """
    names = [(at, token) for at, token in enumerate(tokens) if not _is_list_step(token)]
    for count in range(min(len(names), len(path) - 1), 0, -1):
        if path[:count] == tuple(name for _, name in names[:count]):
            return names[count - 1][0], path[count:]
    for at, name in names:
        if len(path) > 1 and path[0] == name:
            return at, path[1:]
    return None, path


@dataclass(frozen=True, slots=True)
class PointerQuery:
    """A pointer with conditions that goes through lists without indexes: `/item/quantity?id=2`.

    `claimed`: conditions by the number of the token whose value (or, for a list, whose elements) must satisfy them.
    `free`: conditions on the element of the innermost list, or on the whole document when there is no list.
    """

    tokens: tuple[str, ...]
    claimed: Mapping[int, tuple[Condition, ...]]
    free: tuple[Condition, ...]

    def places(self, document: Any, work: Work, creating: bool) -> list[Location]:
        return list(_Search(self, work, creating).at(document, 0, (), document))

    def enters(self, source: Location, document: Any, work: Work) -> bool:
        return query_enters(self, self._beginnings(), source, document, work)

    def _beginnings(self) -> Iterator[Path]:
        for count in range(len(self.tokens)):
            claimed = {at: conditions for at, conditions in self.claimed.items() if at < count}
            yield PointerQuery(self.tokens[:count], claimed, self.free)

    def goes_through_list(self, depth: int) -> bool:
        """Whether to search the elements of a list at this depth; at the end of the path only to check conditions."""
        if depth == len(self.tokens):
            return bool(self.free) or depth - 1 in self.claimed
        return not _is_list_step(self.tokens[depth])


@dataclass(frozen=True, slots=True)
class _Search:
    """One lookup of a query. Each method yields the matching places at or below `node`, which is `depth` tokens deep.

    `innermost`: the element of the innermost list on the path, or the document.
    """

    query: PointerQuery
    work: Work
    creating: bool

    def at(self, node: Any, depth: int, location: Location, innermost: Any) -> Iterator[Location]:
        self.work.spend()
        if isinstance(node, list):
            yield from self._in_list(node, depth, location)
        elif self._meets_claims(node, depth):
            yield from self._in_value(node, depth, location, innermost)

    def _in_list(self, elements: list[Any], depth: int, location: Location) -> Iterator[Location]:
        if self.query.goes_through_list(depth):
            for number, element in enumerate(elements):
                yield from self.at(element, depth, (*location, number), element)
        elif depth == len(self.query.tokens):
            yield location
        elif (step := self._step(elements, depth)) is not None:
            inner = _member(elements, step)
            if self._meets_claims(inner, depth):
                yield from self._behind(inner, depth + 1, (*location, step), inner)

    def _in_value(self, node: Any, depth: int, location: Location, innermost: Any) -> Iterator[Location]:
        if depth == len(self.query.tokens):
            yield from self._behind(MISSING, depth, location, innermost)
        elif (step := self._step(node, depth)) is not None:
            yield from self._behind(_member(node, step), depth + 1, (*location, step), innermost)

    def _behind(self, inner: Any, depth: int, location: Location, innermost: Any) -> Iterator[Location]:
        if inner is not MISSING:
            yield from self.at(inner, depth, location, innermost)
        elif all(condition.holds(innermost, self.work) for condition in self.query.free):
            yield location

    def _step(self, node: Any, depth: int) -> str | int | None:
        is_last = depth + 1 == len(self.query.tokens)
        return _step(node, self.query.tokens[depth], may_be_new=self.creating and is_last)

    def _meets_claims(self, node: Any, depth: int) -> bool:
        return all(condition.holds(node, self.work) for condition in self.query.claimed.get(depth - 1, ()))
