"""Implements list, retrieve, create, patch and delete for every resource that a contract describes (TMF630 part 1).

A change writes the document and its events atomically. After a conflicting change it reads and tries again, or reports
a conflict, and never overwrites the other change. A rejected request changes nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import orjson

from tmf_sales.contract.leniency import Mode
from tmf_sales.contract.operations import operation_ids
from tmf_sales.contract.resource_type import ResourceType
from tmf_sales.engine import versions
from tmf_sales.engine.all_violations import FurtherCheck, FurtherViolations
from tmf_sales.engine.audit import audit_entry
from tmf_sales.engine.documents import BuiltDocument, Caller, DocumentBuilder, Patch
from tmf_sales.engine.expansion import References
from tmf_sales.engine.hooks import Rules
from tmf_sales.engine.idempotency import Idempotency, Reservation
from tmf_sales.engine.listing import Listing
from tmf_sales.engine.long_work import run_work
from tmf_sales.engine.lookup import RecordLookup
from tmf_sales.engine.pending_changes import RACES, Attempt, PendingChanges, too_many_races
from tmf_sales.engine.preconditions import entity_tag, is_not_modified
from tmf_sales.engine.representation import Representation
from tmf_sales.engine.request import Handler, Request, Response
from tmf_sales.engine.verified import Known, Verified
from tmf_sales.errors import (
    Conflict,
    InvalidParameter,
    PatchResultRefused,
    ResourceTooLarge,
    VersionTaken,
)
from tmf_sales.events.envelope import EventContext, EventFactory, EventTypes
from tmf_sales.events.visibility import of_earlier_version
from tmf_sales.query.paging import Paging
from tmf_sales.query.query import WHOLE, View, parse_retrieve
from tmf_sales.storage.protocol import AlreadyExists, RecordTooLarge, RevisionConflict, Storage
from tmf_sales.storage.records import Change, Document, Record, Version
from tmf_sales.values import datetimes
from tmf_sales.values.json_values import CONTAINER_LIMIT, count_containers, same_json
from tmf_sales.values.messages import Violation, shown


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """The service settings that the engine needs; see configuration/settings.py."""

    mode: Mode = Mode.STANDARD
    page_default: int = 100
    page_max: int = 1000
    count_limit: int = 0
    page_bytes: int = 0
    audit: bool = False


class ResourceEngine:
    """All operations on the resources of one type."""

    def __init__(
        self,
        resource_type: ResourceType,
        rules: Rules,
        store: Storage,
        settings: EngineSettings,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        idempotency: Idempotency,
        references: References,
    ) -> None:
        self.type = resource_type
        self._store = store
        self._lookup = RecordLookup(resource_type, store)
        self._strict = settings.mode == Mode.STRICT
        self._audit = settings.audit
        self._clock = clock
        self._new_id = new_id
        self._idempotency = idempotency
        self._references = references
        self._builder = DocumentBuilder(resource_type, rules, settings.mode)
        paging = Paging(settings.page_default, settings.page_max, settings.count_limit, settings.page_bytes)
        self._listing = Listing(resource_type, store, references, self._strict, paging)
        member = resource_type.object_type.lifecycle_member
        self._state = member.name if member else ""
        patch_types = ", ".join(resource_type.patch_types).encode()
        self._accept_patch = [(b"accept-patch", patch_types)] if patch_types else []
        self._event_factory = event_factory_of(resource_type)
        self._verified = Verified()
        self._pending = PendingChanges(self._commit)

    def use_rules(self, rules: Rules) -> None:
        """Apply these rules from now on; a step of a request that is under way ends under the old ones."""
        self._builder = replace(self._builder, rules=rules)
        self._verified = Verified()

    def handlers(self) -> Mapping[str, Handler]:
        """The handler of each operation that a contract may have for this type, by operationId."""
        by_verb: dict[str, Handler] = {
            "list": self._listing.answer,
            "head": self._listing.head,
            "create": self.create,
            "retrieve": self.retrieve,
            "patch": self.patch,
            "delete": self.delete,
        }
        return {id: by_verb[verb] for verb, id in operation_ids(self.type.name).items()}

    def further_checks(self) -> Mapping[str, FurtherCheck]:
        """The check that finds further violations of an invalid body, by operationId."""
        ids = operation_ids(self.type.name)
        further = FurtherViolations(lambda: self._builder, self._now)
        return {ids["create"]: further.of_creation, ids["patch"]: further.of_merge_patch}

    # read ------------------------------------------------------------------------------------------------------------

    async def retrieve(self, request: Request) -> Response:
        view = self._view_of(request)
        id, number = self._lookup.named(request)
        record = await self._lookup.get(request, id)
        place = self._lookup.place_of(request, record, number)
        version = record.versions[place]
        tag = (b"etag", entity_tag(version.revision))
        is_unchanged = is_not_modified(request, version.revision)
        found = self._lookup.as_seen(request, self._represented(request, id, version), is_current=place == 0)
        if view.expansion:
            # The entity tag is about this version alone, and other resources are in the response.
            (document,) = await self._references.expanded(request, [view.trim(found.document)], view.expansion)
            return Response(200, orjson.dumps(view.select(document)), [*self._accept_patch])
        if is_unchanged:
            return Response(304, headers=[tag])
        return Response(200, _response_text(found, view), [tag, *self._accept_patch])

    # create ----------------------------------------------------------------------------------------------------------

    async def create(self, request: Request) -> Response:
        view = self._view_of(request)
        await run_work(request.body_size, self._builder.normalize_body, request.body, self._now)
        return await self._idempotency.answer(self.type.kind, request, functools.partial(self._create, request, view))

    async def _create(self, request: Request, view: View, reserved: Reservation) -> Response:
        size, builder = request.body_size, self._builder
        if self.type.version_member and "id" in request.body:
            return await self._create_version(request, view, request.body, reserved)
        answer = await run_work(size, builder.rules.answer_instantly, request.body, reserved.now)
        if answer is not None:
            return Response(200, orjson.dumps(view.apply(request.access.shown(answer))))
        document = await run_work(size, builder.new, request.body, reserved.id, reserved.now)
        made, change = self._creation(request, document, reserved)
        del document
        request.body = None  # only texts wait for the store: the documents of many requests fill the processor's cache
        try:
            await self._commit(change)
        except AlreadyExists:
            if not reserved.resumed:
                raise Conflict(f"/id: {shown(reserved.id)} is taken") from None
        return self._created(request, view, made)

    def _creation(self, request: Request, document: Document, reserved: Reservation) -> tuple[Representation, Change]:
        request.access.reject_creation(request.body, document, self._state)
        version = Version(1, document)
        made = self._represented(request, reserved.id, version)
        context = self._event_context(request, reserved.now, made)
        events = self._event_factory.created(document, context) + self._audit_entries(request, context, {}, document)
        return made, Change(self.type.kind, reserved.id, 0, (version,), events)

    async def _create_version(self, request: Request, view: View, body: Document, reserved: Reservation) -> Response:
        """Create a further version of a stored resource; does not copy from or change the other versions."""
        member = self.type.version_member or ""
        for _ in range(RACES):
            record = await self._lookup.get(request, body["id"])
            current = record.versions[self._lookup.place_of(request, record, None)]
            if reserved.resumed and (written := self._version_made_of(body, record, reserved.now)):
                return self._created(request, view, self._represented(request, record.id, written))
            wanted = body.get(member) or versions.next_after(record.versions, member)
            is_highest = versions.number_of(wanted) > versions.number_in(current, member)
            request.access.reject_number_among_hidden(member, is_higher=is_highest)
            self._reject_taken_version(record.versions, wanted)
            document = await run_work(request.body_size, self._builder.new, body, record.id, reserved.now, wanted)
            request.access.reject_creation(body, document, self._state)
            version = Version(record.revision + 1, document)
            made = self._represented(request, record.id, version)
            context = self._event_context(request, reserved.now, made)
            events = _marked(self._event_factory.created(document, context), is_current=is_highest)
            events += self._audit_entries(request, context, {}, document)
            ordered = versions.highest_first((*record.versions, version), member)
            if await self._commit_unless_lost(Change(self.type.kind, record.id, record.revision, ordered, events)):
                return self._created(request, view, made)
        raise too_many_races()

    def _version_made_of(self, body: Document, record: Record, now: str) -> Version | None:
        """The stored version that an earlier attempt of this request wrote, or None."""
        member = self.type.version_member or ""
        for version in record.versions:
            if same_json(version.document, self._builder.new(body, record.id, now, version.document[member])):
                return version
        return None

    def _created(self, request: Request, view: View, made: Representation) -> Response:
        headers = [(b"location", made.href.encode()), (b"etag", entity_tag(made.version.revision))]
        return Response(201, _response_text(self._lookup.as_seen(request, made, is_current=True), view), headers)

    # patch -----------------------------------------------------------------------------------------------------------

    async def patch(self, request: Request) -> Response:
        view = self._view_of(request)
        id, number = self._lookup.named(request)
        return await self._pending.answer(id, functools.partial(self._patch, request, view, id, number))

    async def _patch(
        self, request: Request, view: View, id: str, number: versions.Number | None, uncommitted: Record | None
    ) -> Attempt:
        record = await self._lookup.get(request, id, uncommitted)
        place = self._lookup.place_of(request, record, number)
        before = record.versions[place]
        is_not_modified(request, before.revision)
        href, now = self._href(request, id), self._now()
        patch = Patch(request.body, request.media_type, href, now, Caller(request.access, place == 0))
        builder, verified = self._builder, self._verified  # which new rules replace together
        known = verified.of(id, before.text)
        work = _work_of(before, patch, request)
        attempt, known = await run_work(work, self._attempt, request, view, record, place, patch, builder, known)
        if attempt.change is not None:
            verified.replace(id, known)
        return attempt

    def _attempt(
        self,
        request: Request,
        view: View,
        record: Record,
        place: int,
        patch: Patch,
        builder: DocumentBuilder,
        known: Known | None,
    ) -> tuple[Attempt, Known | None]:
        """Patch one version of the record; returns the attempt, and what is known of the patched document."""
        before, is_current = record.versions[place], place == 0
        built = _built(builder, before, patch, known)
        if built.text is None:
            unchanged = Representation(before, record.id, patch.href)
            return Attempt(self._patched(request, view, unchanged, is_current=is_current)), known
        after = Version(record.revision + 1, None if built.is_part else built.document, built.text)
        _reject_too_many_containers(after)
        ordered = self._with_patched(request, record.versions, place, after, built)
        made = Representation(after, record.id, patch.href)
        context = self._event_context(request, patch.now, made)
        events = _marked(self._events_of_patch(built, builder.rules, context), is_current=ordered[0] is after)
        events += self._audit_entries(request, context, built.before, built.document)
        changed = built.changed if is_current and ordered[0] is after else None
        change = Change(self.type.kind, record.id, record.revision, ordered, events, record.current, changed=changed)
        return Attempt(self._patched(request, view, made, is_current=is_current), change), built.known

    def _events_of_patch(self, built: BuiltDocument, rules: Rules, context: EventContext) -> tuple[Document, ...]:
        title = None if built.is_part else rules.title_of_state_change(built.before, built.document)
        return self._event_factory.changed(
            built.before,
            built.document,
            context,
            changed=built.changed,
            server_set=built.server_set,
            state_title=title,
        )

    def _with_patched(
        self, request: Request, stored: tuple[Version, ...], place: int, after: Version, built: BuiltDocument
    ) -> tuple[Version, ...]:
        """The record's versions with one replaced, in order. The patch may change its number to a free one."""
        others = stored[:place] + stored[place + 1 :]
        member = self.type.version_member
        if member is None or built.document[member] == built.before[member]:
            return (*stored[:place], after, *stored[place + 1 :])
        is_lower = versions.number_in(after, member) < versions.number_in(stored[place], member)
        request.access.reject_number_among_hidden(member, is_higher=not is_lower)
        self._reject_taken_version(others, after.document[member])
        return versions.highest_first((*others, after), member)

    def _patched(self, request: Request, view: View, made: Representation, *, is_current: bool) -> Response:
        headers = [(b"etag", entity_tag(made.version.revision))]
        return Response(200, _response_text(self._lookup.as_seen(request, made, is_current=is_current), view), headers)

    # delete ----------------------------------------------------------------------------------------------------------

    async def delete(self, request: Request) -> Response:
        id, number = self._lookup.named(request)
        async with self._pending.alone(id):
            return await self._delete(request, id, number)

    async def _delete(self, request: Request, id: str, number: versions.Number | None) -> Response:
        for _ in range(RACES):
            record = await self._lookup.get(request, id)
            place = self._lookup.place_of(request, record, number)
            is_not_modified(request, record.versions[place].revision)
            kept = () if number is None else record.versions[:place] + record.versions[place + 1 :]
            gone = range(len(record.versions)) if number is None else (place,)
            now = self._now()
            events: tuple[Document, ...] = ()
            for each in reversed(gone):
                document = record.versions[each].document
                context = self._event_context(request, now, self._represented(request, id, record.versions[each]))
                deletions = self._event_factory.deleted(document, context)
                events += _marked(deletions, is_current=each == 0) + self._audit_entries(request, context, document, {})
            if await self._commit_unless_lost(Change(self.type.kind, id, record.revision, kept, events)):
                return Response(204)
        raise too_many_races()

    # guards and small steps ------------------------------------------------------------------------------------------

    def _view_of(self, request: Request) -> View:
        """Parse what the response should show. Called before anything is written, because the query may be invalid."""
        if not request.raw_query:
            return WHOLE
        view = parse_retrieve(request.raw_query, self.type.attributes, strict=self._strict)
        if view.expansion and request.method not in {"GET", "HEAD"}:
            raise InvalidParameter(f"{view.expansion.parameter}: expected only in GET and HEAD")
        return view

    def _reject_taken_version(self, stored: tuple[Version, ...], wanted: str) -> None:
        member = self.type.version_member or ""
        if any(versions.number_in(version, member) == versions.number_of(wanted) for version in stored):
            raise VersionTaken(f"/{member}: version {shown(wanted)} exists already")

    def _now(self) -> str:
        return datetimes.written(self._clock())

    async def _commit(self, change: Change) -> None:
        try:
            await self._store.commit(change)
        except RecordTooLarge:
            raise _too_large(change.id) from None

    async def _commit_unless_lost(self, change: Change) -> bool:
        """Commit; returns False when the resource has changed since it was read, so that the caller reads it again."""
        try:
            await self._commit(change)
        except RevisionConflict:
            return False
        return True

    def _href(self, request: Request, id: str) -> str:
        return self.type.href(request.public_url, id)

    def _audit_entries(
        self, request: Request, context: EventContext, before: Document, after: Document
    ) -> tuple[Document, ...]:
        """The audit entry of this change; {} stands for a document that did not exist, or no longer exists."""
        if not self._audit:
            return ()
        return (audit_entry(request, context, before, after, self.type.version_member),)

    def _represented(self, request: Request, id: str, version: Version) -> Representation:
        return Representation(version, id, self._href(request, id))

    def _event_context(self, request: Request, now: str, of: Representation) -> EventContext:
        """The context of events about one version, which they show in the same form as the response."""
        return EventContext(
            now, request.correlation_id, self._new_id, lambda _: orjson.Fragment(of.text), request.traceparent
        )


