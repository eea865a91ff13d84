"""A service without authentication on loopback serves no foreign Host, so no web page reaches it (DNS rebinding)."""

from __future__ import annotations

import httpx
import pytest
from tests.api import refusal
from tests.http.conftest import Services
from tests.wire import Wire

LEADS = "/tmf-api/sales/v4/salesLead"
SERVED = ["localhost", "localhost:", "LOCALHOST:8080", "127.0.0.1", "127.9.9.9:1", "[::1]", "[::1]:8080"]
FOREIGN = ["evil.example", "localhost.evil.example", "evil.example:8080", "10.0.0.1", "[2001:db8::1]:80", "127.1", "0"]
NAMED = {"TMF_SALES_PUBLIC_URL": "https://sales.example/api", "TMF_SALES_TRUSTED_HOSTS": "lan.example:8443,b.example"}


@pytest.mark.parametrize("host", SERVED)
def test_names_of_this_machine_are_served(services: Services, host: str) -> None:
    assert httpx.get(services.on("memory").url + LEADS, headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("blanks", [" ", "\t", " \t  "])
def test_blanks_behind_a_value_are_no_part_of_it(services: Services, blanks: str) -> None:
    with Wire(services.on("memory").port) as wire:
        wire.send(f"DELETE {LEADS}/none HTTP/1.1\r\nHost: localhost{blanks}\r\n".encode())
        wire.send(f"Content-Length: 0{blanks}\r\nX-Request-Id: one{blanks}\r\n\r\n".encode())
        answer = wire.answer()

    assert (answer.status_code, answer.headers["x-request-id"]) == (404, "one")


@pytest.mark.parametrize("path", [LEADS, "/", "/live", "/ready", "/nothing", "/tmf-api/sales/v4/openapi.yaml"])
@pytest.mark.parametrize("host", FOREIGN)
def test_any_other_name_is_not_served(services: Services, host: str, path: str) -> None:
    answer = httpx.get(services.on("memory").url + path, headers={"Host": host})

    assert "TMF_SALES_TRUSTED_HOSTS" in refusal(answer, 403, "unservedHost")


def test_a_foreign_name_changes_nothing(services: Services) -> None:
    url = services.on("memory").url + LEADS
    before = httpx.get(url).headers["x-total-count"]

    answer = httpx.post(url, json={"name": "x"}, headers={"Host": "evil.example"})

    refusal(answer, 403, "unservedHost")
    assert httpx.get(url).headers["x-total-count"] == before


@pytest.mark.parametrize("host", ["sales.example", "sales.example:8080", "lan.example:8443", "b.example:1"])
def test_names_in_the_settings_are_served(services: Services, host: str) -> None:
    assert httpx.get(services.on("memory", **NAMED).url + LEADS, headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["lan.example", "lan.example:80", "a.sales.example"])
def test_names_like_those_in_the_settings_are_not(services: Services, host: str) -> None:
    refusal(httpx.get(services.on("memory", **NAMED).url + LEADS, headers={"Host": host}), 403, "unservedHost")
