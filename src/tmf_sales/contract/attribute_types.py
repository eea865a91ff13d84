"""Answers what type a contract gives to a path, for the query language: see Attributes.

Each path is looked up once in a process; types may contain themselves.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import cast

from tmf_sales.contract.attributes import Attribute, AttributeType
from tmf_sales.contract.types import ObjectType
from tmf_sales.storage.conditions import Path

REMEMBERED = 1000


class AttributeTypes:
    """The attributes of one resource. `always_present`: the top-level members that every stored resource has."""

    def __init__(self, object_type: ObjectType, always_present: frozenset[str]) -> None:
        self._object_type = object_type
        self._always_present = always_present
        self._known: dict[Path, Attribute | None] = {}

    def at(self, path: Path) -> Attribute | None:
        """What the contract says of this path; None where it says nothing."""
        if path not in self._known:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[path] = self._look_up(path)
        return self._known[path]

    def members(self, path: Path) -> Collection[str]:
        """The names that the contract has directly below this path."""
        object_type: ObjectType | None = self._object_type
        for step in path:
            member = object_type.members.get(step) if object_type else None
            object_type = member.object_type if member else None
        return object_type.members.keys() if object_type else ()

    def _look_up(self, path: Path) -> Attribute | None:
        object_type: ObjectType | None = self._object_type
        member, through_list = None, False
        for step in path:
            member = object_type.members.get(step) if object_type else None
            if member is None:
                return None
            through_list |= member.is_list
            object_type = member.object_type
        if member is None:
            return None
        kind = "object" if member.object_type else member.type
        return Attribute(
            type=cast(AttributeType, kind if kind in _TYPES else "any"),
            enum=member.enum,
            through_list=through_list,
            always_present=len(path) == 1 and path[0] in self._always_present,
        )


_TYPES = {"string", "number", "integer", "boolean", "date-time", "object"}
