"""Erases the personal data of a party from the whole store.

Each record is written as a whole or not at all, with compare-and-set, so a change that a client makes meanwhile is
never lost. An interrupted erasure can be repeated: what is erased already no longer refers to the party.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import orjson

from tmf_sales.access import Principal
from tmf_sales.contract.resource_type import ResourceType
from tmf_sales.engine.audit import audit_entry
from tmf_sales.engine.engine import event_factory_of
from tmf_sales.engine.idempotency import IDEMPOTENCY
from tmf_sales.engine.representation import with_href
from tmf_sales.engine.request import Request
from tmf_sales.errors import Unavailable
from tmf_sales.events.envelope import EventContext
from tmf_sales.events.visibility import of_earlier_version
from tmf_sales.privacy.party import PartyData
from tmf_sales.privacy.personal_data import ERASED, erase, mentions
from tmf_sales.storage.events import AUDIT_RECORD, StoredEvent, is_of_type
from tmf_sales.storage.protocol import RevisionConflict
from tmf_sales.storage.records import Change, Document, Record, Version
from tmf_sales.values import datetimes

RACES = 200
OPERATOR = Principal("tmf-sales party erase", frozenset({"operator"}))
OPERATION = "eraseParty"


@dataclass(slots=True)
class Erased:
    """How much was erased, or would be; `left` names the places where the id occurs outside references to parties."""

    resources: int = 0
    versions: int = 0
    events: int = 0
    audit_records: int = 0
    responses: int = 0
    left: list[str] = field(default_factory=list)

    @property
    def anything(self) -> bool:
        return any((self.resources, self.events, self.audit_records, self.responses))


class Erasure:
    """One run. `report` gets a line for each version; with `is_dry_run` nothing is written.

    `public_base`: what the href in events starts with; `audits`: write an audit record for each changed version.
    """

    def __init__(
        self,
        data: PartyData,
        clock: Callable[[], datetime],
        report: Callable[[str], None],
        *,
        public_base: str,
        audits: bool,
        is_dry_run: bool,
        references_only: bool = False,
    ) -> None:
        self.erased = Erased()
        self._data = data
        self._store = data.store
        self._public_base = public_base
        self._audits = audits
        self._clock = clock
        self._report = report
        self._is_dry_run = is_dry_run
        self._references_only = references_only
        self._correlation_id = str(uuid.uuid4())

    async def run(self) -> Erased:
        """Erase everything about the party; raises Unavailable, after which another run continues."""
        async for type, record in self._data.records():
            await self._erase_record(type, record)
        await self._erase_from_log()
        async for record in self._data.stored_responses():
            await self._erase_response(record)
        return self.erased

    async def _erase_record(self, type: ResourceType, found: Record) -> None:
        record: Record | None = found
        for _ in range(RACES):
            if record is None:  # deleted meanwhile
                return
            erased = [self._document(version.document, type) for version in record.versions]
            if not any(places for _, places in erased):
                return
            try:
                if not self._is_dry_run:
                    await self._store.commit(self._change(type, record, [document for document, _ in erased]))
            except RevisionConflict:
                record = await self._store.get(type.kind, record.id)
                continue
            self._count(type, record, erased)
            return
        raise Unavailable(f"{type.kind} {found.id} is changed by too many others at the same time")

    def _document(self, document: Document, type: ResourceType) -> tuple[Document, list[str]]:
        return erase(document, type.object_type, self._data.party, references_only=self._references_only)

    def _change(self, type: ResourceType, record: Record, documents: list[Document]) -> Change:
        """The change that replaces the versions which refer to the party, with an event for each, oldest first."""
        versions, events = list[Version](), list[Document]()
        for version, document in zip(record.versions, documents, strict=True):
            is_changed = document is not version.document
            versions.append(Version(record.revision + 1, document) if is_changed else version)
            if is_changed:
                made = self._events(type, record.id, version.document, document)
                is_current = version is record.current
                events[:0] = made if is_current else [_as_earlier(each) for each in made]
        return Change(type.kind, record.id, record.revision, tuple(versions), tuple(events))

    def _events(self, type: ResourceType, id: str, before: Document, after: Document) -> list[Document]:
        href = type.href(self._public_base, id)
        context = EventContext(
            datetimes.written(self._clock()),
            self._correlation_id,
            lambda: str(uuid.uuid4()),
            lambda document: with_href(document, href),
        )
        events = [*event_factory_of(type).changed(before, after, context)]
        if self._audits:
            request = Request(OPERATION, "", {}, "", {}, self._public_base, self._correlation_id, OPERATOR)
            events.append(audit_entry(request, context, before, after, type.version_member))
        return events

    def _count(self, type: ResourceType, record: Record, erased: list[tuple[Document, list[str]]]) -> None:
        self.erased.resources += 1
        for document, places in erased:
            version = f" version {document[type.version_member]}" if type.version_member else ""
            name = f"{type.kind} {record.id}{version}"
            if places:
                self.erased.versions += 1
                self._report(f"{name}: {', '.join(places)}")
            self.erased.left += [f"{name}: {place}" for place in mentions(document, self._data.party)]

    async def _erase_from_log(self) -> None:
        async for page in self._data.events():
            texts = {event.id: self._event_text(event) for event in page if self._data.is_about_party(event)}
            if texts and not self._is_dry_run:
                await self._store.events.rewrite(texts)
            audited = sum(1 for event in page if event.id in texts and is_of_type(event, AUDIT_RECORD))
            self.erased.audit_records += audited
            self.erased.events += len(texts) - audited

    def _event_text(self, event: StoredEvent) -> bytes:
        document = event.document
        if is_of_type(event, AUDIT_RECORD):
            return orjson.dumps({**document, "subject": ERASED})
        ((noun, resource),) = document["event"].items()
        erased, _ = self._document(resource, self._data.types[event.kind])
        return orjson.dumps({**document, "event": {noun: erased}})

    async def _erase_response(self, record: Record) -> None:
        """Erase the party from a response that waits for the repetition of its request; it is kept for a day."""
        entry = record.current.document
        answer = entry.get("answer", {})
        stored = answer["json"] if "json" in answer else orjson.loads(answer.get("text") or b"{}")
        # The entry does not name the type of its response: the right type finds most places.
        document, places = max((self._document(stored, type) for type in self._data.types.values()), key=_place_count)
        if not places:
            return
        self.erased.responses += 1
        if not self._is_dry_run:
            changed = {"json": document} if "json" in answer else {"text": orjson.dumps(document).decode()}
            version = Version(record.revision + 1, {**entry, "answer": {**answer, **changed}})
            with contextlib.suppress(RevisionConflict):  # it expired meanwhile
                await self._store.commit(Change(IDEMPOTENCY, record.id, record.revision, (version,)))


def _as_earlier(event: Document) -> Document:
    return event if event["eventType"] == AUDIT_RECORD else of_earlier_version(event)


def _place_count(erased: tuple[Document, list[str]]) -> int:
    return len(erased[1])
