"""Promises of tmf_sales.events.subscriptions: who listens, to what, and who no longer."""

from typing import Any, NamedTuple

import pytest

from tmf_sales.errors import (
    CallbackRefused,
    DuplicateSubscription,
    InvalidBody,
    InvalidFilter,
    NotFound,
    Unavailable,
)
from tmf_sales.events import subscriptions as hub_module
from tmf_sales.events.signing import Secret
from tmf_sales.events.ssrf_guard import LOOPBACK, SsrfGuard
from tmf_sales.events.subscription import FieldSelection
from tmf_sales.events.subscriptions import SUBSCRIPTION, SUBSCRIPTION_KIND, Hub
from tmf_sales.storage.conditions import Compare, Condition, Operator
from tmf_sales.storage.memory.store import MemoryStorage
from tmf_sales.storage.protocol import RevisionConflict
from tmf_sales.storage.records import Change, Document, Record, Version

CALLBACK = "http://127.0.0.1:9000/events"


class Parsed(NamedTuple):
    condition: Condition
    selection: FieldSelection | None = None


class Queries:
    """Reads `TYPE` as a filter on eventType; counts how often."""

    def __init__(self) -> None:
        self.read: list[str] = []
        self.refuses: set[str] = {"bad"}

    def __call__(self, api: str, raw: str) -> Parsed:
        self.read.append(raw)
        if raw in self.refuses:
            raise InvalidFilter(f"{raw}: not a filter")
        return Parsed(Compare(("eventType",), Operator.EQ, raw))


@pytest.fixture
def store() -> MemoryStorage:
    return MemoryStorage([SUBSCRIPTION_KIND])


@pytest.fixture
def queries() -> Queries:
    return Queries()


@pytest.fixture
def hub(store: MemoryStorage, queries: Queries) -> Hub:
    return made(store, queries)


def made(store: MemoryStorage, queries: Queries, **settings: Any) -> Hub:
    return Hub(store, queries, SsrfGuard(LOOPBACK), api_of={"ticket": "tickets", "order": "orders"}, **settings)


async def test_a_listener_is_registered_shown_listed_and_unregistered(hub: Hub) -> None:
    subscription = (await hub.register("tickets", CALLBACK, "Made")).subscription

    assert subscription.view() == {"id": subscription.id, "callback": CALLBACK, "query": "Made"}
    assert await hub.get("tickets", subscription.id) == subscription
    assert await hub.subscriptions("tickets") == [subscription]

    await hub.unregister("tickets", subscription.id)
    assert await hub.subscriptions() == []
    for operation in (hub.get, hub.unregister):
        with pytest.raises(NotFound):
            await operation("tickets", subscription.id)


async def test_each_api_sees_its_own_listeners_only(hub: Hub) -> None:
    subscription = (await hub.register("tickets", CALLBACK, None)).subscription
    other = (await hub.register("orders", CALLBACK, None)).subscription

    assert await hub.subscriptions("tickets") == [subscription]
    assert {each.id for each in await hub.subscriptions()} == {subscription.id, other.id}
    for operation in (hub.get, hub.unregister):
        with pytest.raises(NotFound):
            await operation("orders", subscription.id)


async def test_the_same_registration_again_is_a_duplicate(hub: Hub) -> None:
    await hub.register("tickets", CALLBACK, None)

    with pytest.raises(DuplicateSubscription):
        await hub.register("tickets", CALLBACK, None)
    await hub.register("tickets", CALLBACK, "")
    await hub.register("tickets", CALLBACK, "Made")
    await hub.register("tickets", CALLBACK + "/2", None)
    assert len(await hub.subscriptions()) == 4


async def test_a_bad_query_or_callback_registers_nothing(hub: Hub) -> None:
    with pytest.raises(InvalidBody) as caught:
        await hub.register("tickets", CALLBACK, "bad")
    assert str(caught.value.violations[0]) == "/query: bad: not a filter"
    with pytest.raises(InvalidBody):
        await hub.register("tickets", "nowhere", None)
    with pytest.raises(CallbackRefused):
        await hub.register("tickets", "http://10.0.0.1/", None)
    assert await hub.subscriptions() == []


async def test_events_match_by_api_and_query(hub: Hub) -> None:
    everything = (await hub.register("tickets", CALLBACK, None)).subscription.id
    some = (await hub.register("tickets", CALLBACK, "Made")).subscription.id
    await hub.register("orders", CALLBACK, None)

    active = await hub.active()

    assert set(active.matching("ticket", {"eventType": "Made"})) == {everything, some}
    assert active.matching("ticket", {"eventType": "Lost"}) == [everything]
    assert active.matching("unknown", {"eventType": "Made"}) == []
    assert active.wants(some, "ticket", {"eventType": "Made"})
    assert not active.wants(some, "order", {"eventType": "Made"})
    assert not active.wants("nobody", "ticket", {"eventType": "Made"})
    assert (some in active, "nobody" in active) == (True, False)
    assert len(active) == len(active.ids()) == 3
    assert active.get("nobody") is None


