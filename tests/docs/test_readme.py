"""The README has every setting, command and error code, as the code has them."""

from __future__ import annotations

from pathlib import Path

import pytest
from scripts.readme_tables import TABLES, all_conditions, with_tables

import tmf_sales
from tmf_sales.cli import main as command_line
from tmf_sales.settings import describe_settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("variable", [row.variable for row in describe_settings()])
def test_every_setting_is_in_the_readme(variable: str) -> None:
    assert f"| `{variable}` |" in README


@pytest.mark.parametrize("command", sorted(command_line.commands))
def test_every_command_is_in_the_readme(command: str) -> None:
    assert f"| `tmf-sales {command}` |" in README


def test_every_error_code_is_in_the_readme() -> None:
    missing = [condition.code for condition in all_conditions() if f"| `{condition.code}` |" not in README]

    assert missing == []


def test_the_tables_say_what_the_code_says() -> None:
    assert with_tables(README) == README, "run `make docs`"


@pytest.mark.parametrize("name", sorted(TABLES))
def test_a_readme_without_a_place_for_a_table_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"no place for {name}"):
        with_tables(README.replace(f"<!-- end of {name} -->", ""))


def test_every_make_target_explains_itself() -> None:
    lines = (ROOT / "Makefile").read_text(encoding="utf-8").splitlines()
    targets = [line for line in lines if line[:1].isalpha() and ":" in line]

    assert targets
    assert [target for target in targets if " ## " not in target] == []


def test_the_changelog_tells_of_this_version() -> None:
    assert f"## {tmf_sales.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_version_is_the_packages() -> None:
    assert f'\nversion = "{tmf_sales.__version__}"\n' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
