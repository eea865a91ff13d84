"""What a query may know of a resource's attributes: the type that the contract gives to a dotted path.

Promise: the query language needs nothing else of a contract; whoever implements `Attributes` has it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from tmf_sales.storage.conditions import Path

AttributeType = Literal["string", "number", "integer", "boolean", "date-time", "object", "any"]

LONGEST_NAME = 2000  # as long as all of `fields` may be
_PATH = re.compile(r"[@A-Za-z_][A-Za-z0-9_@-]*(?:\.[@A-Za-z_][A-Za-z0-9_@-]*){0,9}")


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute. `type` is that of its value, or of its elements where it is a list.

    `through_list`: some step of its path, itself included, is a list. `always_present`: every stored resource has it.
    """

    type: AttributeType
    enum: tuple[str, ...] | None = None
    through_list: bool = False
    always_present: bool = False


class Attributes(Protocol):
    """The attributes of one type of document. They never change; equal ones answer alike."""

    def __hash__(self) -> int: ...

    def at(self, path: Path) -> Attribute | None:
        """What the contract says of this path; None where it says nothing."""


class EventAttributes:
    """Attributes of an event whose `event` member holds one resource under its name, e.g. `event.resource.state`."""

    _OWN: Mapping[Path, Attribute] = {
        ("eventId",): Attribute("string", always_present=True),
        ("eventTime",): Attribute("date-time", always_present=True),
        ("eventType",): Attribute("string", always_present=True),
        ("timeOcurred",): Attribute("date-time"),
    }

    def __init__(self, resources: Mapping[str, Attributes]) -> None:
        self._resources = dict(resources)

    def at(self, path: Path) -> Attribute | None:
        if len(path) > 2 and path[0] == "event" and (resource := self._resources.get(path[1])):
            return resource.at(path[2:])
        return self._OWN.get(path)


def path_of(name: str) -> Path | None:
    """A dotted name as a path of at most 10 steps and 2,000 characters; None when it is no such name."""
    return tuple(name.split(".")) if len(name) <= LONGEST_NAME and _PATH.fullmatch(name) else None
