"""GET /event of each API: a page of the log, and the stream of what happens (our own addition)."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.api import Api, Document
from tests.http.conftest import QUOTES, SALES, Services
from tests.http.resources import LEAD, QUOTE, Resource, unique_text
from tests.identity import Provider
from tests.service import PATIENCE, Service

STREAM = {"Accept": "text/event-stream"}


class Stream:
    """An open event stream."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.iter_lines()
        self.first = self.message()

    def message(self) -> dict[str, str]:
        """The fields of the next message; a comment is under the empty name. EOFError when the stream has ended."""
        fields: dict[str, str] = {}
        for line in self._lines:
            if not line:
                return fields
            name, _, value = line.partition(": ")
            fields[name] = value
        raise EOFError("the stream ended")

    def events(self, count: int) -> list[Document]:
        found: list[Document] = []
        while len(found) < count:
            message = self.message()
            if "data" in message:
                event = json.loads(message["data"])
                assert message["id"] == event["eventId"]
                found.append(event)
        return found


@contextlib.contextmanager
def stream(url: str, headers: dict[str, str] | None = None, query: str = "") -> Iterator[Stream]:
    with (
        httpx.Client(timeout=60) as client,
        client.stream("GET", f"{url}/event?{query}", headers={**STREAM, **(headers or {})}) as response,
    ):
        assert response.status_code == 200, response.read()
        opened = Stream(response)  # its generator would close the response when nobody holds it any more
        yield opened


def of(api: Api, correlation: str, resource: Resource, text: str = "x") -> Document:
    answer = api.post(resource.collection, resource.body(**{resource.text: text}), {"X-Correlation-ID": correlation})
    assert answer.status_code == 201
    body = answer.json()
    assert isinstance(body, dict)
    return body


def kinds(events: list[Document]) -> list[str]:
    return [event["eventType"] for event in events]


def test_events_are_listed_newest_first_with_filters_fields_and_pages(api: Api, resource: Resource) -> None:
    own = unique_text()
    made = [of(api, own, resource) for _ in range(3)]
    api.delete(resource.at(made[0]))
    where = f"correlationId={own}"
    member = resource.collection.removeprefix("/")
    deleted = f"eventType={resource.name}DeleteEvent&event.{member}.id={made[0]['id']}"
    deadline = time.monotonic() + PATIENCE
    for query, count in ((where, "3"), (deleted, "1")):  # a store may move events after the write
        while api.get(f"/event?{query}").headers["x-total-count"] != count:
            assert time.monotonic() < deadline

    everything = api.get(f"/event?{where}")

    assert everything.status_code == 200
    assert kinds(everything.json()) == [f"{resource.name}CreateEvent"] * 3
    assert everything.headers["x-total-count"] == everything.headers["x-result-count"] == "3"
    ids = [event["eventId"] for event in everything.json()]
    assert [event["event"][member]["id"] for event in everything.json()] == [each["id"] for each in made[::-1]]

    page = api.get(f"/event?{where}&limit=2&offset=1&sort=eventTime&fields=eventId")
    assert page.status_code == 206
    assert [event["eventId"] for event in page.json()] == ids[::-1][1:3]
    assert page.json()[0].keys() == {"eventId", "eventTime", "eventType"}
    assert 'rel="prev"' in page.headers["link"]
    assert kinds(api.get(f"/event?{deleted}").json()) == [f"{resource.name}DeleteEvent"]
    assert api.get(f"/event?{where}&limit=0").headers["x-total-count"] == "3"


@pytest.mark.parametrize(
    "query",
    [
        "eventType=CREATE",
        "state=approved",
        "event.salesLead.id=1",
        "fields=state",
        "sort=title",
        "sort=eventTime,eventType",
        "limit=x",
        "limit=1001",
    ],
)
def test_what_no_event_can_match_is_rejected(quotes: Api, query: str) -> None:
    assert quotes.get(f"/event?{query}").status_code == 400
    assert httpx.get(f"{quotes.root}/event?{query}", headers=STREAM).status_code == 400


def test_a_stream_has_no_pages(quotes: Api) -> None:
    for query in ("limit=5", "offset=5", "sort=eventTime"):
        assert httpx.get(f"{quotes.root}/event?{query}", headers=STREAM).status_code == 400


def test_a_stream_brings_what_happens_and_goes_on_where_it_was_cut(leads: Api) -> None:
    own = unique_text()
    of(leads, own, LEAD)
    with stream(leads.root, query=f"correlationId={own}") as live:
        assert live.first == {"retry": "2000"}
        headers = live.response.headers
        assert headers["content-type"] == "text/event-stream"
        assert headers["x-accel-buffering"] == "no"
        assert "no-store" in headers["cache-control"]
        made = [of(leads, own, LEAD) for _ in range(3)]
        events = live.events(3)
        assert [event["event"]["salesLead"]["id"] for event in events] == [lead["id"] for lead in made]

    later = of(leads, own, LEAD)
    with stream(leads.root, {"Last-Event-ID": events[1]["eventId"]}, f"correlationId={own}") as again:
        assert [event["event"]["salesLead"]["id"] for event in again.events(2)] == [made[2]["id"], later["id"]]


def test_a_stream_after_an_event_that_the_log_does_not_have_says_so_and_begins_now(leads: Api) -> None:
    own = unique_text()
    of(leads, own, LEAD)
    with stream(leads.root, {"Last-Event-ID": "unknown"}, f"correlationId={own}") as live:
        reset = live.message()
        made = of(leads, own, LEAD)
        (event,) = live.events(1)

    assert reset["event"] == "reset"
    assert json.loads(reset["data"])["code"] == "unknownEvent"
    assert "id" not in reset
    assert event["event"]["salesLead"]["id"] == made["id"]


