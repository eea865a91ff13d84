"""Coerces text from a client into values of the attribute's type, and builds conditions from them.

Text of another type is rejected, never guessed. Date-times compare by time, through their canonical text; a date or
date prefix means the whole period (TMF630 part 1, filtering).
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from tmf_sales.contract.attributes import Attribute
from tmf_sales.storage.conditions import EVERYTHING, And, Between, Compare, Condition, Operator, Or, Path, Scalar
from tmf_sales.values import datetimes
from tmf_sales.values.json_numbers import is_exact, why_not_exact
from tmf_sales.values.messages import shown

ValueType = Literal["text", "number", "boolean"]

ANY_TYPE: tuple[ValueType, ...] = ("text", "number", "boolean")
NO_ORDER = "a boolean has no order, it is only equal or not"

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_PERIOD = re.compile(
    r"[0-9]{4}(-(0[1-9]|1[0-2])(-[0-9]{2}(T([01][0-9]|2[0-3])(:[0-5][0-9](:[0-5][0-9](\.[0-9]+)?)?)?)?)?)?"
)
_FIRST_MOMENT = "0001-01-01T00:00:00.000Z"
_LAST_MOMENT = "9999-12-31T23:59:59.999Z"
_BLANK_OFFSET = re.compile(r"(T[0-9:.]+) ([0-9]{2}:[0-9]{2})", re.IGNORECASE)


class CoercionError(ValueError):
    """Raised when a value is not of the attribute's type, or the type does not have the operator."""


@dataclass(frozen=True, slots=True)
class TypedText:
    """Text from a client, and the value types it may have when the contract gives the attribute none."""

    text: str
    types: tuple[ValueType, ...] = ANY_TYPE


def all_of(conditions: Iterable[Condition]) -> Condition:
    """The conjunction, flattened."""
    flat: list[Condition] = []
    for condition in conditions:
        flat.extend(condition.conditions if isinstance(condition, And) else (condition,))
    return flat[0] if len(flat) == 1 else And(tuple(flat)) if flat else EVERYTHING


def any_of(conditions: Iterable[Condition]) -> Condition:
    """The disjunction, flattened."""
    flat: list[Condition] = []
    for condition in conditions:
        flat.extend(condition.conditions if isinstance(condition, Or) else (condition,))
    return flat[0] if len(flat) == 1 else Or(tuple(flat))


def compare(path: Path, attribute: Attribute | None, operator: Operator, operand: TypedText) -> Condition:
    """Compare the values at the path with a value; raises CoercionError. Periods become prefixes and bounds."""
    if attribute is not None and attribute.type == "date-time":
        return _compare_date_time(path, operator, operand.text)
    values = _values(attribute, operand)
    if operator is not Operator.EQ:
        values = [value for value in values if not isinstance(value, bool)]
        if not values:
            raise CoercionError(NO_ORDER)
    return any_of([Compare(path, operator, value) for value in values])


def between(path: Path, attribute: Attribute | None, low: str, high: str) -> Condition:
    """Match when some value at the path is at least `low` and at most `high`; raises CoercionError."""
    if attribute is not None and attribute.type == "date-time":
        return Between(path, _date_time_bounds(low)[0], _date_time_bounds(high)[1])
    lows, highs = (_values(attribute, TypedText(text, ("text", "number"))) for text in (low, high))
    pairs = [(one, two) for one in lows for two in highs if isinstance(one, str) == isinstance(two, str)]
    if any(isinstance(value, bool) for value in (*lows, *highs)):
        raise CoercionError(NO_ORDER)
    return any_of([Between(path, *pair) for pair in pairs])


def _values(attribute: Attribute | None, operand: TypedText) -> list[Scalar]:
    kind = attribute.type if attribute else "any"
    if kind == "object":
        raise CoercionError("is an object: name one of its members")
    types = _TYPES.get(kind, operand.types)
    read = [_READERS[each](operand.text) for each in types]
    values = [value for value in read if value is not None]
    if not values:
        raise CoercionError(f"{shown(operand.text)} {_why_not(types[0], operand.text)}")
    return values


def _number(text: str) -> int | float | None:
    """The number; None when the text is not a number, or not an exact one, as no stored number can equal it."""
    found = _NUMBER.fullmatch(text)
    if found is None or not is_exact(text):
        return None
    return int(text) if found[1] is None and found[2] is None else float(text)


def _why_not(type: ValueType, text: str) -> str:
    is_number = type == "number" and _NUMBER.fullmatch(text)
    return why_not_exact(text) if is_number else f"is not {_EXPECTED[type]}"


def _boolean(text: str) -> bool | None:
    return {"true": True, "false": False}.get(text)


_READERS: dict[ValueType, Callable[[str], Scalar | None]] = {"text": str, "number": _number, "boolean": _boolean}
_TYPES: dict[str, tuple[ValueType, ...]] = {
    "string": ("text",),
    "number": ("number",),
    "integer": ("number",),
    "boolean": ("boolean",),
}
_EXPECTED: dict[ValueType, str] = {"text": "text", "number": "a number", "boolean": "true or false"}


def _compare_date_time(path: Path, operator: Operator, text: str) -> Condition:
    text = _with_plus(text)
    if operator is Operator.EQ and _PERIOD.fullmatch(text):
        return Compare(path, Operator.PREFIX, _period(text)[0])
    first, last = _date_time_bounds(text)
    return Compare(path, operator, last if operator in {Operator.GT, Operator.LTE} else first)


def _with_plus(text: str) -> str:
    """Restore the `+` before an offset, which arrives as a blank from clients that do not encode it."""
    return _BLANK_OFFSET.sub(r"\1+\2", text)


def _date_time_bounds(text: str) -> tuple[str, str]:
    """The first and the last moment of the text: the same one for a date-time, different ones for a period."""
    text = _with_plus(text)
    if _PERIOD.fullmatch(text):
        return _period(text)[1:]
    return (_date_time(text),) * 2


def _date_time(text: str) -> str:
    try:
        return datetimes.canonical(text)
    except ValueError:
        raise CoercionError(f"{shown(text)} is not a date-time") from None


def _period(text: str) -> tuple[str, str, str]:
    """The common prefix of the period's canonical texts, and its first and last moment as canonical text."""
    prefix = text[: len(_FIRST_MOMENT) - 1]
    last = prefix + _LAST_MOMENT[len(prefix) :]
    if len(prefix) == len("2019-05"):
        last = f"{prefix}-{monthrange(int(prefix[:4]) or 1, int(prefix[5:]))[1]}{last[len('2019-05-31') :]}"
    try:
        first = datetimes.canonical(prefix + _FIRST_MOMENT[len(prefix) :])
    except ValueError:
        raise CoercionError(f"{shown(text)} is not a date-time") from None
    return prefix, first, last
