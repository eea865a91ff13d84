"""Exports the personal data of a party as JSON lines, one object for each item."""

from __future__ import annotations

from collections.abc import AsyncIterator

from tmf_sales.privacy.party import PartyData
from tmf_sales.privacy.personal_data import refers_to
from tmf_sales.storage.events import AUDIT_RECORD, is_of_type
from tmf_sales.storage.records import Document


async def exported(data: PartyData) -> AsyncIterator[Document]:
    """Yield a line for each item about the party; of a record only the versions that refer to it.

    `what` is resource, event, audit or subscription. The other members of a line depend on it.
    """
    async for type, record in data.records():
        kept = [each for each in record.versions if refers_to(each.document, type.object_type, data.party)]
        versions = [{"revision": version.revision, "document": version.document} for version in kept]
        yield {"what": "resource", "kind": type.kind, "id": record.id, "versions": versions}
    async for page in data.events():
        for event in filter(data.is_about_party, page):
            what = "audit" if is_of_type(event, AUDIT_RECORD) else "event"
            yield {"what": what, "kind": event.kind, "id": event.resource, "document": event.document}
    async for subscription in data.subscriptions():
        yield {"what": "subscription", "id": subscription["id"], "document": subscription}
