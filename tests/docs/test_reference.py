"""The reference pages have every setting, command and error code, as the code has them."""

from __future__ import annotations

from pathlib import Path

import pytest
from scripts.reference_tables import PAGES, REFERENCE, all_conditions, with_tables

import tmf_sales
from tmf_sales.cli import main as command_line
from tmf_sales.configuration.description import describe_settings

ROOT = Path(__file__).parents[2]


def page(name: str) -> str:
    return (REFERENCE / f"{name}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("variable", [row.variable for row in describe_settings()])
def test_every_setting_is_documented(variable: str) -> None:
    assert f"| `{variable}` |" in page("settings")


@pytest.mark.parametrize("command", sorted(command_line.commands))
def test_every_command_is_documented(command: str) -> None:
    assert f"## tmf-sales {command}" in page("commands")


def test_every_error_code_is_documented() -> None:
    missing = [condition.code for condition in all_conditions() if f"| `{condition.code}` |" not in page("errors")]

    assert missing == []


@pytest.mark.parametrize("name", sorted(PAGES))
def test_the_pages_say_what_the_code_says(name: str) -> None:
    assert with_tables(name, page(name)) == page(name), "run `make docs`"


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_page_without_a_place_for_its_table_is_rejected(name: str) -> None:
    with pytest.raises(ValueError, match=f"no place for {name}"):
        with_tables(name, page(name).replace(f"<!-- end of {name} -->", ""))


def test_every_make_target_explains_itself() -> None:
    lines = (ROOT / "Makefile").read_text(encoding="utf-8").splitlines()
    targets = [line for line in lines if line[:1].isalpha() and ":" in line]

    assert targets
    assert [target for target in targets if " ## " not in target] == []


def test_the_changelog_has_this_version() -> None:
    assert f"## {tmf_sales.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_version_is_the_packages() -> None:
    assert f'\nversion = "{tmf_sales.__version__}"\n' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
