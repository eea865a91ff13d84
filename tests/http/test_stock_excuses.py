"""What excuses a test on the reference is about tests and cases that exist, and rows that are documented."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from tests.http.oracle_differences import DIFFERENCES
from tests.http.resources import LEAD, QUOTE, TICKET
from tests.http.stock_excuses import EXCUSES, Case, Excuse
from tests.http.stock_stack import NOT_THERE
from tests.stock_words import Unsaid, is_said_by_connexion

HERE = Path(__file__).parent
TABLE = (HERE.parents[1] / "docs" / "stock-connexion.md").read_text()


@cache
def functions_by_module() -> dict[str, set[str]]:
    """Those that run on the reference."""
    return {
        path.stem: {node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)}
        for path in HERE.glob("test_*.py")
        if path.name not in NOT_THERE
    }


def cases_of(test: str) -> Iterator[Case]:
    """What its decorators make of a test; the resources are those of the fixture."""
    [module] = [module for module, functions in functions_by_module().items() if test in functions]
    function = getattr(importlib.import_module(f"tests.http.{module}"), test)
    marks = [mark for mark in getattr(function, "pytestmark", ()) if mark.name == "parametrize"]
    axes: list[list[dict[str, Any]]] = [[{"resource": resource} for resource in (LEAD, QUOTE, TICKET)]]
    for mark in marks:
        names, values = mark.args
        if isinstance(names, str):
            axes.append([{names: value} for value in values])
        else:
            axes.append([dict(zip(names, value, strict=True)) for value in values])
    for parts in product(*axes):
        yield {name: value for part in parts for name, value in part.items()}


@pytest.mark.parametrize("row", sorted({excuse.row for excuse in EXCUSES}))
def test_every_row_that_excuses_is_documented(row: str) -> None:
    assert f"| {row} |" in TABLE or f"- **{row}**:" in TABLE


def test_every_row_that_is_documented_is_met() -> None:
    documented = {*re.findall(r"^\| (?!row)(\w[^|]+) \|", TABLE, re.M), *re.findall(r"^- \*\*(.+)\*\*:", TABLE, re.M)}
    met = {*(excuse.row for excuse in EXCUSES), *(difference.row for difference in DIFFERENCES)}

    assert documented - met == {"words of a refusal"}  # which no test needs: see stock_words.py


@pytest.mark.parametrize("excuse", EXCUSES, ids=lambda excuse: f"{excuse.test}-{excuse.row}")
def test_every_excuse_covers_a_case(excuse: Excuse) -> None:
    assert any(excuse.covers(excuse.test, case) for case in cases_of(excuse.test))


def test_every_file_that_is_left_out_exists() -> None:
    assert [name for name in NOT_THERE if not (HERE / name).is_file()] == []


def test_connexions_sentence_stands_for_any_words_but_cannot_rule_some_out() -> None:
    said = Unsaid("The request could not be read")

    assert said == "/name: is required"
    assert said.startswith("/name")
    assert "/name" in said
    assert not said != "/name"  # noqa: SIM202 - what a test would write


@pytest.mark.parametrize(
    ("code", "message", "codes", "stands"),
    [
        ("badRequest", "The request could not be read", ("invalidBody",), True),
        ("badRequest", "The request could not be read", ("finalState",), False),
        ("badRequest", "something else", ("invalidBody",), False),
        ("invalidBody", "/name: is required", ("invalidBody",), False),
        ("unsupportedMediaType", "Content-Type: expected one that the operation takes", ("invalidBody",), False),
    ],
)
def test_only_connexions_own_refusal_stands_for_one_of_the_services(
    code: str, message: str, codes: tuple[str, ...], stands: bool
) -> None:
    assert is_said_by_connexion({"code": code, "message": message}, codes) is stands
