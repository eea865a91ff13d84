"""The console in a browser, as sales uses it daily, on a store of 1,000 quotes.

A lead that becomes an accepted quote, two tabs, a caller who may only read, the keyboard alone, a proxy with a
prefix, a third API. axe-core checks each screen.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from tests.console import many_quotes
from tests.console.browser import CHROMIUM, Page, browser
from tests.console.screens import click, fill, says, shown
from tests.edge.nginx import free_port, needs_nginx, nginx
from tests.node_tools import node_tools
from tests.service import ROOT, SERVE, Service, start_service

pytestmark = [pytest.mark.full, pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")]

QUOTES = "/tmf-api/quoteManagement/v4/quote"
PHONE, DESKTOP = 360, 1280
QUOTE = "q-0011"  # approved
SCREENS = {
    "": "run out within 7 days",
    "/tmf648/quote?state=approved&sort=-quoteDate": "is approved",
    f"/tmf648/quote/{QUOTE}": "From approved it can become accepted or rejected",
    f"/tmf648/quote/{QUOTE}?tab=items": "Totals",
    f"/tmf648/quote/{QUOTE}?tab=prices": "no catalogue price",
    f"/tmf648/quote/{QUOTE}?tab=versions": "There is only one version",
    f"/tmf648/quote/{QUOTE}/edit": "Nothing changed yet",
    "/tmf648/quote/new": "Create quote",
    "/tmf699/salesLead/l-0001": "From inProgress it can become",
    "/find?text=Contoso": "found",
    "/service/events": "Events",
    "/service/subscriptions": "No subscriptions yet",
    "/service/audit": "Audit",
    "/service/health": "Settings in force",
    "/service/permissions": "everybody may do everything",
    "/service/conformance": "Check again",
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with 1,000 quotes; nobody writes to it but through copies."""
    folder = tmp_path_factory.mktemp("store")
    (folder / "quotes.jsonl").write_bytes(many_quotes.written(datetime.now(UTC)))
    command = [*SERVE[:-1], "import", "--store", f"sqlite:///{folder}/quotes.sqlite", str(folder / "quotes.jsonl")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "imported 1040 resources" in done.stderr, done.stderr
    return folder / "quotes.sqlite"


@pytest.fixture(scope="module")
def service(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("service")
    shutil.copy(store, folder)
    with start_service(folder / "log", "--store", f"sqlite:///{folder}/{store.name}") as running:
        yield running


@pytest.fixture(scope="module")
def new_page() -> Iterator[Callable[[], Page]]:
    with browser(patience=900.0) as opener:
        yield opener


@pytest.fixture(scope="module")
def axe() -> str:
    return (node_tools().parent / "axe-core/axe.min.js").read_text(encoding="utf-8")


def open_screen(page: Page, service: Service, path: str, width: int = DESKTOP) -> None:
    page.open(f"{service.url}/console{path}", width)


def press(page: Page, key: str, text: str = "") -> None:
    code = {"Tab": 9, "Enter": 13, "Escape": 27}[key]
    for kind in ("keyDown", "keyUp"):
        sent = text if kind == "keyDown" else ""
        page.send("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, text=sent)


def serious(page: Page, axe: str) -> list[str]:
    """The serious and critical findings of axe-core, each with the first element that has it."""
    page.evaluate(f"{axe}; undefined")  # the debugger may run what the page's policy forbids
    found = page.evaluate(
        "axe.run(document).then(({passes, violations}) => ({passed: passes.length, violated: violations"
        ".filter(({impact}) => ['serious', 'critical'].includes(impact))"
        ".map(({id, nodes}) => `${id}: ${nodes[0].html} ${nodes[0].failureSummary}`)}))"
    )
    assert found["passed"] > 0
    return list(found["violated"])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_each_screen_is_accessible_and_fits(
    service: Service, new_page: Callable[[], Page], axe: str, width: int, scheme: str
) -> None:
    page = new_page()
    page.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    for path, text in SCREENS.items():
        open_screen(page, service, path, width)
        says(page, text)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert serious(page, axe) == [], path
        assert page.complaints == [], path
        assert all(url.startswith((service.url, "data:")) for url in page.requested), path


def test_a_thousand_quotes_are_counted_filtered_and_paged(service: Service, new_page: Callable[[], Page]) -> None:
    page = new_page()
    open_screen(page, service, "/tmf648/quote?sort=-quoteDate")
    says(page, "1,000 in all, 1 to 25 shown")
    says(page, "400", "aside")  # the facet of the state inProgress
    click(page, "Last")
    says(page, "976 to 1,000 shown")

    page.evaluate("document.querySelector('aside input').click()")
    says(page, "1 to 25 shown")
    stated = page.evaluate("new URLSearchParams(location.search).get('state')")
    assert httpx.get(f"{service.url}{QUOTES}?state={stated}&limit=0").headers["x-total-count"] in page.evaluate(
        "document.querySelector('main .sub').innerText"
    )


def test_home_adds_up_what_is_open(service: Service, new_page: Callable[[], Page]) -> None:
    page = new_page()
    open_screen(page, service, "")

    says(page, "Store available")
    says(page, "per month")
    shown(page, "document.querySelectorAll('[aria-label=\"Quotes that run out\"] li a').length === 6")
    says(page, "all 3")  # more than the six that are shown
    link = """document.querySelector('.bars a[href$="/tmf648/quote?state=approved"]')"""
    shown(page, f"{link}?.closest('li').innerText.includes('200')")


def test_a_lead_becomes_an_accepted_quote_with_two_versions(service: Service, new_page: Callable[[], Page]) -> None:
    page = new_page()
    open_screen(page, service, "/tmf699/salesLead/new")
    fill(page, "[id='/name']", "Fibre for two branches")
    click(page, "Create sales lead")
    for state in ("inProgress", "accepted"):
        click(page, f"{state}…")
        click(page, f"Change to {state}", "dialog")
    says(page, "accepted is final: no other state follows.")

    open_screen(page, service, "/tmf648/quote/new")
    fill(page, "#as-json", '{"description": "Fibre for two branches", "quoteItem": [{"action": "add", "quantity": 2}]}')
    click(page, "Create quote")
    click(page, "New version")
    fill(page, "[id='/quoteItem/0/quantity']", "5")
    click(page, "Create quote")
    says(page, "version 2")
    for state in ("approved", "accepted"):
        click(page, f"{state}…")
        fill(page, "dialog textarea", "")
        click(page, f"Change to {state}", "dialog")
    says(page, "accepted is final: no other state follows.")
    assert page.evaluate("document.querySelector('.life .now').dataset.state") == "accepted"

    created = page.evaluate("location.pathname.split('/').pop()")
    versions = httpx.get(f"{service.url}{QUOTES}?id={created}").json()
    assert [(each["version"], each["state"]) for each in versions] == [("1", "inProgress"), ("2", "accepted")]
    open_screen(page, service, f"/tmf648/quote/{created}?tab=versions")
    says(page, "From version 1 to 2")


def test_two_tabs_cannot_overwrite_each_other(service: Service, new_page: Callable[[], Page]) -> None:
    one, other = new_page(), new_page()
    for page in (one, other):
        open_screen(page, service, "/tmf648/quote/q-0000")
        shown(page, "document.querySelector('.life .now')")
    click(one, "pending…")
    click(one, "Change to pending", "dialog")
    says(one, "From pending it can become")

    click(other, "approved…")
    click(other, "Change to approved", "dialog")
    says(other, "Somebody else changed it in the meantime", "dialog")
    changes = "[...document.querySelectorAll('dialog .changes tr')]"
    shown(other, f"{changes}.some((row) => /state.*inProgress.*pending/s.test(row.innerText))")
    click(other, "Show what is stored now", "dialog")
    says(other, "From pending it can become")


def test_a_caller_who_may_only_read_is_offered_nothing_else(
    store: Path, tmp_path: Path, new_page: Callable[[], Page]
) -> None:
    key = "a-key-for-reading-0123456789abcdef"
    digest = hashlib.sha256(key.encode()).hexdigest()
    (tmp_path / "keys.yaml").write_text(f"- name: looking\n  sha256: {digest}\n  roles: [reader]\n", encoding="utf-8")
    shutil.copy(store, tmp_path)
    environ = {"TMF_SALES_API_KEYS": str(tmp_path / "keys.yaml")}
    page = new_page()
    with start_service(tmp_path / "log", "--store", f"sqlite:///{tmp_path}/{store.name}", environ=environ) as secured:
        open_screen(page, secured, f"/tmf648/quote/{QUOTE}")
        fill(page, "input[name=value]", key)
        click(page, "Use it")

        says(page, "accepted or rejected can follow, but you may not change the state.")
        assert (
            page.evaluate("[...document.querySelectorAll('main .actions :is(a, button)')].map(each => each.innerText)")
            == []
        )
        open_screen(page, secured, "/tmf648/quote")
        says(page, "1,000 in all")
        shown(page, "!document.querySelector('a[href$=\"/quote/new\"]')")
        page.open("about:blank", DESKTOP)


def test_the_keyboard_alone_changes_a_state(service: Service, new_page: Callable[[], Page]) -> None:
    page = new_page()
    open_screen(page, service, "/tmf648/quote/q-0001")
    shown(page, "document.querySelector('.life .now')")
    for _ in range(60):
        press(page, "Tab")
        focused = page.evaluate("document.activeElement.innerText")
        if focused == "pending…":
            break
    assert focused == "pending…"
    press(page, "Enter", "\r")
    shown(page, "document.activeElement.matches('dialog textarea')")
    press(page, "Escape")
    shown(page, "!document.querySelector('dialog')")
    assert page.evaluate("document.activeElement.innerText") == "pending…"

    press(page, "Enter", "\r")
    shown(page, "document.activeElement.matches('dialog textarea')")
    press(page, "Tab")
    press(page, "Enter", "\r")
    says(page, "From pending it can become")


@needs_nginx
def test_it_works_below_the_prefix_of_a_proxy(store: Path, tmp_path: Path, new_page: Callable[[], Page]) -> None:
    shutil.copy(store, tmp_path)
    port = free_port()
    page = new_page()
    page.send("Security.enable")
    page.send("Security.setIgnoreCertificateErrors", ignore=True)
    with nginx(tmp_path, [port]) as proxy, ExitStack() as stack:
        host = proxy.url.removeprefix("https://")
        environ = {"TMF_SALES_TRUSTED_PROXIES": "127.0.0.1", "TMF_SALES_TRUSTED_HOSTS": host}
        options = ("--store", f"sqlite:///{tmp_path}/{store.name}", "--port", str(port))
        stack.enter_context(start_service(tmp_path / "log", *options, environ=environ))
        page.open(f"{proxy.url}/sales/console/tmf648/quote?state=approved&limit=10", DESKTOP)
        says(page, "200 match, 1 to 10 shown")
        page.evaluate("document.querySelector('tbody a').click()")
        says(page, "From approved it can become")

        assert page.evaluate("location.pathname").startswith("/sales/console/tmf648/quote/q-")
        asked = [url for url in page.requested if not url.startswith(("data:", "blob:"))]
        assert asked
        assert all(url.startswith(f"{proxy.url}/sales/") for url in asked)
        assert page.complaints == []
        page.open("about:blank", DESKTOP)


def test_a_third_api_appears_without_a_line_of_the_console(tmp_path: Path, new_page: Callable[[], Page]) -> None:
    contracts = ROOT / "tests/contract/ticket/tmf621-ticket-v4.yaml", ROOT / "openapi/tmf-common-v4.yaml"
    (tmp_path / "contracts").mkdir()
    for contract in contracts:
        shutil.copy(contract, tmp_path / "contracts")
    command = (sys.executable, "-m", "tests.contract.ticket.serve", "--contracts", str(tmp_path / "contracts"))
    page = new_page()
    with start_service(tmp_path / "log", "--store", "memory:", command=command) as third:
        open_screen(page, third, "/tmf621/ticket/new")
        fill(page, "#as-json", json.dumps({"name": "No dial tone", "severity": "low"}))
        click(page, "Create ticket")

        shown(page, "document.querySelector('.life .now')?.dataset.state === 'open'")
        open_screen(page, third, "/tmf621/ticket")
        says(page, "1 in all")
        says(page, "Severity", "aside")
        assert page.complaints == []
        page.open("about:blank", DESKTOP)


def test_a_conformance_report_is_opened_and_kept(
    service: Service, tmp_path: Path, new_page: Callable[[], Page]
) -> None:
    command = [sys.executable, "-m", "tmf_sales", "conformance", "--url", service.url + QUOTES.removesuffix("/quote")]
    subprocess.run([*command, "--only", "create-", "--report", str(tmp_path)], capture_output=True, check=False)
    page = new_page()
    open_screen(page, service, "/service/conformance")
    shown(page, "document.querySelector('input[type=file]')")
    node = page.send(
        "DOM.querySelector", nodeId=page.send("DOM.getDocument")["root"]["nodeId"], selector="input[type=file]"
    )
    page.send("DOM.setFileInputFiles", files=[str(tmp_path / "report.json")], nodeId=node["nodeId"])

    says(page, "conforms")
    open_screen(page, service, "/service/conformance")
    says(page, "Profile specification")
