"""The console at /console: how its files are served, and that its first screen works in a browser."""

from __future__ import annotations

import gzip
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import httpx
import pytest
from tests.console.browser import CHROMIUM, Page, browser
from tests.console.screens import shown
from tests.service import ROOT, Service, start_service

from tmf_sales.console.static_page import accepts_gzip
from tmf_sales.console.webapp import PATH, SignIn, description, page_headers, read_sources, start_page
from tmf_sales.contract.files import contracts_folder
from tmf_sales.contract.loader import load_contracts

FIRST_SCREEN_LIMIT = 200_000
PHONE, DESKTOP = 360, 1280
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    log = tmp_path_factory.mktemp("console") / "log"
    with start_service(log, "--store", "memory:", "--seed") as running:
        yield running


@pytest.fixture(scope="module")
def new_page() -> Iterator[Callable[[], Page]]:
    with browser() as opener:
        yield opener


def static_paths(page: str) -> list[str]:
    return re.findall(r'(?:href|src)="(/console/static/[^"]+)"', page)


def test_every_path_below_the_console_is_its_start_page(service: Service) -> None:
    pages = {httpx.get(f"{service.url}{PATH}{path}").text for path in ("", "/", "/tmf648/quote", "/a/b/c?state=x")}

    assert len(pages) == 1
    assert 'data-base="/console"' in pages.pop()


def test_no_modules_import_each_other_in_a_circle() -> None:
    root = ROOT / "src/tmf_sales/console/webapp"
    imports = {
        path: {(path.parent / name).resolve() for name in re.findall(r'(?:from|import) "(\.[^"]+)"', path.read_text())}
        for path in root.rglob("*.js")
    }

    order = list(TopologicalSorter(imports).static_order())  # raises CycleError with the modules of a circle

    assert set(order) == set(imports)  # each import names a module that is there


def test_the_start_page_has_a_strict_policy_and_no_inline_script(service: Service) -> None:
    answer = httpx.get(f"{service.url}{PATH}")

    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert re.findall(r"<script(?![^>]* src=)", answer.text) == []
    assert re.findall(r"<style| style=| on[a-z]+=", answer.text) == []


def test_static_files_are_kept_by_browsers_and_compressed(service: Service) -> None:
    for path in static_paths(httpx.get(f"{service.url}{PATH}").text):
        with httpx.stream("GET", service.url + path, headers={"Accept-Encoding": "gzip"}) as answer:
            raw = b"".join(answer.iter_raw())
        assert answer.status_code == 200, path
        assert "immutable" in answer.headers["cache-control"]
        plain = httpx.get(service.url + path, headers={"Accept-Encoding": "identity"})
        assert "content-encoding" not in plain.headers
        unpacked = gzip.decompress(raw) if answer.headers.get("content-encoding") == "gzip" else raw
        assert unpacked == plain.content


def test_a_file_of_another_version_is_404_with_a_tmf_error(service: Service) -> None:
    answer = httpx.get(f"{service.url}{PATH}/static/0123456789abcdef/main.js")

    assert answer.status_code == 404
    assert answer.json()["code"] == "noSuchRoute"


def test_only_get_and_head_are_served(service: Service) -> None:
    head = httpx.head(f"{service.url}{PATH}")

    assert httpx.post(f"{service.url}{PATH}").status_code == 405
    assert (head.status_code, head.content) == (200, b"")


def test_paths_that_only_begin_alike_are_not_the_console(service: Service) -> None:
    assert httpx.get(f"{service.url}/consoles").status_code == 404


def test_the_prefix_of_the_public_url_is_in_every_address() -> None:
    page = start_page("/sales", "digest", read_sources()).decode()

    assert 'data-base="/sales/console"' in page
    assert all(link.startswith("/sales/console/") for link in re.findall(r'(?:href|src)="([^"]+)"', page))


def test_the_description_names_each_api_and_how_to_sign_in() -> None:
    apis = load_contracts(contracts_folder())

    described = description(
        apis, SignIn(required=True, issuer="https://id.example.com/realm", client_id="console"), "/sales"
    )

    assert [api["basePath"] for api in described["apis"]] == [f"/sales{api.base_path}" for api in apis]
    assert described["signIn"] == {"required": True, "issuer": "https://id.example.com/realm", "clientId": "console"}


@pytest.mark.parametrize(("client_id", "asked"), [(None, "'self'"), ("console", "'self' https://id.example.com")])
def test_the_issuer_may_be_asked_only_when_people_sign_in_there(client_id: str | None, asked: str) -> None:
    headers = dict(page_headers(SignIn(required=True, issuer="https://id.example.com/realm", client_id=client_id)))

    assert f"connect-src {asked};" in headers[b"content-security-policy"].decode()


@pytest.mark.parametrize(
    ("value", "accepted"),
    [
        (b"gzip", True),
        (b"br, GZIP;q=0.5", True),
        (b"gzip; q=0", False),
        (b"gzip;q=0.000", False),
        (b"br", False),
        (b"", False),
    ],
)
def test_gzip_is_sent_to_those_who_accept_it(value: bytes, accepted: bool) -> None:
    assert accepts_gzip([(b"accept-encoding", value)]) is accepted


@pytest.mark.full
def test_the_vendored_libraries_are_those_of_the_lock_file(tmp_path: Path) -> None:
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    subprocess.run([ROOT / "scripts/vendor_console", tmp_path], check=True, capture_output=True)

    vendored = ROOT / "src/tmf_sales/console/webapp/vendor"
    for file in tmp_path.iterdir():
        assert file.read_bytes() == (vendored / file.name).read_bytes(), file.name


@needs_chromium
@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_the_first_screen_fits_and_asks_this_service_alone(
    service: Service, new_page: Callable[[], Page], width: int
) -> None:
    page = new_page()
    page.open(f"{service.url}{PATH}", width)

    shown(page, "document.querySelector('main h1')?.textContent === 'Home'")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.complaints == []
    assert all(url.startswith(service.url) for url in page.requested)
    size = page.evaluate("performance.getEntriesByType('resource').reduce((sum, each) => sum + each.transferSize, 0)")
    assert 0 < size < FIRST_SCREEN_LIMIT
