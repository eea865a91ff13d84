"""Engine, events and storage serve any TMF API: none of them knows what the two that are shipped are about."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tmf_sales.contract.files import contracts_folder
from tmf_sales.contract.lint_names import states_of
from tmf_sales.contract.loader import load_contracts

SOURCES = Path(__file__).parents[2] / "src" / "tmf_sales"
GENERIC = ("contract", "query", "patch", "engine", "events", "storage")
CONTRACTS = load_contracts(contracts_folder())
RESOURCES = {resource.name for contract in CONTRACTS for resource in contract.resources.values()}
STATES = {
    state for contract in CONTRACTS for each in contract.resources.values() for state in states_of(each.object_type)
}
# Also within longer words: what is about quoteItem is about quotes. A resource of two words is known by its last one.
WORDS = re.compile("|".join(sorted(re.sub(r".*(?=[A-Z])", "", name) for name in RESOURCES)), re.IGNORECASE)


@pytest.mark.parametrize("room", GENERIC)
def test_a_generic_room_has_files(room: str) -> None:
    assert list((SOURCES / room).rglob("*.py"))


@pytest.mark.parametrize("room", GENERIC)
def test_a_generic_room_names_no_resource_of_a_contract(room: str) -> None:
    found = [
        f"{path.relative_to(SOURCES)}:{number}: {line.strip()}"
        for path in sorted((SOURCES / room).rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if WORDS.search(line)
    ]

    assert found == []


def test_the_words_are_those_of_the_shipped_contracts() -> None:
    assert {"Quote", "SalesLead"} <= RESOURCES
    assert WORDS.pattern == "Lead|Quote"
    assert {"pending", "approved", "acknowledged", "inProgress"} <= STATES


@pytest.mark.parametrize("room", GENERIC)
def test_a_generic_room_names_no_state_of_a_contract(room: str) -> None:
    """As a value: `rejected` may stand in a sentence, but nothing may depend on a state of this name."""
    found = [
        f"{path.relative_to(SOURCES)}:{node.lineno}: {node.value}"
        for path in sorted((SOURCES / room).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in STATES
    ]

    assert found == []
