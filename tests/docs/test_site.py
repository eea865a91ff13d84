"""The documentation site: every link leads somewhere, and nothing is loaded from another host."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from urllib.parse import unquote

import pytest
from tests.node_tools import ROOT, node_tools

LOADED = re.compile(r"""<(?:script|img|iframe|link)\b[^>]*?\s(?:src|href)="?(https?:[^"> ]*)""")
LINKED = re.compile(r"""<a\b[^>]*?\shref="?([^"> ]+)""")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MkDocs itself fails on a broken link or a page outside the navigation."""
    node_tools()
    folder = tmp_path_factory.mktemp("site")
    made = subprocess.run(
        [ROOT / "scripts/docs_site", folder], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert made.returncode == 0, made.stdout
    return folder


@pytest.mark.full
def test_every_link_within_the_site_leads_to_a_file(site: Path) -> None:
    broken = []
    for page in (page for page in site.rglob("*.html") if page.name != "404.html" and page.parent.name != "contracts"):
        for link in LINKED.findall(page.read_text(encoding="utf-8")):
            target = unquote(link.partition("#")[0])
            if target and ":" not in target and not (page.parent / target).exists():
                broken.append(f"{page.relative_to(site)}: {link}")

    assert broken == []


@pytest.mark.full
def test_no_page_loads_anything_from_another_host(site: Path) -> None:
    loaded = [url for page in site.rglob("*.html") for url in LOADED.findall(page.read_text(encoding="utf-8"))]

    assert [url for url in loaded if not url.startswith("https://squidfunk.github.io")] == []


@pytest.mark.full
def test_the_site_has_every_kind_of_page(site: Path) -> None:
    for name in ("index", "tutorial", "how-to/operate", "reference/settings", "explanation/architecture", "changelog"):
        assert "<h1" in (site / f"{name}.html").read_text(encoding="utf-8")
    assert list((site / "contracts").glob("tmf*.html"))
