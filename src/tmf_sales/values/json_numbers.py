"""Checks whether a number in JSON text keeps its exact value as a double (RFC 7493, 2.2).

Other numbers are rejected in every input, because a changed amount is worse than an error.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from tmf_sales.values.json_values import children_of, first_container

INTEGER_LIMIT = 2**53 - 1
SAFE_LENGTH = 15  # a double keeps every decimal of this many digits
MOST_DIGITS = 17  # the shortest text of a double never has more
NOT_EXACT = "cannot be kept exactly: a double keeps 15 significant digits"
TOO_LARGE = "is beyond 2^53-1"
OUT_OF_RANGE = "is outside the range of a double, about 5e-324 to 1.8e308"

_DIGITS_AS_ZERO = bytes(ord("0") if chr(code) in "0123456789." else code for code in range(256))
_MANY_DIGITS = b"0" * (SAFE_LENGTH + 1)
_SMALL_EXPONENT = re.compile(rb"-(?<=[eE]-)[0-9]{3}")  # a literal first character makes the search fast


def is_exact(text: str) -> bool:
    """Whether the number is kept exactly: an integer within 2^53-1, or a decimal equal to its double's text."""
    if _is_integer(text):
        digits = text.removeprefix("-").lstrip("0")
        return len(digits) <= SAFE_LENGTH or (len(digits) <= SAFE_LENGTH + 1 and int(digits) <= INTEGER_LIMIT)
    number = float(text)
    if repr(number) == text:
        return math.isfinite(number)
    significand = text.lower().partition("e")[0].removeprefix("-").replace(".", "")
    digits = significand.strip("0")
    if not digits or number == 0 or math.isinf(number):
        return not digits
    return len(digits) <= MOST_DIGITS and Decimal(text) == Decimal(repr(number))


def why_not_exact(text: str) -> str:
    """The message text for a number that is not kept exactly."""
    if _is_integer(text):
        return TOO_LARGE
    number = float(text)
    return OUT_OF_RANGE if number == 0 or math.isinf(number) else NOT_EXACT


def _is_integer(text: str) -> bool:
    return not ("." in text or "e" in text or "E" in text)


def may_have_inexact_numbers(text: bytes) -> bool:
    """Whether a JSON text has 16 digits and points in a row, or an exponent below -99; other numbers are exact."""
    return _MANY_DIGITS in text.translate(_DIGITS_AS_ZERO) or _SMALL_EXPONENT.search(text) is not None


class _InexactNumber(str):
    """The digits of a number that is not kept exactly."""


def find_inexact_number(text: bytes) -> tuple[list[str | int], str] | None:
    """The steps to the first number in a JSON text that is not kept exactly, and its text.

    None without one, or if a later member of the same name replaces it.
    """
    found = False

    def read(digits: str) -> str:
        nonlocal found
        if found or is_exact(digits):
            return digits
        found = True
        return _InexactNumber(digits)

    try:
        value = json.loads(text, parse_int=read, parse_float=read)
    except (ValueError, RecursionError):  # not JSON, or too deep: the caller reports that
        return None
    if not found:
        return None
    try:
        container, place = first_container([value], lambda each, _: any(_inexact_numbers_in(each)))
    except IndexError:  # another member has replaced it
        return None
    step, digits = next(_inexact_numbers_in(container))
    return [*place, step][1:], digits


def _inexact_numbers_in(container: Any) -> Iterator[tuple[str | int, str]]:
    return ((step, child) for step, child in children_of(container) if isinstance(child, _InexactNumber))