async def test_a_query_is_compiled_once_for_all_events(hub: Hub, queries: Queries) -> None:
    await hub.register("tickets", CALLBACK, "Made")
    queries.read.clear()
    for _ in range(3):
        await hub.active()

    assert queries.read == ["Made"]


async def test_a_query_that_is_no_longer_valid_selects_nothing(
    hub: Hub, queries: Queries, caplog: pytest.LogCaptureFixture
) -> None:
    await hub.register("tickets", CALLBACK, "Made")
    queries.refuses.add("Made")

    assert (await hub.active()).matching("ticket", {"eventType": "Made"}) == []
    assert "is not valid" in caplog.text


GOOD = {"id": "1", "api": "tickets", "callback": CALLBACK, "query": None}


@pytest.mark.parametrize(
    "members",
    [
        {"owner": "me"},
        {"owner": None},
        {"owner": {"subject": "me", "roles": "admin", "parties": []}},
        {"owner": {"subject": "me", "roles": [["admin"]], "parties": []}},
        {"callback": 1},
        {"callback": None},
        {"query": 7},
        {"failingSince": True},
        {"disabled": 1},
        {"secrets": [{"text": "hunter2", "until": None}]},
        {"secrets": [{"text": None, "until": None}]},
        {"secrets": [{"until": None}]},
        {"secrets": ["hunter2"]},
    ],
)
async def test_a_listener_that_cannot_be_read_is_left_out_and_the_others_are_there(
    store: MemoryStorage, hub: Hub, caplog: pytest.LogCaptureFixture, members: Document
) -> None:
    good = (await hub.register("tickets", CALLBACK, "Made")).subscription
    await store.load(SUBSCRIPTION, [Record("1", 1, (Version(1, GOOD | members),))])

    for _ in range(2):
        assert await hub.subscriptions("tickets") == [good]
        assert (await hub.active()).matching("ticket", {"eventType": "Made"}) == [good.id]
    assert len(caplog.records) == 1
    assert "subscription 1 is not readable" in caplog.text
    assert "hunter2" not in caplog.text
    with pytest.raises(NotFound):
        await hub.get("tickets", "1")
    with pytest.raises(NotFound):
        await hub.rotate_secret("1", 0.0, 1.0)
    await hub.unregister("tickets", "1")
    assert await store.get(SUBSCRIPTION, "1") is None


async def test_a_listener_of_an_unknown_form_is_not_found(store: MemoryStorage, hub: Hub) -> None:
    await store.load(SUBSCRIPTION, [Record("1", 1, (Version(1, {"id": "1"}),))])

    assert await hub.subscriptions() == []
    with pytest.raises(NotFound):
        await hub.get("tickets", "1")


async def test_pages_of_listeners_go_on_behind_those_that_cannot_be_read(
    store: MemoryStorage, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "PAGE", 2)
    for number in range(5):
        text = 1 if number in (0, 3) else CALLBACK
        document = GOOD | {"id": str(number), "callback": text}
        await store.load(SUBSCRIPTION, [Record(str(number), 1, (Version(1, document),))])

    assert [each.id for each in await hub.subscriptions()] == ["1", "2", "4"]


async def test_a_selection_trims_what_is_sent(store: MemoryStorage) -> None:
    class OnlyTheType:
        def select(self, document: Document) -> Document:
            return {"eventType": document["eventType"]}

    def parse(api: str, raw: str) -> Parsed:
        return Parsed(Compare(("eventType",), Operator.EQ, "Made"), OnlyTheType())

    hub = Hub(store, parse, SsrfGuard(LOOPBACK), api_of={"ticket": "tickets"})
    some = (await hub.register("tickets", CALLBACK, "any")).subscription.id
    everything = (await hub.register("tickets", CALLBACK, None)).subscription.id
    active, event = await hub.active(), {"eventType": "Made", "more": 1}

    assert active.selected(some, "ticket", event) == {"eventType": "Made"}
    assert active.selected(everything, "ticket", event) is event
    assert active.selected("nobody", "ticket", event) is event


async def test_a_disabled_listener_gets_nothing_until_it_is_enabled(hub: Hub) -> None:
    id = (await hub.register("tickets", CALLBACK, None)).subscription.id
    await hub.disable(id, "gone")

    assert id not in await hub.active()
    assert (await hub.get("tickets", id)).disabled == "gone"
    await hub.enable(id)
    assert id in await hub.active()


async def test_registering_a_disabled_listener_again_enables_it(hub: Hub) -> None:
    first = (await hub.register("tickets", CALLBACK, None)).subscription
    await hub.disable(first.id, "gone")

    assert (await hub.register("tickets", CALLBACK, None)).subscription == first
    with pytest.raises(DuplicateSubscription):
        await hub.register("tickets", CALLBACK, None)


