"""`x-deprecated` marks an API or an operation; a wrong one is reported with its place."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tmf_sales.contract.deprecation import Deprecation, deprecation_of, faults_of_deprecations

SINCE = "2026-06-30T00:00:00Z"
JUNE = datetime(2026, 6, 30, tzinfo=UTC)


def document(**root: Any) -> dict[str, Any]:
    return {"paths": {"/order": {"parameters": [], "get": {}}}, **root}


def test_the_root_holds_for_all_operations_and_an_operation_replaces_it() -> None:
    whole = document(**{"x-deprecated": {"since": SINCE, "successor": "/v5"}})

    assert deprecation_of(whole, {}) == Deprecation(JUNE, successor="/v5")
    assert deprecation_of(whole, {"x-deprecated": {"since": SINCE, "sunset": SINCE}}) == Deprecation(JUNE, JUNE)
    assert deprecation_of(document(), {}) is None
    assert [*faults_of_deprecations(whole)] == []


@pytest.mark.parametrize(
    ("stated", "place", "rule"),
    [
        (True, (), "expected since"),
        ({"sunset": SINCE}, (), "expected since"),
        ({"since": SINCE, "until": SINCE}, (), "expected since"),
        ({"since": "soon"}, ("since",), "expected an RFC 3339 date-time"),
        ({"since": 2026}, ("since",), "expected a date-time, got 2026"),
        ({"since": SINCE, "documentation": "a b"}, ("documentation",), "expected a URL, got 'a b'"),
        ({"since": SINCE, "successor": "/v5>; rel=x"}, ("successor",), "expected a URL"),
        ({"since": SINCE, "sunset": "2020-01-01T00:00:00Z"}, ("sunset",), "expected no earlier date-time"),
    ],
)
def test_a_wrong_one_is_a_fault_with_its_place(stated: Any, place: tuple[str, ...], rule: str) -> None:
    whole = document()
    whole["paths"]["/order"]["get"]["x-deprecated"] = stated

    (at_operation,), (at_root,) = (
        [*faults_of_deprecations(each)] for each in (whole, document(**{"x-deprecated": stated}))
    )

    assert at_operation.place == ("paths", "/order", "get", "x-deprecated", *place)
    assert at_root.place == ("x-deprecated", *place)
    assert at_operation.rule == at_root.rule
    assert at_root.rule.startswith(rule)
