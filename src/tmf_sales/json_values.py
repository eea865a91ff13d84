"""JSON values as such: equality, copies, names. Python's own equality takes true for 1, and deepcopy is slow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import orjson

CONTAINER_LIMIT = 100_000  # of a body, and of a stored document
FEW_CONTAINERS = 1_000
BAD_NAME = "starts with $ or . or holds a NUL character"


def same_json(one: Any, other: Any) -> bool:
    """Equal as JSON: 1 is 1.0, but never true. Values that were copied are told to be the same by their text alone."""
    if type(one) is str and type(other) is str:  # as most members are
        return one == other
    if orjson.dumps(one) == orjson.dumps(other):
        return True
    return bool(one == other) and _same_booleans(one, other)


def changed_members(before: dict[str, Any], after: dict[str, Any]) -> frozenset[str]:
    """The members that one of two objects lacks, or that are not the same JSON in both."""
    both = [name for name in before if name in after]
    changed = {name for name in both if before[name] != after[name]}
    same = [name for name in both if name not in changed]
    if orjson.dumps([before[name] for name in same]) != orjson.dumps([after[name] for name in same]):
        changed |= {name for name in same if not _same_booleans(before[name], after[name])}
    return frozenset(changed | (before.keys() ^ after.keys()))


def _same_booleans(one: Any, other: Any) -> bool:
    """Whether two values that Python holds to be equal have their booleans at the same places."""
    if isinstance(one, dict):
        return all(_same_booleans(value, other[name]) for name, value in one.items())
    if isinstance(one, list):
        return all(map(_same_booleans, one, other))
    return isinstance(one, bool) == isinstance(other, bool)


def own_copy(value: Any) -> Any:
    """A deep copy. Many times quicker than copy.deepcopy, and as deep as any body may be."""
    return orjson.loads(orjson.dumps(value))


_JSON_TYPES = {str: "string", bool: "boolean", int: "number", float: "number", dict: "object", list: "array"}


def json_type(value: Any) -> str | None:
    """The JSON type of a value: string, number, boolean, object or array; None for null."""
    return _JSON_TYPES.get(type(value))


def count_containers(value: Any, text: bytes) -> int:
    """How many objects and lists a value has, itself included; `text` is the value as JSON.

    Brackets may stand in strings as well, so the text only bounds the number; that is exact enough where it is small.
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
    """Whether no member may have this name: document stores give such names a meaning of their own, or refuse them."""
    return name.startswith(("$", ".")) or "\0" in name


def bad_names(value: Any) -> Iterator[str]:
    """The names that no member may have, wherever in a value; not recursive, as the value may be hostile."""
    level = [value]
    while level:
        for parent in level:
            if isinstance(parent, dict):
                yield from filter(is_bad_name, parent)
        children = [child for parent in level for child in (parent.values() if isinstance(parent, dict) else parent)]
        level = [child for child in children if isinstance(child, dict | list)]


def first_container(value: Any, is_it: Callable[[Any, int], bool]) -> tuple[Any, list[str | int]]:
    """The first container, in the order of the text, for which `is_it(container, depth)` holds, and the steps to it.

    There must be one. Not recursive, and nothing is allocated for each element: the value may be hostile.
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
