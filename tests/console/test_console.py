"""The cold pages: an index of the APIs and their lifecycles, as a browser sees them."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import httpx
import pytest
from flask.testing import FlaskClient
from tests.console.browser import CHROMIUM, Page, browser
from tests.service import Service, start_service

from tmf_sales.console.documents import as_served
from tmf_sales.console.pages import create_console
from tmf_sales.console.paths import has_page
from tmf_sales.console.swagger_ui import for_swagger_ui
from tmf_sales.contract.files import contracts_folder
from tmf_sales.contract.loader import Contract, load_contracts
from tmf_sales.http.public_base import PublicBase

BASE = "https://sales.example.com"
PHONE, DESKTOP = 390, 1280
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def contracts() -> tuple[Contract, ...]:
    return load_contracts(contracts_folder())


@pytest.fixture(scope="module")
def client(contracts: tuple[Contract, ...]) -> FlaskClient:
    return create_console(contracts, PublicBase(BASE)).test_client()


@pytest.fixture(scope="module")
def index(client: FlaskClient) -> str:
    return client.get("/").text


def test_the_index_links_each_apis_documentation_and_contract(index: str, contracts: tuple[Contract, ...]) -> None:
    for contract in contracts:
        assert contract.title in index
        for page in ("ui/", "openapi.yaml", "openapi.json"):
            assert f'href="{contract.base_path}/{page}"' in index
        assert f'href="/openapi/{contract.file}"' in index


def test_the_index_has_an_example_call_for_each_operation(index: str, contracts: tuple[Contract, ...]) -> None:
    assert index.count("<details>") == sum(len(contract.operations) for contract in contracts)


def test_an_example_call_can_be_pasted_into_a_shell(index: str, contracts: tuple[Contract, ...]) -> None:
    """The words that a shell would make of it: curl, the public URL, the example of the contract as it is there."""
    calls = [_unescaped(text) for text in re.findall(r"<code>(curl .*?)</code>", index, re.DOTALL)]
    create = next(call for call in calls if "-X POST" in call and "/salesLead" in call)
    example = contracts[1].document["components"]["examples"]["SalesLeadToCreate"]["value"]

    words = shlex.split(create.replace("\\\n", ""))

    assert words[:4] == ["curl", "-X", "POST", f"{BASE}{contracts[1].base_path}/salesLead"]
    assert words[4:6] == ["-H", "Content-Type: application/json"]
    assert json.loads(words[7]) == example


def test_a_path_in_an_example_call_names_the_example_resource(index: str) -> None:
    assert f"curl {BASE}/tmf-api/sales/v4/salesLead/123<" in index
    assert "{id}" not in "".join(re.findall(r"<code>curl .*?</code>", index, re.DOTALL))


def test_every_lifecycle_of_a_contract_is_drawn(index: str) -> None:
    for schema in ("SalesLeadStateType", "QuoteStateType", "QuoteItemStateType"):
        assert f'id="lc-{schema}-title"' in index


def test_a_drawing_has_a_box_for_each_state_and_an_arrow_for_each_transition(
    client: FlaskClient, contracts: tuple[Contract, ...]
) -> None:
    for contract in contracts:
        for name, schema in contract.document["components"]["schemas"].items():
            if "x-lifecycle" in schema:
                answer = client.get(f"/lifecycle/{contract.name}/{name}.svg")
                drawing = ElementTree.fromstring(answer.text)  # noqa: S314 - made here

                states = [text.text for text in drawing.iter(f"{SVG}text")]
                arrows = [path for path in drawing.iter(f"{SVG}path") if path.get("class") == "way"]
                assert answer.mimetype == "image/svg+xml"
                assert sorted(filter(None, states)) == sorted(schema["enum"])
                assert len(arrows) == 1 + sum(map(len, schema["x-lifecycle"]["transitions"].values()))


def test_a_drawing_says_in_words_what_it_shows(client: FlaskClient) -> None:
    drawing = client.get("/lifecycle/tmf699/SalesLeadStateType.svg").text

    assert "Starts acknowledged." in drawing
    assert "pending to inProgress or rejected." in drawing
    assert "Final: accepted, rejected, cancelled." in drawing


@pytest.mark.parametrize("path", ["/", "/lifecycle/tmf648/QuoteStateType.svg"])
def test_a_browser_may_do_nothing_with_a_page_but_show_it(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    style = re.search(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()

    policy = answer.headers["Content-Security-Policy"]

    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}'")
    assert "unsafe" not in policy
    assert "<script" not in answer.text
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_text_from_a_contract_is_never_markup(contracts: tuple[Contract, ...]) -> None:
    document = json.loads(json.dumps(contracts[0].document))
    document["info"]["description"] = "<script>alert(1)</script>"
    document["components"]["schemas"]["QuoteStateType"]["description"] = '"><img src=x onerror=alert(1)>'

    class Hostile:
        name, title, version, base_path = "x", "<b>title</b>", "<i>1</i>", '/"onmouseover="alert(1)'
        file = '"><script>alert(1)</script>'

        def __init__(self) -> None:
            self.document = document

    text = create_console([Hostile()], PublicBase(BASE)).test_client().get("/").text

    assert "<script" not in text
    assert "<img" not in text
    assert "<b>" not in text
    assert '"onmouseover="' not in text


@pytest.mark.parametrize("path", ["/nothing", "/lifecycle/tmf648/Nothing.svg", "/lifecycle/tmf000/QuoteStateType.svg"])
def test_a_page_that_is_not_there_is_a_tmf_error(client: FlaskClient, path: str) -> None:
    answer = client.get(path)

    assert answer.status_code == 404
    assert answer.json is not None
    assert answer.json["code"] == "noSuchRoute"


def test_a_page_takes_no_other_method(client: FlaskClient) -> None:
    answer = client.post("/")

    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"
    assert answer.json is not None
    assert answer.json["code"] == "methodNotAllowed"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/lifecycle/tmf648/Quote.svg",
        "/lifecycle/no/such.svg",
        "/lifecycle/tmf648/.svg",
        "/lifecycle//Quote.svg",
        "/lifecycle/tmf648/Quote.svg/",
        "/lifecycle/tmf648/further/Quote.svg",
        "/lifecycle/tmf648/Quote",
        "/nowhere",
    ],
)
def test_the_paths_of_pages_are_those_that_flask_serves(contracts: tuple[Contract, ...], path: str) -> None:
    serves = create_console(contracts, PublicBase(BASE)).url_map.bind("").test

    assert has_page(path) is serves(path)


def test_a_page_that_breaks_is_a_tmf_error_that_tells_nothing(contracts: tuple[Contract, ...]) -> None:
    console = create_console(contracts, PublicBase(BASE))

    @console.get("/broken")
    def broken() -> str:
        raise RuntimeError("secret")

    answer = console.test_client().get("/broken")

    assert answer.status_code == 500
    assert answer.json is not None
    assert answer.json["code"] == "internalError"
    assert "secret" not in answer.text


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    served = start_service(tmp_path_factory.mktemp("console") / "log", "--store", "memory:", "--seed")
    yield served
    served.stop()


@pytest.fixture(scope="module")
def new_page() -> Iterator[Callable[[], Page]]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    with browser() as opened:
        yield opened


@pytest.fixture
def page(new_page: Callable[[], Page]) -> Page:
    return new_page()


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_the_index_is_shown_whole_and_without_complaint(page: Page, service: Service, width: int) -> None:
    page.open(service.url, width)
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")

    assert page.evaluate("document.querySelectorAll('section.api').length") == 2
    assert page.evaluate("document.querySelectorAll('svg.lifecycle').length") == 3
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    assert page.evaluate("getComputedStyle(document.querySelector('.api')).borderRadius") == "14px"  # the style applies
    assert page.complaints == []
    assert {url.partition(":")[0] for url in page.requested} <= {"http", "data"}
    assert [url for url in page.requested if url.startswith("http") and not url.startswith(service.url)] == []


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_every_state_is_readable_in_its_box(page: Page, service: Service, width: int) -> None:
    page.open(service.url, width)

    rooms = page.evaluate(
        "[...document.querySelectorAll('.lifecycle .state')].map(state => "
        "state.querySelector('rect').getBBox().width - state.querySelector('text').getBBox().width)"
    )
    heights = page.evaluate(
        "[...document.querySelectorAll('.lifecycle text')].map(text => text.getBoundingClientRect().height)"
    )

    assert min(rooms) > 8
    assert min(heights) > 9


def test_what_the_index_links_is_there(index: str, service: Service) -> None:
    for path in re.findall(r'<a [^>]*href="([^"]+)"', index):
        assert httpx.get(service.url + path).status_code == 200, path


@pytest.mark.parametrize("base_path", ["/tmf-api/sales/v4", "/tmf-api/quoteManagement/v4"])
def test_swagger_ui_shows_the_operations_without_internet(page: Page, service: Service, base_path: str) -> None:
    page.open(f"{service.url}{base_path}/ui/", DESKTOP)

    shown = page.evaluate(
        "new Promise(done => { const look = () => { const found = document.querySelectorAll('.opblock').length;"
        " if (found) done(found) }; new MutationObserver(look).observe(document, {childList: true, subtree: true});"
        " look() })"
    )

    assert shown >= 10
    assert [url for url in page.requested if url.startswith("http") and not url.startswith(service.url)] == []
    assert page.complaints == []


@pytest.mark.parametrize("path", ["/ui", "/ui/", "/ui/index.html", "/ui/swagger-ui-bundle.js", "/ui/contract.json"])
def test_swagger_ui_has_the_headers_of_the_index(service: Service, path: str) -> None:
    answer = httpx.get(f"{service.url}/tmf-api/sales/v4{path}")

    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert httpx.post(f"{service.url}/tmf-api/sales/v4{path}").status_code == 405


def test_a_path_prefix_of_the_public_url_is_in_links_pages_and_servers(tmp_path: Path) -> None:
    service = start_service(tmp_path / "log", "--store", "memory:", "--public-url", "https://shop.example/crm")
    try:
        index = httpx.get(service.url).text
        links = re.findall(r'<a [^>]*href="([^"]+)"', index)
        assert links
        assert all(link.startswith("/crm/") for link in links)
        for link in links:
            assert httpx.get(service.url + link.removeprefix("/crm")).status_code == 200, link
        base = f"{service.url}/tmf-api/sales/v4"
        page = httpx.get(f"{base}/ui/").text
        for link in re.findall(r'(?:src|href|data-contract)="(/[^"]+)"', page):
            assert link.startswith("/crm/tmf-api/sales/v4/ui/")
            assert httpx.get(service.url + link.removeprefix("/crm")).status_code == 200, link
        assert httpx.get(f"{base}/ui/contract.json").json()["servers"][0]["url"] == "/crm/tmf-api/sales/v4"
        public = "https://shop.example/crm/tmf-api/sales/v4"
        assert httpx.get(f"{base}/openapi.json").json()["servers"][0]["url"] == public
        assert f"url: {public}" in httpx.get(f"{base}/openapi.yaml").text
    finally:
        service.stop()


def test_the_configured_issuer_is_in_the_contract_and_in_swagger_ui(contracts: tuple[Contract, ...]) -> None:
    document = contracts[0].document
    served = as_served(document, "/x", "https://id.example/realms/crm/")
    shown = for_swagger_ui(copy.deepcopy(document), "/x", "https://id.example/realms/crm")

    schemes = served["components"]["securitySchemes"]
    assert schemes["openIdConnect"]["openIdConnectUrl"] == (
        "https://id.example/realms/crm/.well-known/openid-configuration"
    )
    assert "https://id.example/realms/crm" in shown["components"]["securitySchemes"]["openIdConnect"]["description"]
    assert "auth.example.com" not in json.dumps(shown)
    assert document["servers"][0]["url"] != "/x"


def test_a_drawing_is_shown_on_its_own(page: Page, service: Service) -> None:
    page.open(f"{service.url}/lifecycle/tmf648/QuoteStateType.svg", PHONE)

    assert page.evaluate("document.querySelectorAll('.state').length") == 6
    assert page.complaints == []


def _unescaped(text: str) -> str:
    for escaped, plain in (("&#39;", "'"), ("&#34;", '"'), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        text = text.replace(escaped, plain)
    return text
