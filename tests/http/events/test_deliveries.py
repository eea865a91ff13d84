"""The operations on a subscription's deliveries: attempts, test, replay, enable, a new secret, and trying a query."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest
from standardwebhooks.webhooks import Webhook
from tests.api import Api, Document, document_of, refusal
from tests.http.conftest import QUOTES, Services
from tests.http.inbox import Inbox, inbox
from tests.http.resources import QUOTE, unique_text
from tests.identity import Provider
from tests.service import PATIENCE

Register = Callable[..., Document]


@pytest.fixture
def box() -> Iterator[Inbox]:
    with inbox() as made:
        yield made


@pytest.fixture
def listen(quotes: Api, box: Inbox) -> Iterator[Register]:
    """Registers the inbox for the events of a correlation id, until the test is over."""
    ids = []

    def register(correlation_id: str) -> Document:
        callback = f"{box.url}/{unique_text()}"
        listener = quotes.create("/hub", {"callback": callback, "query": f"correlationId={correlation_id}"})
        ids.append(listener["id"])
        return {**listener, "at": f"/hub/{listener['id']}"}

    yield register
    for id in ids:
        quotes.request("DELETE", f"/hub/{id}")


def create(api: Api, correlation_id: str) -> Document:
    return document_of(api.post("/quote", QUOTE.body(), {"X-Correlation-ID": correlation_id}))


def eventually(found: Callable[[], list[Document]], count: int) -> list[Document]:
    """What the service shows, once it shows so many: a delivery is recorded after it was answered."""
    deadline = time.monotonic() + PATIENCE
    while len(shown := found()) < count:
        assert time.monotonic() < deadline, shown
    return shown


def test_each_attempt_is_shown_with_what_was_sent_and_received(quotes: Api, box: Inbox, listen: Register) -> None:
    own = unique_text()
    listener = listen(own)
    made = create(quotes, own)
    (post,) = box.take()

    (attempt,) = eventually(lambda: quotes.get(f"{listener['at']}/attempt").json(), 1)

    assert attempt["succeeded"]
    assert attempt["response"] == {"status": 204, "body": ""}
    assert attempt["request"]["url"] == listener["callback"]
    assert attempt["request"]["body"] == post.event
    assert attempt["request"]["body"]["event"]["quote"]["id"] == made["id"]
    assert attempt["request"]["headers"].items() <= post.headers.items()
    delivery = quotes.get(listener["at"]).json()["delivery"]
    assert (delivery["waiting"], delivery["attempts"], delivery["successRate"]) == (0, 1, 1.0)


def test_the_newest_attempts_come_first_and_only_so_many(quotes: Api, box: Inbox, listen: Register) -> None:
    own = unique_text()
    listener = listen(own)
    ids = []
    for number in range(3):
        create(quotes, own)
        ids += [each["eventId"] for each in box.events()]
        eventually(lambda: quotes.get(f"{listener['at']}/attempt").json(), number + 1)

    newest = quotes.get(f"{listener['at']}/attempt?limit=2").json()

    assert [each["eventId"] for each in newest] == ids[:0:-1]
    for limit in ("0", "101", "x"):
        refusal(quotes.get(f"{listener['at']}/attempt?limit={limit}"), 400, "invalidParameter")


def test_a_test_event_is_posted_at_once_and_is_no_attempt(quotes: Api, box: Inbox, listen: Register) -> None:
    listener = listen(unique_text())

    tested = quotes.post(f"{listener['at']}/test", None, {"X-Correlation-ID": "c1"})

    (event,) = box.events()
    assert tested.json()["succeeded"]
    assert tested.json()["request"]["body"] == event
    assert (event["eventType"], event["correlationId"]) == ("ListenerTestEvent", "c1")
    assert quotes.get(f"{listener['at']}/attempt").json() == []


def test_one_event_is_delivered_again(quotes: Api, box: Inbox, listen: Register) -> None:
    own = unique_text()
    listener = listen(own)
    create(quotes, own)
    (event,) = box.events()

    replayed = quotes.post(f"{listener['at']}/replay", {"eventId": event["eventId"]})

    assert replayed.json() == {"events": 1}
    assert box.events() == [event]


def test_the_events_since_a_time_are_delivered_again(quotes: Api, box: Inbox, listen: Register) -> None:
    own = unique_text()
    listener = listen(own)
    for _ in range(3):
        create(quotes, own)
    first = {each["eventId"] for each in box.events(3)}
    eventually(lambda: quotes.get(f"{listener['at']}/attempt").json(), 3)

    replayed = quotes.post(f"{listener['at']}/replay", {"since": "2020-01-01T00:00:00Z"})
    none = quotes.post(f"{listener['at']}/replay", {"since": "2999-01-01T00:00:00+02:00"})

    assert (replayed.json(), none.json()) == ({"events": 3}, {"events": 0})
    assert {each["eventId"] for each in box.events(3)} == first


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"since": "yesterday"},
        {"since": "0001-01-01T00:00:00+14:00"},
        {"since": "9999-12-31T23:59:59-00:01"},
        {"eventId": ""},
        {"eventId": "1", "since": "2020-01-01T00:00:00Z"},
        {"sinse": 1},
    ],
)
def test_what_says_not_what_to_replay_is_rejected(quotes: Api, listen: Register, body: Document) -> None:
    refusal(quotes.post(f"{listen(unique_text())['at']}/replay", body), 400, "invalidBody")


def test_an_event_that_is_not_kept_or_not_the_subscriptions_is_not_found(
    quotes: Api, box: Inbox, listen: Register
) -> None:
    own = unique_text()
    listener, other = listen(own), listen(unique_text())
    create(quotes, own)
    (event,) = box.events()

    for at, id in ((listener["at"], "unknown"), (other["at"], event["eventId"])):
        refusal(quotes.post(f"{at}/replay", {"eventId": id}), 404, "notFound")


def test_a_disabled_subscription_says_why_and_is_enabled_and_replayed(
    quotes: Api, box: Inbox, listen: Register
) -> None:
    own = unique_text()
    listener = listen(own)
    box.answers.append(410)
    create(quotes, own)
    box.take()
    eventually(lambda: [each for each in [quotes.get(listener["at"]).json()] if each["state"] == "disabled"], 1)

    disabled = quotes.get(listener["at"]).json()
    assert disabled["disabledReason"] == "it answered 410 Gone"
    refusal(quotes.post(f"{listener['at']}/replay", {"since": "2020-01-01T00:00:00Z"}), 409, "listenerDisabled")
    enabled = quotes.post(f"{listener['at']}/enable", None)
    replayed = quotes.post(f"{listener['at']}/replay", {"since": "2020-01-01T00:00:00Z"})

    assert enabled.json()["state"] == "active"
    assert "disabledReason" not in enabled.json()
    assert replayed.json() == {"events": 1}
    assert box.events()[0]["correlationId"] == own


def test_a_new_secret_is_shown_once_and_signs(quotes: Api, box: Inbox, listen: Register) -> None:
    listener = listen(unique_text())

    rotated = quotes.post(f"{listener['at']}/secret", None)
    quotes.post(f"{listener['at']}/test", None)

    secret = rotated.headers["webhook-secret"]
    (post,) = box.take()
    assert Webhook(secret).verify(post.body, post.headers) == post.event
    assert "no-store" in rotated.headers["cache-control"]
    assert secret not in rotated.text + quotes.get(listener["at"]).text + quotes.get(f"{listener['at']}/attempt").text


def test_a_query_is_tried_on_the_last_events(quotes: Api) -> None:
    own = unique_text()
    create(quotes, own)
    query = quote(f"correlationId={own}&fields=title")
    matching = [
        each
        for each in eventually(
            lambda: [each for each in quotes.get(f"/event/match?query={query}").json() if each["matches"]], 1
        )
        if each["matches"]
    ]

    everything = quotes.get("/event/match?query=").json()

    assert [each["eventType"] for each in matching] == ["QuoteCreateEvent"]
    assert 0 < len(everything) <= 100
    assert all(each["matches"] for each in everything)
    assert [each["eventId"] for each in everything][:1] == [
        each["eventId"] for each in quotes.get("/event?limit=1").json()
    ]


@pytest.mark.parametrize("query", ["query=eventType%3DNone", "query=state%3Dapproved", "", "query=&query="])
def test_a_query_that_no_subscription_may_have_is_rejected(quotes: Api, query: str) -> None:
    assert quotes.get(f"/event/match?{query}").status_code == 400


def test_nobody_reaches_the_deliveries_of_a_subscription_that_is_not_seen(
    services: Services, provider: Provider, store: str
) -> None:
    api = services.api(services.on(store, **provider.environ), QUOTES)
    owner, other, admin = (provider.headers(role, sub=name) for role, name in OWNERS)
    listener = document_of(api.post("/hub", {"callback": f"http://{unique_text()}.example/"}, owner))
    at = f"/hub/{listener['id']}"

    for path in ("test", "enable", "secret"):
        refusal(api.post(f"{at}/{path}", None, other), 404, "notFound")
    refusal(api.post(f"{at}/replay", {"eventId": "1"}, other), 404, "notFound")
    refusal(api.get(f"{at}/attempt", other), 404, "notFound")
    assert api.get(f"{at}/attempt", admin).json() == []
    assert api.post(f"{at}/secret", None, owner).status_code == 200
    assert api.post(f"{at}/enable", None, admin).status_code == 200
    trail = api.get(f"{at}/attempt", owner)
    assert (trail.status_code, trail.headers["cache-control"]) == (200, "private, no-store")


OWNERS = (("reader", "ann"), ("reader", "bob"), ("admin", "eve"))


def test_a_query_is_tried_only_on_events_that_the_caller_may_see(
    services: Services, provider: Provider, store: str
) -> None:
    api = services.api(services.on(store, **provider.environ), QUOTES)
    admin, customer = provider.headers("admin"), provider.headers("customer")
    own = unique_text()
    made = document_of(api.post("/quote", QUOTE.body(), {**admin, "X-Correlation-ID": own}))
    query = f"/event/match?query={quote(f'correlationId={own}')}"

    eventually(lambda: [each for each in api.get(query, admin).json() if each["matches"]], 1)

    assert api.get(f"/quote/{made['id']}", customer).status_code == 404
    assert not any(each["matches"] for each in api.get(query, customer).json())
