"""Prices a quote: looks up the prices of its items in a price book and computes the total (TMF648, QuotePrice).

All arithmetic is decimal and rounded once, half to even, to the minor unit of the currency. A price is for one unit
before alterations; a positive percentage or amount of an alteration lowers it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from typing import Any

from tmf_sales.apis.price_book import PriceBook
from tmf_sales.storage.records import Document
from tmf_sales.values.json_values import own_copy

# ISO 4217: the currencies whose minor unit is not a hundredth.
NO_DECIMALS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
THREE_DECIMALS = "BHD IQD JOD KWD LYD OMR TND"
MINOR_UNITS = dict.fromkeys(NO_DECIMALS.split(), 0) | dict.fromkeys(THREE_DECIMALS.split(), 3) | {"CLF": 4, "UYW": 4}
# Up to this total, doubles, which most JSON parsers use, represent every minor unit exactly.
MOST = Decimal(10) ** 12
PRECISION = 60
GROUPED_BY = ("priceType", "recurringChargePeriod", "unitOfMeasure")


class TotalTooLarge(ArithmeticError):
    """Raised when a total is too large for JSON parsers to represent exactly."""


def price_items(document: Document, book: PriceBook) -> Document | None:
    """A copy with quoteItemPrice on every item, at any depth; None when the book lacks a price for an item.

    The productOffering of an item determines its prices.
    """
    priced: Document = own_copy(document)
    for item in all_items(priced.get("quoteItem")):
        offering = item.get("productOffering")
        prices = book.of(offering.get("id", "")) if isinstance(offering, dict) else None
        if prices is None:
            return None
        item["quoteItemPrice"] = own_copy(prices)
    return priced


def all_items(items: Any) -> Iterator[Document]:
    """Every item of a list, each before the items inside it."""
    for item in items or ():
        yield item
        if inner := item.get("quoteItem"):  # most items have none, and a generator costs more than this question
            yield from all_items(inner)


def total_price(items: Any) -> list[Document]:
    """The quoteTotalPrice of items: one QuotePrice per kind of charge and currency, in order of appearance.

    Quantity times price, with the alterations that last (applicationDuration 0 or absent) applied; the others are
    listed in its priceAlteration. Each item counts with its own quantity. Raises TotalTooLarge.
    """
    totals: dict[tuple[Any, ...], _Total] = {}
    with localcontext(Context(prec=PRECISION)):
        for item in all_items(items):
            for price in item.get("quoteItemPrice") or ():
                charge = _Charge.of(price)
                if charge is not None:
                    key = (*(price.get(name) for name in GROUPED_BY), charge.unit)
                    totals.setdefault(key, _Total(price, charge.unit)).add(charge, item.get("quantity", 1), price)
        return [total.written() for total in totals.values()]


@dataclass(frozen=True, slots=True)
class _Charge:
    """The amounts of one price or alteration; None for amounts that are neither given nor derivable."""

    unit: str | None
    duty_free: Decimal | None
    tax_included: Decimal | None
    tax_rate: Decimal | None

    @classmethod
    def of(cls, priced: Document, default_rate: Decimal | None = None) -> _Charge | None:
        """Read the amounts; None without any. A missing amount is derived from the other one and the tax rate."""
        price = priced.get("price") or {}
        duty_free, tax_included = (price.get(name) or {} for name in ("dutyFreeAmount", "taxIncludedAmount"))
        net, gross = _decimal(duty_free.get("value")), _decimal(tax_included.get("value"))
        rate = _decimal(price.get("taxRate"))
        used_rate = default_rate if rate is None else rate
        if net is None and gross is None:
            return None
        if used_rate is not None:
            factor = 1 + used_rate / 100
            gross = net * factor if gross is None and net is not None else gross
            net = gross / factor if net is None and gross is not None and factor else net
        return cls(duty_free.get("unit") or tax_included.get("unit"), net, gross, rate)

    def altered_by(self, alteration: Document) -> _Charge:
        percentage = _decimal((alteration.get("price") or {}).get("percentage"))
        altered = self if percentage is None else self._times(1 - percentage / 100)
        less = _Charge.of(alteration, self.tax_rate)
        return altered if less is None else altered._minus(less)

    def _times(self, factor: Decimal) -> _Charge:
        net, gross = (None if amount is None else amount * factor for amount in (self.duty_free, self.tax_included))
        return _Charge(self.unit, net, gross, self.tax_rate)

    def _minus(self, less: _Charge) -> _Charge:
        return _Charge(
            self.unit,
            _sum(self.duty_free, less.duty_free, -1),
            _sum(self.tax_included, less.tax_included, -1),
            self.tax_rate,
        )


@dataclass(slots=True)
class _Total:
    """The sum of the charges of one kind in one currency."""

    first: Document
    unit: str | None
    duty_free: Decimal | None = Decimal(0)
    tax_included: Decimal | None = Decimal(0)
    tax_rates: set[Decimal | None] = field(default_factory=set)
    temporary: list[Document] = field(default_factory=list)

    def add(self, charge: _Charge, quantity: int, price: Document) -> None:
        alterations = price.get("priceAlteration") or ()
        for alteration in by_priority([one for one in alterations if not one.get("applicationDuration")]):
            charge = charge.altered_by(alteration)
        self.duty_free = _sum(self.duty_free, charge.duty_free, quantity)
        self.tax_included = _sum(self.tax_included, charge.tax_included, quantity)
        self.tax_rates.add(charge.tax_rate)
        self.temporary += by_priority([one for one in alterations if one.get("applicationDuration")])

    def written(self) -> Document:
        """The total as a QuotePrice. Omits an amount that some charge lacks, and tax rates that differ."""
        price: Document = {}
        if len(self.tax_rates) == 1 and None not in self.tax_rates:
            price["taxRate"] = self.first["price"]["taxRate"]
        for name, amount in (("dutyFreeAmount", self.duty_free), ("taxIncludedAmount", self.tax_included)):
            if amount is not None:
                price[name] = {**({"unit": self.unit} if self.unit else {}), "value": rounded(amount, self.unit)}
        total: Document = {name: self.first[name] for name in GROUPED_BY if name in self.first}
        total["price"] = price
        if self.temporary:
            total["priceAlteration"] = own_copy(self.temporary)
        return total


def by_priority(alterations: Sequence[Document]) -> list[Document]:
    """Sort alterations: the lowest priority number first, those without one last."""
    return sorted(alterations, key=lambda one: (one.get("priority") is None, one.get("priority") or 0))


def rounded(amount: Decimal, unit: str | None) -> int | float:
    """Round to the minor unit of the currency, half to even. Raises TotalTooLarge."""
    if abs(amount) > MOST:
        raise TotalTooLarge(f"expected a total of at most {MOST:f}")
    return _number(amount.quantize(Decimal(1).scaleb(-MINOR_UNITS.get(unit or "", 2)), ROUND_HALF_EVEN))


def _number(amount: Decimal) -> int | float:
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def _sum(one: Decimal | None, other: Decimal | None, times: int) -> Decimal | None:
    return None if one is None or other is None else one + times * other
