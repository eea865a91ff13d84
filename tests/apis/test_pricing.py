"""What a quote costs: the printed samples, alterations, rounding, currencies, and what has no price."""

from __future__ import annotations

import copy
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmf_sales.apis.price_book import PriceBook
from tmf_sales.apis.pricing import TotalTooLarge, price_items, rounded, total_price
from tmf_sales.apis.quote import QuoteRules

SAMPLES = Path(__file__).parents[1] / "samples"
EXAMPLE = PriceBook.example()

Document = dict[str, Any]


def sample(name: str) -> Any:
    return json.loads((SAMPLES / name).read_text())


def money(value: float, unit: str = "EUR") -> Document:
    return {"unit": unit, "value": value}


def price(net: float | None = None, gross: float | None = None, rate: float | None = None, **members: Any) -> Document:
    amounts = {"taxRate": rate, "dutyFreeAmount": net, "taxIncludedAmount": gross}
    given_amounts = {
        name: amount if name == "taxRate" else money(amount) for name, amount in amounts.items() if amount is not None
    }
    return {"priceType": "recurring", "price": given_amounts, **members}


def off(percentage: float | None = None, net: float | None = None, **members: Any) -> Document:
    alteration = price(net, **members)
    if percentage is not None:
        alteration["price"]["percentage"] = percentage
    return alteration


def item(*prices: Document, quantity: int = 1, **members: Any) -> Document:
    return {"quantity": quantity, "quoteItemPrice": list(prices), **members}


def amounts(items: list[Document]) -> list[tuple[Any, Any]]:
    """Duty free and tax included value of each total."""
    totals = [total["price"] for total in total_price(items)]
    return [
        tuple(total.get(name, {}).get("value") for name in ("dutyFreeAmount", "taxIncludedAmount")) for total in totals
    ]


# The printed samples -------------------------------------------------------------------------------------------------


def test_the_printed_quote_is_priced_as_printed() -> None:
    priced = price_items(sample("tmf648-create-request.json"), EXAMPLE)

    assert priced is not None
    printed = sample("tmf648-quote-resource.json")["quoteItem"]
    assert [one["quoteItemPrice"] for one in priced["quoteItem"]] == [one["quoteItemPrice"] for one in printed]


def test_the_total_of_the_printed_quote() -> None:
    free_year = sample("tmf648-quote-resource.json")["quoteItem"][2]["quoteItemPrice"][0]["priceAlteration"]

    assert total_price(sample("tmf648-quote-resource.json")["quoteItem"]) == [
        {
            "priceType": "recurring",
            "recurringChargePeriod": "month",
            "price": {"taxRate": 16, "dutyFreeAmount": money(270), "taxIncludedAmount": money(313.2)},
        },
        {
            "priceType": "nonRecurring",
            "price": {"taxRate": 16, "dutyFreeAmount": money(3500), "taxIncludedAmount": money(4060)},
        },
        {
            "priceType": "recurring",
            "recurringChargePeriod": "year",
            "price": {"taxRate": 16, "dutyFreeAmount": money(100), "taxIncludedAmount": money(116)},
            "priceAlteration": free_year,
        },
    ]


def test_the_printed_answer_at_once_comes_out_as_printed() -> None:
    """Apart from its misprinted dates, the party that nobody sent, and the total, which the sample leaves out."""
    printed = sample("tmf648-instantsync-response.json")

    answer = QuoteRules().answer_instantly(sample("tmf648-instantsync-request.json"), "2019-05-06T12:45:12.033Z")

    assert answer is not None
    total = answer.pop("quoteTotalPrice")
    assert answer.keys() == printed.keys()
    same = printed.keys() - {"effectiveQuoteCompletionDate", "validFor", "relatedParty"}
    assert {name: answer[name] for name in same} == {name: printed[name] for name in same}
    assert answer["relatedParty"] == printed["relatedParty"][:2]
    assert total[0]["price"] == {"taxRate": 16, "dutyFreeAmount": money(27), "taxIncludedAmount": money(31.32)}


def test_whole_amounts_are_written_without_a_fraction() -> None:
    assert json.dumps(total_price([item(price(30, 34.8))])[0]["price"]) == (
        '{"dutyFreeAmount": {"unit": "EUR", "value": 30}, "taxIncludedAmount": {"unit": "EUR", "value": 34.8}}'
    )


# Pricing items -------------------------------------------------------------------------------------------------------


