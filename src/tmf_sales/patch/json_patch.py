"""Applies a JSON Patch (RFC 6902) to a document; its paths may be queries (TMF630, JSON Patch Query).

Pure and atomic: it changes neither input, and an error names the number of the failed operation. Limits bound the
number of operations, the size of what they add and copy, the depth of the result, and the work of queries.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson
from jsonpatch import JsonPatch, JsonPatchException, JsonPatchTestFailed
from jsonpointer import JsonPointerException

from tmf_sales.contract.types import ObjectType
from tmf_sales.errors import BodyTooLarge, InvalidPatch, PatchDoesNotApply, PatchResultRefused
from tmf_sales.patch.jsonpath import parse_jsonpath
from tmf_sales.patch.pointers import (
    Location,
    MalformedPath,
    NoSuchPlace,
    Path,
    Pointer,
    Work,
    parse_pointer,
    value_at,
    written_pointer,
)
from tmf_sales.patch.unknown_members import Arrivals
from tmf_sales.storage.records import Document
from tmf_sales.values.json_values import BAD_NAME, CONTAINER_LIMIT, count_containers, is_bad_name, own_copy
from tmf_sales.values.messages import Violation, shown

MAX_OPERATIONS = 1_000
MAX_ADDED = 4 * 1024 * 1024
MAX_CONTAINERS_ADDED = CONTAINER_LIMIT
MAX_DEPTH = 64
MAX_PATH = 1_000
MAX_JSONPATH = 64 * 1024
STEPS_OF_A_CHANGE = 10
MOST_DOUBLINGS = 20

OPERATIONS = ("add", "remove", "replace", "move", "copy", "test")
WITH_VALUE = {"add", "replace", "test"}
WITH_FROM = {"move", "copy"}
CREATING = {"add", "move", "copy"}
GIVING = {"add", "replace", "move", "copy"}
_REACHED = re.compile(r"/([^/~?\[]+)(?:/[^?\[]*)?", re.DOTALL)
_MEMBER = re.compile(r"(?:/|\$\.)([^/~?.\[]+)")


class Operation(NamedTuple):
    """One checked operation. `number` counts from 0."""

    number: int
    op: str
    path: Path
    path_text: str
    source: Path | None
    value: Any

    def __str__(self) -> str:
        return f"operation {self.number} ({self.op} {shown(self.path_text)})"


def apply_json_patch(
    document: Document, operations: Any, arrivals: Arrivals | None = None, copied: Document | None = None
) -> Document:
    """Apply the operations and return the patched document. `arrivals` records each added value.

    `copied`: a deep copy of the document, if there is one already; it is changed.
    Raises InvalidPatch for a malformed patch, PatchDoesNotApply for one that does not fit the document, and
    BodyTooLarge or PatchResultRefused when a limit is exceeded.
    """
    return _Application(own_copy(document) if copied is None else copied, arrivals).run(_parse(operations))


def members_given(operations: list[Document]) -> Iterator[str]:
    """The top-level members to which an operation gives a value by their plain path, `/name` or `$.name`."""
    for operation in operations:
        if operation["op"] in GIVING and (found := _MEMBER.fullmatch(operation["path"])):
            yield found[1]


class Survey(NamedTuple):
    """What the texts of unchecked operations say about a JSON Patch before it is applied.

    `reached`: the top-level members in which the operations change or test something; None when their paths do not say
    which. `queries` and `copies` count operations; `moves`: whether there is a move.
    """

    reached: frozenset[str] | None = None
    queries: int = 0
    copies: int = 0
    moves: bool = False

    def work(self, size: int) -> int:
        """Estimate the bytes that the patch touches in a document of this size: queries search it, copies double it."""
        return size * (1 + self.queries) << min(self.copies, MOST_DOUBLINGS)


def survey(operations: Any) -> Survey:
    """Look at each operation once; the body may be anything."""
    if not isinstance(operations, list):
        return Survey()
    reached, is_known, queries, copies, moves = set[str](), True, 0, 0, False
    for operation in operations:
        if not isinstance(operation, dict):
            is_known = False
            continue
        op = operation.get("op")
        copies += op == "copy"
        moves = moves or op == "move"
        plain = [_REACHED.fullmatch(text) if isinstance(text, str) else None for text in _paths_of(operation)]
        reached.update([found[1] for found in plain if found])
        if not all(plain):
            is_known = False
            queries += any(map(_is_query, _paths_of(operation)))
    return Survey(frozenset(reached) if is_known else None, queries, copies, moves)


def _is_query(path: Any) -> bool:
    return isinstance(path, str) and (path[:1] != "/" or "?" in path)


def _paths_of(operation: Document) -> list[Any]:
    """The values of `path` and `from`, whether they are texts or not."""
    return [operation[name] for name in ("path", "from") if operation.get(name) is not None]


def _parse(operations: Any) -> list[Operation]:
    if not isinstance(operations, list):
        raise InvalidPatch("the body: expected a list of operations (RFC 6902, 3)")
    if len(operations) > MAX_OPERATIONS:
        raise InvalidPatch(f"the body: expected at most {MAX_OPERATIONS} operations")
    if sum([_jsonpath_length(operation) for operation in operations]) > MAX_JSONPATH:
        raise InvalidPatch(f"the body: expected at most {MAX_JSONPATH} characters of JSONPath in all operations")
    return [_parse_operation(number, operation) for number, operation in enumerate(operations)]


def _jsonpath_length(operation: Any) -> int:
    """The length of an operation's JSONPath. It is slow to parse, so the total length is bounded."""
    texts = _paths_of(operation) if isinstance(operation, dict) else ()
    return sum([len(text) for text in texts if isinstance(text, str) and text[:1] != "/"])


