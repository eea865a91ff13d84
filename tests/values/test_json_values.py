"""Equality of JSON values."""

from __future__ import annotations

from tmf_sales.values.json_values import changed_members


def test_changed_members_are_those_that_differ_as_json_or_are_in_one_only() -> None:
    before = {"same": [{"a": 1}], "number": 1, "boolean": 1, "deep": {"b": [0]}, "gone": None, "text": "x"}
    after = {"text": "y", "same": [{"a": 1.0}], "number": 1.0, "boolean": True, "deep": {"b": [False]}, "new": None}

    assert changed_members(before, after) == {"boolean", "deep", "gone", "text", "new"}
    assert changed_members(before, dict(reversed(before.items()))) == frozenset()
