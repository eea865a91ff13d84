"""Which numbers are kept exactly, compared with exact decimal arithmetic."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tmf_sales.values.json_numbers import find_inexact_number, is_exact, may_have_inexact_numbers, why_not_exact

AMOUNTS: list[dict[str, Any]] = json.loads((Path(__file__).parent.parent / "inputs" / "amounts.json").read_bytes())
NUMBERS = st.from_regex(r"\A-?(0|[1-9][0-9]{0,19})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?\Z")


@pytest.mark.parametrize("amount", AMOUNTS, ids=lambda amount: amount["text"][:30])
def test_amounts_are_kept_exactly_or_not_at_all(amount: dict[str, Any]) -> None:
    assert is_exact(amount["text"]) is amount["kept"]
    assert (find_inexact_number(amount["text"].encode()) is None) is amount["kept"]


@given(NUMBERS)
@example("5e-324")
@example("4.9e-324")
@example("1.7976931348623157e308")
@example("1.7976931348623159e308")
def test_a_number_is_exact_when_its_double_is_written_as_the_same_decimal(text: str) -> None:
    if text.removeprefix("-").isdecimal():
        expected = abs(Decimal(text)) <= 2**53 - 1
    else:
        double = float(text)
        expected = abs(double) != float("inf") and Decimal(repr(double)) == Decimal(text)

    assert is_exact(text) is expected


@given(NUMBERS, st.sampled_from(["%s", "[%s]", '{"a":[1,%s,"x"]}', '{"a":"1e-999 1234567890123456","b":%s}']))
def test_the_quick_look_misses_no_inexact_number_but_infinity(text: str, around: str) -> None:
    body = (around % text).encode()

    if not is_exact(text) and abs(float(text)) != float("inf"):
        assert may_have_inexact_numbers(body)
    assert (find_inexact_number(body) is None) is is_exact(text)


def test_digits_in_texts_are_no_numbers() -> None:
    assert find_inexact_number(b'{"id":"12345678901234567890","1e-400":["1e-400"]}') is None


def test_the_first_inexact_number_is_named_by_its_steps() -> None:
    assert find_inexact_number(b'{"a":1,"b":[{"c":1e-400},9007199254740993]}') == (["b", 0, "c"], "1e-400")


def test_a_number_that_another_member_of_the_name_replaces_is_ignored() -> None:
    assert find_inexact_number(b'{"a":1e-400,"a":1}') is None
    assert find_inexact_number(b'{"a":[1e-400],"a":{"b":[1,1e400]}}') is None


@pytest.mark.parametrize("text", [b"[1e400", b"[1e400" + b"[" * 100_000, b'{"a":}'])
def test_what_is_not_json_has_no_numbers(text: bytes) -> None:
    assert find_inexact_number(text) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("9007199254740992", "is beyond 2^53-1"),
        ("99999999999999.99", "cannot be kept exactly"),
        ("1e400", "is outside the range of a double"),
        ("1e-400", "is outside the range of a double"),
    ],
)
def test_the_reason_says_what_is_wrong(text: str, reason: str) -> None:
    assert why_not_exact(text).startswith(reason)