def _parse_operation(number: int, operation: Any) -> Operation:
    if not isinstance(operation, dict):
        raise InvalidPatch(f"operation {number}: expected an object")
    op = operation.get("op")
    if op not in OPERATIONS:
        raise InvalidPatch(f"operation {number}: expected op to be one of {', '.join(OPERATIONS)}")
    if op in WITH_VALUE and "value" not in operation:
        raise InvalidPatch(f"operation {number} ({op}): expected a value")
    path = _parse_path(number, op, operation, "path")
    source = _parse_path(number, op, operation, "from") if op in WITH_FROM else None
    parsed = Operation(number, op, path, operation["path"], source, operation.get("value"))
    if op == "move" and isinstance(source, Pointer) and isinstance(path, Pointer) and source.is_prefix_of(path):
        raise _moved_into_itself(parsed)
    return parsed


def _parse_path(number: int, op: str, operation: Document, member: str) -> Path:
    text = operation.get(member)
    if not isinstance(text, str):
        raise InvalidPatch(f"operation {number} ({op}): expected {member} to be text")
    try:
        return _read_path(text)
    except MalformedPath as error:
        raise InvalidPatch(f"operation {number} ({op}): {member} {shown(text)}: {error}") from None


def _read_path(text: str) -> Path:
    if len(text) > MAX_PATH:
        raise MalformedPath(f"expected at most {MAX_PATH} characters")
    if not text or text[0] == "/":
        return parse_pointer(text)
    if text[0] == "$" or "[" in text:
        return parse_jsonpath(text)
    raise MalformedPath("expected a JSON pointer (/...) or JSONPath ($... or name[?(...)])")


def _moved_into_itself(operation: Operation) -> InvalidPatch:
    return InvalidPatch(f"{operation}: a value cannot be moved into itself (RFC 6902, 4.4)")


