"""Builds the documentation site: the pages of docs/, the root's documents and the rendered contracts.

scripts/documentation.py TARGET

MkDocs runs in strict mode, so a broken link fails the build. The result is a folder of files that loads nothing from
other hosts; you can open it from disk or serve it with any web server.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import yaml

from tmf_sales.publishing.docs_site import write_site

ROOT = Path(__file__).parents[1]
SEARCH_SHIM = ROOT / "node_modules/iframe-worker/shim/index.js"
SEARCH_SHIM_ELSEWHERE = "https://unpkg.com/iframe-worker/shim"
REDOC = ROOT / "node_modules/redoc/bundles/redoc.standalone.js"
# Document at the root of the repository -> its place in the site.
ADOPTED = {
    "ARCHITECTURE.md": "explanation/architecture.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "RELEASING.md": "releasing.md",
    "SECURITY.md": "security-policy.md",
}
LINK = re.compile(r"\]\(([^)#\s:]+)(#[^)\s]*)?\)")


def collect_sources(target: Path) -> None:
    """Copy docs/, the adopted documents with their links rewritten, and the price book's schema."""
    shutil.copytree(ROOT / "docs", target)
    for name, place in ADOPTED.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        (target / place).write_text(LINK.sub(partial(_relink, place=place), text), encoding="utf-8")
    schema = ROOT / "src/tmf_sales/apis/prices/price-book.schema.json"
    shutil.copy(schema, target / "reference")
    for page in target.rglob("*.md"):
        page.write_text(LINK.sub(_unlink_sources, page.read_text(encoding="utf-8")), encoding="utf-8")


def _relink(found: re.Match[str], place: str) -> str:
    """Rewrite a link of a document at the root for the document's place in the site."""
    path, anchor = found[1].removeprefix("./"), found[2] or ""
    within = path.removeprefix("docs/") if path.startswith("docs/") else ADOPTED.get(path)
    if within is None:
        return found[0]
    return f"]({os.path.relpath(within, Path(place).parent)}{anchor})"


def _unlink_sources(found: re.Match[str]) -> str:
    """Rewrite a link from docs/ into the repository as a link within the site, if the site has the file."""
    path = found[1]
    name = path.rpartition("../")[2]
    if path.startswith("../") and name in ADOPTED:
        return f"](/{ADOPTED[name]}{found[2] or ''})"
    return found[0]


def render_contracts(target: Path) -> None:
    """Render a page for each contract: one file that loads nothing from elsewhere."""
    list(write_site(ROOT / "openapi", REDOC, target / "contracts"))


def keep_search_local(target: Path) -> None:
    """Include the script for search in pages opened from disk; the theme would load it from another host."""
    place = target / "assets/javascripts/iframe-worker.js"
    shutil.copy(SEARCH_SHIM, place)
    for page in target.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        if SEARCH_SHIM_ELSEWHERE in text:
            local = os.path.relpath(place, page.parent)
            page.write_text(text.replace(SEARCH_SHIM_ELSEWHERE, local), encoding="utf-8")


def build(target: Path) -> None:
    """Build the site; raise CalledProcessError when MkDocs reports anything, such as a broken link."""
    with tempfile.TemporaryDirectory() as folder:  # of its own, so that two builds may run at once
        build_from(Path(folder), target)
    keep_search_local(target)
    print(f"{target}: {sum(1 for _ in target.rglob('*.html'))} pages")


def build_from(work: Path, target: Path) -> None:
    """Collect the sources in the empty folder `work`, and let MkDocs make the pages of them."""
    collect_sources(work / "docs")
    render_contracts(work / "docs")
    config = yaml.safe_load((ROOT / "scripts/documentation.yml").read_text(encoding="utf-8"))
    (work / "mkdocs.yml").write_text(yaml.safe_dump({**config, "docs_dir": "docs"}, sort_keys=False), encoding="utf-8")
    options = ("--quiet", "--strict", "--clean", "--site-dir", str(target.resolve()))
    environ = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    subprocess.run([sys.executable, "-m", "mkdocs", "build", *options], cwd=work, check=True, env=environ)


if __name__ == "__main__":
    build(Path(sys.argv[1]))
