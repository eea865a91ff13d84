"""Writes the tables of checks in docs/reference/conformance.md between their markers."""

from __future__ import annotations

from pathlib import Path

from scripts.markers import with_made
from scripts.reference_tables import row, table

from tmf_conformance.registry import suites
from tmf_conformance.source import Kind
from tmf_conformance.suite import Suite

PAGE = Path(__file__).parents[1] / "docs/reference/conformance.md"


def checks(suite: Suite) -> str:
    rows = (
        row(f"`{each.id}`", each.title, each.kind, f"{each.source.chapter}: {each.source.text}")
        for each in suite.checks()
    )
    return table("Check", "What it looks for", "Kind", "Where the rule is from", rows=rows)


def section(suite: Suite) -> str:
    found = suite.checks()
    mandatory = sum(each.kind is Kind.MANDATORY for each in found)
    return f"{len(found)} checks, {mandatory} of them mandatory.\n\n{checks(suite)}"


def with_checks(text: str) -> str:
    """Return the page with new tables; raise ValueError when a pair of markers is missing."""
    for name, suite in suites().items():
        text = with_made(text, name, "make docs", section(suite))
    return text


if __name__ == "__main__":
    PAGE.write_text(with_checks(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
