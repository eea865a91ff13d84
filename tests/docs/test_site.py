"""The documentation site: every link leads somewhere, and nothing is loaded from another host."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml
from scripts.reference_tables import PAGES, all_conditions
from tests.node_tools import ROOT, node_tools

from tmf_sales.cli import main as command_line
from tmf_sales.configuration.description import describe_settings
from tmf_sales.telemetry.catalogue import METRICS

DOCS = ROOT / "docs"

LOADED = re.compile(r"""<(?:script|img|iframe|link)\b[^>]*?\s(?:src|href)="?(https?:[^"> ]*)""")
LINKED = re.compile(r"""<a\b[^>]*?\shref="?([^"> ]+)""")


def pages_in(entries: list[object]) -> set[str]:
    """The pages of a navigation or of a part of it, below docs/."""
    found = set()
    for entry in entries:
        for target in entry.values() if isinstance(entry, dict) else [entry]:
            found |= pages_in(target) if isinstance(target, list) else {str(target)}
    return found


def test_every_page_is_in_the_navigation_and_in_the_index_of_its_section() -> None:
    navigation = pages_in(yaml.safe_load((ROOT / "scripts/documentation.yml").read_text(encoding="utf-8"))["nav"])
    written = {path.relative_to(DOCS) for path in DOCS.rglob("*.md")}

    assert {path.as_posix() for path in written} - navigation == set()
    for path in written:
        index = DOCS / path.parent / "index.md"
        if path.parent.name in {"how-to", "reference", "runbooks"} and path.name != "index.md":
            assert f"]({path.name})" in index.read_text(encoding="utf-8"), path


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


@pytest.mark.full
def test_the_site_has_every_setting_command_error_code_and_metric(site: Path) -> None:
    shown = {name: (site / f"reference/{name}.html").read_text(encoding="utf-8") for name in PAGES}

    settings = [each.variable for each in describe_settings()]
    assert [name for name in settings if f"<code>{name}</code>" not in shown["settings"]] == []
    assert [name for name in command_line.commands if f">tmf-sales {name}" not in shown["commands"]] == []
    assert [each.code for each in all_conditions() if f"<code>{each.code}</code>" not in shown["errors"]] == []
    assert [each.name for each in METRICS if f"<code>{each.name}</code>" not in shown["metrics"]] == []
