"""Engine, events and storage serve any TMF API: none of them knows what the two that are shipped are about."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[2] / "src" / "tmf_sales"
GENERIC = ("contract", "query", "patch", "engine", "events", "storage")
WORDS = re.compile("quote|lead", re.IGNORECASE)


@pytest.mark.parametrize("room", GENERIC)
def test_a_generic_room_has_files(room: str) -> None:
    assert list((SOURCES / room).rglob("*.py"))


@pytest.mark.parametrize("room", GENERIC)
def test_a_generic_room_names_no_resource_of_a_contract(room: str) -> None:
    """Also within longer words: what is about quoteItem is about quotes."""
    found = [
        f"{path.relative_to(SOURCES)}:{number}: {line.strip()}"
        for path in sorted((SOURCES / room).rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if WORDS.search(line)
    ]

    assert found == []
