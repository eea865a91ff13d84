"""Events on their way from a write to a listener, through the running service (notification chapters of both texts)."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from openapi_schema_validator import OAS30Validator
from standardwebhooks.webhooks import Webhook
from tests.api import Api, Document, refusal
from tests.http.conftest import CONTRACTS, QUOTES, SALES, Services
from tests.http.inbox import Inbox, inbox
from tests.http.resources import LEAD, QUOTE, Resource, unique_text
from tests.service import PATIENCE, first_line, let_go
from tests.truth import formats

from tmf_sales.contract.loader import load_contracts
from tmf_sales.events.signing import written_secret

Register = Callable[..., Document]
SCHEMAS = {
    name: {"allOf": [schema], "components": {"schemas": contract.document["components"]["schemas"]}}
    for contract in load_contracts(CONTRACTS)
    for name, schema in contract.document["components"]["schemas"].items()
    if name.endswith("Event") and name != "Event"
}
NINE_TYPES = {
    *(f"SalesLead{what}Event" for what in ("Create", "AttributeValueChange", "StateChange", "Delete")),
    *(
        f"Quote{what}Event"
        for what in ("Create", "AttributeValueChange", "StateChange", "Delete", "InformationRequired")
    ),
}
ENVELOPE = {
    "eventId",
    "eventTime",
    "eventType",
    "correlationId",
    "domain",
    "title",
    "description",
    "priority",
    "timeOcurred",
    "event",
}


def follow_the_contract(events: list[Document]) -> None:
    """The envelope for all, and the schema that the two contracts have for what they post to a callback."""
    for event in events:
        schema = SCHEMAS.get(event["eventType"], {})
        assert list(OAS30Validator(schema, format_checker=formats).iter_errors(event)) == []
        assert ENVELOPE <= event.keys() <= ENVELOPE | {"fieldPath", "id"}
        has_id = event["eventType"].endswith(("CreateEvent", "StateChangeEvent", "DeleteEvent"))
        assert event.get("id") == (event["eventId"] if has_id else None)


def kinds(events: list[Document]) -> list[str]:
    return [re.sub("^(SalesLead|Quote|Ticket)", "", event["eventType"]) for event in events]


@pytest.fixture
def box() -> Iterator[Inbox]:
    with inbox() as made:
        yield made


@pytest.fixture
def listen(api: Api, box: Inbox) -> Iterator[Register]:
    """Registers the inbox, with these members beside the callback, until the test is over."""
    ids = []

    def register(**members: object) -> Document:
        listener = api.create("/hub", {"callback": f"{box.url}/{unique_text()}", **members})
        ids.append(listener["id"])
        return listener

    yield register
    for id in ids:
        api.request("DELETE", f"/hub/{id}")


def test_the_contracts_describe_the_nine_event_types() -> None:
    """And QuoteEvent and SalesLeadEvent, which stand for any of them in a list of events."""
    assert SCHEMAS.keys() - {"QuoteEvent", "SalesLeadEvent"} == NINE_TYPES


def test_a_life_becomes_one_event_after_the_other(api: Api, resource: Resource, box: Inbox, listen: Register) -> None:
    listen()
    created = api.create(resource.collection, resource.body())
    changed = api.changed(resource.at(created), {resource.text: "another"})
    moved = api.changed(resource.at(created), {resource.state: resource.states[1], resource.text: "a third"})
    assert api.delete(resource.at(created)).status_code == 204

    member = resource.name[0].lower() + resource.name[1:]

    def is_its_end(event: Document) -> bool:
        return is_its_own(event) and event["eventType"].endswith("DeleteEvent")

    def is_its_own(event: Document) -> bool:
        return bool(event["event"][member]["id"] == created["id"])

    # Events of other tests' resources, written before this listener was there, may still be on their way to it.
    events = [event for event in box.until(is_its_end) if is_its_own(event)]

    follow_the_contract(events)
    received = [kind for kind in kinds(events) if kind != "InformationRequiredEvent"]
    assert received == [
        "CreateEvent",
        "AttributeValueChangeEvent",
        "StateChangeEvent",
        "AttributeValueChangeEvent",
        "DeleteEvent",
    ]
    first, second, third = (events[kinds(events).index(kind)]["event"][member] for kind in received[:3])
    assert (first, second, third) == (created, changed, moved)
    assert len({event["eventId"] for event in events}) == len(events)


def test_a_pending_quote_tells_that_information_is_required(services: Services, store: str, box: Inbox) -> None:
    quotes = services.api(services.on(store), QUOTES)
    listener = quotes.create("/hub", {"callback": box.url, "query": "event.quote.externalId=" + (own := unique_text())})
    quote = quotes.create("/quote", QUOTE.body(externalId=own))
    quotes.changed(f"/quote/{quote['id']}", {"state": "pending"})

    events = box.until(lambda event: event["eventType"].endswith("InformationRequiredEvent"))
    quotes.delete(f"/hub/{listener['id']}")

    follow_the_contract(events)
    assert kinds(events) == ["CreateEvent", "StateChangeEvent", "InformationRequiredEvent"]
    assert events[2]["fieldPath"].startswith("state")


def test_an_accepted_quote_with_agreements_tells_that_they_are_to_be_signed(
    services: Services, store: str, box: Inbox
) -> None:
    quotes = services.api(services.on(store), QUOTES)
    own = unique_text()
    query = f"event.quote.externalId={own}&event.quote.state=accepted"
    listener = quotes.create("/hub", {"callback": box.url, "query": query})
    quote = quotes.create("/quote", QUOTE.body(externalId=own, agreement=[{"id": "7778-jj56"}]))
    for state in ("approved", "accepted"):
        quotes.changed(f"/quote/{quote['id']}", {"state": state})

    (event,) = box.events()
    quotes.delete(f"/hub/{listener['id']}")

    follow_the_contract([event])
    assert event["eventType"] == "QuoteStateChangeEvent"
    assert "agreement" in event["title"].lower()


def test_a_query_selects_events_and_what_of_them(api: Api, resource: Resource, box: Inbox, listen: Register) -> None:
    member = resource.name[0].lower() + resource.name[1:]
    listen(query=f"eventType={resource.name}DeleteEvent&fields=event.{member}.id")
    created = api.create(resource.collection, resource.body())
    api.delete(resource.at(created))

    events = box.until(lambda event: event["event"][member].get("id") == created["id"])

    assert kinds(events) == ["DeleteEvent"] * len(events)
    assert events[-1].keys() == {"eventId", "eventTime", "eventType", "event"}
    assert events[-1]["event"][member].keys() <= {"id", "href"}


def test_the_correlation_id_of_the_request_is_in_its_events(
    api: Api, resource: Resource, box: Inbox, listen: Register
) -> None:
    listen()
    answer = api.post(resource.collection, resource.body(), {"X-Correlation-ID": (own := unique_text())})
    assert answer.status_code == 201

    event = box.until(lambda event: event["correlationId"] == own)[-1]

    assert event["eventType"] == f"{resource.name}CreateEvent"


def test_a_refused_write_tells_nothing(api: Api, resource: Resource, box: Inbox, listen: Register) -> None:
    listen(query=f"correlationId={(own := unique_text())}")
    created = api.create(resource.collection, resource.body())
    refused = api.patch(resource.at(created), {resource.state: "nonsense"}, {"X-Correlation-ID": own})
    assert refused.status_code == 400
    unchanged = api.patch(resource.at(created), {}, {"X-Correlation-ID": own})
    assert unchanged.status_code == 200
    api.delete(resource.at(created), {"X-Correlation-ID": own})

    assert kinds(box.events()) == ["DeleteEvent"]
    assert box.is_empty


def test_the_revision_of_the_resource_and_a_stable_id_are_in_the_headers(services: Services, box: Inbox) -> None:
    leads = services.api(services.on("memory"), SALES)
    box.answers = [500]
    listener = leads.create("/hub", {"callback": box.url})
    lead = leads.create("/salesLead", LEAD.body())
    leads.changed(LEAD.at(lead), {"description": "another"})

    first, again, second = box.take(3)
    leads.delete(f"/hub/{listener['id']}")

    assert [post.headers["resource-revision"] for post in (first, again, second)] == ["1", "1", "2"]
    assert first.headers["webhook-id"] == again.headers["webhook-id"] == again.event["eventId"]
    assert first.body == again.body


def test_an_unregistered_listener_gets_nothing_more(api: Api, resource: Resource, box: Inbox, listen: Register) -> None:
    own = unique_text()
    gone = listen(query=f"correlationId={own}&fields=event")
    stays = listen(query=f"correlationId={own}")
    api.delete(f"/hub/{gone['id']}")
    api.post(resource.collection, resource.body(), {"X-Correlation-ID": own})

    (post,) = box.take()

    assert "domain" in post.event  # the one that stays asked for everything
    assert box.is_empty
    assert stays["id"] in [each["id"] for each in api.get("/hub").json() if each["state"] == "active"]


def test_a_listener_that_is_gone_is_not_called_again_until_it_registers_anew(
    api: Api, resource: Resource, box: Inbox, listen: Register
) -> None:
    box.answers = [410]
    listener = listen(query=f"correlationId={(own := unique_text())}")
    created = api.post(resource.collection, resource.body(), {"X-Correlation-ID": own}).json()
    assert kinds(box.events()) == ["CreateEvent"]
    wanted = {"callback": listener["callback"], "query": listener["query"]}
    while (answer := api.post("/hub", wanted)).status_code != 201:
        refusal(answer, 409, "duplicateListener")  # not disabled yet
    api.delete(resource.at(created), {"X-Correlation-ID": own})

    assert kinds(box.events()) == ["DeleteEvent"]


@pytest.fixture
def secret() -> str:
    return written_secret(b"an example, not a secret worth keeping")


def test_events_are_signed_with_the_services_secret(services: Services, secret: str, box: Inbox) -> None:
    old = written_secret(b"the secret that is on its way out")
    leads = services.api(services.on("memory", TMF_SALES_WEBHOOK_SECRET=f"{secret},{old}"), SALES)
    leads.create("/hub", {"callback": box.url})
    leads.create("/salesLead", LEAD.body())

    (post,) = box.take()

    for each in (secret, old):
        assert Webhook(each).verify(post.body, post.headers) == post.event


def test_the_headers_of_a_post_are_those_that_the_contract_declares(
    services: Services, secret: str, box: Inbox
) -> None:
    leads = services.api(services.on("memory", TMF_SALES_WEBHOOK_SECRET=secret), SALES)
    leads.create("/hub", {"callback": box.url})
    leads.create("/salesLead", LEAD.body())
    (sales,) = (api for api in load_contracts(CONTRACTS) if api.base_path == SALES)
    (callback,) = sales.document["paths"]["/hub"]["post"]["callbacks"]["salesLeadCreateEvent"].values()
    declared = {each["name"].lower(): each for each in map(sales.resolve, callback["post"]["parameters"])}

    (post,) = box.take()

    assert declared.keys() == post.headers.keys() - {"accept", "host", "user-agent", "content-type", "content-length"}
    for name, parameter in declared.items():
        value = int(post.headers[name]) if parameter["schema"]["type"] == "integer" else post.headers[name]
        assert sales.schemas.check(parameter["schema"]).violations(value) == [], name


def test_a_listener_may_have_a_secret_of_its_own_shown_once(services: Services, box: Inbox) -> None:
    leads = services.api(services.on("memory", TMF_SALES_LISTENER_SECRETS="true"), SALES)
    answer = leads.post("/hub", {"callback": box.url})
    leads.create("/salesLead", LEAD.body())

    (post,) = box.take()

    assert Webhook(answer.headers["webhook-secret"]).verify(post.body, post.headers) == post.event
    assert "webhook-secret" not in leads.get(f"/hub/{answer.json()['id']}").headers


def test_a_service_that_others_reach_calls_no_private_address(services: Services, box: Inbox) -> None:
    public = services.on("memory", "--host", "0.0.0.0", "--allow-anonymous")  # noqa: S104  that is what is tested
    leads = services.api(public, SALES)

    refusal(leads.post("/hub", {"callback": box.url}), 409, "callbackRefused")


@pytest.mark.parametrize(
    ("store", "count", "workers", "each"),
    [
        pytest.param("sqlite", 1, 2, 20, id="sqlite-2-workers"),
        pytest.param("mongo", 1, 4, 40, id="mongo-4-workers", marks=pytest.mark.full),
        pytest.param("mongo", 2, 1, 40, id="mongo-2-services", marks=pytest.mark.full),
    ],
)
def test_events_of_all_workers_and_services_arrive_in_order(
    services: Services, store: str, count: int, workers: int, each: int, box: Inbox
) -> None:
    url = services.new_store(store)
    apis = [services.api(services.at(url, "--workers", str(workers)), SALES) for _ in range(count)]
    apis[0].create("/hub", {"callback": box.url})
    created = [apis[number % count].create("/salesLead", LEAD.body())["id"] for number in range(each)]
    for number, id in enumerate(created):
        apis[(number + 1) % count].delete(f"/salesLead/{id}")

    received: dict[str, list[str]] = {id: [] for id in created}
    seen: set[str] = set()
    while any(len(types) < 2 for types in received.values()):
        [event] = box.events()  # delivery is at least once
        if event["eventId"] not in seen:
            seen.add(event["eventId"])
            received[event["event"]["salesLead"]["id"]].append(event["eventType"])

    assert all(types == ["SalesLeadCreateEvent", "SalesLeadDeleteEvent"] for types in received.values())


@pytest.mark.parametrize(
    ("store", "workers"),
    [
        ("memory", 1),
        ("sqlite", 2),
        pytest.param("mongo", 2, marks=pytest.mark.full),
    ],
)
def test_the_first_subscription_gets_no_event_that_is_older_than_itself(
    services: Services, store: str, workers: int, box: Inbox
) -> None:
    api = services.api(services.at(services.new_store(store), "--workers", str(workers)), SALES)
    for number in range(20):
        api.create("/salesLead", LEAD.body())
        if number % 7 == 0:
            subscription = api.create("/hub", {"callback": box.url})
            later = api.create("/salesLead", LEAD.body())
            [event] = box.events()
            assert event["event"]["salesLead"]["id"] == later["id"]
            assert api.delete(f"/hub/{subscription['id']}").status_code == 204
    assert box.is_empty


def test_after_a_restart_a_subscription_gets_no_event_that_is_older_than_itself(services: Services, box: Inbox) -> None:
    store = services.new_store("sqlite")
    before = services.at(store, "--no-delivery")
    leads = services.api(before, SALES)
    for _ in range(3):
        leads.create("/salesLead", LEAD.body())
    leads.create("/hub", {"callback": box.url})
    before.stop()
    leads = services.api(services.at(store), SALES)
    later = leads.create("/salesLead", LEAD.body())

    [event] = box.events()

    assert event["event"]["salesLead"]["id"] == later["id"]
    assert box.is_empty


def test_the_hub_shows_which_subscriptions_fail_and_which_are_disabled(
    services: Services, store: str, box: Inbox
) -> None:
    api = services.api(services.at(services.new_store(store)), SALES)
    ids = {}
    for answer in (500, 410, 204):
        ids[answer] = api.create("/hub", {"callback": f"{box.url}/{answer}"})["id"]
    box.by_path = {f"/events/{answer}": answer for answer in ids}
    api.create("/salesLead", LEAD.body())
    box.take(3)
    wanted = {ids[500]: "failing", ids[410]: "disabled", ids[204]: "active"}

    deadline = time.monotonic() + PATIENCE
    while {each["id"]: each["state"] for each in api.get("/hub").json()} != wanted:
        assert time.monotonic() < deadline

    assert {id: api.get(f"/hub/{id}").json()["state"] for id in wanted} == wanted


def command(*arguments: str) -> str:
    """What a command of tmf-sales says."""
    done = subprocess.run([sys.executable, "-m", "tmf_sales", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_delivery_may_run_apart_and_an_operator_looks_after_it(services: Services, tmp_path: Path, box: Inbox) -> None:
    store = f"sqlite:///{tmp_path}/apart.sqlite"
    service = services.at(store, "--no-delivery")
    worker = None
    try:
        leads = services.api(service, SALES)
        listener = leads.create("/hub", {"callback": box.url})["id"]
        lead = leads.create("/salesLead", LEAD.body())
        assert lead["id"] in command("events", "list", "--store", store)
        assert "1 waiting" not in command("listeners", "list", "--store", store)  # nobody has fanned it out yet

        worker = subprocess.Popen(
            [sys.executable, "-m", "tmf_sales", "deliver", "--store", store], stdout=subprocess.PIPE
        )
        assert "delivers events" in first_line(worker)
        (first,) = box.events()
        printed = command("events", "replay", "--listener", listener, "--since", "PT1H", "--store", store)
        (again,) = box.events()
        worker.terminate()
        assert worker.wait(60) == 0

        assert printed == "1 events will be delivered again\n"
        assert again == first
        assert listener in command("listeners", "list", "--store", store)
        tries = command("listeners", "attempts", listener, "--store", store).splitlines()
        assert len(tries) == 2
        assert all(f"{first['eventId']}  204" in line for line in tries)
    finally:
        if worker is not None:
            let_go(worker)
        service.stop()


def test_the_receiver_prints_each_event_and_verifies_it(services: Services, secret: str) -> None:
    receiver = subprocess.Popen(
        [sys.executable, "-m", "tmf_sales", "listen", "--port", "0", "--secret", secret], stdout=subprocess.PIPE
    )
    try:
        assert receiver.stdout is not None
        url = next(word for word in first_line(receiver).split() if word.startswith("http://"))
        leads = services.api(services.on("memory", TMF_SALES_WEBHOOK_SECRET=secret), SALES)
        other = services.api(services.on("memory"), SALES)
        leads.create("/hub", {"callback": url})
        lead = leads.create("/salesLead", LEAD.body())
        line = receiver.stdout.readline().decode()
        listener = other.create("/hub", {"callback": url})
        other.create("/salesLead", LEAD.body())
        unsigned = receiver.stdout.readline().decode()
        other.delete(f"/hub/{listener['id']}")
    finally:
        let_go(receiver)

    assert f"SalesLeadCreateEvent  salesLead {lead['id']}" in line
    assert line.endswith("revision 1  signature good\n")
    assert unsigned.endswith("SIGNATURE BAD\n")
