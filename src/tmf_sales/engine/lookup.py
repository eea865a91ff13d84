"""Finds the stored resource and version that a request names, and hides what its caller may not see.

A resource that the caller may not see gives the same error as an id that does not exist.
"""

from __future__ import annotations

from dataclasses import dataclass

from tmf_sales.contract.resource_type import ResourceType
from tmf_sales.engine import versions
from tmf_sales.engine.representation import Representation
from tmf_sales.engine.request import Request
from tmf_sales.errors import NotFound
from tmf_sales.storage.protocol import Storage
from tmf_sales.storage.records import Record, Version
from tmf_sales.values.messages import shown


@dataclass(frozen=True, slots=True)
class RecordLookup:
    """The stored resources of one type."""

    type: ResourceType
    store: Storage

    def named(self, request: Request) -> tuple[str, versions.Number | None]:
        """The id in the path, and the version number in it, if there is one."""
        id = request.path_parameters["id"]
        return versions.split_id(id) if self.type.version_member else (id, None)

    async def get(self, request: Request, id: str, uncommitted: Record | None = None) -> Record:
        """The stored record, or `uncommitted`; raises NotFound when the caller may see no version of it."""
        record = uncommitted or await self.store.get(self.type.kind, id)
        if record is not None and (request.access.sees_all or self._sees_any(request, record)):
            return record
        raise NotFound(f"{self.type.name} {shown(id)} does not exist")

    def _sees_any(self, request: Request, record: Record) -> bool:
        return any(self._sees(request, record, place) for place in range(len(record.versions)))

    def _sees(self, request: Request, record: Record, place: int) -> bool:
        access = request.access
        if access.sees_all or (place == 0 and access.sees_all_current):
            return True
        return access.sees(record.versions[place].document, is_current=place == 0)

    def place_of(self, request: Request, record: Record, number: versions.Number | None) -> int:
        """The position of the requested version in the record; without a number, that of the current version."""
        member = self.type.version_member or ""
        for place, version in enumerate(record.versions if number else record.versions[:1]):
            is_meant = number is None or versions.number_in(version, member) == number
            if is_meant and self._sees(request, record, place):
                return place
        asked = f" version {'.'.join(map(str, number))}" if number else ""
        raise NotFound(f"{self.type.name} {shown(record.id)} has no{asked or ' current version'}")

    def as_seen(self, request: Request, made: Representation, *, is_current: bool) -> Representation:
        """The representation without members hidden from the caller."""
        if not request.access.hides:
            return made
        seen = request.access.shown(made.version.document, is_current=is_current)
        return Representation(Version(made.version.revision, seen), made.id, made.href)
