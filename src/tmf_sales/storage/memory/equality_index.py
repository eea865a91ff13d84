"""Finds the resources that may satisfy an equality, by the paths that a contract indexes.

An index only narrows a search: the caller evaluates the whole condition on each candidate, so the answer is the same as
after an evaluation of all resources. A write only notes what has changed; the next search that uses the index reads it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import orjson

from tmf_sales.storage.conditions import And, Compare, Condition, Operator, Or, Path, Scalar
from tmf_sales.storage.evaluate import values_at
from tmf_sales.storage.memory.deadline import Deadline
from tmf_sales.storage.records import Index, Record

Key = tuple[Path, bool, Scalar]
"""A path, whether the value is a boolean (in Python, True equals 1), and the value."""


class EqualityIndex:
    """The ids of one kind's resources by the values at the indexed paths of their current versions."""

    def __init__(self, indexes: Iterable[Index]) -> None:
        self._paths = tuple(dict.fromkeys(path for index in indexes for path, _ in index.paths))
        self._ids: dict[Key, dict[str, None]] = {}
        self._keys: dict[str, frozenset[Key]] = {}
        self._changed: dict[str, None] = {}

    def note(self, id: str) -> None:
        """Remember that a resource was written or deleted."""
        if self._paths:
            self._changed[id] = None

    async def candidates(
        self, condition: Condition, records: Mapping[str, Record], deadline: Deadline
    ) -> tuple[Record, ...]:
        """Return all records that may satisfy the condition, as they are at the end of this call, in any order."""
        alternatives = list(self._keys_required_by(condition))
        if not alternatives:
            return tuple(records.values())
        while self._changed:
            await deadline.give_way()
            id, _ = self._changed.popitem()
            self._read(id, records.get(id))
        narrowest = min(alternatives, key=lambda keys: sum(len(self._ids.get(key, ())) for key in keys))
        return tuple(records[id] for id in dict.fromkeys(id for key in narrowest for id in self._ids.get(key, ())))

    def _keys_required_by(self, condition: Condition) -> Iterator[list[Key]]:
        """The keys of each part of the condition that holds only for a resource with one of these keys."""
        parts = condition.conditions if isinstance(condition, And) else (condition,)
        for part in parts:
            choices = part.conditions if isinstance(part, Or) else (part,)
            keys = [
                _key(each.path, each.value)
                for each in choices
                if isinstance(each, Compare) and each.operator is Operator.EQ and each.path in self._paths
            ]
            if len(keys) == len(choices):
                yield keys

    def _read(self, id: str, record: Record | None) -> None:
        before = self._keys.pop(id, frozenset())
        after = frozenset[Key]()
        if record is not None:
            document = orjson.loads(record.current.text)  # not kept, as most resources are never a candidate
            after = frozenset(
                _key(path, value)
                for path in self._paths
                for value in values_at(document, path)
                if isinstance(value, (str, int, float))
            )
            self._keys[id] = after
        for key in before - after:
            ids = self._ids[key]
            del ids[id]
            if not ids:
                del self._ids[key]
        for key in after - before:
            self._ids.setdefault(key, {})[id] = None


def _key(path: Path, value: Scalar) -> Key:
    return path, isinstance(value, bool), value