class _Application:
    """The state while a patch is applied: the document so far, the size of the additions, the remaining work."""

    def __init__(self, document: Document, arrivals: Arrivals | None) -> None:
        self.document: Any = document
        self.arrivals = arrivals
        self.added = 0
        self.containers_added = 0
        self.work = Work()

    def run(self, operations: list[Operation]) -> Document:
        for operation in operations:
            try:
                self._apply(operation)
            except (NoSuchPlace, JsonPatchException, JsonPointerException) as error:
                raise PatchDoesNotApply(f"{operation}: {_reason(error)}") from None
            except RecursionError:  # moves nested values into each other beyond the depth limit
                raise _too_deep() from None
        # What is added or copied was looked at with its place; only a value that was moved may be too deep now.
        if any(operation.op == "move" for operation in operations) and depth_of(self.document) > MAX_DEPTH:
            raise _too_deep()
        if not isinstance(self.document, dict):
            raise PatchResultRefused([Violation("", "expected an object, as a resource cannot become anything else")])
        return self.document

    def _apply(self, operation: Operation) -> None:
        source = None if operation.source is None else self._only_place(operation.source)
        if operation.op == "move" and source is not None:
            self._move(source, operation)
            return
        value = operation.value if source is None else value_at(self.document, source)
        places = self._places(operation.path, creating=operation.op in CREATING)
        if operation.op in CREATING:
            _reject_bad_names(operation, places)
        self.work.spend(STEPS_OF_A_CHANGE * (len(places) - 1))
        if operation.op in {"add", "replace", "copy"}:
            self._reject_too_much(value, places)
            if self.arrivals:
                origin = None if source is None else self.arrivals.type_at(self.document, source)
                for place in places:
                    self.arrivals.note(self.document, place, value, origin)
        # The last place comes first, so that adding to or removing from a list does not shift the other places.
        for place in reversed(places):
            if operation.op in GIVING:  # a copy adds the value that was at its source (RFC 6902, 4.5)
                self._put(place, own_copy(value), replaces=operation.op == "replace")
            else:
                self._run({"op": operation.op, "path": written_pointer(place), "value": value})

    def _move(self, source: Location, operation: Operation) -> None:
        """Remove, then find the target, then add (RFC 6902, 4.4). Moves the value itself, without a copy."""
        if operation.path.enters(source, self.document, self.work):
            raise _moved_into_itself(operation)
        value = value_at(self.document, source)
        origin = self.arrivals.type_at(self.document, source) if self.arrivals else None
        self._run({"op": "remove", "path": written_pointer(source)})
        target = self._only_place(operation.path, creating=True)
        _reject_bad_names(operation, [target])
        if self.arrivals:
            self._note_moved(self.arrivals, target, value, origin)
        self._put(target, value)

    def _put(self, place: Location, value: Any, *, replaces: bool = False) -> None:
        """Add or replace the value at a place that the path allows for it. Takes the value itself, not a copy."""
        if not place:
            self.document = value
            return
        container, last = value_at(self.document, place[:-1]), place[-1]
        if replaces or isinstance(container, dict):
            container[last] = value
        else:
            container.insert(last if isinstance(last, int) else len(container), value)

    def _note_moved(self, arrivals: Arrivals, target: Location, value: Any, origin: ObjectType | None) -> None:
        if arrivals.type_at(self.document, target) is not origin:  # a value that stays within its type needs no check
            self._reject_too_much(value, [target])
        arrivals.note(self.document, target, value, origin)

    def _only_place(self, path: Path, creating: bool = False) -> Location:
        places = self._places(path, creating)
        if len(places) > 1:
            raise NoSuchPlace(f"the path matches {len(places)} places, one is needed")
        return places[0]

    def _places(self, path: Path, creating: bool) -> list[Location]:
        places = path.places(self.document, self.work, creating)
        if not places:
            raise NoSuchPlace("nothing matches the path")
        return places

    def _run(self, standard: Document) -> None:
        # A JsonPatch of one operation would check and parse it three times.
        self.document = JsonPatch.operations[standard["op"]](standard).apply(self.document)

    def _reject_too_much(self, value: Any, places: list[Location]) -> None:
        """Enforce the limits before anything is copied: nested copies double a document with each operation."""
        try:
            text = orjson.dumps(value)
        except TypeError:  # orjson's own depth limit is well over ours
            raise _too_deep() from None
        self.added += len(text) * len(places)
        if self.added > MAX_ADDED:
            raise BodyTooLarge(f"the patch adds or copies more than {MAX_ADDED} bytes")
        self.containers_added += count_containers(value, text) * len(places)
        if self.containers_added > MAX_CONTAINERS_ADDED:
            raise BodyTooLarge(f"the patch adds or copies more than {MAX_CONTAINERS_ADDED} objects and lists")
        if depth_of(value) + max(map(len, places)) > MAX_DEPTH:
            raise _too_deep()


def _reject_bad_names(operation: Operation, places: list[Location]) -> None:
    """Reject bad member names in paths. Names inside values were checked when the body was parsed."""
    for place in places:
        if place and isinstance(name := place[-1], str) and is_bad_name(name):
            raise InvalidPatch(f"{operation}: the member name {shown(name)} {BAD_NAME}")


def depth_of(value: Any) -> int:
    """The nesting depth of objects and lists; 0 for a scalar. Not recursive, because the value may be hostile."""
    depth, level = 0, [value]
    while level := [inner for inner in level if isinstance(inner, dict | list)]:
        depth += 1
        level = [child for inner in level for child in (inner.values() if isinstance(inner, dict) else inner)]
    return depth


def _too_deep() -> PatchResultRefused:
    return PatchResultRefused([Violation("", f"expected at most {MAX_DEPTH} objects and lists inside each other")])


def _reason(error: Exception) -> str:
    """Why an operation failed. Messages of jsonpatch and jsonpointer may contain whole documents and client input."""
    if isinstance(error, NoSuchPlace):
        return str(error)
    if isinstance(error, JsonPatchTestFailed):
        return "test failed: the current value differs"
    return "the whole resource cannot be removed or moved"
