"""Finds the rules of resources that installed packages register in the entry-point group `tmf_sales.rules`.

The name of an entry point is `API.Resource`, such as `tmf648.Quote`, or `Resource` alone for every API that has a
resource of this name. Its value is a factory without parameters that returns Rules. A resource without registered rules
is served by its contract alone.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import EntryPoint, EntryPoints, entry_points

from tmf_sales.engine.hooks import Rules
from tmf_sales.errors import CannotStart

GROUP = "tmf_sales.rules"
OWN_DISTRIBUTION = "tmf-sales"

RulesTable = Mapping[str, Callable[[], Rules]]


class RulesNotLoaded(CannotStart):
    """Raised when registered rules cannot be loaded, or when two packages register rules under one name."""


def registered_rules() -> RulesTable:
    """The factories by the names of their entry points. Raises RulesNotLoaded."""
    found: dict[str, Callable[[], Rules]] = {}
    for point in _entry_points():
        if point.name in found:
            raise RulesNotLoaded(f"two packages register rules as {point.name} in the group {GROUP}")
        found[point.name] = _loaded(point)
    return found


def settings_of_rules(rules: RulesTable) -> dict[str, type]:
    """The settings class of each of these rules that has one, by the name of the rules."""
    return {name: of for name, factory in rules.items() if (of := getattr(factory, "settings_type", None))}


def describable_settings() -> dict[str, type]:
    """Like settings_of_rules, for help texts: skips rules that cannot be loaded; they are reported when needed."""
    loaded: dict[str, Callable[[], Rules]] = {}
    for point in _installed():
        try:
            loaded[point.name] = _loaded(point)
        except RulesNotLoaded:
            continue
    return settings_of_rules(loaded)


def name_of_rules(rules: RulesTable, api: str, resource: str) -> str | None:
    """The name under which rules for this resource are registered; rules for one API win over rules for all."""
    return next((name for name in (f"{api}.{resource}", resource) if name in rules), None)


@functools.cache
def _installed() -> EntryPoints:
    """The registered entry points. A start asks three times, and a search of all packages takes some milliseconds."""
    return entry_points(group=GROUP)


def _entry_points() -> Iterator[EntryPoint]:
    found = sorted(_installed(), key=lambda point: point.name)
    if not any(point.dist is not None and point.dist.name == OWN_DISTRIBUTION for point in found):
        raise RulesNotLoaded(f"the package {OWN_DISTRIBUTION} is not installed with its entry points; install it again")
    yield from found


def _loaded(point: EntryPoint) -> Callable[[], Rules]:
    try:
        factory = point.load()
    except Exception as error:
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise RulesNotLoaded(f"the rules {point.name} ({point.value}) cannot be loaded: {reason}") from error
    if not callable(factory):
        raise RulesNotLoaded(f"the rules {point.name} ({point.value}) are not a factory that can be called")
    return factory  # type: ignore[no-any-return]
