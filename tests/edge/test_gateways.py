"""Through the routes that Kong's converter makes of both contracts, every link leads back through the gateway."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.edge.conftest import Start
from tests.edge.gateway_router import PATIENCE, Routes, gateway
from tests.node_tools import node_tools

ROOT = Path(__file__).parents[2]
QUOTE, SALES = "/tmf-api/quoteManagement/v4", "/tmf-api/sales/v4"
LEADS = f"{SALES}/salesLead"

pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> Routes:
    node_tools()
    target = tmp_path_factory.mktemp("kong")
    subprocess.run([ROOT / "scripts/kong", target], check=True, capture_output=True)
    return Routes([json.loads(path.read_text()) for path in sorted(target.iterdir())])


@pytest.fixture(scope="module", params=["", "/crm"], ids=["no prefix", "a prefix that is stripped"])
def public(request: pytest.FixtureRequest, start: Start, routes: Routes) -> Iterator[str]:
    """The URL of a gateway in front of the service."""
    service = start(TMF_SALES_TRUSTED_PROXIES="127.0.0.1", TMF_SALES_CALLBACK_NETWORKS="127.0.0.0/8")
    with gateway(routes, service.url, request.param) as url:
        yield url


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=PATIENCE) as client:
        yield client


def test_location_and_href_lead_back_through_the_gateway(client: httpx.Client, public: str) -> None:
    created = client.post(public + LEADS, json={"name": "through a gateway"})

    assert created.status_code == 201
    for link in (created.headers["location"], created.json()["href"]):
        assert link.startswith(f"{public}{LEADS}/")
        assert client.get(link).json() == created.json()
    assert client.patch(created.json()["href"], json={"name": "changed"}).json()["name"] == "changed"
    assert client.delete(created.headers["location"]).status_code == 204


def test_every_page_is_reached_by_its_next_link(client: httpx.Client, public: str) -> None:
    for name in ("one", "another"):
        assert client.post(public + LEADS, json={"name": name}).status_code == 201
    total, url, pages = len(client.get(public + LEADS).json()), f"{public}{LEADS}?limit=1&sort=id", 0
    while url:
        page = client.get(url)
        assert len(page.json()) == 1
        pages += 1
        url = page.links.get("next", {}).get("url", "")
        assert not url or url.startswith(public + LEADS)

    assert pages == total > 1


def test_the_hubs_of_both_apis_are_apart(client: httpx.Client, public: str) -> None:
    body = {"callback": f"http://127.0.0.1:9/{public.rpartition('/')[2]}"}
    made = {api: client.post(f"{public}{api}/hub", json=body) for api in (QUOTE, SALES)}

    for api, created in made.items():
        assert created.status_code == 201
        location = created.headers["location"]
        assert location.startswith(f"{public}{api}/hub/")
        assert client.get(location).json()["callback"] == body["callback"]
    for api, other in ((QUOTE, SALES), (SALES, QUOTE)):
        id = made[other].json()["id"]
        assert client.get(f"{public}{api}/hub/{id}").status_code == 404
        assert client.delete(made[api].headers["location"]).status_code == 204


def test_a_path_of_no_operation_is_no_route(client: httpx.Client, public: str) -> None:
    for path in ("/quote", "/hub", f"{QUOTE}/quotes", "/openapi/tmf648-quote-v4.yaml"):
        assert client.get(public + path).json()["message"] == "no Route matched with those values"
