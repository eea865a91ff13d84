"""The service with a real OpenID provider: discovery, keys and tokens are the provider's, over HTTP."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.node_tools import node_tools
from tests.service import Service, first_line, let_go, start_service

pytestmark = pytest.mark.full

QUOTES = "/tmf-api/quoteManagement/v4/quote"


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    node_tools()
    provider = subprocess.Popen(
        ["node", str(Path(__file__).with_name("provider.mjs"))], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    yield first_line(provider).strip()
    let_go(provider)


@pytest.fixture(scope="module")
def service(issuer: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    discovered = httpx.get(f"{issuer}/.well-known/openid-configuration").json()
    environ = {
        "TMF_SALES_JWT_ISSUER": discovered["issuer"],
        "TMF_SALES_JWT_AUDIENCE": "tmf-sales",
        "TMF_SALES_JWT_KEYS": discovered["jwks_uri"],
    }
    started = start_service(tmp_path_factory.mktemp("service") / "log", "--store", "memory:", environ=environ)
    yield started
    started.stop()


def headers(issuer: str, client: str, scope: str) -> dict[str, str]:
    """What a client sends with the token that the provider gives it."""
    form = {"grant_type": "client_credentials", "scope": scope, "resource": "urn:tmf-sales"}
    secret = f"secret%20of%20{client}"  # RFC 6749, 2.3.1: form-encoded before it is a Basic credential
    answer = httpx.post(f"{issuer}/token", data=form, auth=(client, secret))
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def test_a_token_of_a_real_provider_is_taken_for_what_it_says(issuer: str, service: Service) -> None:
    url = service.url + QUOTES
    body = {"quoteItem": [{"action": "add"}], "relatedParty": [{"id": "4711", "@referredType": "Organization"}]}
    sales = headers(issuer, "sales", "tmf648:read tmf648:write")
    customer = headers(issuer, "customer", "tmf648:read tmf648:write")

    assert httpx.get(url).status_code == 401
    assert httpx.post(url, json=body, headers=headers(issuer, "sales", "tmf648:read")).status_code == 403
    made = httpx.post(url, json=body, headers=sales)
    assert made.status_code == 201, made.text
    at = f"{url}/{made.json()['id']}"
    assert httpx.get(at, headers=customer).status_code == 404
    assert httpx.patch(at, json={"state": "approved"}, headers=sales).status_code == 200
    assert httpx.patch(at, json={"state": "accepted"}, headers=customer).status_code == 200
    assert httpx.delete(at, headers=headers(issuer, "admin", "tmf648:admin")).status_code == 204
