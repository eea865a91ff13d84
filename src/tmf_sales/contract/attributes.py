"""Defines what the query language needs from a contract: the type of each attribute, by its path."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from tmf_sales.errors import InvalidFilter
from tmf_sales.storage.conditions import Path

AttributeType = Literal["string", "number", "integer", "boolean", "date-time", "object", "any"]


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute. `type` is the type of its value, or of its elements when it is a list.

    `through_list`: the attribute or a parent on its path is a list. `always_present`: every stored resource has it.
    """

    type: AttributeType
    enum: tuple[str, ...] | None = None
    through_list: bool = False
    always_present: bool = False


class Attributes(Protocol):
    """The attributes of one type of document. Immutable; equal objects give equal results."""

    def __hash__(self) -> int: ...

    def at(self, path: Path) -> Attribute | None:
        """The attribute at this path; None when the contract does not define it."""

    def members(self, path: Path) -> Collection[str]:
        """The names of the members that the contract defines directly below this path; () is the document itself."""


class EventAttributes:
    """The attributes of the events of one API. Their `event` member holds a resource: `event.resource.state`.

    Paths that no event of the API can have are rejected: resources of other APIs, unknown members, members of scalars.
    """

    _ENVELOPE: Mapping[str, Attribute] = {
        "eventId": Attribute("string", always_present=True),
        "eventTime": Attribute("date-time", always_present=True),
        "correlationId": Attribute("string"),
        "description": Attribute("string"),
        "domain": Attribute("string"),
        "event": Attribute("object", always_present=True),
        "fieldPath": Attribute("string"),
        "href": Attribute("string"),
        "id": Attribute("string"),
        "priority": Attribute("string"),
        "timeOcurred": Attribute("date-time"),
        "title": Attribute("string"),
        "traceparent": Attribute("string"),
    }

    def __init__(
        self, resources: Mapping[str, Attributes], types: Iterable[str] = (), *, knows_all: bool = False
    ) -> None:
        """`types`: the event types of the API. `knows_all`: resources have only the contract's attributes."""
        self._resources = dict(resources)
        self._envelope = {
            **self._ENVELOPE,
            "eventType": Attribute("string", enum=tuple(types) or None, always_present=True),
        }
        self._knows_all = knows_all

    def at(self, path: Path) -> Attribute | None:
        """Raises InvalidFilter for a path that no event can have."""
        if path[0] == "event" and len(path) > 1:
            return self._of_resource(path)
        if path[0] not in self._envelope:
            raise InvalidFilter(f"{_shown(path)}: no event has it; an attribute of the resource is {self._hint(path)}")
        if len(path) > 1:
            raise InvalidFilter(f"{_shown(path)}: {path[0]} has no members")
        return self._envelope[path[0]]

    def _of_resource(self, path: Path) -> Attribute | None:
        resource = self._resources.get(path[1])
        if resource is None:
            known = ", ".join(f"event.{name}" for name in self._resources)
            raise InvalidFilter(f"{_shown(path)}: events of this API have {known}")
        if len(path) == 2:
            return Attribute("object")
        for length in range(3, len(path)):
            holder = resource.at(path[2:length])
            if holder is not None and holder.type not in {"object", "any"}:
                raise InvalidFilter(f"{_shown(path)}: {_shown(path[:length])} has no members")
        found = resource.at(path[2:])
        return found if found is not None or self._knows_all else Attribute("any")

    def members(self, path: Path) -> Collection[str]:
        """The names of the members that the contract defines directly below this path."""
        if not path:
            return self._envelope.keys()
        if path == ("event",):
            return self._resources.keys()
        resource = self._resources.get(path[1]) if path[0] == "event" else None
        return resource.members(path[2:]) if resource else ()

    def _hint(self, path: Path) -> str:
        known = (
            [("event", *path)] if path[0] in self._resources else [("event", name, *path) for name in self._resources]
        )
        return " or ".join(map(_shown, known))


def _shown(path: Path) -> str:
    return ".".join(path)