def test_items_inside_items_are_priced_too() -> None:
    tariff, handset = ({"productOffering": {"id": id}} for id in ("54gg-zza1", "z789-78ga"))

    priced = price_items({"quoteItem": [{**tariff, "quoteItem": [handset]}]}, EXAMPLE)

    assert priced is not None
    assert priced["quoteItem"][0]["quoteItem"][0]["quoteItemPrice"] == EXAMPLE.of("z789-78ga")


@pytest.mark.parametrize(
    "lacking",
    [{}, {"productOffering": {"id": "unknown"}}, {"productOffering": {}}, {"product": {"id": "54gg-zza1"}}],
)
@pytest.mark.parametrize("nested", [False, True])
def test_one_item_without_a_price_leaves_all_unpriced(lacking: Document, nested: bool) -> None:
    items = [{"productOffering": {"id": "54gg-zza1"}}, {"productOffering": {"id": "z789-78ga"}, "quoteItem": [lacking]}]

    assert price_items({"quoteItem": items if nested else [*items, lacking]}, EXAMPLE) is None


def test_pricing_changes_neither_the_document_nor_the_book() -> None:
    document = {"quoteItem": [{"productOffering": {"id": "54gg-zza1"}}]}
    stored, book = copy.deepcopy(document), copy.deepcopy(EXAMPLE.prices)

    priced = price_items(document, EXAMPLE)
    assert priced is not None
    priced["quoteItem"][0]["quoteItemPrice"].clear()

    assert (document, EXAMPLE.prices) == (stored, book)


# Totals --------------------------------------------------------------------------------------------------------------


def test_quantities_multiply_and_a_missing_one_is_one() -> None:
    assert amounts([item(price(2, 3), quantity=7), {"quoteItemPrice": [price(1, 1)]}]) == [(15, 22)]


def test_a_nested_item_counts_with_its_own_quantity() -> None:
    assert amounts([item(price(1), quantity=10, quoteItem=[item(price(1), quantity=2)])]) == [(12, None)]


@pytest.mark.parametrize(
    ("alterations", "result"),
    [
        ([off(10)], 90),
        ([off(-10)], 110),
        ([off(100)], 0),
        ([off(150)], -50),
        ([off(net=30)], 70),
        ([off(net=-30)], 130),
        ([off(10, net=30)], 60),
        ([off(10, priority=1), off(net=30, priority=2)], 60),
        ([off(10, priority=2), off(net=30, priority=1)], 63),
        ([off(net=30), off(10, priority=5)], 60),
        ([off(10, applicationDuration=0)], 90),
        ([off(10, applicationDuration=None)], 90),
        ([off(10, applicationDuration=3)], 100),
        ([{"priceType": "recurring"}], 100),
        (None, 100),
    ],
)
def test_alterations_that_last_lower_the_price_in_their_order(alterations: list[Document] | None, result: int) -> None:
    assert amounts([item(price(100, priceAlteration=alterations))]) == [(result, None)]


def test_an_amount_taken_off_is_taxed_like_the_price() -> None:
    assert amounts([item(price(100, 120, rate=20, priceAlteration=[off(net=10)]))]) == [(90, 108)]
    assert amounts([item(price(100, 120, priceAlteration=[off(net=10)]))]) == [(90, None)]
    assert amounts([item(price(100, 120, rate=20, priceAlteration=[off(net=10, rate=10)]))]) == [(90, 109)]


def test_alterations_for_a_time_are_listed_in_their_order() -> None:
    later, sooner, lasting = (off(5, applicationDuration=n, priority=2 - n, name=str(n)) for n in (1, 2, 0))

    (total,) = total_price([item(price(100, priceAlteration=[later, lasting, sooner]))])

    assert [alteration["name"] for alteration in total["priceAlteration"]] == ["2", "1"]
    assert total["price"]["dutyFreeAmount"] == money(95)


def test_the_missing_amount_follows_from_the_tax_rate() -> None:
    assert amounts([item(price(net=100, rate=16))]) == [(100, 116)]
    assert amounts([item(price(gross=116, rate=16))]) == [(100, 116)]
    assert amounts([item(price(gross=116, rate=-100))]) == [(None, 116)]


def test_an_amount_that_one_price_does_not_tell_is_left_out() -> None:
    assert amounts([item(price(net=100)), item(price(net=1, gross=2))]) == [(101, None)]
    assert amounts([item(price(gross=100)), item(price(net=1, gross=2))]) == [(None, 102)]