@pytest.mark.parametrize("store", ["sqlite", pytest.param("mongo", marks=pytest.mark.full)])
def test_a_stream_brings_the_events_of_all_workers_once_and_those_of_a_resource_in_order(
    services: Services, store: str
) -> None:
    service = services.at(services.new_store(store), "--workers", "2")
    leads = services.api(service, SALES)
    with stream(leads.root) as first, stream(leads.root) as second:
        for _ in range(10):
            leads.delete(LEAD.at(leads.create("/salesLead", LEAD.body())))
        received = [live.events(20) for live in (first, second)]
    for events in received:
        assert len({event["eventId"] for event in events}) == 20
        by_lead: dict[str, list[str]] = {}
        for event in events:
            by_lead.setdefault(event["event"]["salesLead"]["id"], []).append(event["eventType"])
        assert list(by_lead.values()) == [["SalesLeadCreateEvent", "SalesLeadDeleteEvent"]] * 10


def test_the_number_of_streams_is_bounded_and_requests_are_still_served(services: Services) -> None:
    service = services.at("memory:", TMF_SALES_EVENT_STREAMS="2", TMF_SALES_MAX_CONCURRENT="1")
    url = f"{service.url}{SALES}"
    with stream(url), stream(url):
        refused = httpx.get(f"{url}/event", headers=STREAM)
        assert refused.status_code == 503
        assert refused.json()["message"] == "Too many event streams are open"
        assert httpx.get(f"{url}/salesLead").status_code == 200
    deadline = time.monotonic() + PATIENCE
    while True:  # until the service notices that the clients are gone
        with contextlib.suppress(AssertionError), stream(url):
            return
        assert time.monotonic() < deadline


def test_a_stream_ends_at_once_when_the_service_stops(services: Services) -> None:
    service = services.at("memory:")
    with stream(f"{service.url}{SALES}") as live:
        ended = threading.Event()

        def stop() -> None:
            service.stop()
            ended.set()

        thread = threading.Thread(target=stop)
        thread.start()
        with pytest.raises(EOFError):
            live.message()
        assert ended.wait(5)
        thread.join()


def test_a_client_that_reads_nothing_holds_no_more_than_an_event(services: Services) -> None:
    service = services.at("memory:")
    quotes = services.api(service, QUOTES)
    clients = []
    for _ in range(20):
        client = socket.create_connection(("127.0.0.1", service.port))
        client.sendall(
            b"GET %s/event HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n" % QUOTES.encode()
        )
        client.recv(20)
        clients.append(client)
    first = quotes.create("/quote", QUOTE.body())
    (start,) = quotes.get(f"/event?event.quote.id={first['id']}").json()
    before = memory_of(service)
    for _ in range(40):
        quotes.create("/quote", QUOTE.body(extension="x" * 500_000))
    after = memory_of(service)
    with stream(quotes.root, {"Last-Event-ID": start["eventId"]}, "fields=title") as live:
        assert len(live.events(40)) == 40
    for client in clients:
        client.close()
    # 20 MB of quotes and 20 MB of events are in the store; 20 clients with all of it would be 400 MB more.
    assert after - before < 160, (before, after)


def memory_of(service: Service) -> float:
    """Resident memory in MB."""
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))) / 1024


def test_a_caller_sees_the_events_of_what_it_may_see(services: Services, provider: Provider) -> None:
    service = services.on("memory", **provider.environ)
    api = services.api(service, QUOTES)
    own = unique_text()
    sales = {**provider.headers("sales"), "X-Correlation-ID": own}
    mine = {"id": "acme", "@referredType": "Organization", "role": "customer"}
    for party in (mine, {**mine, "id": "other"}):
        quote = api.post(
            "/quote", QUOTE.body(relatedParty=[party], note=[{"id": "1", "text": "internal"}]), sales
        ).json()
        api.patch(QUOTE.at(quote), {"state": "approved"}, sales)
    customer = provider.headers("customer", parties=["acme"])

    def seen(headers: dict[str, str]) -> list[Document]:
        found: list[Document] = api.get(f"/event?correlationId={own}", headers).json()
        return found

    everything = seen(provider.headers("sales"))
    assert len(everything) == 4
    (event,) = seen(customer)
    assert event["eventType"] == "QuoteStateChangeEvent"
    assert event["event"]["quote"]["relatedParty"][0]["id"] == "acme"
    assert "note" not in event["event"]["quote"]
    assert api.get("/event").status_code == 401
    with stream(api.root, {**customer, "Last-Event-ID": everything[-1]["eventId"]}, f"correlationId={own}") as live:
        assert live.events(1) == [event]
    assert httpx.get(f"{api.root}/event", headers=STREAM).status_code == 401


def test_a_caller_has_only_so_many_streams(services: Services, provider: Provider) -> None:
    service = services.on("memory", **provider.environ, TMF_SALES_EVENT_STREAMS_PER_CALLER="1")
    url = f"{service.url}{QUOTES}"
    one, two = (provider.headers("reader", sub=name) for name in ("one", "two"))
    with stream(url, one), stream(url, two):
        refused = httpx.get(f"{url}/event", headers={**STREAM, **one})
    assert refused.status_code == 429
