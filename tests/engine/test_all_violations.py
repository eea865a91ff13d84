"""A body that breaks its schema is reported with everything else that is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.contract import small_contract

from tmf_sales.engine.all_violations import FurtherViolations
from tmf_sales.engine.documents import DocumentBuilder
from tmf_sales.engine.hooks import Rules
from tmf_sales.storage.records import Document
from tmf_sales.values.messages import Violation

NOW = "2026-01-01T00:00:00.000Z"
LATER = "2026-02-01T00:00:00.000Z"
BAD_PERIOD = {"from": LATER, "to": NOW}


class OrderRules(Rules):
    def check_body(self, document: Document) -> list[Violation]:
        return [Violation("/amount", "is too much")] if document.get("amount") == 99 else []


@pytest.fixture
def further(tmp_path: Path) -> FurtherViolations:
    builder = DocumentBuilder(small_contract.contract(tmp_path).resources["order"], OrderRules())
    return FurtherViolations(lambda: builder, lambda: NOW)


def test_what_normalization_and_rules_find_is_added(further: FurtherViolations) -> None:
    body = {"name": 1, "amount": 99, "valid": dict(BAD_PERIOD)}

    found = further.of_creation(body, [Violation("/name", "expected text")], lambda _: True)

    assert [each.pointer for each in found] == ["/valid/to", "/amount"]
    assert body == {"name": 1, "amount": 99, "valid": BAD_PERIOD}


def test_rules_do_not_see_members_that_were_reported(further: FurtherViolations) -> None:
    reported = [Violation("/amount", "is more than 9"), Violation("/valid/to", "is not a date-time")]

    assert further.of_creation({"amount": 99, "valid": dict(BAD_PERIOD)}, reported, lambda _: True) == []


def test_rules_are_not_asked_about_what_is_still_no_body(further: FurtherViolations) -> None:
    assert further.of_creation({"amount": 99}, [Violation("", "/name: is required")], lambda _: False) == []


def test_a_merge_patch_is_only_normalized(further: FurtherViolations) -> None:
    patch = {"name": 1, "amount": 99, "valid": dict(BAD_PERIOD)}

    found = further.of_merge_patch(patch, [Violation("/name", "expected text")], lambda _: True)

    assert [each.pointer for each in found] == ["/valid/to"]
