"""A contract that is marked as deprecated says so in every response (RFC 9745, RFC 8594), its successor does not."""

from __future__ import annotations

import shutil
from pathlib import Path

import httpx
import pytest
from tests.edge.conftest import Start

from tmf_sales.contract.files import contracts_folder

V4, V5 = "/tmf-api/sales/v4", "/tmf-api/sales/v5"
DEPRECATED = f"""
x-deprecated:
  since: '2026-06-30T00:00:00Z'
  sunset: '2027-06-30T23:59:59Z'
  documentation: https://example.com/sales/moving-to-v5
  successor: {V5}
"""


@pytest.fixture(scope="module")
def service(start: Start, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A service with a deprecated v4 and a v5 beside it."""
    folder = tmp_path_factory.mktemp("contracts")
    shipped = contracts_folder()
    contract = (shipped / "tmf699-sales-v4.yaml").read_text()
    (folder / "tmf699-sales-v4.yaml").write_text(contract + DEPRECATED)
    (folder / "tmf699-sales-v5.yaml").write_text(contract.replace(V4, V5))
    shutil.copy(shipped / "tmf-common-v4.yaml", folder)
    if (shipped / "examples").is_dir():
        shutil.copytree(shipped / "examples", Path(folder, "examples"))
    return start(TMF_SALES_CONTRACTS=str(folder)).url


@pytest.mark.parametrize("path", ["/salesLead", "/salesLead/unknown", "/salesLead?limit=x", "/hub"])
def test_every_response_of_a_deprecated_api_says_so(service: str, path: str) -> None:
    response = httpx.get(f"{service}{V4}{path}")

    assert response.headers["deprecation"] == "@1782777600"
    assert response.headers["sunset"] == "Wed, 30 Jun 2027 23:59:59 GMT"
    assert response.links["deprecation"]["url"] == "https://example.com/sales/moving-to-v5"
    assert response.links["successor-version"]["url"] == V5


@pytest.mark.parametrize("path", [f"{V5}/salesLead", "/tmf-api/quoteManagement/v4/quote"])
def test_its_successor_and_other_apis_do_not(service: str, path: str) -> None:
    response = httpx.get(service + path)

    assert response.status_code == 200
    assert not {"deprecation", "sunset"} & response.headers.keys()


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("PUT", "/salesLead", {}, 405),
        ("GET", "/nowhere", {}, 404),
        ("GET", "/salesLead", {"Accept": "text/xml"}, 406),
        ("POST", "/salesLead", {"Content-Type": "text/plain"}, 415),
        ("OPTIONS", "/salesLead", {}, 204),
    ],
)
def test_a_rejection_by_a_deprecated_api_says_so_too(
    service: str, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    response = httpx.request(method, f"{service}{V4}{path}", headers=headers)

    assert response.status_code == status
    assert response.headers.get_list("deprecation") == ["@1782777600"]
    assert "deprecation" not in httpx.request(method, f"{service}{V5}{path}", headers=headers).headers


def test_an_unauthenticated_request_to_one_deprecated_operation_says_so(
    start: Start, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("contracts")
    shutil.copytree(contracts_folder(), folder, dirs_exist_ok=True)
    contract = folder / "tmf699-sales-v4.yaml"
    operation = "      operationId: listSalesLead\n"
    deprecated = "      x-deprecated: { since: '2026-06-30T00:00:00Z' }\n"
    contract.write_text(contract.read_text().replace(operation, operation + deprecated))
    keys = folder.parent / "keys"
    keys.write_text("[]")
    url = start(TMF_SALES_CONTRACTS=str(folder), TMF_SALES_API_KEYS=str(keys)).url

    response = httpx.get(f"{url}{V4}/salesLead")

    assert response.status_code == 401
    assert response.headers["deprecation"] == "@1782777600"
    assert "deprecation" not in httpx.get(f"{url}{V4}/salesLead/1").headers
