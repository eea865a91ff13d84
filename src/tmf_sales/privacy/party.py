"""Finds everything that the store holds about a party: records, events, audit records, responses and subscriptions.

All records and all of the log are read, because versions that are not current and events of deleted resources count,
too. The bytes of each text are searched first, and only what may mention the party is parsed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from tmf_sales.contract.loader import Contract
from tmf_sales.contract.resource_type import ResourceType
from tmf_sales.engine.idempotency import IDEMPOTENCY
from tmf_sales.events.subscriptions import SUBSCRIPTION
from tmf_sales.privacy.personal_data import may_mention, mentions, refers_to
from tmf_sales.storage.events import AUDIT_RECORD, StoredEvent, is_of_type
from tmf_sales.storage.protocol import Storage
from tmf_sales.storage.records import Document, Record

RECORDS_READ = 50
EVENTS_READ = 500


@dataclass(frozen=True, slots=True)
class PartyData:
    """What a store holds about one party, found anew by each call. `types`: the types of the resources, by kind."""

    store: Storage
    types: Mapping[str, ResourceType]
    party: str

    async def records(self) -> AsyncIterator[tuple[ResourceType, Record]]:
        """Yield the records with a version that refers to the party."""
        for kind, type in sorted(self.types.items()):
            async for record in self._mentioning(kind):
                if any(refers_to(version.document, type.object_type, self.party) for version in record.versions):
                    yield type, record

    async def events(self) -> AsyncIterator[list[StoredEvent]]:
        """Yield the events and audit records of the log that may mention the party, one list for each page read.

        Events that still wait in documents are moved to the log first.
        """
        log = self.store.events
        await log.sweep(everything=True)
        kinds = {SUBSCRIPTION, *self.types, *(await self.store.unknown_kinds())}
        place: str | None = None
        while True:
            page, place = await log.read_log(kinds, place=place, limit=EVENTS_READ)
            if not page:
                return
            yield [event for event in page if may_mention(event.text, self.party)]

    def is_about_party(self, event: StoredEvent) -> bool:
        """Return whether an event's resource refers to the party, or the party made the change that was audited."""
        if is_of_type(event, AUDIT_RECORD):
            return event.document.get("subject") == self.party
        type, resource = self.types.get(event.kind), resource_of(event.document)
        return type is not None and resource is not None and refers_to(resource, type.object_type, self.party)

    async def stored_responses(self) -> AsyncIterator[Record]:
        """Yield the responses stored for Idempotency-Key that may mention the party."""
        async for record in self._mentioning(IDEMPOTENCY):
            yield record

    async def subscriptions(self) -> AsyncIterator[Document]:
        """Yield the subscriptions whose query or owner names the party, without their secrets."""
        async for record in self._mentioning(SUBSCRIPTION):
            document = {name: value for name, value in record.current.document.items() if name != "secrets"}
            if self.party in (document["query"] or "") or any(mentions(document.get("owner"), self.party)):
                yield document

    async def _mentioning(self, kind: str) -> AsyncIterator[Record]:
        async for record in walked(self.store, kind):
            if any(may_mention(version.text, self.party) for version in record.versions):
                yield record


def types_of(apis: Sequence[Contract]) -> Mapping[str, ResourceType]:
    """The types of all resources of these contracts, by kind."""
    return {type.kind: type for api in apis for type in api.resources.values()}


async def walked(store: Storage, kind: str) -> AsyncIterator[Record]:
    """Yield all records of a kind, in the order of their ids."""
    after = ""
    while records := await store.walk(kind, after, RECORDS_READ):
        for record in records:
            yield record
        after = records[-1].id


def resource_of(event: Document) -> Document | None:
    """Return the resource in an event of the log; None when it has none."""
    inner = event.get("event")
    resource = next(iter(inner.values()), None) if isinstance(inner, dict) else None
    return resource if isinstance(resource, dict) else None
