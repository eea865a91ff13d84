"""Finds the APIs that can be checked: every package may register its own suite.

An entry point of the group `tmf_conformance.apis` names a Suite; the name of the entry point is the value of `--api`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType

from tmf_conformance.suite import Suite

GROUP = "tmf_conformance.apis"


class InvalidSuite(Exception):
    """Raised when a registered entry point does not lead to a Suite."""


@cache
def suites() -> Mapping[str, Suite]:
    """All registered suites by name; raises InvalidSuite."""
    return MappingProxyType({each.name: load(each) for each in sorted(entry_points(group=GROUP), key=lambda e: e.name)})


def load(entry_point: EntryPoint) -> Suite:
    try:
        suite = entry_point.load()
    except Exception as error:
        raise InvalidSuite(f"{entry_point.value} cannot be imported: {type(error).__name__}: {error}") from error
    if not isinstance(suite, Suite):
        raise InvalidSuite(f"{entry_point.value} is a {type(suite).__name__}; expected a tmf_conformance.suite.Suite")
    return suite


def suite_of(path: str) -> Suite | None:
    """The suite of the API that a base path belongs to."""
    parts = path.rstrip("/").split("/")
    for suite in suites().values():
        if any(part in parts for part in (suite.api.resource, *suite.api.segments)):
            return suite
    return None
