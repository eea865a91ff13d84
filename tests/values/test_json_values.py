"""Equality of JSON values, and texts that take no more memory than they need."""

from __future__ import annotations

import tracemalloc

import orjson

from tmf_sales.values.json_values import changed_members, text_to_keep


def test_changed_members_are_those_that_differ_as_json_or_are_in_one_only() -> None:
    before = {"same": [{"a": 1}], "number": 1, "boolean": 1, "deep": {"b": [0]}, "gone": None, "text": "x"}
    after = {"text": "y", "same": [{"a": 1.0}], "number": 1.0, "boolean": True, "deep": {"b": [False]}, "new": None}

    assert changed_members(before, after) == {"boolean", "deep", "gone", "text", "new"}
    assert changed_members(before, dict(reversed(before.items()))) == frozenset()


def test_a_text_to_keep_takes_memory_of_its_own_size() -> None:
    value = {"name": "x" * 1000, "note": [{"text": str(number)} for number in range(20)]}
    tracemalloc.start()
    try:
        texts = [text_to_keep(value) for _ in range(100)]
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert texts[0] == orjson.dumps(value)
    assert used < sum(len(text) + 100 for text in texts)
