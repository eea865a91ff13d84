"""Forwarded headers count from trusted proxies alone, and lead every link back through the proxy."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.edge.conftest import Start

from tmf_sales.configuration.loading import load_settings
from tmf_sales.configuration.settings import Settings
from tmf_sales.edge.forwarded import TrustedProxies, address_of, read_forwarded
from tmf_sales.errors import BadRequest
from tmf_sales.http.public_base import FORWARDED_BASE

LEADS = "/tmf-api/sales/v4/salesLead"
PROXIES = {"TMF_SALES_TRUSTED_PROXIES": "127.0.0.0/8"}
PUBLIC = {
    "X-Forwarded-For": "192.0.2.7",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "crm.example:8443",
    "X-Forwarded-Prefix": "/sales/",
}
BASE = "https://crm.example:8443/sales"


async def seen_through(headers: list[tuple[str, str]], peer: str = "10.0.0.1", **settings: str) -> dict[str, Any]:
    """The scope that the application gets."""
    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "client": (peer, 4711),
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers],
    }
    seen: list[dict[str, Any]] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope)

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            raise BadRequest(str(message["status"]))

    chosen = {"trusted_proxies": "10.0.0.0/8,2001:db8::/32", **settings}
    await TrustedProxies(app, load_settings({}, chosen))(scope, None, send)  # type: ignore[arg-type]
    return seen[0]


async def base_through(headers: dict[str, str], **settings: str) -> object:
    return (await seen_through(list(headers.items()), **settings)).get(FORWARDED_BASE)


def test_every_link_leads_back_through_the_proxy(start: Start) -> None:
    service = start(**PROXIES)
    with httpx.Client(base_url=service.url, headers=PUBLIC) as client:
        created = client.post(LEADS, json={"name": "x"})
        assert created.headers["location"].startswith(f"{BASE}{LEADS}/")
        assert created.json()["href"] == created.headers["location"]
        page = client.get(LEADS, params={"limit": 1})
        assert page.json()[0]["href"].startswith(f"{BASE}{LEADS}/")
        assert f"<{BASE}{LEADS}?offset=1&limit=1>" in page.headers["link"]
        hub = client.post("/tmf-api/sales/v4/hub", json={"callback": "https://listener.example/x"})
        assert hub.headers["location"].startswith(f"{BASE}/tmf-api/sales/v4/hub/")
        events = client.get("/tmf-api/sales/v4/event", params={"limit": 1})
        assert f"<{BASE}/tmf-api/sales/v4/event?" in events.headers["link"]
        assert f"curl {BASE}{LEADS}/" in client.get("/").text
        assert 'href="/sales/tmf-api/sales/v4/ui/"' in client.get("/").text
        assert 'src="/sales/tmf-api/sales/v4/ui/start.js"' in client.get("/tmf-api/sales/v4/ui/").text
        shown = client.get("/tmf-api/sales/v4/ui/contract.json").json()
        assert shown["servers"][0]["url"] == "/sales/tmf-api/sales/v4"
        for form in ("openapi.json", "openapi.yaml"):
            assert f"{BASE}/tmf-api/sales/v4" in client.get(f"/tmf-api/sales/v4/{form}").text


def test_the_same_service_answers_each_host_name_with_its_own_links(start: Start) -> None:
    service = start(**PROXIES)

    for host in ("a.example", "b.example"):
        answer = httpx.get(service.url + LEADS, headers={"X-Forwarded-Host": host, "X-Forwarded-Proto": "https"})
        contract = httpx.get(f"{service.url}/tmf-api/sales/v4/openapi.json", headers={"X-Forwarded-Host": host})
        assert answer.json()[0]["href"].startswith(f"https://{host}/tmf-api")
        assert contract.json()["servers"][0]["url"] == f"http://{host}/tmf-api/sales/v4"


@pytest.mark.parametrize("settings", [{}, {"TMF_SALES_TRUSTED_PROXIES": "192.0.2.0/24"}])
def test_forwarded_headers_of_anybody_else_do_not_count(start: Start, settings: dict[str, str]) -> None:
    service = start(**settings)

    for headers in (PUBLIC, {"Forwarded": "for=192.0.2.7;proto=https;host=crm.example"}):
        assert httpx.get(service.url + LEADS, headers=headers).json()[0]["href"].startswith(service.url)


def test_a_header_that_a_proxy_writes_wrongly_is_a_tmf_error(start: Start) -> None:
    answer = httpx.get(start(**PROXIES).url + LEADS, headers={"X-Forwarded-Host": "a/b"})

    assert answer.status_code == 400
    assert "host that the proxy names" in answer.json()["message"]
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("headers", "base"),
    [
        ({"X-Forwarded-Proto": "https"}, "https://own.example"),
        ({"X-Forwarded-Proto": "HTTPS", "X-Forwarded-Host": "[2001:db8::1]:8443"}, "https://[2001:db8::1]:8443"),
        ({"X-Forwarded-Prefix": "/"}, "http://own.example"),
        ({"X-Forwarded-Prefix": "/a%20b/c"}, "http://own.example/a%20b/c"),
        ({"X-Forwarded-For": "192.0.2.1"}, "http://own.example"),
        ({"Forwarded": 'For="[2001:db8:cafe::17]:4711";Proto=https;Host="crm.example:1"'}, "https://crm.example:1"),
        ({"Forwarded": "for=192.0.2.43, for=10.1.1.1;host=a.example"}, "http://a.example"),
        ({"Forwarded": "for=1.1.1.1;host=evil.example, for=192.0.2.43;host=a.example"}, "http://a.example"),
        ({"Forwarded": "host=evil.example", "X-Forwarded-Host": "a.example"}, "http://a.example"),
        ({"Forwarded": "host=a.example", "X-Forwarded-Prefix": "/p"}, "http://a.example/p"),
        # the client sent the first host itself, and the proxy appended the second
        ({"X-Forwarded-For": "1.1.1.1, 192.0.2.1", "X-Forwarded-Host": "evil.example, a.example"}, "http://a.example"),
        # two trusted proxies: the outer one has seen the public host
        ({"X-Forwarded-For": "192.0.2.1, 10.0.0.9", "X-Forwarded-Host": "a.example, b.example"}, "http://a.example"),
        ({"X-Forwarded-For": "192.0.2.1, 10.0.0.9", "X-Forwarded-Proto": "https"}, "https://own.example"),
    ],
)
async def test_the_base_is_what_the_outermost_trusted_proxy_says(headers: dict[str, str], base: str) -> None:
    assert await base_through({"Host": "own.example", **headers}) == base


@pytest.mark.parametrize(
    ("headers", "base"),
    [
        ({"X-Forwarded-For": "192.0.2.1"}, "https://shop.example/crm"),
        ({"X-Forwarded-Proto": "http"}, "http://shop.example/crm"),
        ({"X-Forwarded-Host": "b.example"}, "https://b.example/crm"),
        ({"X-Forwarded-Host": "b.example", "X-Forwarded-Prefix": ""}, "https://b.example"),
    ],
)
async def test_the_public_url_fills_in_what_the_proxy_leaves_out(headers: dict[str, str], base: str) -> None:
    settings = {"public_url": "https://shop.example/crm"}

    assert await base_through({"Host": "own.example", **headers}, **settings) == base


@pytest.mark.parametrize(
    ("headers", "host"),
    [
        ({"X-Forwarded-Host": "b.example"}, "b.example"),
        ({"X-Forwarded-Host": "B.example", "Host": "a.example"}, "B.example"),
        ({"X-Forwarded-Host": "evil.example", "Host": "a.example"}, "a.example"),
        ({"X-Forwarded-Host": "evil.example", "Host": "evil.example"}, "127.0.0.1:8080"),
    ],
)
async def test_with_trusted_hosts_a_proxy_names_no_other(headers: dict[str, str], host: str) -> None:
    assert await base_through(headers, trusted_hosts="a.example,b.example") == f"http://{host}"


async def test_without_any_header_nothing_changes() -> None:
    scope = await seen_through([("Host", "a.example")])

    assert FORWARDED_BASE not in scope
    assert scope["client"] == ("10.0.0.1", 4711)


@pytest.mark.parametrize(
    ("headers", "client"),
    [
        ({"X-Forwarded-For": "192.0.2.1"}, "192.0.2.1"),
        ({"X-Forwarded-For": "192.0.2.1:4711"}, "192.0.2.1"),
        ({"X-Forwarded-For": "[2001:db9::1]:99"}, "2001:db9::1"),
        ({"X-Forwarded-For": "1.1.1.1, 192.0.2.1, 10.0.0.8, 2001:db8::7"}, "192.0.2.1"),
        ({"X-Forwarded-For": "10.0.0.7, 10.0.0.8"}, "10.0.0.7"),
        ({"X-Forwarded-For": "x\x1b[31m, <script>"}, "unknown"),
        ({"X-Forwarded-For": ""}, "10.0.0.1"),
        ({"Forwarded": "for=_gazonk"}, "_gazonk"),
        ({"Forwarded": "for=unknown"}, "unknown"),
        ({"Forwarded": "proto=https"}, "10.0.0.1"),
    ],
)
async def test_the_client_is_the_last_address_that_is_not_a_proxy(headers: dict[str, str], client: str) -> None:
    assert (await seen_through(list(headers.items())))["client"][0] == client


async def test_headers_that_are_repeated_are_one_list() -> None:
    scope = await seen_through([("X-Forwarded-For", "1.1.1.1"), ("X-Forwarded-For", "192.0.2.1")])

    assert scope["client"] == ("192.0.2.1", 0)


async def test_an_ipv4_proxy_is_recognized_on_an_ipv6_socket() -> None:
    scope = await seen_through([("X-Forwarded-Proto", "https")], peer="::ffff:10.0.0.1")

    assert scope["scheme"] == "https"


@pytest.mark.parametrize("peer", ["192.0.2.1", "::1", "testclient"])
async def test_nobody_else_is_trusted(peer: str) -> None:
    scope = await seen_through([("X-Forwarded-Proto", "https")], peer=peer)

    assert scope["scheme"] == "http"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Forwarded-Proto", "ftp"),
        ("X-Forwarded-Proto", ""),
        ("X-Forwarded-Host", "a b"),
        ("X-Forwarded-Host", 'a"onload=x'),
        ("X-Forwarded-Host", "user@a.example"),
        ("X-Forwarded-Prefix", "//evil.example"),
        ("X-Forwarded-Prefix", "/a/../b"),
        ("X-Forwarded-Prefix", "sales"),
        ("X-Forwarded-Prefix", '/"><script>'),
        ("Forwarded", "for"),
        ("Forwarded", "for=a b=c"),
        ("Forwarded", "proto=https;proto=http"),
        ("Forwarded", 'host="a'),
        ("Forwarded", "proto=gopher"),
    ],
)
async def test_malformed_headers_are_rejected(name: str, value: str) -> None:
    with pytest.raises(BadRequest, match="400"):
        await seen_through([(name, value)])


@given(st.text(st.sampled_from('for=proto;,"\\ \t[]:1._-'), max_size=40))
def test_any_forwarded_header_is_read_or_rejected(text: str) -> None:
    try:
        elements = read_forwarded(text)
    except BadRequest as error:
        assert "Forwarded: expected a pair at position" in error.message  # noqa: PT017 - either outcome is right
    else:
        assert all(elements)


def test_empty_elements_and_escapes_of_rfc_7239_are_read() -> None:
    assert read_forwarded('for="a\\"b" , ,; proto=https;') == [{"for": 'a"b'}, {"proto": "https"}]
    assert read_forwarded("") == []


@pytest.mark.parametrize(("node", "address"), [("::1", "::1"), ("[::1]", "::1"), ("1.2.3.4:5", "1.2.3.4"), ("", "")])
def test_the_address_of_a_node_has_no_port(node: str, address: str) -> None:
    assert address_of(node) == address


def test_a_service_behind_a_proxy_is_not_only_for_this_machine() -> None:
    assert Settings().only_this_machine_calls
    assert not load_settings(PROXIES).only_this_machine_calls
