"""Through a real nginx with TLS and a prefix, every link leads back, connections are reused, and events stream."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.edge.conftest import Start
from tests.edge.nginx import Proxy, client_of, needs_nginx, nginx
from tests.service import Service

LEADS = "/tmf-api/sales/v4/salesLead"
HOSTS = ["crm.example.com", "shop.example.com"]

pytestmark = needs_nginx


@pytest.fixture(scope="module")
def service(start: Start) -> Service:
    return start(TMF_SALES_TRUSTED_PROXIES="127.0.0.1", TMF_SALES_TRUSTED_HOSTS=",".join(HOSTS))


@pytest.fixture(scope="module")
def proxy(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    with nginx(tmp_path_factory.mktemp("nginx"), [service.port]) as running:
        yield running


@pytest.mark.parametrize("host", HOSTS)
def test_links_lead_back_through_the_proxy(proxy: Proxy, host: str) -> None:
    def followed(url: str) -> httpx.Response:
        assert url.startswith(f"https://{host}/sales/")
        return client.get(url.removeprefix(f"https://{host}/sales"))

    with client_of(proxy, host) as client:
        created = client.post(LEADS, json={"name": "x"})
        assert followed(created.headers["location"]).json() == created.json()
        assert followed(created.json()["href"]).status_code == 200
        page = client.get(LEADS, params={"limit": 1})
        assert followed(page.json()[0]["href"]).status_code == 200
        assert followed(page.links["next"]["url"]).status_code in {200, 206}
        contract = client.get("/tmf-api/sales/v4/openapi.json").json()
        assert followed(f"{contract['servers'][0]['url']}/salesLead").status_code in {200, 206}


def test_pages_and_their_links_are_below_the_prefix(proxy: Proxy) -> None:
    with client_of(proxy) as client:
        for page in ("/", "/tmf-api/sales/v4/ui/"):
            links = re.findall(r'(?:src|href|data-contract)="(/[^"]+)"', client.get(page).text)
            assert links
            for link in links:
                assert link.startswith("/sales/")
                assert client.get(link.removeprefix("/sales")).status_code == 200, link


def test_what_a_client_claims_does_not_count(proxy: Proxy) -> None:
    claims = {
        "X-Forwarded-For": "10.9.9.9",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Prefix": "/evil",
        "Forwarded": "host=evil.example;proto=http",
    }
    with client_of(proxy) as client:
        answer = client.get(LEADS, params={"limit": 1}, headers=claims)

    assert answer.json()[0]["href"].startswith(f"https://crm.example.com/sales{LEADS}/")


def test_connections_to_the_service_are_reused(proxy: Proxy, service: Service) -> None:
    with client_of(proxy) as client:
        for _ in range(30):
            assert client.get(LEADS, params={"limit": 1}).status_code in {200, 206}

    assert 0 < connections_to(service.port) <= 4


def test_events_arrive_while_their_stream_is_open(proxy: Proxy) -> None:
    with (
        client_of(proxy) as client,
        client_of(proxy) as writer,
        client.stream("GET", "/tmf-api/sales/v4/event", headers={"Accept": "text/event-stream"}) as stream,
    ):
        assert stream.status_code == 200
        id = writer.post(LEADS, json={"name": "seen at once"}).json()["id"]
        assert any(id in line for line in stream.iter_lines())


def connections_to(port: int) -> int:
    """The established connections of this machine to the port."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[2].endswith(f":{port:04X}") and row[3] == "01" for row in rows)
