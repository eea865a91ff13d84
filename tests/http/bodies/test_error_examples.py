"""The errors that the contracts show are the service's own, word by word."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import yaml
from pymongo.errors import NetworkTimeout
from tests.http.conftest import SALES, Services
from tests.identity import Provider
from tests.service import Service
from tests.wire import Wire, head

from tmf_sales.contract.files import contracts_folder
from tmf_sales.errors import TmfError
from tmf_sales.http.responses import as_tmf_error
from tmf_sales.storage.mongo.client import translated

RESPONSES = yaml.safe_load((contracts_folder() / "tmf-common-v4.yaml").read_text())["components"]["responses"]
XML = {"Content-Type": "application/xml"}
LEAD = {"name": "x"}


def shown(response: str) -> dict[str, Any]:
    [example] = RESPONSES[response]["content"]["application/json"]["examples"].values()
    value: dict[str, Any] = example["value"]
    return value


@pytest.fixture(scope="module")
def at(services: Services) -> str:
    """The leads of a service that has the examples; 123 was accepted, so that it has its second revision."""
    url = services.at("memory:", "--seed", stack="asgi").url + SALES + "/salesLead"
    assert httpx.patch(f"{url}/123", json={"status": "accepted"}).status_code == 200
    return url


@pytest.mark.parametrize(
    ("response", "method", "path", "sent"),
    [
        ("BadRequest", "POST", "", {"json": {}}),
        ("NotFound", "GET", "/999", {}),
        ("MethodNotAllowed", "PUT", "/123", {}),
        ("NotAcceptable", "GET", "", {"headers": {"Accept": "application/xml"}}),
        ("Conflict", "PATCH", "/123", {"json": {"status": "inProgress"}}),
        ("PreconditionFailed", "PATCH", "/123", {"json": {"rating": "hot"}, "headers": {"If-Match": '"1"'}}),
        ("PayloadTooLarge", "POST", "", {"content": b" " * (4 * 1024 * 1024 + 1)}),
        ("UnsupportedMediaType", "POST", "", {"content": b"<a/>", "headers": XML}),
        ("UnsupportedPatchType", "PATCH", "/123", {"content": b"<a/>", "headers": XML}),
    ],
)
def test_a_refusal_is_shown_as_it_is(at: str, response: str, method: str, path: str, sent: dict[str, Any]) -> None:
    answer = httpx.request(method, at + path, **{"headers": {"Content-Type": "application/json"}, **sent})

    assert answer.json() == shown(response)


def test_a_body_that_does_not_come_is_shown_as_it_is(services: Services) -> None:
    service = services.at("memory:", stack="asgi", TMF_SALES_REQUEST_DEADLINE="0.2")
    with Wire(service.port) as wire:
        wire.send(head("POST", f"{SALES}/salesLead", "Content-Type: application/json", "Content-Length: 9"))
        answer = wire.answer().json()

    assert {**answer, "message": answer["message"].replace("0.2", "10")} == shown("RequestTimeout")


@pytest.fixture(scope="module")
def secured(services: Services, provider: Provider) -> Service:
    return services.at("memory:", stack="asgi", **provider.environ, TMF_SALES_RATE_LIMIT="1")


def test_a_missing_credential_is_shown_as_it_is(secured: Service) -> None:
    assert httpx.get(f"{secured.url}{SALES}/salesLead").json() == shown("Unauthorized")


def test_a_missing_scope_is_shown_as_it_is(secured: Service, provider: Provider) -> None:
    headers = provider.headers("admin", scope="tmf699:read")

    assert httpx.post(f"{secured.url}{SALES}/salesLead", json=LEAD, headers=headers).json() == shown("Forbidden")


def test_too_many_requests_are_shown_as_they_are(secured: Service, provider: Provider) -> None:
    headers = provider.headers("admin", sub="eager")
    refused: list[dict[str, Any]] = []
    while not refused:
        answers = [httpx.get(f"{secured.url}{SALES}/salesLead", headers=headers) for _ in range(3)]
        refused = [answer.json() for answer in answers if answer.status_code == 429]

    assert {**refused[0], "message": refused[0]["message"].replace("1", "100")} == shown("TooManyRequests")


def test_failures_are_shown_as_they_are() -> None:
    with pytest.raises(TmfError) as away, translated():
        raise NetworkTimeout("secret")

    assert away.value.body() == shown("ServiceUnavailable")
    assert as_tmf_error(RuntimeError("secret")).body() == shown("InternalServerError")
