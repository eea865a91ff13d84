"""Sign-in to the console at an OpenID Connect issuer, in a browser: authorization code with PKCE, renewal, sign-out."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest
from tests.console.browser import CHROMIUM, Page, browser
from tests.console.oidc_issuer import CLIENT, Issuer, oidc_issuer
from tests.console.screens import click, fill, says, shown
from tests.service import Service, start_service

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

LIST = "/console/tmf648/quote?state=approved&sort=-quoteDate"
SEEDED = "12dd-78hg"
DESKTOP = 1280


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with oidc_issuer() as answering:
        yield answering


@pytest.fixture(scope="module")
def service(issuer: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    log = tmp_path_factory.mktemp("service") / "log"
    with start_service(log, "--store", "memory:", "--seed", environ=issuer.environ) as running:
        yield running


@pytest.fixture(scope="module")
def new_page() -> Iterator[Callable[[], Page]]:
    with browser(patience=900.0) as opener:
        yield opener


@pytest.fixture
def page(new_page: Callable[[], Page], issuer: Issuer) -> Iterator[Page]:
    issuer.lifetime, issuer.announced, issuer.renews = 600, None, True
    issuer.grants.clear()
    issuer.rejected.clear()
    opened = new_page()
    yield opened
    opened.open("about:blank", DESKTOP)  # no stream of events stays open


def go_to_issuer(page: Page, service: Service) -> None:
    page.open(service.url + LIST, DESKTOP)
    says(page, "With your account")
    page.follow(lambda: click(page, "Sign in"))


def sign_in(page: Page, service: Service, choice: str = "Agree") -> None:
    go_to_issuer(page, service)
    page.follow(lambda: click(page, choice))


def session(page: Page) -> dict[str, str] | None:
    kept: dict[str, str] | None = page.evaluate("JSON.parse(sessionStorage.getItem('tmf-sales-session'))")
    return kept


def test_people_sign_in_at_the_issuer_return_to_their_screen_and_sign_out(
    service: Service, issuer: Issuer, page: Page
) -> None:
    sign_in(page, service)

    says(page, SEEDED)
    says(page, "signed in as Sam Seller", "header")
    assert page.evaluate("location.pathname + location.search") == LIST
    assert issuer.grants == ["authorization_code"]
    assert '-H "Authorization: Bearer $TOKEN"' in page.evaluate("document.querySelector('.curl code').textContent")
    kept = session(page)
    assert kept is not None
    assert kept["value"] not in page.evaluate("document.documentElement.outerHTML + JSON.stringify(localStorage)")
    assert all(url.startswith((service.url, issuer.url, "data:")) for url in page.requested)
    assert page.complaints == []

    click(page, "Sign out", "header")
    says(page, "With your account")
    assert session(page) is None
    assert SEEDED not in page.evaluate("document.body.innerText")


@pytest.mark.full
def test_a_state_of_another_sign_in_is_rejected_before_the_code_is_used(
    service: Service, issuer: Issuer, page: Page
) -> None:
    sign_in(page, service, "Another state")

    says(page, "This sign-in was not started in this tab")
    assert session(page) is None
    assert (issuer.grants, issuer.rejected) == ([], [])


@pytest.mark.full
@pytest.mark.parametrize(
    ("choice", "reason"), [("Deny", "You did not agree"), ("Another code", "The code is unknown or used")]
)
def test_a_sign_in_that_fails_says_why_and_can_be_tried_again(
    service: Service, issuer: Issuer, page: Page, choice: str, reason: str
) -> None:
    sign_in(page, service, choice)

    says(page, reason)
    assert session(page) is None
    click(page, "Try again")
    says(page, "With your account")


@pytest.mark.full
def test_a_stolen_code_is_useless_without_the_verifier(service: Service, issuer: Issuer, page: Page) -> None:
    go_to_issuer(page, service)
    stolen = page.evaluate("Object.fromEntries(new URL(document.querySelector('main a').href).searchParams)")

    form = {"grant_type": "authorization_code", "client_id": CLIENT, "code": stolen["code"]}
    more = {"redirect_uri": f"{service.url}/console/signed-in", "code_verifier": "v" * 43}
    answer = httpx.post(f"{issuer.url}/token", data=form | more)

    assert answer.json()["error_description"] == "The verifier does not fit the challenge"


@pytest.mark.full
def test_requests_at_once_renew_the_token_once(service: Service, issuer: Issuer, page: Page) -> None:
    """The issuer ends a sign-in whose refresh token is used twice."""
    issuer.announced = 1  # so that every request renews the token
    sign_in(page, service)
    says(page, SEEDED)

    click(page, "tmf-sales", "header")  # home asks for much at once
    shown(page, "document.querySelectorAll('main .bars li').length > 0")
    assert issuer.grants.count("refresh_token") > 1
    assert issuer.rejected == []


@pytest.mark.full
def test_a_renewed_token_leaves_a_form_as_it_is(service: Service, issuer: Issuer, page: Page) -> None:
    issuer.announced = 1  # so that sending the form renews the token
    sign_in(page, service)
    click(page, "New quote")
    fill(page, "[id='/quoteItem/0/quantity']", "-1")
    renewals = issuer.grants.count("refresh_token")
    click(page, "Create quote")

    says(page, "to correct")
    assert issuer.grants.count("refresh_token") > renewals
    assert page.evaluate("document.querySelector(\"[id='/quoteItem/0/quantity']\").value") == "-1"


@pytest.mark.full
def test_an_expired_token_leads_to_sign_in_and_back(service: Service, issuer: Issuer, page: Page) -> None:
    issuer.lifetime = 0
    sign_in(page, service)
    says(page, "The service no longer accepts your credentials.")

    issuer.lifetime = 600
    page.follow(lambda: click(page, "Sign in"))
    page.follow(lambda: click(page, "Agree"))
    says(page, SEEDED)
    assert page.evaluate("location.pathname + location.search") == LIST


@pytest.mark.full
def test_a_renewal_that_the_issuer_rejects_is_not_tried_again(service: Service, issuer: Issuer, page: Page) -> None:
    issuer.announced, issuer.renews = 1, False
    sign_in(page, service)
    says(page, SEEDED)  # the token is still valid
    page.open(service.url + LIST, DESKTOP)
    says(page, SEEDED)

    assert issuer.rejected == ["The refresh token is unknown or used"]
    kept = session(page)
    assert kept is not None
    assert "refreshToken" not in kept
