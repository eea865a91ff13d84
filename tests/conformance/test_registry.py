"""The registered checks: their ids, sources and documentation, what they import, and suites of other packages."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from scripts.conformance_table import PAGE, with_checks
from tests.conformance.service_under_test import APIS, checks_of

from tmf_conformance.api import Api
from tmf_conformance.registry import suite_of
from tmf_conformance.source import Kind

ROOT = Path(__file__).parents[2]
ROOM = ROOT / "src/tmf_conformance"
apis = pytest.mark.parametrize("api", APIS.values(), ids=list(APIS))


@apis
def test_each_check_has_an_id_of_its_own(api: Api) -> None:
    ids = [check.id for check in checks_of(api)]

    assert len(ids) == len(set(ids))


@apis
def test_each_check_says_where_its_rule_is_from(api: Api) -> None:
    for check in checks_of(api):
        assert check.title
        assert check.source.chapter
        assert len(check.source.text) > 20, check.id


@apis
def test_what_is_from_the_guidelines_is_advice(api: Api) -> None:
    wrong = [
        check.id
        for check in checks_of(api)
        if check.kind is Kind.MANDATORY and check.source.chapter.startswith(("TMF630", "RFC"))
    ]

    assert wrong == []


@apis
def test_both_kinds_of_checks_are_there(api: Api) -> None:
    kinds = [check.kind for check in checks_of(api)]

    assert kinds.count(Kind.MANDATORY) >= 90
    assert kinds.count(Kind.ADVICE) >= 90


def test_the_documentation_has_every_check() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert with_checks(page) == page, "run `make docs`"


def test_the_readme_and_the_changelog_count_the_checks() -> None:
    quotes, leads = (len(checks_of(APIS[name])) for name in ("tmf648", "tmf699"))
    readme, changes = (
        " ".join((ROOT / name).read_text(encoding="utf-8").split()) for name in ("README.md", "CHANGELOG.md")
    )

    assert f"{quotes} checks of quotes and {leads} of sales leads" in readme
    assert f"{quotes} and {leads} named checks" in changes


def test_a_page_without_a_place_for_the_checks_is_refused() -> None:
    with pytest.raises(ValueError, match="no place for tmf648"):
        with_checks("")


@pytest.mark.parametrize("path", sorted(ROOM.rglob("*.py")), ids=lambda path: str(path.relative_to(ROOM)))
def test_the_checker_imports_nothing_of_the_service(path: Path) -> None:
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    modules = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    modules += [name.name for node in nodes if isinstance(node, ast.Import) for name in node.names]
    assert [module for module in modules if module.startswith("tmf_sales")] == []


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://host/tmf-api/quoteManagement/v4", "tmf648"),
        ("http://host/tmf-api/quoteManagement/v4/quote", "tmf648"),
        ("http://host/api/v4/quote/", "tmf648"),
        ("http://host/tmf-api/sales/v4", "tmf699"),
        ("http://host/tmf-api/salesManagement/v4", "tmf699"),
        ("http://host/tmf-api/salesManagement/v4/salesLead", "tmf699"),
        ("http://host/salesLead", "tmf699"),
        ("http://host/tmf-api/productCatalog/v4", None),
        ("http://host", None),
    ],
)
def test_the_api_is_recognized_by_the_base_path(url: str, name: str | None) -> None:
    found = suite_of(url)

    assert (found.api.name if found else None) == name


@apis
def test_the_shortest_way_leads_to_a_state(api: Api) -> None:
    for state in api.states:
        before = api.initial
        for step in api.route_to(state):
            assert step in api.transitions[before]
            before = step
        assert before == state
