"""Who changed a resource: the entries of the log that the service made of every change, in their order."""

from __future__ import annotations

from dataclasses import dataclass

from tmf_sales.events.visibility import AUDIT_RECORD
from tmf_sales.storage.events import EventStore, StoredEvent
from tmf_sales.storage.protocol import Document

TOLD = ("eventTime", "subject", "roles", "operation", "version", "changed", "correlationId")


@dataclass(frozen=True, slots=True)
class Entry:
    """One change, as the log has it."""

    event: StoredEvent

    def shown(self) -> Document:
        document = self.event.document
        told = {name: document[name] for name in TOLD if name in document}
        return {"kind": self.event.kind, "id": self.event.resource, "revision": self.event.revision, **told}


async def trail_of(events: EventStore, kind: str, resource: str, limit: int) -> list[Entry]:
    """The entries of one resource, the oldest first, at most `limit` of the newest."""
    return [Entry(event) for event in await events.of_type(kind, resource, AUDIT_RECORD, limit)]
