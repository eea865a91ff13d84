"""Sources and documentation use the field's terms: a list of words that this project once used for them stays out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REPLACED = re.compile(
    r"\b(told|courier|held against|what is not|whoever|of which|narrowed|typed path|strict_json|drafter|drafting"
    r"|address guard|open mode|everybody is admin|refuses this|go together|has under way)\b",
    re.IGNORECASE,
)
TOLD = re.compile(r"(?<![a-z])told(?![a-z])", re.IGNORECASE)
PAGES = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", *sorted((ROOT / "docs").rglob("*.md"))]
WEBAPP = ROOT / "src/tmf_sales/console/webapp"
TEXTS = {".js", ".html", ".css", ".md"}
SOURCES = [
    *sorted((ROOT / "src").rglob("*.py")),
    *sorted(path for path in WEBAPP.rglob("*") if path.suffix in TEXTS and "vendor" not in path.parts),
]


PROGRAMS = [path for folder in ("src", "tests", "scripts") for path in sorted((ROOT / folder).rglob("*.py"))]


def found(path: Path, words: re.Pattern[str]) -> list[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for number, line in enumerate(lines, 1)
        if words.search(line)
    ]


@pytest.mark.parametrize("paths", [PAGES, SOURCES], ids=["documentation", "sources"])
def test_no_replaced_word_comes_back(paths: list[Path]) -> None:
    assert [line for path in paths for line in found(path, REPLACED)] == []


def test_no_name_or_sentence_of_a_program_says_told() -> None:
    programs = [path for path in PROGRAMS if path != Path(__file__)]

    assert [line for path in programs for line in found(path, TOLD)] == []
