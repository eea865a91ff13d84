"""Which stored resource, and which version of it, a request means, and what its caller may see of them.

Promise: what the caller may not see is not there, in the same words as for an id that nobody has.
"""

from __future__ import annotations

from dataclasses import dataclass

from tmf_sales.contract.loader import ResourceType
from tmf_sales.engine import versions
from tmf_sales.engine.representation import Representation
from tmf_sales.engine.request import Request
from tmf_sales.errors import NotFound
from tmf_sales.messages import shown
from tmf_sales.storage.protocol import Record, Storage, Version


@dataclass(frozen=True, slots=True)
class RecordLookup:
    """The stored resources of one type."""

    type: ResourceType
    store: Storage

    def named(self, request: Request) -> tuple[str, versions.Number | None]:
        """The id in the path, and the number of the version that it asks for."""
        id = request.path_parameters["id"]
        return versions.split_id(id) if self.type.version_member else (id, None)

    async def get(self, request: Request, id: str) -> Record:
        """The resource; one of which the caller sees no version is not there, in the same words."""
        record = await self.store.get(self.type.kind, id)
        if record is None or not any(self._sees(request, record, place) for place in range(len(record.versions))):
            raise NotFound(f"{self.type.name} {shown(id)} does not exist")
        return record

    def _sees(self, request: Request, record: Record, place: int) -> bool:
        access = request.access
        if access.sees_all or (place == 0 and access.sees_all_current):
            return True
        return access.sees(record.versions[place].document, is_current=place == 0)

    def place_of(self, request: Request, record: Record, number: versions.Number | None) -> int:
        """Where in the unit the version is that the caller asks for: without a number the current one."""
        member = self.type.version_member or ""
        for place, version in enumerate(record.versions if number else record.versions[:1]):
            is_meant = number is None or versions.number_in(version, member) == number
            if is_meant and self._sees(request, record, place):
                return place
        asked = f" version {'.'.join(map(str, number))}" if number else ""
        raise NotFound(f"{self.type.name} {shown(record.id)} has no{asked or ' current version'}")

    def as_seen(self, request: Request, made: Representation, *, is_current: bool) -> Representation:
        """With what the caller sees of the version."""
        if not request.access.hides:
            return made
        seen = request.access.shown(made.version.document, is_current=is_current)
        return Representation(Version(made.version.revision, seen), made.id, made.href)
