"""Compares, copies and inspects JSON values. In Python True == 1, unlike in JSON, and copy.deepcopy is slow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import orjson

CONTAINER_LIMIT = 100_000  # of a body, and of a stored document
FEW_CONTAINERS = 1_000
BAD_NAME = "starts with $ or . or holds a NUL character"


def same_json(one: Any, other: Any) -> bool:
    """Whether two values are equal as JSON: 1 is 1.0, but never true. Equal texts, as those of copies, decide first."""
    if type(one) is str and type(other) is str:  # the case of most members
        return one == other
    if orjson.dumps(one) == orjson.dumps(other):
        return True
    return bool(one == other) and _same_booleans(one, other)


def changed_members(before: dict[str, Any], after: dict[str, Any]) -> frozenset[str]:
    """The members that differ between two objects or exist in only one of them."""
    both = [name for name in before if name in after]
    changed = {name for name in both if before[name] != after[name]}
    same = [name for name in both if name not in changed]
    if orjson.dumps([before[name] for name in same]) != orjson.dumps([after[name] for name in same]):
        changed |= {name for name in same if not _same_booleans(before[name], after[name])}
    return frozenset(changed | (before.keys() ^ after.keys()))


def changed_among(names: Iterable[str], before: dict[str, Any], after: dict[str, Any]) -> frozenset[str]:
    """The members that differ, when all others are equal."""
    among = {name for name in names if name in before and name in after and _differ(before[name], after[name])}
    return frozenset(among | (before.keys() ^ after.keys()))


def _differ(one: Any, other: Any) -> bool:
    """The opposite of `same_json`, but faster for values that differ: they often do so soon."""
    if one != other:
        return True
    return type(one) is not str and orjson.dumps(one) != orjson.dumps(other) and not _same_booleans(one, other)


def _same_booleans(one: Any, other: Any) -> bool:
    """Whether two values that are equal in Python have their booleans at the same places."""
    if isinstance(one, dict):
        return all(_same_booleans(value, other[name]) for name, value in one.items())
    if isinstance(one, list):
        return all(map(_same_booleans, one, other))
    return isinstance(one, bool) == isinstance(other, bool)


def own_copy(value: Any) -> Any:
    """A deep copy. Many times faster than copy.deepcopy, and deep enough for every body."""
    return orjson.loads(orjson.dumps(value))


def text_to_keep(value: Any) -> bytes:
    """The value as JSON in UTF-8, in memory of its own size.

    What orjson returns has up to ten times its size reserved, 4 KiB at least, and never gives it back
    (https://github.com/home-assistant/core/pull/181245; tests/values/test_json_values.py).
    """
    return b"".join((orjson.dumps(value), b""))


_JSON_TYPES = {str: "string", bool: "boolean", int: "number", float: "number", dict: "object", list: "array"}


def json_type(value: Any) -> str | None:
    """The JSON type of a value: string, number, boolean, object or array; None for null."""
    return _JSON_TYPES.get(type(value))


def count_containers(value: Any, text: bytes) -> int:
    """The number of objects and lists in a value, including itself. `text`: the value as JSON.

    Counts the brackets in the text, which may be too many because of strings; counts exactly when there are many.
    """
    most = text.count(b"{") + text.count(b"[")
    return most if most <= FEW_CONTAINERS else _count_containers(value)


def _count_containers(value: Any) -> int:
    found, level = 0, [value]
    while level := [inner for inner in level if isinstance(inner, dict | list)]:
        found += len(level)
        level = [child for inner in level for child in (inner.values() if isinstance(inner, dict) else inner)]
    return found


def is_bad_name(name: str) -> bool:
    """Whether the name is forbidden for members: document stores give such names a meaning, or reject them."""
    return name.startswith(("$", ".")) or "\0" in name


def bad_names(value: Any) -> Iterator[str]:
    """The forbidden member names in a value, at any depth. Not recursive, because the value may be hostile."""
    level = [value]
    while level:
        for parent in level:
            if isinstance(parent, dict):
                yield from filter(is_bad_name, parent)
        children = [child for parent in level for child in (parent.values() if isinstance(parent, dict) else parent)]
        level = [child for child in children if isinstance(child, dict | list)]


def first_container(value: Any, is_it: Callable[[Any, int], bool]) -> tuple[Any, list[str | int]]:
    """The first container in document order for which `is_it(container, depth)` is true, and the steps to it.

    Raises IndexError without one. Not recursive, and allocates nothing per element, because the value may be hostile.
    """
    steps: list[str | int] = []
    found, unfinished = value, [children_of(value)]
    while not is_it(found, len(steps)):
        for step, child in unfinished[-1]:
            if isinstance(child, dict | list):
                steps.append(step)
                found = child
                unfinished.append(children_of(child))
                break
        else:
            unfinished.pop()
            steps.pop()
            found = None
    return found, steps


def children_of(container: Any) -> Iterator[tuple[str | int, Any]]:
    """The members of an object or the elements of a list, with their names or numbers."""
    if isinstance(container, dict):
        return iter(container.items())
    return iter(enumerate(container) if isinstance(container, list) else ())