async def test_of_two_that_register_a_disabled_listener_again_at_once_one_is_rejected(
    hub: Hub, store: MemoryStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = (await hub.register("tickets", CALLBACK, None)).subscription.id
    await hub.disable(id, "gone")
    commit = store.commit

    async def another_was_faster(change: Change) -> int:
        if change.expected_revision:
            raise RevisionConflict
        return await commit(change)

    monkeypatch.setattr(store, "commit", another_was_faster)
    with pytest.raises(DuplicateSubscription):
        await hub.register("tickets", CALLBACK, None)


async def test_failure_is_noted_from_its_beginning_and_ends_with_success(hub: Hub) -> None:
    id = (await hub.register("tickets", CALLBACK, None)).subscription.id
    await hub.note_failure(id, 100.0)
    await hub.note_failure(id, 200.0)
    assert (await hub.get("tickets", id)).failing_since == 100.0

    await hub.note_success(id)
    assert (await hub.get("tickets", id)).failing_since is None


async def test_what_is_noted_of_a_listener_that_is_gone_is_lost(hub: Hub) -> None:
    await hub.note_failure("nobody", 1.0)
    await hub.disable("nobody", "gone")

    assert await hub.subscriptions() == []


async def test_a_listener_may_have_a_secret_of_its_own_that_is_shown_once(
    store: MemoryStorage, queries: Queries
) -> None:
    hub = made(store, queries, own_secrets=True)

    subscription, secret = await hub.register("tickets", CALLBACK, None)

    assert secret is not None
    assert Secret(secret).sign(b"x") == subscription.signing_secrets(0)[0].sign(b"x")
    assert secret not in str((await hub.get("tickets", subscription.id)).view())


async def test_a_new_secret_signs_beside_the_old_one_for_a_while(store: MemoryStorage, queries: Queries) -> None:
    hub = made(store, queries, own_secrets=True)
    id = (await hub.register("tickets", CALLBACK, None)).subscription.id

    newest = [await hub.rotate_secret(id, now, overlap=100) for now in (1000.0, 1050.0, 1200.0)][-1]
    subscription = await hub.get("tickets", id)

    assert [len(subscription.signing_secrets(now)) for now in (1200.0, 1299.0, 1300.0)] == [2, 2, 1]
    assert subscription.signing_secrets(5000.0)[0].sign(b"x") == Secret(newest).sign(b"x")
    with pytest.raises(NotFound):
        await hub.rotate_secret("nobody", 0, 0)


async def test_a_write_in_between_is_no_reason_to_lose_a_change(
    hub: Hub, store: MemoryStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = (await hub.register("tickets", CALLBACK, None)).subscription.id
    commit, refusals = store.commit, iter([1, 1])

    async def at_first_too_late(change: Change) -> int:
        for _ in refusals:
            raise RevisionConflict
        return await commit(change)

    monkeypatch.setattr(store, "commit", at_first_too_late)
    await hub.disable(id, "gone")
    assert (await hub.get("tickets", id)).disabled == "gone"

    refusals = iter([1, 1])
    await hub.unregister("tickets", id)
    assert await hub.subscriptions() == []


async def test_a_listener_that_never_stops_changing_is_given_up(
    hub: Hub, store: MemoryStorage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    id = (await hub.register("tickets", CALLBACK, None)).subscription.id

    async def always_too_late(change: Change) -> int:
        raise RevisionConflict

    monkeypatch.setattr(store, "commit", always_too_late)
    await hub.disable(id, "gone")

    assert "changes too often" in caplog.text
    with pytest.raises(Unavailable):
        await hub.unregister("tickets", id)
    with pytest.raises(Unavailable):  # a secret that is not stored signs nothing
        await hub.rotate_secret(id, 0.0, 1.0)


async def test_a_listener_written_by_an_earlier_format_is_read(hub: Hub, store: MemoryStorage) -> None:
    document = {"id": "1", "api": "tickets", "callback": CALLBACK, "query": None}
    await store.commit(Change(SUBSCRIPTION, "1", 0, (Version(1, document),)))

    assert (await hub.get("tickets", "1")).view() == {"id": "1", "callback": CALLBACK, "query": None}


async def test_more_listeners_than_a_page_are_all_seen(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "PAGE", 2)
    ids = {(await hub.register("tickets", f"{CALLBACK}/{number}", None)).subscription.id for number in range(5)}

    assert [each.id for each in await hub.subscriptions("tickets")] == sorted(ids)


async def test_a_listener_that_cannot_be_read_is_replaced_by_its_registration(
    store: MemoryStorage, queries: Queries
) -> None:
    hub = made(store, queries)
    id = (await hub.register("tickets", CALLBACK, None)).subscription.id
    await store.commit(Change(SUBSCRIPTION, id, 1, (Version(2, {"id": id, "api": "tickets", "owner": 1}),)))

    await hub.register("tickets", CALLBACK, None)

    assert (await hub.active()).ids() == [id]
