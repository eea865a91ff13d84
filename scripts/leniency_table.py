"""Writes the table of docs/reference/leniency.md from the contracts: each rule, its mode, and where it applies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from scripts.markers import with_made

from tmf_sales.contract.files import contracts_folder
from tmf_sales.contract.leniency import LENIENCIES
from tmf_sales.contract.loader import Contract, load_contracts

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "leniency.md"


def table(contracts: tuple[Contract, ...]) -> str:
    rows = ["| Rule | From mode | What is forgiven | Where |", "| --- | --- | --- | --- |"]
    for name, rule in LENIENCIES.items():
        places = ", ".join(dict.fromkeys(place for each in contracts for place in places_of(name, each)))
        rows.append(f"| `{name}` | {rule.mode} | {rule.purpose} | {places or 'nowhere'} |")
    return "\n".join(rows)


def places_of(rule: str, contract: Contract) -> Iterator[str]:
    """The members with the rule as `Type.member`, or the contract's file when the rule applies to all of it."""
    if rule in contract.leniencies:
        yield f"all of {contract.name}"
    for name, schema in contract.document["components"]["schemas"].items():
        for member, inner in members_of(schema):
            if inner.get("x-lenient") == rule:
                yield f"`{name}.{member}`"


def members_of(schema: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for member, inner in schema.get("properties", {}).items():
        yield member, inner
        for deeper, innermost in members_of(inner):
            yield f"{member}.{deeper}", innermost


def with_table(text: str) -> str:
    """Return the page with a new table; raise ValueError when its markers are missing."""
    return with_made(text, "leniencies", "make docs", table(load_contracts(contracts_folder())))


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
