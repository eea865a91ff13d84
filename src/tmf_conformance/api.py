"""Describes an API for the checks: names, states, request bodies, and the sentences that state its rules.

Everything here comes from the specification's text and diagrams, and nothing from the service.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tmf_conformance.profile import SPECIFICATION, Profile
from tmf_conformance.source import Source

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Api:
    """One API. `body(mark, variant)`: a resource with most attributes; no two variants share a value."""

    name: str
    title: str
    segments: Sequence[str]  # parts of a base path by which the API is recognized
    resource: str  # the path of the collection, and the member of an event that holds the resource
    type: str  # the class of the resource, the prefix of event types, and the schema in the contract
    contract: Path
    state: str  # the attribute that holds the state
    created: str  # the attribute that holds the date of creation
    transitions: Mapping[str, Sequence[str]]
    fixed: Mapping[str, Any]  # attributes that no patch changes, each with a value to try
    minimal: Callable[[], Document]
    body: Callable[[str, int], Document]
    text: str  # an attribute with free text
    other_text: str  # another one
    group: str  # a text attribute that some resources share and no others have
    nested: tuple[str, Document, Document]  # an object attribute: its value, and a merge patch of one member
    parties: Sequence[Document]  # two related parties
    patchable: Mapping[str, Any]  # attributes with a new value for each
    queries: Sequence[str]  # dotted attributes that a filter may name
    sources: Mapping[str, Source]
    profiles: Sequence[Profile] = (SPECIFICATION,)

    @property
    def path(self) -> str:
        return f"/{self.resource}"

    @property
    def initial(self) -> str:
        return next(iter(self.transitions))

    @property
    def states(self) -> list[str]:
        return list(dict.fromkeys([*self.transitions, *(to for row in self.transitions.values() for to in row)]))

    def route_to(self, state: str) -> list[str]:
        """The states on the shortest path from the initial state to `state`."""
        routes = [[self.initial]]
        for route in routes:
            if route[-1] == state:
                return route[1:]
            routes += [[*route, to] for to in self.transitions.get(route[-1], ()) if to not in route]
        return []

    def event(self, what: str) -> str:
        return f"{self.type}{what}Event"
