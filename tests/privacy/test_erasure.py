"""Export and erasure of a party in every store: resources, versions, events, audit records, stored responses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.mongodb.databases import drop

from tmf_sales.contract.loader import load_contracts
from tmf_sales.engine.idempotency import IDEMPOTENCY, IDEMPOTENCY_KIND
from tmf_sales.errors import Unavailable
from tmf_sales.events.subscriptions import SUBSCRIPTION, SUBSCRIPTION_KIND
from tmf_sales.privacy import erasure, party
from tmf_sales.privacy.erasure import Erased, Erasure
from tmf_sales.privacy.export import exported
from tmf_sales.privacy.party import PartyData, types_of
from tmf_sales.storage.factory import open_store
from tmf_sales.storage.mongo.store import MongoStorage
from tmf_sales.storage.protocol import RevisionConflict, Storage
from tmf_sales.storage.records import Change, Document, Record, Version

TYPES = types_of(load_contracts(Path(__file__).parents[2] / "openapi"))
QUOTE, LEAD = "tmf648/quote", "tmf699/salesLead"
KINDS = (*(type.stored_kind() for type in TYPES.values()), SUBSCRIPTION_KIND, IDEMPOTENCY_KIND)
NOW = "2026-01-02T03:04:05.678Z"


@pytest.fixture(params=["memory", "sqlite", "mongo"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Storage]:
    urls = {"memory": "memory:", "sqlite": f"sqlite:///{tmp_path}/store.sqlite"}
    url = urls.get(request.param) or request.getfixturevalue("databases").new()
    opened = open_store(url, KINDS)
    await opened.open()
    yield opened
    await opened.close()
    if request.param == "mongo":
        drop(url)


def quote(id: str, parties: Sequence[str], version: str = "1", **members: Any) -> Document:
    related = [{"id": each, "name": f"Name of {each}", "role": "Buyer", "@referredType": "Person"} for each in parties]
    item = {"id": "1", "action": "add", "state": "inProgress", "quantity": 1}
    return {
        "id": id,
        "state": "inProgress",
        "version": version,
        "quoteItem": [item],
        "relatedParty": related,
        **members,
    }


def event(id: str, resource: Document) -> Document:
    return {"eventId": id, "eventTime": NOW, "eventType": "QuoteCreateEvent", "event": {"quote": resource}}


def audit(id: str, subject: str) -> Document:
    return {"eventId": id, "eventTime": NOW, "eventType": "AuditRecord", "subject": subject, "operation": "patchQuote"}


async def insert(store: Storage, kind: str, id: str, *documents: Document, events: tuple[Document, ...] = ()) -> None:
    await store.commit(Change(kind, id, 0, tuple(Version(1, each) for each in documents), events))


async def erase(store: Storage, id: str, *, is_dry_run: bool = False, audits: bool = False) -> tuple[Erased, list[str]]:
    lines: list[str] = []
    run = Erasure(
        PartyData(store, TYPES, id),
        lambda: datetime.now(UTC),
        lines.append,
        public_base="http://api.example.com",
        audits=audits,
        is_dry_run=is_dry_run,
    )
    return await run.run(), lines


async def log_of(store: Storage) -> list[Document]:
    await store.events.sweep()
    if isinstance(store, MongoStorage) and store._outbox._task is not None:
        await store._outbox._task  # a sweep leaves to it what it is about to move
    found, _ = await store.events.read_log({*TYPES, SUBSCRIPTION}, limit=1000)
    return [each.document for each in found]


async def everything(store: Storage) -> bytes:
    records = [
        version.text
        for kind in (*TYPES, IDEMPOTENCY)
        async for record in party.walked(store, kind)
        for version in record.versions
    ]
    return b"\n".join([*records, *map(orjson.dumps, await log_of(store))])


async def fill(store: Storage) -> None:
    """Quotes of p-55 and of others, a deleted one, audit records, and a stored response."""
    versions = (quote("1", ["p-55", "seller"], "2"), quote("1", ["seller"], "1"))
    of_first = (event("e1", versions[0]), audit("a1", "p-55"))
    await insert(store, QUOTE, "1", *versions, events=of_first)
    await insert(store, QUOTE, "2", quote("2", ["seller"]), events=(event("e2", quote("2", ["seller"])),))
    await insert(store, QUOTE, "3", quote("3", ["p-55"]), events=(event("e3", quote("3", ["p-55"])),))
    await store.commit(Change(QUOTE, "3", 1, (), (event("e4", quote("3", ["p-55"])), audit("a2", "me"))))
    answer = {"status": 201, "headers": [], "text": orjson.dumps({**quote("1", ["p-55"]), "href": "x"}).decode()}
    await insert(store, IDEMPOTENCY, "key", {"id": "key", "expires": NOW, "answer": answer})
    large = {"status": 201, "headers": [], "text": None, "json": quote("1", ["p-55"])}
    await insert(store, IDEMPOTENCY, "large", {"id": "large", "expires": NOW, "answer": large})
    await insert(store, IDEMPOTENCY, "open", {"id": "open", "expires": NOW, "resource": "p-55"})


async def test_a_dry_run_tells_everything_and_changes_nothing(store: Storage) -> None:
    await fill(store)
    before = await everything(store)

    erased, lines = await erase(store, "p-55", is_dry_run=True)

    assert (erased.resources, erased.versions, erased.events, erased.audit_records, erased.responses) == (1, 1, 3, 1, 2)
    assert lines == ["tmf648/quote 1 version 2: /relatedParty/0"]
    assert await everything(store) == before


async def test_the_party_is_erased_from_everything_and_the_rest_stays(store: Storage) -> None:
    await fill(store)
    of_others = await store.get(QUOTE, "2")

    erased, _ = await erase(store, "p-55")

    assert (erased.resources, erased.versions, erased.events, erased.audit_records, erased.responses) == (1, 1, 3, 1, 2)
    left = await everything(store)
    assert b"Name of p-55" not in left
    assert left.count(b"p-55") == 1  # the id of a resource that is named like the party
    changed = await store.get(QUOTE, "1")
    assert changed is not None
    assert [version.revision for version in changed.versions] == [2, 1]
    assert changed.versions[0].document["relatedParty"][1]["name"] == "Name of seller"
    unchanged = await store.get(QUOTE, "2")
    assert of_others is not None
    assert unchanged is not None
    assert (unchanged.revision, unchanged.current.text) == (of_others.revision, of_others.current.text)
    assert [each["subject"] for each in await log_of(store) if "subject" in each] == ["erased", "me"]


async def test_subscribers_and_the_audit_trail_learn_of_the_erasure(store: Storage) -> None:
    await insert(store, QUOTE, "1", quote("1", ["p-55"], "2"), quote("1", ["p-55"], "1"))

    await erase(store, "p-55", audits=True)

    events = await log_of(store)
    assert [(each["eventType"], "@earlierVersion" in each) for each in events] == [
        ("QuoteAttributeValueChangeEvent", True),
        ("AuditRecord", False),
        ("QuoteAttributeValueChangeEvent", False),
        ("AuditRecord", False),
    ]
    assert events[2]["event"]["quote"]["href"] == "http://api.example.com/tmf-api/quoteManagement/v4/quote/1"
    assert events[3]["operation"] == "eraseParty"
    assert events[3]["changed"] == ["/relatedParty/0/id", "/relatedParty/0/name"]
    assert b"p-55" not in orjson.dumps(events)


async def test_a_second_erasure_finds_nothing(store: Storage) -> None:
    await fill(store)
    await erase(store, "p-55")

    erased, lines = await erase(store, "p-55")

    assert (erased, lines) == (Erased(), [])
    assert not erased.anything


async def test_an_interrupted_erasure_is_completed_by_the_next_one(
    store: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(store)
    await insert(store, LEAD, "1", {"id": "1", "name": "x", "relatedParty": [{"id": "p-55", "@referredType": "P"}]})
    commit, calls = store.commit, list[str]()

    async def fail_the_second(change: Change) -> int:
        calls.append(change.id)
        if len(calls) == 2:
            raise Unavailable("the power is gone")
        return await commit(change)

    monkeypatch.setattr(store, "commit", fail_the_second)
    with pytest.raises(Unavailable):
        await erase(store, "p-55")
    monkeypatch.setattr(store, "commit", commit)
    erased, _ = await erase(store, "p-55")

    assert erased.resources == 1
    assert b"Name of p-55" not in await everything(store)


async def test_a_change_made_meanwhile_is_kept(store: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    await insert(store, QUOTE, "1", quote("1", ["p-55"]))
    commit = store.commit

    async def after_another(change: Change) -> int:
        monkeypatch.setattr(store, "commit", commit)
        await commit(Change(QUOTE, "1", 1, (Version(2, quote("1", ["p-55"], description="changed")),)))
        return await commit(change)

    monkeypatch.setattr(store, "commit", after_another)
    erased, _ = await erase(store, "p-55")

    found = await store.get(QUOTE, "1")
    assert found is not None
    assert (found.revision, found.current.document["description"], erased.resources) == (3, "changed", 1)
    assert found.current.document["relatedParty"][0]["id"] == "erased"


@pytest.mark.parametrize("successor", [None, quote("1", ["seller"])])
async def test_a_resource_that_no_longer_refers_to_the_party_is_left_alone(
    store: Storage, monkeypatch: pytest.MonkeyPatch, successor: Document | None
) -> None:
    await insert(store, QUOTE, "1", quote("1", ["p-55"]))
    commit = store.commit

    async def after_another(change: Change) -> int:
        monkeypatch.setattr(store, "commit", commit)
        await commit(Change(QUOTE, "1", 1, (Version(2, successor),) if successor else ()))
        return await commit(change)

    monkeypatch.setattr(store, "commit", after_another)
    erased, _ = await erase(store, "p-55")

    assert erased.resources == 0


async def test_a_resource_that_always_changes_meanwhile_ends_the_run(
    store: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await insert(store, QUOTE, "1", quote("1", ["p-55"]))

    async def lose(change: Change) -> int:
        raise RevisionConflict(change.id)

    monkeypatch.setattr(store, "commit", lose)
    monkeypatch.setattr(erasure, "RACES", 3)

    with pytest.raises(Unavailable, match="tmf648/quote 1 is changed by too many others"):
        await erase(store, "p-55")


async def test_places_that_the_contract_does_not_know_are_reported(store: Storage) -> None:
    await insert(store, QUOTE, "1", quote("1", ["p-55"], externalId="p-55", further={"customer": "/party/p-55"}))

    erased, _ = await erase(store, "p-55")

    assert erased.left == ["tmf648/quote 1 version 1: /externalId", "tmf648/quote 1 version 1: /further/customer"]


async def test_an_export_has_every_item_about_the_party(store: Storage) -> None:
    await fill(store)
    owner = {"subject": "p-55", "roles": [], "parties": []}
    mine = {"id": "s", "callback": "http://h", "query": None, "api": "tmf648", "secrets": [{"text": "whsec_x"}]}
    await insert(store, SUBSCRIPTION, "s", {**mine, "owner": owner})
    await insert(store, SUBSCRIPTION, "t", {**mine, "id": "t", "query": "event.quote.relatedParty.id=p-55"})
    await insert(store, SUBSCRIPTION, "u", {**mine, "id": "u"})

    lines = [line async for line in exported(PartyData(store, TYPES, "p-55"))]

    assert [(line["what"], line["id"]) for line in lines] == [
        ("resource", "1"),
        ("event", "1"),
        ("audit", "1"),
        ("event", "3"),
        ("event", "3"),
        ("subscription", "s"),
        ("subscription", "t"),
    ]
    assert [version["document"]["version"] for version in lines[0]["versions"]] == ["2"]
    assert "whsec" not in str(lines)


async def test_events_of_an_unknown_kind_or_form_are_left_alone(store: Storage) -> None:
    strange = {"eventId": "e", "eventTime": NOW, "eventType": "OddEvent", "event": "p-55"}
    await insert(store, QUOTE, "1", quote("1", []), events=(strange,))

    erased, _ = await erase(store, "p-55")

    assert erased.events == 0
    assert strange in await log_of(store)


async def test_all_pages_of_records_and_events_are_read(store: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(party, "RECORDS_READ", 2)
    monkeypatch.setattr(party, "EVENTS_READ", 2)
    for number in range(5):
        known = quote(str(number), ["p-55"])
        await insert(store, QUOTE, str(number), known, events=(event(f"e{number}", known),))

    erased, _ = await erase(store, "p-55")

    assert (erased.resources, erased.events) == (5, 5)
    assert b"p-55" not in await everything(store)


async def test_a_stored_response_that_expires_meanwhile_is_no_failure(
    store: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(store)
    stored = [Record(each.id, each.revision + 7, each.versions) async for each in party.walked(store, IDEMPOTENCY)]

    async def outdated(_: PartyData) -> AsyncIterator[Record]:
        for each in stored:
            yield each

    monkeypatch.setattr(PartyData, "stored_responses", outdated)

    erased, _ = await erase(store, "p-55")

    assert erased.responses == 2
