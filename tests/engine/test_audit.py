"""Audit records, delivered events and visible members: the engine, called by each kind of caller."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.identity import PARTY, party

from tmf_sales.access import ANONYMOUS_ADMIN, FULL_ACCESS, Principal
from tmf_sales.apis.deliveries import DeliveryHandlers
from tmf_sales.apis.event_log import EventHandlers, EventSettings
from tmf_sales.apis.hub import subscription_audit_entry
from tmf_sales.app.composition import create_engines, create_references, handlers_of
from tmf_sales.app.context import create_context, create_hub
from tmf_sales.app.delivery_setup import webhook_checks
from tmf_sales.auth.current_policy import CurrentPolicy
from tmf_sales.auth.policy import Policy
from tmf_sales.configuration.settings import Settings
from tmf_sales.contract.files import contracts_folder
from tmf_sales.contract.loader import load_contracts
from tmf_sales.engine.audit import changed_paths
from tmf_sales.engine.idempotency import Idempotency
from tmf_sales.engine.request import Request, Response
from tmf_sales.errors import Conflict, Forbidden, NotFound, PatchDoesNotApply, TooManyRequests, Unavailable
from tmf_sales.events.audit_log import trail_of
from tmf_sales.events.subscriptions import SUBSCRIPTION_KIND, Hub
from tmf_sales.storage.protocol import RevisionConflict
from tmf_sales.storage.records import Document

APIS = load_contracts(contracts_folder())
QUOTES = next(api for api in APIS if api.name == "tmf648")
POLICY = Policy.for_apis(None, APIS)
CALLBACK = "http://127.0.0.1/events"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Desk:
    """The handlers of the API on a store in memory, called by the subject that is named."""

    def __init__(self, *, audit: bool = True) -> None:
        numbers = count(1)
        settings = Settings(store="memory:", audit="on" if audit else "off", listener_limit=3)

        def new_id() -> str:
            return f"id-{next(numbers)}"

        context = create_context(settings)
        self.store = context.store
        idempotency = Idempotency(self.store, lambda: NOW, new_id, timedelta(seconds=10))
        engines = create_engines(context, lambda: NOW, new_id, idempotency, create_references(context, POLICY.seen_by))
        self.hub: Hub = context.hub
        self.policy = POLICY
        events = EventHandlers(QUOTES, self.store, self.policy.seen_by, EventSettings())
        deliveries = DeliveryHandlers(QUOTES, self.hub, webhook_checks(settings, lambda: NOW, new_id), time_limit=1.0)
        self._handlers = handlers_of(QUOTES, engines[QUOTES.name], self.hub, None, events, deliveries)

    async def call(self, operation: str, role: str, id: str = "", body: Any = None, **more: Any) -> Response:
        who = Principal(f"the {role}", frozenset({role}), frozenset({PARTY}))
        request = Request(
            operation_id=operation,
            method="GET",
            path_parameters={"id": id},
            raw_query=more.pop("query", ""),
            headers={},
            public_url="http://host",
            correlation_id="same call",
            principal=who,
            access=self.policy.access(who, operation),
            body=body,
            media_type=more.pop("media_type", "application/merge-patch+json"),
        )
        return await self._handlers[operation](request)

    async def create(self, **members: Any) -> str:
        made = await self.call("createQuote", "admin", body=quote(**members))
        return str(orjson.loads(made.text)["id"])

    async def patch(self, id: str, role: str, **members: Any) -> Document:
        changed: Document = orjson.loads((await self.call("patchQuote", role, id, members)).text)
        return changed

    async def events_for(self, listener: str) -> list[tuple[str, Document]]:
        """What the listener is to get of all that has happened: type of the event, and what is sent."""
        active = await self.hub.active()
        events, _ = await self.store.events.log(None, 0, 1000)
        wanted = [each for each in events if active.wants(listener, each.kind, each.document)]
        assert [each.id for each in wanted] == [
            each.id for each in events if listener in active.matching(each.kind, each.document)
        ]
        return [(each.document["eventType"], active.selected(listener, each.kind, each.document)) for each in wanted]

    async def listens(self, role: str, query: str | None = None) -> str:
        who = Principal(f"the {role}", frozenset({role}), frozenset({PARTY}))
        return (await self.hub.register("tmf648", CALLBACK, query, owner=who)).subscription.id


def quote(**members: Any) -> Document:
    item = {"id": "1", "action": "add", "note": [{"id": "1", "text": "internal"}]}
    return {"relatedParty": party(PARTY), "note": [{"id": "1", "text": "internal"}], "quoteItem": [item], **members}


@pytest.fixture
def desk() -> Desk:
    return Desk()


# who changed what ----------------------------------------------------------------------------------------------------


async def test_each_change_tells_who_made_it(desk: Desk) -> None:
    id = await desk.create()
    await desk.patch(id, "sales", description="secret plan", state="pending")
    await desk.call("deleteQuote", "admin", id)

    created, patched, deleted = [each.shown() for each in await trail_of(desk.store.events, "tmf648/quote", id, 10)]

    assert created == {
        "kind": "tmf648/quote",
        "id": id,
        "revision": 1,
        "eventTime": "2026-01-01T00:00:00.000Z",
        "subject": "the admin",
        "roles": ["admin"],
        "operation": "createQuote",
        "version": "1",
        "correlationId": "same call",
    }
    assert patched["subject"] == "the sales"
    assert patched["changed"] == ["/description", "/state"]
    assert (patched["revision"], deleted["revision"], deleted["operation"]) == (2, 3, "deleteQuote")
    assert "secret plan" not in str([created, patched, deleted])


async def test_a_refused_change_and_one_that_changes_nothing_leave_no_entry(desk: Desk) -> None:
    id = await desk.create()
    await desk.patch(id, "sales", state="inProgress")
    with pytest.raises(Conflict):
        await desk.patch(id, "sales", state="accepted")

    assert len(await trail_of(desk.store.events, "tmf648/quote", id, 10)) == 1


async def test_a_long_trail_shows_its_newest_entries(desk: Desk) -> None:
    id = await desk.create()
    for number in range(5):
        await desk.patch(id, "sales", description=str(number))

    assert [each.shown()["revision"] for each in await trail_of(desk.store.events, "tmf648/quote", id, 2)] == [5, 6]
    assert await trail_of(desk.store.events, "tmf648/quote", "another", 2) == []


async def test_without_audit_only_the_events_are_written() -> None:
    desk = Desk(audit=False)
    id = await desk.create()

    assert await trail_of(desk.store.events, "tmf648/quote", id, 10) == []
    assert len((await desk.store.events.log(None, 0, 10))[0]) == 1


@pytest.mark.parametrize(
    ("before", "after", "paths"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2, "b": 1}, ["/a", "/b"]),
        ({"a": {"b": 1, "c/d": 2}}, {"a": {"b": 1}}, ["/a/c~1d"]),
        ({"a": [1, {"b": 1}, 3]}, {"a": [1, {"b": 2}]}, ["/a/1/b", "/a/2"]),
        ({"a": [1]}, {"a": {"0": 1}}, ["/a"]),
    ],
)
def test_what_changed_is_reported_by_its_place(before: Document, after: Document, paths: list[str]) -> None:
    assert list(changed_paths(before, after)) == paths


# who gets which events ------------------------------------------------------------------------------------------------


async def test_a_listener_of_a_customer_hears_only_of_its_approved_quotes(desk: Desk) -> None:
    listener = await desk.listens("customer")
    own, foreign = await desk.create(), await desk.create(relatedParty=party("another"))
    for id in (own, foreign):
        await desk.patch(id, "admin", state="approved")

    received = await desk.events_for(listener)

    assert [type for type, _ in received] == ["QuoteStateChangeEvent"]
    ((_, event),) = received
    assert event["event"]["quote"]["id"] == own
    assert "internal" not in str(event)
    assert "note" not in event["event"]["quote"]["quoteItem"][0]


async def test_nobody_hears_of_the_entries_of_the_log(desk: Desk) -> None:
    everything = (await desk.hub.register("tmf648", CALLBACK, None)).subscription.id
    await desk.create()

    assert [type for type, _ in await desk.events_for(everything)] == ["QuoteCreateEvent"]


async def test_a_query_on_a_hidden_member_selects_nothing(desk: Desk) -> None:
    looking = await desk.listens("customer", "event.quote.note.text=internal")
    knowing = await desk.listens("reader", "event.quote.note.text=internal")
    await desk.patch(await desk.create(), "admin", state="approved")

    assert await desk.events_for(looking) == []
    assert len(await desk.events_for(knowing)) == 2


async def test_events_of_earlier_versions_go_only_to_readers_of_these(desk: Desk) -> None:
    reader, admin = await desk.listens("reader"), await desk.listens("admin")
    anybody = (await desk.hub.register("tmf648", CALLBACK, None)).subscription.id
    id = await desk.create(version="2")
    await desk.create(id=id, version="1")
    await desk.patch(f"{id}:(version=1)", "admin", description="old")
    await desk.call("deleteQuote", "admin", id)

    created, changed, deleted = "QuoteCreateEvent", "QuoteAttributeValueChangeEvent", "QuoteDeleteEvent"
    assert [type for type, _ in await desk.events_for(reader)] == [created, deleted]
    for listener in (admin, anybody):
        received = await desk.events_for(listener)
        assert [type for type, _ in received] == [created, created, changed, deleted, deleted]
        assert all("@earlierVersion" not in event for _, event in received)


async def test_a_change_of_hidden_members_is_no_event(desk: Desk) -> None:
    desk.hub = create_hub(APIS, desk.store, Settings(), CurrentPolicy(POLICY, APIS))
    listener = await desk.listens("customer")
    active = await desk.hub.active()
    document = quote(id="1", state="approved")

    def event(path: str) -> Document:
        return {
            "eventType": "QuoteAttributeValueChangeEvent",
            "title": "Quote Attribute Value Change Event",
            "description": f"quote 1 changed: {path}",
            "fieldPath": path,
            "event": {"quote": document},
        }

    assert not active.wants(listener, "tmf648/quote", event("authorization,note"))
    created = {name: value for name, value in event("").items() if name != "fieldPath"}
    assert "note" not in active.selected(listener, "tmf648/quote", created)["event"]["quote"]
    sent = active.selected(listener, "tmf648/quote", event("description,note"))
    assert sent["fieldPath"] == "description"
    assert "note" not in str(sent)


async def test_listeners_of_who_may_read_nothing_hear_nothing(desk: Desk) -> None:
    listener = await desk.listens("marketing")
    await desk.create()

    assert await desk.events_for(listener) == []


async def test_owners_do_not_meet_each_other(desk: Desk) -> None:
    one, two = await desk.listens("reader"), await desk.listens("sales")

    assert one != two
    assert {each.id for each in await desk.hub.subscriptions("tmf648", FULL_ACCESS)} == {one, two}


async def test_a_caller_has_only_so_many_listeners(desk: Desk) -> None:
    for number in range(3):
        await desk.listens("reader", f"title={number}")
    with pytest.raises(TooManyRequests):
        await desk.listens("reader")
    await desk.listens("sales")


async def test_a_listener_that_changes_too_often_is_not_removed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    listener = (await desk.hub.register("tmf648", CALLBACK, None)).subscription.id

    async def lost(_change: object) -> int:
        raise RevisionConflict

    monkeypatch.setattr(desk.store, "commit", lost)
    with pytest.raises(Unavailable):
        await desk.hub.unregister("tmf648", listener)


async def test_the_log_says_who_registered_a_listener(desk: Desk) -> None:
    record = {
        "eventId": "1",
        "eventTime": "2026-01-01T00:00:00.000Z",
        "eventType": "AuditRecord",
        "subject": "somebody",
    }
    listener = await desk.hub.register("tmf648", CALLBACK, None, owner=ANONYMOUS_ADMIN, records=(record,))

    (entry,) = await trail_of(desk.store.events, SUBSCRIPTION_KIND.name, listener.subscription.id, 10)
    assert entry.shown()["subject"] == "somebody"


# what of a resource is there -----------------------------------------------------------------------------------------


async def approved(desk: Desk) -> str:
    id = await desk.create()
    await desk.patch(id, "admin", state="approved")
    return id


async def test_hidden_members_survive_a_patch_by_who_does_not_see_them(desk: Desk) -> None:
    id = await approved(desk)

    answer = await desk.patch(id, "customer", quoteItem=[{"id": "1", "action": "add", "state": "rejected"}])

    assert "note" not in answer
    record = await desk.store.get("tmf648/quote", id)
    assert record is not None
    stored = record.current.document
    assert stored["state"] == "rejected"
    assert stored["note"][0]["text"] == stored["quoteItem"][0]["note"][0]["text"] == "internal"


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/note/0/text", "value": "internal"},
        {"op": "copy", "from": "/note/0/text", "path": "/description"},
        {"op": "remove", "path": "/note"},
    ],
)
async def test_a_patch_neither_tests_nor_copies_what_is_hidden(desk: Desk, operation: Document) -> None:
    id = await approved(desk)

    with pytest.raises(PatchDoesNotApply):
        await desk.call("patchQuote", "customer", id, [operation], media_type="application/json-patch+json")


async def test_a_hidden_member_is_not_sent(desk: Desk) -> None:
    id = await approved(desk)

    with pytest.raises(Forbidden, match="note"):
        await desk.patch(id, "customer", note=[])


@pytest.mark.parametrize("query", ["note.text=internal", "filter=quoteItem[?(@.note[?(@.text=='internal')])]"])
async def test_a_filter_on_a_hidden_member_finds_nothing(desk: Desk, query: str) -> None:
    await approved(desk)

    assert (await desk.call("listQuote", "customer", query=query)).text == b"[]"
    assert (await desk.call("listQuote", "admin", query=query)).body != b"[]"


async def test_selecting_a_hidden_member_shows_nothing_of_it(desk: Desk) -> None:
    id = await approved(desk)

    for answer in (
        await desk.call("retrieveQuote", "customer", id, query="fields=note"),
        await desk.call("listQuote", "customer", query="fields=note"),
        await desk.call("listQuote", "customer", query=f"id={id}&fields=note"),
    ):
        assert b"internal" not in answer.body
        assert id.encode() in answer.body


async def test_who_sees_only_current_versions_cannot_find_out_about_others(desk: Desk) -> None:
    id = await desk.create(version="3")
    await desk.create(id=id, version="1")

    for taken_or_not in ("1", "2", "3"):
        with pytest.raises(Conflict, match="expected a version above the current one"):
            await desk.call("createQuote", "sales", body=quote(id=id, version=taken_or_not))
    for taken_or_not in ("1", "2"):
        with pytest.raises(Conflict, match="expected a version above the current one"):
            await desk.patch(id, "sales", version=taken_or_not)
        with pytest.raises(NotFound, match=f"has no version {taken_or_not}"):
            await desk.call("retrieveQuote", "sales", f"{id}:(version={taken_or_not})")
    assert (await desk.patch(id, "sales", version="4"))["version"] == "4"
    await desk.call("createQuote", "sales", body=quote(id=id))


async def test_who_sees_approved_versions_sees_them_whichever_is_current(desk: Desk, tmp_path: Path) -> None:
    """A table of an operator's own may say so."""
    table = tmp_path / "policy.yaml"
    table.write_text("auditor: [{may: [retrieveQuote, listQuote], versions: all, states: [approved], hides: [note]}]")
    id = await approved(desk)
    await desk.create(id=id)
    desk.policy = Policy.for_apis(table, APIS)

    shown = orjson.loads((await desk.call("retrieveQuote", "auditor", f"{id}:(version=1)")).text)
    listed = orjson.loads((await desk.call("listQuote", "auditor", query=f"id={id}")).text)
    with pytest.raises(NotFound, match="has no current version"):
        await desk.call("retrieveQuote", "auditor", id)
    assert [each["version"] for each in listed] == [shown["version"]] == ["1"]
    assert "note" not in {**shown, **listed[0]}


async def test_what_is_created_answers_without_what_is_hidden(desk: Desk, tmp_path: Path) -> None:
    table = tmp_path / "policy.yaml"
    table.write_text("shop: [{may: [createQuote], whose: {relatedParty.id: party}, hides: [quoteDate]}]")
    desk.policy = Policy.for_apis(table, APIS)

    made = await desk.call("createQuote", "shop", body=quote())

    assert "quoteDate" not in orjson.loads(made.text)
    with pytest.raises(Forbidden, match="a party of the caller"):
        await desk.call("createQuote", "shop", body=quote(relatedParty=party("another")))


async def test_an_entry_for_what_has_no_versions_names_none() -> None:
    request = Request("registerListener", "POST", {}, "", {}, "http://host", "same call")

    assert "version" not in subscription_audit_entry(request, lambda: NOW, lambda: "1")
