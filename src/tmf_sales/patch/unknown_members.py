"""Finds the unknown members that a JSON Patch adds to a document, which strict mode rejects (TMF630, part 1).

Reports only members that the patch itself names or sends. Unknown members that are already stored may stay, be tested
and be removed. They may also be moved or copied with the value that holds them, as long as its type stays the same.
"""

from __future__ import annotations

from typing import Any

from tmf_sales.contract.types import UNKNOWN, ObjectType, says_its_schema, unknown_members
from tmf_sales.errors import InvalidBody
from tmf_sales.patch.pointers import Location
from tmf_sales.values.messages import Violation, json_pointer


class Arrivals:
    """Collects the unknown members of the values that a patch adds; call `note` before each value is added."""

    def __init__(self, object_type: ObjectType) -> None:
        self._object_type = object_type
        self._unknown: dict[str, None] = {}

    def reject_unknown(self) -> None:
        """Raises InvalidBody with all collected members."""
        if self._unknown:
            raise InvalidBody([Violation(pointer, UNKNOWN) for pointer in self._unknown])

    def type_at(self, document: Any, place: Location) -> ObjectType | None:
        """The object type of the value at a place, or of its elements; None when the contract does not define it."""
        return self._walk(document, place)[0]

    def note(self, document: Any, place: Location, value: Any, origin: ObjectType | None = None) -> None:
        """Check a value before it is added. `origin`: the type at its source, for a moved or copied value."""
        object_type, at, is_known = self._walk(document, place)
        if not is_known:
            self._unknown[json_pointer(at)] = None
        elif object_type is not None and object_type is not origin:
            known_there = set(unknown_members(value, origin)) if origin is not None else set()
            here = json_pointer(at)
            for pointer in unknown_members(value, object_type):
                if pointer not in known_there:
                    self._unknown[here + pointer] = None

    def _walk(self, document: Any, place: Location) -> tuple[ObjectType | None, Location, bool]:
        """The type at a place; the place, or the first unknown place on the path to it; whether the place is known."""
        node, object_type, at = document, self._object_type, Location()
        for step in place:
            if isinstance(node, list):
                at = (*at, len(node) if step == "-" else step)
                node = node[step] if isinstance(step, int) and step < len(node) else None
                continue
            if isinstance(node, dict) and says_its_schema(node, object_type):
                return None, place, True
            at = (*at, step)
            member = object_type.members.get(str(step))
            if member is None:
                return None, at, False
            if member.object_type is None:
                return None, place, True
            node = node.get(step) if isinstance(node, dict) else None
            object_type = member.object_type
        return object_type, at, True
