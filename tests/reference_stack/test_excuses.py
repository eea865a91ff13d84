"""Every excuse of the reference stack covers an existing case and a documented row; how it gets error messages."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.api import JSON, refusal
from tests.http.conftest import CONTRACTS, SALES
from tests.http.resources import LEAD, QUOTE, TICKET
from tests.reference_stack.connexion_words import SENTENCES, worded_as_by_the_service
from tests.reference_stack.excuses import EXCUSES, Case, Excuse
from tests.reference_stack.expectations import NOT_THERE
from tests.reference_stack.oracle_differences import DIFFERENCES

from tmf_sales.contract.loader import Contract, load_contracts

ROOT = Path(__file__).parents[2]
HTTP_TESTS = ROOT / "tests/http"
TABLE = (ROOT / "docs/explanation/connexion-differences.md").read_text()


@cache
def functions_by_module() -> dict[str, set[str]]:
    """Those that run on the reference."""
    return {
        ".".join(path.relative_to(HTTP_TESTS).with_suffix("").parts): {
            node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)
        }
        for path in HTTP_TESTS.rglob("test_*.py")
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

    assert documented - met == set()


@pytest.mark.parametrize("excuse", EXCUSES, ids=lambda excuse: f"{excuse.test}-{excuse.row}")
def test_every_excuse_covers_a_case(excuse: Excuse) -> None:
    assert any(excuse.covers(excuse.test, case) for case in cases_of(excuse.test))


def test_every_file_and_test_that_is_left_out_exists() -> None:
    tests = {path.name: path.read_text() for path in HTTP_TESTS.rglob("test_*.py")}
    text = "".join(tests.values())

    assert [name for name in NOT_THERE if name not in tests and f"def {name}(" not in text] == []


CONNEXION = {"code": "badRequest", "message": SENTENCES["badRequest"], "status": "400"}


def answered(status: int, error: dict[str, str], body: bytes, path: str = "/salesLead") -> httpx.Response:
    headers = {"Content-Type": JSON}
    request = httpx.Request("POST", f"http://test{SALES}{path}", headers=headers, content=body)
    return httpx.Response(status, json=error, request=request)


@pytest.fixture(scope="module")
def sales() -> Contract:
    [contract] = [contract for contract in load_contracts(CONTRACTS) if contract.base_path == SALES]
    return contract


@pytest.mark.parametrize(
    ("path", "body", "code", "said"),
    [
        ("/salesLead", b"{}", "invalidBody", "/name: is required"),
        ("/salesLead", b"{", "malformedBody", "line 1, column 2"),
        ("/salesLead?fields=" + "a" * 5000, b'{"name":"x"}', "invalidParameter", "fields: "),
    ],
)
def test_what_connexion_rejects_gets_the_error_of_the_service(
    sales: Contract, path: str, body: bytes, code: str, said: str
) -> None:
    answer = worded_as_by_the_service(answered(400, CONNEXION, body, path), sales)

    assert said in refusal(answer, 400, code)


@pytest.mark.parametrize(
    ("status", "error", "body"),
    [
        (400, CONNEXION, b'{"name":"x"}'),
        (400, {**CONNEXION, "message": "something else"}, b"{}"),
        (400, {**CONNEXION, "code": "invalidFilter"}, b"{}"),
        (415, {"code": "unsupportedMediaType", "message": SENTENCES["unsupportedMediaType"]}, b"{}"),
        (201, {}, b"{}"),
    ],
    ids=["the service takes it", "another sentence", "another code", "another status", "no refusal"],
)
def test_what_the_service_would_not_refuse_so_is_left_as_it_is(
    sales: Contract, status: int, error: dict[str, str], body: bytes
) -> None:
    answer = answered(status, error, body)

    assert worded_as_by_the_service(answer, sales) is answer
