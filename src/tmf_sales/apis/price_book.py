"""Loads the price book: a JSON file with the prices of each offering, described by prices/price-book.schema.json.

An invalid book is rejected with one line that names the file, the place and the expected value. When no book is
configured, the shipped example is used: the offerings of TMF648's sample.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import orjson
from marshmallow import Schema, ValidationError, fields, validate

from tmf_sales.storage.records import Document
from tmf_sales.values.json_numbers import find_inexact_number, why_not_exact
from tmf_sales.values.messages import SHOWN_LIMIT, json_pointer

MOST = 1_000_000_000_000


class BadPriceBook(ValueError):
    """Raised for an invalid price book; one line with the file, the place and the rule."""


class _Number(fields.Field[float]):
    """A JSON number. Unlike marshmallow's Float, it rejects text and booleans."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValidationError("expected a number")
        return value


class _Whole(_Number):
    """A JSON number without a fraction."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> float:
        if isinstance(value, float | bool):
            raise ValidationError("expected a whole number")
        return super()._deserialize(value, attr, data, **kwargs)


class _Money(Schema):
    unit = fields.String(required=True, validate=validate.Regexp(r"[A-Z]{3}\Z", error="expected three capital letters"))
    value = _Number(required=True, validate=validate.Range(-MOST, MOST))


class _Price(Schema):
    percentage = _Number(validate=validate.Range(-1_000_000, 1_000_000))
    taxRate = _Number(validate=validate.Range(0, 1_000))  # noqa: N815 - TMF648's names
    dutyFreeAmount = fields.Nested(_Money)  # noqa: N815
    taxIncludedAmount = fields.Nested(_Money)  # noqa: N815


class _UnitPrice(_Price):
    dutyFreeAmount = fields.Nested(_Money, required=True)  # noqa: N815


class _Priced(Schema):
    name = fields.String()
    description = fields.String()
    priceType = fields.String(required=True, validate=validate.Length(1))  # noqa: N815
    recurringChargePeriod = fields.String()  # noqa: N815
    unitOfMeasure = fields.String()  # noqa: N815


class _PriceAlteration(_Priced):
    priority = _Whole()
    applicationDuration = _Whole(validate=validate.Range(0))  # noqa: N815
    price = fields.Nested(_Price, required=True)


class _QuotePrice(_Priced):
    price = fields.Nested(_UnitPrice, required=True)
    priceAlteration = fields.List(fields.Nested(_PriceAlteration))  # noqa: N815


class _Offering(Schema):
    id = fields.String(required=True, validate=validate.Length(1))
    name = fields.String()
    prices = fields.List(fields.Nested(_QuotePrice), required=True, validate=validate.Length(1))


class _PriceBook(Schema):
    schema = fields.String(data_key="$schema")
    offerings = fields.List(fields.Nested(_Offering), required=True)


@dataclass(frozen=True, slots=True)
class PriceBook:
    """`prices`: the QuotePrice objects for one unit of an offering, by the offering's id."""

    prices: Mapping[str, Sequence[Document]]

    @classmethod
    def load(cls, path: Path) -> PriceBook:
        """Load a price book from a file; raises BadPriceBook."""
        try:
            text = path.read_bytes()
        except OSError as error:
            raise BadPriceBook(f"{path}: cannot be read: {error.strerror}") from None
        return cls.read(text, str(path))

    @classmethod
    def example(cls) -> PriceBook:
        """The book that is shipped with the service."""
        file = resources.files("tmf_sales").joinpath("apis", "prices", "example.json")
        return cls.read(file.read_bytes(), file.name)

    @classmethod
    def read(cls, text: bytes, name: str) -> PriceBook:
        """Parse a price book; raises BadPriceBook. `name`: the file name for messages."""
        try:
            book = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise BadPriceBook(f"{name}: is not JSON: {error}") from None
        if inexact := find_inexact_number(text):
            place, digits = inexact
            raise BadPriceBook(
                f"{name}#{json_pointer(place)}: the number {digits[:SHOWN_LIMIT]} {why_not_exact(digits)}"
            )
        if errors := _PriceBook().validate(book):
            pointer, expected = _first_error(errors)
            raise BadPriceBook(f"{name}#{pointer}: {expected}")
        prices: dict[str, Sequence[Document]] = {}
        for number, offering in enumerate(book["offerings"]):
            if offering["id"] in prices:
                raise BadPriceBook(f"{name}#/offerings/{number}/id: expected each offering once")
            prices[offering["id"]] = offering["prices"]
        return cls(prices)

    def of(self, offering: str) -> Sequence[Document] | None:
        return self.prices.get(offering)


def _first_error(errors: Any, place: str = "") -> tuple[str, str]:
    """The place (JSON pointer) and the text of the first of marshmallow's nested errors."""
    if isinstance(errors, Mapping):
        step, inner = next(iter(errors.items()))
        return _first_error(inner, place if step == "_schema" else f"{place}/{step}")
    return place, str(errors[0])
