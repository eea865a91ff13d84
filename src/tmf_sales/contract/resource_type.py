"""Describes what a contract defines: its operations and its resources, as the rest of the service reads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tmf_sales.contract.attributes import Attributes
from tmf_sales.contract.deprecation import Deprecation
from tmf_sales.contract.leniency import USUAL
from tmf_sales.contract.schemas import MembersCheck, SchemaCheck
from tmf_sales.contract.types import ObjectType
from tmf_sales.storage.records import Index
from tmf_sales.storage.records import Kind as StoredKind


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the contract. `bodies` maps a media type (lower case) to its schema."""

    id: str
    method: str
    path: str
    bodies: Mapping[str, dict[str, Any]]
    parameters: tuple[dict[str, Any], ...]
    statuses: frozenset[str]
    deprecation: Deprecation | None = None

    @property
    def creates(self) -> bool:
        """Whether this is a POST, so that its body may not contain members marked readOnly."""
        return self.method == "post"


@dataclass(frozen=True, slots=True)
class ResourceType:
    """One resource of a contract: its types, what a patch may change, its lifecycle, versions and events.

    `kind` is its name in the store: the API and the path. Two versions of an API, or two APIs with the same path, are
    therefore stored separately.
    """

    kind: str
    name: str
    api: str
    base_path: str
    path: str
    object_type: ObjectType
    attributes: Attributes
    after_patch: SchemaCheck
    relaxed_after_patch: Callable[[], SchemaCheck]
    members_after_patch: MembersCheck | None
    fixed_members: frozenset[str]
    version_member: str | None
    events: Mapping[str, Any]
    indexes: tuple[Index, ...]
    leniencies: tuple[str, ...] = USUAL
    patch_types: tuple[str, ...] = field(default=())

    @property
    def domain(self) -> str:
        """The `domain` of events: the name of the API in its base path."""
        return self.base_path.strip("/").split("/")[1]

    def href(self, public_url: str, id: str) -> str:
        return f"{public_url}{self.base_path}{self.path}/{id}"

    @property
    def noun(self) -> str:
        """The name of the resource in events: the member that holds it, and the word in descriptions."""
        return self.path.strip("/")

    @property
    def event_types(self) -> tuple[str, ...]:
        """The types of all events of the resource."""
        return tuple(stated if isinstance(stated, str) else stated["event"] for stated in self.events.values())

    def stored_kind(self) -> StoredKind:
        # Store format 1 knew only one version of each API, v4, whose name has no version suffix.
        earlier_name = "" if self.api.endswith(f"-{self.base_path.rpartition('/')[2]}") else self.noun
        return StoredKind(self.kind, self.indexes, self.object_type.lists(), earlier_name)


def parse_index(entry: str | list[str]) -> Index:
    """Parse one entry of x-index: a path, or a list of paths; a path that begins with - is indexed downwards."""
    names = [entry] if isinstance(entry, str) else entry
    return Index(tuple((tuple(name.lstrip("-").split(".")), name.startswith("-")) for name in names))
