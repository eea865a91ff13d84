"""`/permissions` and `/health`: what a caller may do, and what an operator wants to know."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from tests.http.conftest import Services
from tests.identity import API_KEY, Provider

from tmf_sales import __version__
from tmf_sales.events.signing import written_secret

SECRET = written_secret(bytes(range(32)))


@pytest.fixture(scope="module")
def guarded(services: Services, provider: Provider) -> str:
    """The URL of a service with authentication on, and with a secret."""
    return services.on("memory", TMF_SALES_WEBHOOK_SECRET=SECRET, **provider.environ).url


def test_without_authentication_everybody_may_do_everything(services: Services, store: str) -> None:
    shown = httpx.get(f"{services.on(store).url}/permissions").json()

    assert (shown["authentication"], shown["roles"]) == (False, ["admin"])
    operations = [each for api in shown["apis"] for each in api["operations"]]
    assert {"createQuote", "listSalesLead", "testListener"} <= {each["operationId"] for each in operations}
    assert all(each["allowed"] and each["grants"] == [{"versions": "all"}] for each in operations)
    assert shown["service"] == {"readAudit": True, "readHealth": True, "readMetrics": True}


def operation(shown: dict[str, Any], id: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        each for api in shown["apis"] for each in api["operations"] if each["operationId"] == id
    )
    return found


def test_a_caller_sees_its_own_rows_of_the_policy(guarded: str, provider: Provider) -> None:
    answer = httpx.get(f"{guarded}/permissions", headers=provider.headers("customer"))
    shown = answer.json()

    assert (shown["subject"], shown["roles"], shown["parties"]) == ("somebody-customer", ["customer"], ["4711"])
    assert shown["service"] == {"readAudit": False, "readHealth": False, "readMetrics": False}
    assert operation(shown, "deleteQuote") == {
        "operationId": "deleteQuote",
        "method": "DELETE",
        "path": "/quote/{id}",
        "allowed": False,
        "grants": [],
    }
    (grant,) = operation(shown, "patchQuote")["grants"]
    assert grant["whose"] == {"member": "relatedParty.id", "is": "party"}
    assert grant["states"] == ["approved", "accepted", "rejected"]
    assert grant["changes"] == ["quoteItem", "state"]
    assert {"from": "approved", "to": "accepted"} in grant["transitions"]
    assert "note" in grant["hides"]
    assert (grant["role"], grant["versions"]) == ("customer", "current")
    assert "no-store" in answer.headers["cache-control"]
    marketing = httpx.get(f"{guarded}/permissions", headers=provider.headers("marketing")).json()
    (start,) = operation(marketing, "createSalesLead")["grants"]
    assert start["startsIn"] == ["acknowledged"]


def test_a_scope_that_the_token_lacks_is_named(guarded: str, provider: Provider) -> None:
    reading = provider.headers("admin", scope="tmf648:read")

    shown = httpx.get(f"{guarded}/permissions", headers=reading).json()

    assert operation(shown, "retrieveQuote")["allowed"]
    created = operation(shown, "createQuote")
    assert (created["allowed"], created["missingScopes"]) == (False, ["tmf648:write"])


def test_a_key_has_no_scopes_to_lack(guarded: str) -> None:
    shown = httpx.get(f"{guarded}/permissions", headers={"X-API-Key": API_KEY}).json()

    assert operation(shown, "registerListener")["allowed"]


@pytest.mark.parametrize("path", ["/permissions", "/health"])
def test_who_is_unknown_gets_401_and_other_methods_405(guarded: str, provider: Provider, path: str) -> None:
    assert httpx.get(f"{guarded}{path}").json()["code"] == "unauthenticated"
    posted = httpx.post(f"{guarded}{path}", headers=provider.headers("admin"))
    assert (posted.status_code, posted.headers["allow"]) == (405, "GET, HEAD")
    head = httpx.head(f"{guarded}{path}", headers=provider.headers("admin"))
    assert (head.status_code, head.content) == (200, b"")


def test_health_says_what_runs_on_which_store(services: Services, store: str) -> None:
    shown = httpx.get(f"{services.on(store).url}/health").json()

    assert (shown["status"], shown["version"]) == ("up", __version__)
    assert (shown["store"]["format"], shown["store"]["available"]) == (None if store == "memory" else 2, True)
    assert shown["delivery"]["inThisProcess"]
    assert shown["delivery"]["subscriptions"].keys() == {"active", "failing", "disabled"}
    (quote,) = next(each for each in shown["contracts"] if each["name"] == "tmf648")["resources"]
    assert (quote["kind"], quote["count"] >= 0) == ("tmf648/quote", True)
    assert "state, -quoteDate" in quote["indexes"]
    settings = {each["variable"]: each for each in shown["settings"]}
    assert (settings["TMF_SALES_MODE"]["value"], settings["TMF_SALES_MODE"]["isDefault"]) == ("standard", True)
    assert not settings["TMF_SALES_STORE"]["isDefault"]


def test_health_is_for_admins_and_shows_no_secret(guarded: str, provider: Provider) -> None:
    for headers in (provider.headers("reader"), provider.headers("admin", scope="tmf648:admin")):
        assert httpx.get(f"{guarded}/health", headers=headers).status_code == 403

    answer = httpx.get(f"{guarded}/health", headers=provider.headers("admin"))

    secret = next(each for each in answer.json()["settings"] if each["variable"] == "TMF_SALES_WEBHOOK_SECRET")
    assert (secret["value"], secret["isDefault"]) == ("***", False)
    assert SECRET.removeprefix("whsec_") not in answer.text


def test_health_of_a_store_that_is_away_is_degraded(services: Services) -> None:
    url = "mongodb://user:hidden@127.0.0.1:1/sales?serverSelectionTimeoutMS=100"
    answer = httpx.get(f"{services.at(url).url}/health", timeout=60)

    shown = answer.json()
    assert (shown["status"], shown["store"]["available"]) == ("degraded", False)
    assert shown["store"]["reason"]
    assert "hidden" not in answer.text
    assert "count" not in shown["contracts"][0]["resources"][0]
