"""Writes the tables of checks in docs/conformance.md from the code, between their markers."""

from __future__ import annotations

from pathlib import Path

from scripts.markers import with_made
from scripts.readme_tables import row, table

from tmf_conformance.api import Api
from tmf_conformance.registry import APIS, checks_of
from tmf_conformance.check import Kind

PAGE = Path(__file__).parents[1] / "docs/conformance.md"


def checks(api: Api) -> str:
    rows = (
        row(f"`{each.id}`", each.title, each.kind, f"{each.source.chapter}: {each.source.text}")
        for each in checks_of(api)
    )
    return table("Check", "What it looks for", "Kind", "Where the rule is from", rows=rows)


def section(api: Api) -> str:
    found = checks_of(api)
    mandatory = sum(each.kind is Kind.MANDATORY for each in found)
    return f"{len(found)} checks, {mandatory} of them mandatory.\n\n{checks(api)}"


def with_checks(text: str) -> str:
    """The page with its tables made anew. Raises ValueError when a pair of markers is missing."""
    for name, api in APIS.items():
        text = with_made(text, name, "make docs", section(api))
    return text


if __name__ == "__main__":
    PAGE.write_text(with_checks(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
