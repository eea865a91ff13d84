"""Tools find the contracts and the documentation from one well-known place (RFC 9727)."""

from __future__ import annotations

import httpx
from tests.edge.conftest import Start

PATH = "/.well-known/api-catalog"


def test_the_catalog_leads_to_each_contract_and_its_documentation(start: Start) -> None:
    answer = httpx.get(start().url + PATH)

    assert answer.headers["content-type"].startswith("application/linkset+json;")
    entries = answer.json()["linkset"]
    assert [entry["anchor"].rpartition("/tmf-api/")[2] for entry in entries] == ["quoteManagement/v4", "sales/v4"]
    for entry in entries:
        for link in (*entry["service-desc"], *entry["service-doc"]):
            found = httpx.get(link["href"])
            assert found.status_code == 200
            assert found.headers["content-type"].startswith(link["type"])


def test_the_catalog_answers_head_with_a_link_to_itself(start: Start) -> None:
    answer = httpx.head(start().url + PATH)

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.links["api-catalog"]["url"] == "api-catalog"


def test_the_catalog_can_be_revalidated(start: Start) -> None:
    url = start().url + PATH

    assert httpx.get(url, headers={"If-None-Match": httpx.get(url).headers["etag"]}).status_code == 304


def test_the_catalog_has_the_public_url_of_the_proxy(start: Start) -> None:
    service = start(TMF_SALES_TRUSTED_PROXIES="127.0.0.0/8")
    headers = {"X-Forwarded-Host": "crm.example", "X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/sales"}

    entries = httpx.get(service.url + PATH, headers=headers).json()["linkset"]

    assert all(entry["anchor"].startswith("https://crm.example/sales/tmf-api/") for entry in entries)
