"""Reads the audit trail of a resource: who changed what and when, from the audit records in the event log."""

from __future__ import annotations

from dataclasses import dataclass

from tmf_sales.storage.events import AUDIT_RECORD, EventStore, StoredEvent
from tmf_sales.storage.records import Document

SHOWN = ("eventTime", "subject", "roles", "operation", "version", "changed", "correlationId")


@dataclass(frozen=True, slots=True)
class Entry:
    """One audit record of the event log."""

    event: StoredEvent

    def shown(self) -> Document:
        document = self.event.document
        shown = {name: document[name] for name in SHOWN if name in document}
        return {"kind": self.event.kind, "id": self.event.resource, "revision": self.event.revision, **shown}


async def trail_of(events: EventStore, kind: str, resource: str, limit: int) -> list[Entry]:
    """Return the newest `limit` entries of one resource, oldest first."""
    return [Entry(event) for event in await events.of_type(kind, resource, AUDIT_RECORD, limit)]
