"""The console's screens about the service: events as they happen, subscriptions, audit, health and permissions."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from tests.console.browser import CHROMIUM, Page, browser
from tests.console.screens import shown
from tests.http.inbox import Inbox, inbox
from tests.service import Service, start_service

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

PHONE, DESKTOP = 360, 1280
QUOTES = "/tmf-api/quoteManagement/v4"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    log = tmp_path_factory.mktemp("service") / "log"
    with start_service(log, "--store", "memory:", environ={"TMF_SALES_AUDIT": "on"}) as running:
        yield running


@pytest.fixture
def new_page() -> Iterator[Callable[[], Page]]:
    with browser() as opener:
        yield opener


@pytest.fixture
def box() -> Iterator[Inbox]:
    with inbox() as made:
        yield made


def post(service: Service, path: str, body: Any) -> Any:
    return httpx.post(f"{service.url}{QUOTES}{path}", json=body, timeout=60).raise_for_status().json()


def create(service: Service) -> str:
    return str(post(service, "/quote", {"quoteItem": [{"id": "1", "action": "add"}]})["id"])


def eventually(holds: Callable[[], Any]) -> None:
    """Ask again until it holds: a delivery is recorded after it was answered."""
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline


def opened(new_page: Callable[[], Page], service: Service, path: str, width: int = DESKTOP) -> Page:
    page = new_page()
    page.open(f"{service.url}/console/service/{path}", width)
    return page


def text(words: str) -> str:
    return f"!!document.querySelector('main')?.innerText.includes({words!r})"


def click(page: Page, label: str, within: str = "document") -> None:
    found = f"[...{within}.querySelectorAll('button')].find((each) => each.textContent.trim().startsWith({label!r}))"
    shown(page, found)
    page.evaluate(f"{found}.click()")


def is_well(page: Page, service: Service, width: int) -> None:
    assert page.complaints == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert all(url.startswith((service.url, "data:")) for url in page.requested)


def test_an_event_appears_as_it_happens_and_waits_while_paused(service: Service, new_page: Callable[[], Page]) -> None:
    first = create(service)
    page = opened(new_page, service, "events?api=tmf648")
    shown(page, f"{text(first)} && {text('live')}")

    second = create(service)
    shown(page, text(second))
    click(page, "Pause")
    shown(page, text("paused"))
    third = create(service)
    shown(page, text("(1 new)"))
    assert not page.evaluate(text(third))
    click(page, "Resume")
    shown(page, text(third))
    page.evaluate("document.querySelector('.events summary').click()")
    shown(page, "document.querySelector('pre.json')?.textContent.includes('QuoteCreateEvent')")
    is_well(page, service, DESKTOP)


def test_a_filter_that_no_event_can_match_says_so(service: Service, new_page: Callable[[], Page]) -> None:
    page = opened(new_page, service, "events?api=tmf648&filter=colour%3Dred")

    shown(page, text("Invalid filter"))


def test_a_failing_delivery_is_seen_and_replayed(service: Service, new_page: Callable[[], Page], box: Inbox) -> None:
    box.by_path = {"/events/failing": 500}
    subscription = post(service, "/hub", {"callback": f"{box.url}/failing"})["id"]
    create(service)
    event = box.events()[0]
    eventually(lambda: httpx.get(f"{service.url}{QUOTES}/hub/{subscription}/attempt").json())
    page = opened(new_page, service, f"subscriptions/tmf648/{subscription}")
    shown(page, "document.querySelector('details.attempt')")
    assert page.evaluate(text("failing"))
    box.by_path = {}

    page.evaluate("document.querySelector('details.attempt summary').click()")
    click(page, "Replay this event")
    shown(page, text("1 event is delivered again."))
    assert box.events() == [event]
    click(page, "Send test event")
    shown(page, text("responded 204 to the test event"))
    click(page, "Rotate secret")
    click(page, "Rotate", "document.querySelector('dialog')")
    shown(page, "document.querySelector('dialog code.secret')?.textContent.startsWith('whsec_')")
    httpx.delete(f"{service.url}{QUOTES}/hub/{subscription}")
    is_well(page, service, DESKTOP)


def test_a_disabled_subscription_is_enabled(service: Service, new_page: Callable[[], Page], box: Inbox) -> None:
    box.answers = [410]
    subscription = post(service, "/hub", {"callback": f"{box.url}/gone"})["id"]
    create(service)
    box.take()
    at = f"{service.url}{QUOTES}/hub/{subscription}"
    eventually(lambda: httpx.get(at).json()["state"] == "disabled")

    page = opened(new_page, service, f"subscriptions/tmf648/{subscription}")
    shown(page, text("because it answered 410 Gone"))
    click(page, "Enable")
    shown(page, text("Enabled."))

    assert httpx.get(at).json()["state"] == "active"
    httpx.delete(at)


def test_a_query_is_tried_before_a_subscription_is_registered(service: Service, new_page: Callable[[], Page]) -> None:
    create(service)
    page = opened(new_page, service, "subscriptions", PHONE)
    click(page, "New subscription")
    shown(page, "document.querySelector('dialog textarea')")
    page.evaluate("""{
      const query = document.querySelector('dialog textarea');
      query.value = 'eventType=QuoteDeleteEvent';
      query.dispatchEvent(new Event('input', {bubbles: true}));
    }""")

    click(page, "Try on the last 100 events")
    shown(page, text("0 of the last"))
    is_well(page, service, PHONE)


SCREENS = {
    "subscriptions": "you may see",
    "audit?kind=tmf648/quote&id=ID": "createQuote",
    "health": "Response time",
    "permissions": "everybody may do everything",
}


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_the_screens_fit_and_ask_this_service_alone(service: Service, new_page: Callable[[], Page], width: int) -> None:
    quote = create(service)
    for path, words in SCREENS.items():
        page = opened(new_page, service, path.replace("ID", quote), width)
        shown(page, text(words))
        is_well(page, service, width)
