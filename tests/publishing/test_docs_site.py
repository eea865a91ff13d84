"""The pages of the contracts: one file each, everything inside, and a browser draws every operation offline."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.node_tools import ROOT, node_tools

from tmf_sales.contract.bundling import bundle
from tmf_sales.publishing.docs_site import NO_LOGO, REMOTE_LOGO, page, write_site

CONTRACTS = {path.stem: bundle(path) for path in sorted((ROOT / "openapi").glob("tmf[0-9]*.yaml"))}
LOADS = re.compile(r"""<(?:script|img|iframe)[^>]*\ssrc=|<link[^>]*href="(?!data:)|@import|url\(\s*["']?https?:""")


@pytest.fixture
def redoc(tmp_path: Path) -> Path:
    """Stands in for Redoc: it knows the logo's address and tries to end its script."""
    script = tmp_path / "redoc.standalone.js"
    script.write_text(f"var Redoc = {{logo: '{REMOTE_LOGO}', text: '</script>'}};")
    script.with_name(f"{script.name}.LICENSE.txt").write_text("MIT")
    return script


def test_a_page_for_each_contract_an_index_and_the_licences_are_written(redoc: Path, tmp_path: Path) -> None:
    written = {path.name for path in write_site(ROOT / "openapi", redoc, tmp_path / "site")}

    assert written == {*(f"{name}.html" for name in CONTRACTS), "index.html", "LICENSES.txt"}
    index = (tmp_path / "site/index.html").read_text()
    assert '<a href="tmf648-quote-v4.html">Quote Management 4.0.1</a>' in index


@pytest.mark.parametrize("name", CONTRACTS)
def test_a_page_loads_nothing_and_may_load_nothing(name: str, redoc: Path) -> None:
    text = page(CONTRACTS[name], redoc.read_text())

    assert not LOADS.search(text)
    assert "default-src 'none'" in text
    assert REMOTE_LOGO not in text
    assert NO_LOGO in text


def test_no_text_of_a_contract_or_of_redoc_ends_the_script(redoc: Path) -> None:
    contract = {"info": {"title": "</script><b>", "version": "1"}, "paths": {}}

    text = page(contract, redoc.read_text())

    assert text.count("</script>") == 2
    assert "<title>&lt;/script&gt;&lt;b&gt; 1</title>" in text


@pytest.mark.full
@pytest.mark.parametrize("name", CONTRACTS)
def test_a_browser_draws_every_operation(name: str, tmp_path: Path) -> None:
    node_tools()
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no Chromium")
    made = subprocess.run([ROOT / "scripts/docs_site", tmp_path], capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr

    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
             "--disable-background-networking", "--disable-component-update", "--virtual-time-budget=20000",
             f"--user-data-dir={tmp_path / 'profile'}"]  # fmt: skip
    command = [browser, *flags, "--dump-dom", (tmp_path / f"contracts/{name}.html").as_uri()]
    drawn = subprocess.run(command, capture_output=True, text=True, check=False).stdout

    headings = set(re.findall(r"<h2[^>]*>(?:<a[^>]*></a>)?([^<]+)", html.unescape(drawn)))
    operations = {
        operation["summary"]
        for item in CONTRACTS[name]["paths"].values()
        for method, operation in item.items()
        if method != "parameters"
    }
    assert operations <= {heading.strip() for heading in headings}
