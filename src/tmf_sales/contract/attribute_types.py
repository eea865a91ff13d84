"""Looks up the type that a contract gives to an attribute, by its path; implements Attributes for the query language.

Results are cached, and recursive types are supported.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import cast

from tmf_sales.contract.attributes import Attribute, AttributeType
from tmf_sales.contract.types import ObjectType
from tmf_sales.storage.conditions import Path

REMEMBERED = 1000


class AttributeTypes:
    """The attributes of one resource type. `always_present`: the top-level members of every stored resource."""

    def __init__(self, object_type: ObjectType, always_present: frozenset[str]) -> None:
        self._object_type = object_type
        self._always_present = always_present
        self._known: dict[Path, Attribute | None] = {}

    def at(self, path: Path) -> Attribute | None:
        """The attribute at this path; None when the contract does not define it."""
        if path not in self._known:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[path] = self._look_up(path)
        return self._known[path]

    def members(self, path: Path) -> Collection[str]:
        """The names of the members that the contract defines directly below this path."""
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
