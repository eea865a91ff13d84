"""Conformance profiles: which features of an API a server may leave out.

`specification` takes the specification's text as it is. TMF648B is TM Forum's conformance profile for quotes, in which
only creating and reading are mandatory.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tmf_conformance.source import Kind, Source


class Feature(StrEnum):
    """A part of an API that a server may lack entirely."""

    PATCH = "PATCH"
    JSON_PATCH = "JSON Patch"
    DELETE = "DELETE"
    VERSIONS = "versions"
    NOTIFICATIONS = "notifications"


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile. `optional`: the features whose checks do not affect conformance."""

    name: str
    title: str
    optional: frozenset[Feature] = frozenset()

    def kind_of(self, source: Source, feature: Feature | None) -> Kind:
        optional = feature in self.optional and source.kind is Kind.MANDATORY
        return Kind.OPTIONAL if optional else source.kind


SPECIFICATION = Profile("specification", "the specification")
TMF648B = Profile("tmf648b", "TM Forum's conformance profile TMF648B", frozenset(Feature))
