"""Reads `expand` and `depth`: which references the response replaces by the resources they refer to (TMF630 part 2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tmf_sales.contract.attributes import Attributes
from tmf_sales.errors import InvalidParameter
from tmf_sales.query.names import listed_names, not_a_name, path_of, reject_unmatchable
from tmf_sales.query.paging import read_number
from tmf_sales.storage.conditions import Path
from tmf_sales.values.messages import shown

MOST_PATHS = 20
LARGEST_DEPTH = 2


@dataclass(frozen=True, slots=True)
class Expansion:
    """The references to replace: with `depth` all of them, so many levels deep; without it those at `paths`."""

    paths: tuple[Path, ...] = ()
    depth: int = 0

    @property
    def parameter(self) -> str:
        """The parameter that asked for it, for messages."""
        return "depth" if self.depth else "expand"


def read_expansion(expand: Iterable[str], depth: list[str], attributes: Attributes) -> Expansion | None:
    """The expansion that the `expand` and `depth` parameters ask for; None when they ask for nothing.

    Raises InvalidParameter for a path where the contract has no reference. A name in quotation marks may also be
    that of a member unknown to the contract.
    """
    names = [name for value in expand for name in listed_names(value)]
    if len(names) > MOST_PATHS:
        raise InvalidParameter(f"expand: more than {MOST_PATHS} names")
    paths = tuple(dict.fromkeys(_path(name, attributes) for name in names))
    levels = read_number("depth", depth, LARGEST_DEPTH) or 0
    return Expansion(paths, levels) if paths or levels else None


def _path(name: str, attributes: Attributes) -> Path:
    path = path_of(name)
    if path is None:
        raise InvalidParameter(f"expand: {not_a_name(name)}")
    reject_unmatchable("expand", name, path, attributes)
    attribute = attributes.at(path)
    if attribute is None and '"' not in name:
        raise InvalidParameter(f"expand: {shown(name)} is not an attribute of this resource")
    members = attributes.members(path)
    if attribute is not None and not ("id" in members and ("href" in members or "@referredType" in members)):
        raise InvalidParameter(f"expand: {shown(name)} is not a reference; expected one, which has an id")
    return path