def test_a_price_without_an_amount_has_no_total() -> None:
    assert total_price([item({"priceType": "usage"}, {"priceType": "usage", "price": {"percentage": 5}})]) == []
    assert total_price([{"quantity": 1}]) == total_price([]) == total_price(None) == []


def test_the_tax_rate_is_reported_when_it_is_the_same_everywhere() -> None:
    (same,) = total_price([item(price(100, rate=16)), item(price(1, rate=16.0))])
    (other,) = total_price([item(price(100, rate=16)), item(price(1, rate=7))])
    (partly,) = total_price([item(price(100, rate=16)), item(price(1))])

    assert same["price"]["taxRate"] == 16
    assert "taxRate" not in other["price"]
    assert "taxRate" not in partly["price"]


def test_each_kind_of_charge_and_each_currency_has_its_own_total() -> None:
    kinds = [
        {"priceType": "recurring", "recurringChargePeriod": "month"},
        {"priceType": "recurring", "recurringChargePeriod": "year"},
        {"priceType": "usage", "unitOfMeasure": "Gb"},
        {"priceType": "usage"},
    ]
    prices = [{**kind, "price": {"dutyFreeAmount": money(1, unit)}} for kind in kinds for unit in ("EUR", "USD")]

    assert total_price([item(*prices, quantity=2), item(*prices)]) == [
        {**kind, "price": {"dutyFreeAmount": money(3, unit)}} for kind in kinds for unit in ("EUR", "USD")
    ]


def test_an_amount_without_a_currency_keeps_to_itself() -> None:
    assert total_price([item({"priceType": "usage", "price": {"dutyFreeAmount": {"value": 1.005}}})]) == [
        {"priceType": "usage", "price": {"dutyFreeAmount": {"value": 1}}}
    ]


# Rounding ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "unit", "result"),
    [
        ("0.005", "EUR", 0),
        ("0.015", "EUR", 0.02),
        ("0.025", "EUR", 0.02),
        ("-0.025", "EUR", -0.02),
        ("0.02501", "EUR", 0.03),
        ("0.5", "JPY", 0),
        ("1.5", "JPY", 2),
        ("2.5", "JPY", 2),
        ("0.0005", "BHD", 0),
        ("0.0015", "BHD", 0.002),
        ("0.00015", "CLF", 0.0002),
        ("0.015", None, 0.02),
        ("0.015", "XXX", 0.02),
        ("1E+12", "EUR", 10**12),
    ],
)
def test_amounts_are_rounded_half_to_even_to_the_minor_unit(amount: str, unit: str | None, result: float) -> None:
    assert rounded(Decimal(amount), unit) == result


def test_a_total_is_rounded_once() -> None:
    assert amounts([item(price(0.004)), item(price(0.004))]) == [(0.01, None)]


def test_binary_fractions_do_not_add_up_to_an_error() -> None:
    assert amounts([item(price(0.1)), item(price(0.2))]) == [(0.3, None)]


@pytest.mark.parametrize("value", [10**12 + 1, 1e300, -1e300])
def test_a_total_that_numbers_do_not_hold_exactly_is_refused(value: float) -> None:
    with pytest.raises(TotalTooLarge, match="at most 1000000000000"):
        total_price([item(price(value))])


def test_prices_too_large_for_a_total_may_take_each_other_away() -> None:
    assert amounts([item(price(1e15)), item(price(-1e15)), item(price(1))]) == [(1, None)]


PRICES = st.builds(
    price,
    net=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    gross=st.none() | st.floats(-1e6, 1e6),
    rate=st.none() | st.floats(0, 100),
    priceAlteration=st.lists(
        st.builds(off, st.none() | st.floats(-200, 200), st.none() | st.floats(-1e3, 1e3)), max_size=3
    ),
)


@given(st.lists(st.builds(item, PRICES, PRICES, quantity=st.integers(0, 2**53)), max_size=3))
def test_any_prices_have_a_total_or_one_that_is_too_large(items: list[Document]) -> None:
    try:
        totals = total_price(items)
    except TotalTooLarge:
        return
    assert len(totals) <= 1


@given(st.lists(st.tuples(st.integers(-(10**6), 10**6), st.integers(0, 100)), min_size=1))
def test_the_total_of_cents_is_exact(lines: list[tuple[int, int]]) -> None:
    total = amounts([item(price(cents / 100), quantity=quantity) for cents, quantity in lines])

    assert total == [(sum(cents * quantity for cents, quantity in lines) / 100, None)]
