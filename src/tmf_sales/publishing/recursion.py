"""Unrolls recursive types to a given depth, for importers that reject recursive definitions.

Guarantee: down to that depth, every level is described as in the contract; below it, any object is accepted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tmf_sales.publishing.flat_schemas import Schema, named, reference_to

DEPTH = 3


def without_recursion(schemas: Mapping[str, Schema], depth: int = DEPTH) -> dict[str, Schema]:
    """Unroll the schemas: a recursive type X gets copies XLevel2, XLevel3 and so on down to `depth`."""
    return _Unrolling(schemas, depth).unrolled()


def references_in(node: Any) -> Iterator[str]:
    """The names of all schemas that a node refers to, at any depth."""
    if isinstance(node, dict):
        if name := named(node):
            yield name
        for value in node.values():
            yield from references_in(value)
    elif isinstance(node, list):
        for value in node:
            yield from references_in(value)


def reachable(schemas: Mapping[str, Any], start: Iterator[str]) -> set[str]:
    """The names in `start`, and all names that their schemas refer to, directly or indirectly."""
    found: set[str] = set()
    waiting = list(start)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += references_in(schemas[name])
    return found


class _Unrolling:
    def __init__(self, schemas: Mapping[str, Schema], depth: int) -> None:
        self._schemas = schemas
        self._depth = depth
        self._order = {name: number for number, name in enumerate(schemas)}
        reached = {name: reachable(schemas, references_in(schema)) for name, schema in schemas.items()}
        self._circle = {name: {other for other in below if name in reached[other]} for name, below in reached.items()}

    def unrolled(self) -> dict[str, Schema]:
        result: dict[str, Schema] = {}
        for name, schema in self._schemas.items():
            for level in range(1, self._depth + 1 if self._circle[name] else 2):
                result[_at_level(name, level)] = self._rewritten(schema, name, level)
        return result

    def _rewritten(self, node: Any, inside: str, level: int) -> Any:
        if isinstance(node, list):
            return [self._rewritten(value, inside, level) for value in node]
        if not isinstance(node, dict):
            return node
        target = named(node)
        if target is None:
            return {key: self._rewritten(value, inside, level) for key, value in node.items()}
        if target not in self._circle[inside]:
            return node
        # Only a reference back to the first type of the cycle, or to one before it, goes one level deeper.
        below = level + (self._order[target] <= self._order[inside])
        return reference_to(_at_level(target, below)) if below <= self._depth else self._level_below(target)

    def _level_below(self, name: str) -> Schema:
        kept: Schema = {key: value for key, value in self._schemas[name].items() if key in {"type", "nullable"}}
        return {**kept, "description": f"{name}, not described any deeper."}


def _at_level(name: str, level: int) -> str:
    return name if level == 1 else f"{name}Level{level}"
