"""The hub of each API: registering and removing subscriptions (notification chapters of TMF699 and TMF648)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.api import Api, Document, document_of, refusal
from tests.http.conftest import QUOTES, SALES, Services
from tests.http.resources import Resource, unique_text

Register = Callable[..., Document]
UNTRIED = {"waiting": 0, "attempts": 0, "succeeded": 0}


@pytest.fixture
def register(api: Api) -> Iterator[Register]:
    """Registers listeners that are gone after the test."""
    ids = []

    def register(callback: str | None = None, **members: Any) -> Document:
        listener = api.create("/hub", {"callback": callback or callback_of_its_own(), **members})
        ids.append(listener["id"])
        return listener

    yield register
    for id in ids:
        api.delete(f"/hub/{id}")


def callback_of_its_own() -> str:
    return f"http://{unique_text()}.listener.example/events"


def test_a_listener_is_registered_listed_read_and_removed(api: Api, register: Register) -> None:
    listener = register("http://in.listener.example/a")

    assert listener == {"id": listener["id"], "callback": "http://in.listener.example/a", "query": None}
    assert {**listener, "state": "active", "delivery": {"waiting": 0}} in api.get("/hub").json()
    assert api.get(f"/hub/{listener['id']}").json() == {**listener, "state": "active", "delivery": UNTRIED}
    assert api.delete(f"/hub/{listener['id']}").status_code == 204
    assert listener["id"] not in [each["id"] for each in api.get("/hub").json()]
    refusal(api.get(f"/hub/{listener['id']}"), 404, "notFound")
    refusal(api.delete(f"/hub/{listener['id']}"), 404, "notFound")


@pytest.mark.parametrize("store", ["memory", "sqlite"])
def test_without_authentication_all_callers_have_the_listeners_of_one(services: Services, store: str) -> None:
    service = services.on(store, TMF_SALES_LISTENER_LIMIT="2")
    leads, quotes = (services.api(service, base_path) for base_path in (SALES, QUOTES))
    first, second = (api.post("/hub", {"callback": callback_of_its_own()}) for api in (leads, quotes))
    assert [first.status_code, second.status_code] == [201, 201]

    refused = leads.post("/hub", {"callback": callback_of_its_own()})

    assert "at most 2" in refusal(refused, 429, "tooManyRequests")
    assert leads.delete(f"/hub/{first.json()['id']}").status_code == 204
    assert leads.post("/hub", {"callback": callback_of_its_own()}).status_code == 201


def test_the_location_of_a_listener_is_where_it_is_found(api: Api) -> None:
    answer = api.post("/hub", {"callback": callback_of_its_own()})

    path = answer.headers["location"].removeprefix(api.root)
    assert path == f"/hub/{document_of(answer)['id']}"
    assert api.get(path).json() == {**answer.json(), "state": "active", "delivery": UNTRIED}
    api.delete(path)


def test_several_listeners_may_listen(api: Api, register: Register, resource: Resource) -> None:
    callback = callback_of_its_own()
    queries = [None, f"eventType={resource.name}CreateEvent", f"eventType={resource.name}DeleteEvent"]

    ids = {register(callback, query=query)["id"] for query in queries}

    assert len(ids) == 3


def test_the_same_listener_again_is_a_conflict(api: Api, register: Register) -> None:
    listener = register()

    for again in ({"callback": listener["callback"]}, {"callback": listener["callback"], "query": None}):
        refusal(api.post("/hub", again), 409, "duplicateListener")
    assert [each["id"] for each in api.get("/hub").json()].count(listener["id"]) == 1


def test_a_listener_may_register_again_once_it_left(api: Api, register: Register) -> None:
    listener = register()
    api.delete(f"/hub/{listener['id']}")

    assert register(listener["callback"])["callback"] == listener["callback"]


def test_a_listener_may_ask_for_some_events(api: Api, register: Register, resource: Resource) -> None:
    member = resource.collection.removeprefix("/")
    where = f"eventType={resource.name}CreateEvent&event.{member}.{resource.state}={resource.states[0]}"
    query = f"{where}&fields=event.{member}.id"

    assert register(query=query)["query"] == query


def test_a_query_that_is_none_is_refused(front: Api) -> None:
    answer = front.post("/hub", {"callback": callback_of_its_own(), "query": "eventTime.gt=never"})

    assert refusal(answer, 400, "invalidBody").startswith("/query: ")


@pytest.mark.parametrize(
    "body",
    [
        {},
        *({"callback": callback} for callback in (None, "", "listener", 5, "/relative", "http://a/" + "x" * 2048)),
        {"callback": "http://a.example", "query": 5},
        {"callback": "http://a.example", "query": "x" * 8193},
    ],
    ids=lambda body: str(body)[:40],
)
def test_what_is_no_registration_is_refused(front: Api, body: Document) -> None:
    refusal(front.post("/hub", body), 400, "invalidBody")


@pytest.mark.parametrize(
    "callback",
    ["ftp://a.example/", "mailto:a@b.example", "file:///etc/passwd", "http:///x", "http://user:secret@a.example/"],
)
def test_a_callback_is_reached_by_http(front: Api, callback: str) -> None:
    assert refusal(front.post("/hub", {"callback": callback}), 400, "invalidBody").startswith("/callback: ")


@pytest.mark.parametrize("address", ["169.254.169.254", "[::ffff:169.254.169.254]", "0", "224.0.0.1"])
def test_a_callback_at_a_forbidden_address_is_refused(front: Api, address: str) -> None:
    refusal(front.post("/hub", {"callback": f"http://{address}/"}), 409, "callbackRefused")


def test_a_listener_belongs_to_its_api(leads: Api, quotes: Api) -> None:
    callback = callback_of_its_own()
    listener = leads.create("/hub", {"callback": callback})

    refusal(quotes.get(f"/hub/{listener['id']}"), 404, "notFound")
    refusal(quotes.delete(f"/hub/{listener['id']}"), 404, "notFound")
    other = quotes.create("/hub", {"callback": callback})
    assert other["id"] != listener["id"]
    for api, one in ((leads, listener), (quotes, other)):
        assert api.delete(f"/hub/{one['id']}").status_code == 204


def test_a_listener_has_no_patch(api: Api, register: Register) -> None:
    answer = api.patch(f"/hub/{register()['id']}", {})

    refusal(answer, 405, "methodNotAllowed")
    assert answer.headers["allow"] == "DELETE, GET, HEAD"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("eventType=CREATE", "'CREATE' is not one of"),
        ("eventType=QuoteCreateEvent,quoteCreateEvent", "'quoteCreateEvent' is not one of"),
        ("eventType=SalesLeadCreateEvent", "'SalesLeadCreateEvent' is not one of"),
        ("eventType.ne=CREATE", "'CREATE' is not one of"),
        ("eventType.regex=^SalesLead", "no event type matches"),
        ("filter=$[?(@.eventType=='SalesLeadCreateEvent')]", "is not one of"),
        ("eventType=QuoteCreateEvent&eventType.ne=QuoteCreateEvent", "no event type matches"),
        ("state=approved", "state: no event has it; an attribute of the resource is event.quote.state"),
        ("quote.state=approved", "an attribute of the resource is event.quote"),
        ("event.salesLead.status=accepted", "event.salesLead: events of this API have event.quote"),
        ("event.quote.state=aproved", "'aproved' is not one of"),
        ("event.quote.state.gtt=x", "'event.quote.state' is text and has no members"),
        ("eventId.x=1", "'eventId' is text and has no members"),
        ("fields=state", "state: no event has it"),
        ("fields=event.salesLead.id", "events of this API have event.quote"),
        ("eventType", "the operator is missing"),
        ("&&&x", "the operator is missing"),
        ("filter=[", "filter"),
        ("eventTime.gt=yesterday", "is not a date-time"),
        ("limit=5", "events have no pages"),
        ("Limit=5", "'Limit': did you mean limit?"),
        ("feilds=eventId", "'feilds': did you mean fields?"),
    ],
)
def test_a_subscription_that_can_never_match_is_rejected(quotes: Api, query: str, message: str) -> None:
    answer = quotes.post("/hub", {"callback": callback_of_its_own(), "query": query})

    text = refusal(answer, 400, "invalidBody")
    assert text.startswith("/query: ")
    assert message in text


@pytest.mark.parametrize(
    "query",
    [
        "eventType=QuoteStateChangeEvent&event.quote.state=approved",
        "event.quote.quoteItem.product.name.regex=fibre",
        "event.quote.myExtension.size=5",
        "eventType.regex=DeleteEvent$",
        "eventType.ne=QuoteCreateEvent",
        "fields=event.quote.state,domain",
        "filter=$[?(@.event.quote.state=='approved' || @.eventType=='QuoteDeleteEvent')]",
        "",
    ],
)
def test_a_subscription_that_may_match_is_taken(quotes: Api, query: str) -> None:
    taken = quotes.create("/hub", {"callback": callback_of_its_own(), "query": query})

    assert taken["query"] == query
    assert quotes.delete(f"/hub/{taken['id']}").status_code == 204


def test_further_members_are_kept_and_shown(api: Api, register: Register) -> None:
    further = {"@type": "EventSubscription", "note": {"owner": "billing"}, "empty": None}

    taken = register(**further)

    assert further.items() <= taken.items()
    assert api.get(f"/hub/{taken['id']}").json() == {**taken, "state": "active", "delivery": UNTRIED}


def test_further_members_have_a_bound(front: Api) -> None:
    body = {"callback": callback_of_its_own(), "note": "x" * 5000}

    assert "at most 4096 bytes in /note" in refusal(front.post("/hub", body), 400, "invalidBody")


@pytest.mark.parametrize("member", ["id", "state"])
def test_what_the_service_sets_may_not_be_sent(front: Api, member: str) -> None:
    body = {"callback": callback_of_its_own(), member: "active"}

    assert refusal(front.post("/hub", body), 400, "invalidBody").startswith(f"/{member}: ")


def test_strict_mode_rejects_further_members(services: Services) -> None:
    strict = services.api(services.on("memory", "--strict"), QUOTES)

    answer = strict.post("/hub", {"callback": callback_of_its_own(), "note": "x"})

    assert refusal(answer, 400, "invalidBody").startswith("/note: ")
    query = {"callback": callback_of_its_own(), "query": "event.quote.myExtension=5"}
    assert "is not an attribute" in refusal(strict.post("/hub", query), 400, "invalidBody")


def test_the_host_of_callbacks_has_a_limit(services: Services) -> None:
    service = services.on("memory", TMF_SALES_SUBSCRIPTIONS_PER_HOST="2")
    leads, quotes = (services.api(service, base_path) for base_path in (SALES, QUOTES))
    host = f"{unique_text()}.listener.example"
    for api, path in ((leads, "a"), (quotes, "b")):
        api.create("/hub", {"callback": f"http://{host}/{path}"})

    refused = leads.post("/hub", {"callback": f"https://{host.upper()}:8443/c"})

    assert "at most 2 subscriptions with this callback host" in refusal(refused, 429, "tooManyRequests")
    leads.create("/hub", {"callback": callback_of_its_own()})
