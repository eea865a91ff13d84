"""The screens of the console in a browser: lists, a resource with its lifecycle, forms, versions, sign-in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.console.browser import CHROMIUM, Page, browser
from tests.console.screens import click, fill, says, shown
from tests.service import Service, start_service

QUOTES = "/tmf-api/quoteManagement/v4/quote"
SEEDED = "12dd-78hg"
PHONE, DESKTOP = 360, 1280
SCREENS = {
    "": "Last events",
    "/tmf648/quote": SEEDED,
    f"/tmf648/quote/{SEEDED}": "From approved it can become accepted or rejected",
    f"/tmf648/quote/{SEEDED}?tab=items": "TMF handset T9+",
    f"/tmf648/quote/{SEEDED}?tab=prices": "entered, no catalogue price",
    f"/tmf648/quote/{SEEDED}?tab=parties": "all of this party",
    f"/tmf648/quote/{SEEDED}?tab=notes": "This is a quote request",
    f"/tmf648/quote/{SEEDED}?tab=versions": "There is only one version",
    f"/tmf648/quote/{SEEDED}?tab=events": "event",
    f"/tmf648/quote/{SEEDED}?tab=audit": "audit log is off",
    f"/tmf648/quote/{SEEDED}?tab=json": '"quoteItem"',
    f"/tmf648/quote/{SEEDED}/edit": "Nothing changed yet",
    "/tmf648/quote/new": "Create quote",
    "/tmf699/salesLead": "in all",
    "/tmf699/salesLead/new": "Create sales lead",
    "/find?text=PerfectCustomer": "1 found",
    "/nothing/here/at/all": "No such screen",
}

pytestmark = [pytest.mark.full, pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    log = tmp_path_factory.mktemp("console") / "log"
    with start_service(log, "--store", "memory:", "--seed") as running:
        yield running


@pytest.fixture(scope="module")
def new_page() -> Iterator[Callable[[], Page]]:
    with browser(patience=600.0) as opener:
        yield opener


@pytest.fixture(scope="module")
def page(new_page: Callable[[], Page]) -> Page:
    return new_page()


def open_screen(page: Page, service: Service, path: str, width: int = DESKTOP) -> None:
    page.open(f"{service.url}/console{path}", width)


def create_quote(service: Service, **members: Any) -> dict[str, Any]:
    body = {"description": "Branch offices", "quoteItem": [{"action": "add", "quantity": 2}], **members}
    answer = httpx.post(service.url + QUOTES, json=body)
    assert answer.status_code == 201, answer.text
    created: dict[str, Any] = answer.json()
    return created


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_each_screen_shows_what_is_stored_and_fits(service: Service, page: Page, width: int) -> None:
    for path, text in SCREENS.items():
        open_screen(page, service, path, width)
        says(page, text)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert page.complaints == [], path
        assert [url for url in page.requested if url.startswith("http") and not url.startswith(service.url)] == [], path


def test_the_query_in_the_address_of_a_list_is_that_of_its_request(service: Service, page: Page) -> None:
    open_screen(
        page, service, "/tmf648/quote?state=approved&relatedParty.name.contains=Perfect&sort=-quoteDate&fields=id"
    )

    says(page, SEEDED)
    says(page, "state is approved")
    command = page.evaluate("document.querySelector('.curl code').textContent")
    query = "state=approved&relatedParty.name.contains=Perfect&sort=-quoteDate&fields=id&limit=25"
    assert command == f"curl '{service.url}{QUOTES}?{query}'"


def test_a_filter_that_is_built_is_in_the_address(service: Service, page: Page) -> None:
    open_screen(page, service, "/tmf648/quote")
    click(page, "+ filter")
    fill(page, ".builder input", "description")
    fill(page, ".builder select[name=operator]", "contains")
    fill(page, ".builder input[name=value]", "illustration")
    click(page, "Add")

    shown(page, "location.search === '?description.contains=illustration'")
    says(page, SEEDED)


def test_an_error_of_a_query_is_shown_at_its_condition(service: Service, page: Page) -> None:
    open_screen(page, service, "/tmf648/quote?state=sold&category=x")

    says(page, "'sold' is not one of")
    assert page.evaluate("document.querySelector('.chip.guilty').innerText").startswith("state is sold")
    assert page.evaluate("document.querySelectorAll('.chip.guilty').length") == 1


def test_a_compressed_response_shows_its_revision(service: Service, page: Page) -> None:
    quote = create_quote(service, agreement=[{"id": str(number), "name": "x" * 100} for number in range(20)])
    open_screen(page, service, f"/tmf648/quote/{quote['id']}")

    shown(page, "document.querySelector('h1 small')")
    assert page.evaluate("document.querySelector('h1 small').innerText") == "version 1, revision 1"


def test_the_lifecycle_offers_reachable_states_only_and_changes_them(service: Service, page: Page) -> None:
    quote = create_quote(service)
    open_screen(page, service, f"/tmf648/quote/{quote['id']}")
    shown(page, "document.querySelector('.life')")
    offered = page.evaluate("[...document.querySelectorAll('.life + .actions button')].map((each) => each.textContent)")
    assert offered == ["pending…", "approved…", "cancelled…"]
    assert page.evaluate("document.querySelectorAll('.life .way').length") == 7  # each transition of the contract
    assert page.evaluate("document.querySelectorAll('.life .way.next').length") == len(offered)

    click(page, "pending…")
    fill(page, "dialog textarea", "the customer has to answer")
    click(page, "Change to pending", "dialog")

    says(page, "From pending it can become")
    stored = httpx.get(f"{service.url}{QUOTES}/{quote['id']}").json()
    assert stored["state"] == "pending"
    assert [note["text"] for note in stored["note"]] == ["the customer has to answer"]


def test_a_412_says_what_somebody_else_changed(service: Service, page: Page) -> None:
    quote = create_quote(service)
    url = f"{service.url}{QUOTES}/{quote['id']}"
    open_screen(page, service, f"/tmf648/quote/{quote['id']}")
    shown(page, "document.querySelector('.life')")
    httpx.patch(url, json={"description": "changed in another tab"}).raise_for_status()

    click(page, "approved…")
    click(page, "Change to approved", "dialog")

    says(page, "Somebody else changed it in the meantime", "dialog")
    says(page, "changed in another tab", "dialog")
    assert httpx.get(url).json()["state"] == "inProgress"


def test_all_violations_of_a_form_are_at_their_fields(service: Service, page: Page) -> None:
    open_screen(page, service, "/tmf648/quote/new")
    fill(page, "#as-json", '{"quoteItem": [{"quantity": 0}], "validFor": {"endDateTime": "soon"}}')
    click(page, "Create quote")

    says(page, "2 places to correct")
    violated = page.evaluate("[...document.querySelectorAll('[aria-invalid=true]')].map((each) => each.id)")
    assert sorted(violated) == ["/quoteItem/0/quantity", "/validFor/endDateTime"]


def test_the_form_and_its_json_stay_in_step(service: Service, page: Page) -> None:
    open_screen(page, service, "/tmf699/salesLead/new")
    fill(page, "[id='/name']", "Fibre for all branches")
    shown(page, "JSON.parse(document.querySelector('#as-json').value).name === 'Fibre for all branches'")

    fill(page, "#as-json", '{"name": "Fibre", "priority": "high"}')
    shown(page, "document.querySelector('[id=\"/name\"]').value === 'Fibre'")
    click(page, "Create sales lead")

    shown(page, "/salesLead\\/[^/]+$/.test(location.pathname) && !location.pathname.endsWith('/new')")
    says(page, "Fibre")


def test_a_new_version_is_compared_with_the_one_before(service: Service, page: Page) -> None:
    quote = create_quote(service)
    open_screen(page, service, f"/tmf648/quote/{quote['id']}")
    click(page, "New version")
    fill(page, "[id='/quoteItem/0/quantity']", "5")
    click(page, "Create quote")
    shown(page, f"location.pathname.endsWith({quote['id']!r})")
    open_screen(page, service, f"/tmf648/quote/{quote['id']}?tab=versions")

    says(page, "From version 1 to 2")
    says(page, "quoteItem[1].quantity")
    rows = page.evaluate("[...document.querySelectorAll('.changes tbody tr')].map((row) => row.innerText.split('\\t'))")
    assert ["quoteItem[1].quantity", "2", "5"] in [[cell.strip() for cell in row] for row in rows]


def test_prices_are_calculated_before_a_quote_is_created(service: Service, page: Page) -> None:
    before = httpx.get(f"{service.url}{QUOTES}?limit=0").headers["x-total-count"]
    item = {"action": "add", "quantity": 2, "productOffering": {"id": "54gg-zza1"}}
    open_screen(page, service, "/tmf648/quote/new")
    fill(page, "#as-json", json.dumps({"quoteItem": [item]}))
    click(page, "Calculate prices")

    says(page, "Calculated, not kept.")
    totals = page.evaluate("document.querySelector('.totals').innerText")
    assert "EUR 62.64 per month" in totals  # 2 at 34.80, 10 % off
    assert httpx.get(f"{service.url}{QUOTES}?limit=0").headers["x-total-count"] == before

    click(page, "Create quote")
    says(page, "From inProgress it can become")
    stored = httpx.get(service.url + QUOTES + page.evaluate("location.pathname.match('/[^/]+$')[0]")).json()
    assert stored["quoteItem"][0]["quantity"] == 2


def test_an_edit_sends_what_differs_with_the_etag(service: Service, page: Page) -> None:
    quote = create_quote(service)
    open_screen(page, service, f"/tmf648/quote/{quote['id']}/edit")
    fill(page, "[id='/description']", "Two branch offices")
    says(page, "1 change to save: description")
    click(page, "Save")

    says(page, "Two branch offices")
    assert httpx.get(f"{service.url}{QUOTES}/{quote['id']}").json()["description"] == "Two branch offices"


def test_an_api_key_signs_in_and_is_never_shown(tmp_path: Path, page: Page) -> None:
    key = "a-key-for-the-console-0123456789"
    keys = tmp_path / "keys.yaml"
    digest = hashlib.sha256(key.encode()).hexdigest()
    keys.write_text(f"- name: desk\n  sha256: {digest}\n  roles: [admin]\n", encoding="utf-8")
    with start_service(
        tmp_path / "log", "--store", "memory:", "--seed", environ={"TMF_SALES_API_KEYS": str(keys)}
    ) as secured:
        open_screen(page, secured, "/tmf648/quote")
        says(page, "Sign in")
        fill(page, "input[name=value]", key)
        click(page, "Use it")
        says(page, SEEDED)

        command = page.evaluate("document.querySelector('.curl code').textContent")
        assert '-H "X-API-Key: $API_KEY"' in command
        assert key not in page.evaluate("document.documentElement.outerHTML")
        page.open("about:blank", DESKTOP)
