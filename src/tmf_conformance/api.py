"""What the run has to know of an API: its names, states, bodies to create, and the sentences that its rules come from.

Promise: everything here is taken from the specification's text and diagrams, nothing from the service.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tmf_conformance.interaction import Document
from tmf_conformance.check import Checks, Source


@dataclass(frozen=True, slots=True)
class Api:
    """One API. `body(mark, variant)`: a resource with a value for most attributes, another one for each variant."""

    name: str
    title: str
    segment: str  # what its base path has before the version
    resource: str  # the collection's path, and the member of an event that holds the resource
    type: str  # its class, the prefix of event types, and its schema in the contract
    contract: str
    state: str
    created: str  # the date of its creation
    transitions: Mapping[str, Sequence[str]]
    fixed: Mapping[str, Any]  # attributes that no patch changes, each with a value that one might try
    minimal: Callable[[], Document]
    body: Callable[[str, int], Document]
    text: str  # an attribute with free text
    other_text: str  # another one
    group: str  # a text attribute by which some resources are told from all others
    nested: tuple[str, Document, Document]  # an object attribute: its value, and a merge patch of one member
    parties: Sequence[Document]  # two related parties
    patchable: Mapping[str, Any]  # attributes with a new value for each
    queries: Sequence[str]  # dotted attributes that a filter may name
    sources: Mapping[str, Source]
    own_checks: Callable[[], Checks]

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
        """The states on the shortest way from the initial one."""
        routes = [[self.initial]]
        for route in routes:
            if route[-1] == state:
                return route[1:]
            routes += [[*route, to] for to in self.transitions.get(route[-1], ()) if to not in route]
        return []

    def event(self, what: str) -> str:
        return f"{self.type}{what}Event"
