"""OPTIONS lists the methods and patch types of a path, without credentials and for any Origin (RFC 9110, 9.3.7)."""

from __future__ import annotations

import socket

import httpx
import pytest
from tests.edge.conftest import Start

LEADS = "/tmf-api/sales/v4/salesLead"
PATCH_TYPES = {"application/merge-patch+json", "application/json-patch+json"}


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        (LEADS, "GET, HEAD, OPTIONS, POST"),
        (f"{LEADS}/", "GET, HEAD, OPTIONS, POST"),
        (f"{LEADS}/1", "DELETE, GET, HEAD, OPTIONS, PATCH"),
        (f"{LEADS}/1/", "DELETE, GET, HEAD, OPTIONS, PATCH"),
        ("/tmf-api/sales/v4/hub", "GET, HEAD, OPTIONS, POST"),
        ("/tmf-api/sales/v4/event", "GET, HEAD, OPTIONS"),
        ("/tmf-api/sales/v4/openapi.json", "GET, HEAD, OPTIONS"),
        ("/", "GET, HEAD, OPTIONS"),
        ("/live", "GET, HEAD, OPTIONS"),
        ("/console/anything", "GET, HEAD, OPTIONS"),
        ("/audit", "GET, HEAD, OPTIONS"),
    ],
)
@pytest.mark.parametrize("headers", [{}, {"Origin": "https://app.example"}, {"Accept": "text/plain"}])
def test_options_lists_the_methods_of_a_path(start: Start, path: str, allowed: str, headers: dict[str, str]) -> None:
    answer = httpx.options(start().url + path, headers=headers)

    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["allow"] == allowed
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert ("PATCH" in allowed) == ("accept-patch" in answer.headers)


def test_options_lists_the_media_types_of_a_patch(start: Start) -> None:
    answer = httpx.options(f"{start().url}{LEADS}/1")

    assert set(answer.headers["accept-patch"].split(", ")) >= PATCH_TYPES


def test_options_of_an_operation_link_to_contract_and_documentation(start: Start) -> None:
    service = start()
    links = httpx.options(f"{service.url}{LEADS}").links

    assert httpx.get(links["service-desc"]["url"]).json()["info"]["title"] == "Sales Management"
    assert "Swagger UI" in httpx.get(links["service-doc"]["url"]).text
    assert "link" not in httpx.options(f"{service.url}/live").headers


@pytest.mark.parametrize("path", ["/nothing", "/tmf-api/sales/v4", f"{LEADS}/1/2", "/tmf-api/sales/v4/nothing"])
def test_a_path_that_nothing_has_has_no_options(start: Start, path: str) -> None:
    answer = httpx.options(start().url + path)

    assert answer.status_code == 404
    assert answer.json()["code"] == "noSuchRoute"


def test_the_service_as_a_whole_has_options(start: Start) -> None:
    with socket.create_connection(("127.0.0.1", start().port)) as connection:
        connection.sendall(b"OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(4096), b""))

    assert answer.startswith(b"HTTP/1.1 204 ")
    assert b"allow: DELETE, GET, HEAD, OPTIONS, PATCH, POST" in answer
