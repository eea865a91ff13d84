"""A check: one rule of an API, and the function that tests it on a server."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from tmf_conformance.profile import Feature
from tmf_conformance.session import Session
from tmf_conformance.source import Kind, Source


@dataclass(frozen=True, slots=True)
class Check:
    """`run` returns when the server follows the rule and raises an Outcome otherwise."""

    id: str
    title: str
    source: Source
    run: Callable[[Session], None]
    feature: Feature | None = None

    @property
    def kind(self) -> Kind:
        return self.source.kind


Checks = Iterator[Check]


def belonging_to(feature: Feature, checks: Iterable[Check]) -> Checks:
    """The same checks, marked as part of a feature."""
    return (replace(check, feature=feature) for check in checks)