def event_factory_of(resource_type: ResourceType) -> EventFactory:
    """Return what builds the events of resources of this type."""
    state = resource_type.object_type.lifecycle_member
    return EventFactory(
        types=EventTypes.from_contract(resource_type.events),
        resource=resource_type.noun,
        domain=resource_type.domain,
        state=state.name if state else "",
        items={
            name: inner.object_type.lifecycle_member.name
            for name, inner in resource_type.object_type.stateful.items()
            if inner.object_type and inner.object_type.lifecycle_member
        },
    )


def _built(builder: DocumentBuilder, before: Version, patch: Patch, known: Known | None) -> BuiltDocument:
    """Build the patched document in part if that will do, and else as a whole."""
    if known is None:
        return builder.patched(before.document, patch, text_before=before.text)
    built = builder.patched_in_part(known, patch)
    if built is None:
        verified = frozenset(before.document.keys() - known.doubtful)
        built = builder.patched(before.document, patch, verified, before.text)
    return built


def _work_of(before: Version, patch: Patch, request: Request) -> int:
    """The bytes of JSON that a patch works on."""
    size = len(before.text)
    return patch.survey.work(size) if patch.is_json_patch else size + request.body_size


def _response_text(made: Representation, view: View) -> bytes:
    return made.text if view is WHOLE else orjson.dumps(view.apply(made.document))


def _reject_too_many_containers(version: Version) -> None:
    """Apply the limit on objects and lists of a body to patched documents as well. Each takes at least two bytes."""
    if len(version.text) > 2 * CONTAINER_LIMIT and count_containers(version.document, version.text) > CONTAINER_LIMIT:
        expected = f"expected at most {CONTAINER_LIMIT} objects and lists"
        raise PatchResultRefused([Violation("", expected)])


def _marked(events: tuple[Document, ...], *, is_current: bool) -> tuple[Document, ...]:
    """Mark events about earlier versions, which are hidden from callers that may not see those versions."""
    return events if is_current else tuple(map(of_earlier_version, events))


def _too_large(id: str) -> ResourceTooLarge:
    return ResourceTooLarge(f"{shown(id)} with all its versions would exceed 8 MB")
