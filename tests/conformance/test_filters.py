"""The filter checks ask with values that any server accepts."""

from __future__ import annotations

from typing import Any

import pytest
from tests.conformance.service_under_test import APIS

from tmf_conformance.checks.filters import absent_value, in_another_zone
from tmf_conformance.outcome import NotRun

MOMENT = "2024-02-29T10:00:00.000Z"


@pytest.mark.parametrize(
    ("api", "path", "own", "other", "absent"),
    [
        ("tmf648", "state", {"state": "inProgress"}, {"state": "approved"}, "approved"),
        ("tmf648", "state", {"state": "inProgress"}, {"state": "inProgress"}, "pending"),
        ("tmf699", "status", {"status": "acknowledged"}, {"status": "acknowledged"}, "inProgress"),
        ("tmf699", "priority", {"priority": "high"}, {"priority": "high"}, "medium"),
        (
            "tmf648",
            "quoteItem.action",
            {"quoteItem": [{"action": "add"}]},
            {"quoteItem": [{"action": "add"}]},
            "modify",
        ),
        ("tmf648", "instantSyncQuote", {"instantSyncQuote": False}, {"instantSyncQuote": False}, True),
        ("tmf648", "quoteItem.quantity", {"quoteItem": {"quantity": 11}}, {"quoteItem": {"quantity": 11}}, 10),
        ("tmf648", "quoteDate", {"quoteDate": MOMENT}, {"quoteDate": MOMENT}, "2024-02-28T10:00:00.000Z"),
        ("tmf648", "@type", {"@type": "Quote"}, {"@type": "Quote"}, "OtherQuote"),
    ],
)
def test_an_absent_value_is_valid(api: str, path: str, own: Any, other: Any, absent: Any) -> None:
    assert absent_value(APIS[api], path, (own, other)) == absent


def test_an_absent_value_is_in_no_element_of_an_array() -> None:
    both = {"quoteItem": [{"quantity": 10}, {"quantity": 11}]}

    assert absent_value(APIS["tmf648"], "quoteItem.quantity", (both, both)) == 12


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-03-01T12:30:00.000Z", "2026-03-01T10:30:00.000-02:00"),
        ("2026-03-01T01:59:59.999Z", "2026-02-28T23:59:59.999-02:00"),
        ("2026-03-01T00:00:00+05:30", "2026-02-28T16:30:00.000-02:00"),
        ("2026-03-01T00:00:00-02:00", "2026-03-01T00:00:00.000-02:00"),
    ],
)
def test_a_point_in_time_is_written_with_another_offset(moment: str, expected: str) -> None:
    assert in_another_zone(moment) == expected


@pytest.mark.parametrize("value", ["yesterday", "2026-03-01T00:00:00", 5])
def test_what_is_no_date_time_is_not_compared(value: object) -> None:
    with pytest.raises(NotRun):
        in_another_zone(value)
