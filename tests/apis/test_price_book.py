"""The price book: the shipped example, its documented schema, and bad files reported in one line."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from tmf_sales.apis.price_book import BadPriceBook, PriceBook

BOOKS = resources.files("tmf_sales") / "apis" / "prices"
SCHEMA = json.loads((BOOKS / "price-book.schema.json").read_text())
PRICE: dict[str, Any] = {"priceType": "usage", "price": {"dutyFreeAmount": {"unit": "EUR", "value": 1}}}


def book_of(*offerings: Any, **members: Any) -> dict[str, Any]:
    return {"offerings": list(offerings), **members}


def book_with(price: Any) -> dict[str, Any]:
    return book_of({"id": "a", "prices": [price]})


def alteration(**members: Any) -> dict[str, Any]:
    return book_with({**PRICE, "priceAlteration": [{"priceType": "usage", "price": {"percentage": 5}, **members}]})


def money(**members: Any) -> dict[str, Any]:
    return book_with({"priceType": "usage", "price": {"dutyFreeAmount": {"unit": "EUR", "value": 1, **members}}})


GOOD = [
    book_of(),
    book_of(**{"$schema": "price-book.schema.json"}),
    book_of({"id": "a", "name": "A", "prices": [PRICE, PRICE]}, {"id": "b", "prices": [PRICE]}),
    book_with({**PRICE, "name": "n", "description": "d", "recurringChargePeriod": "month", "unitOfMeasure": "Gb"}),
    alteration(name="n", description="d", priority=-1, applicationDuration=0, recurringChargePeriod="month"),
    alteration(price={}),
    money(value=-1.5),
]

# A book and where it is wrong.
BAD = [
    ([], ""),
    (7, ""),
    ({}, "/offerings"),
    ({"offerings": {}}, "/offerings"),
    (book_of(currency="EUR"), "/currency"),
    (book_of(7), "/offerings/0"),
    (book_of({"prices": [PRICE]}), "/offerings/0/id"),
    (book_of({"id": "", "prices": [PRICE]}), "/offerings/0/id"),
    (book_of({"id": 7, "prices": [PRICE]}), "/offerings/0/id"),
    (book_of({"id": "a"}), "/offerings/0/prices"),
    (book_of({"id": "a", "prices": []}), "/offerings/0/prices"),
    (book_of({"id": "a", "prices": [PRICE], "price": 1}), "/offerings/0/price"),
    (book_of({"id": "a", "prices": [PRICE, {"priceType": "x"}]}), "/offerings/0/prices/1/price"),
    (book_with({"price": PRICE["price"]}), "/offerings/0/prices/0/priceType"),
    (book_with({**PRICE, "price": {"taxRate": 16}}), "/offerings/0/prices/0/price/dutyFreeAmount"),
    (book_with({**PRICE, "price": {**PRICE["price"], "taxRate": -1}}), "/offerings/0/prices/0/price/taxRate"),
    (money(unit="eur"), "/offerings/0/prices/0/price/dutyFreeAmount/unit"),
    (money(unit="EUR\n"), "/offerings/0/prices/0/price/dutyFreeAmount/unit"),
    (money(value="1"), "/offerings/0/prices/0/price/dutyFreeAmount/value"),
    (money(value=True), "/offerings/0/prices/0/price/dutyFreeAmount/value"),
    (money(value=None), "/offerings/0/prices/0/price/dutyFreeAmount/value"),
    (money(value=1e13), "/offerings/0/prices/0/price/dutyFreeAmount/value"),
    (alteration(price=None), "/offerings/0/prices/0/priceAlteration/0/price"),
    (alteration(price={"percentage": "5"}), "/offerings/0/prices/0/priceAlteration/0/price/percentage"),
    (alteration(priority=1.5), "/offerings/0/prices/0/priceAlteration/0/priority"),
    (alteration(priority="1"), "/offerings/0/prices/0/priceAlteration/0/priority"),
    (alteration(applicationDuration=-1), "/offerings/0/prices/0/priceAlteration/0/applicationDuration"),
    (alteration(applicationDuration=True), "/offerings/0/prices/0/priceAlteration/0/applicationDuration"),
]


def test_the_shipped_example_has_the_three_offerings_of_the_sample_and_follows_the_schema() -> None:
    assert PriceBook.example().prices.keys() == {"54gg-zza1", "z789-78ga", "ssdd-4dfd"}
    jsonschema_rs.validate(SCHEMA, json.loads((BOOKS / "example.json").read_text()))


@pytest.mark.parametrize("book", GOOD)
def test_a_good_book_loads_and_follows_the_schema(book: Any, tmp_path: Path) -> None:
    file = tmp_path / "book.json"
    file.write_text(json.dumps(book))

    assert PriceBook.load(file).prices == {one["id"]: one["prices"] for one in book["offerings"]}
    jsonschema_rs.validate(SCHEMA, book)


@pytest.mark.parametrize(("book", "place"), BAD)
def test_a_bad_book_is_reported_in_one_line_with_its_place_and_breaks_the_schema(book: Any, place: str) -> None:
    with pytest.raises(BadPriceBook) as refusal:
        PriceBook.read(json.dumps(book).encode(), "book.json")

    assert str(refusal.value).startswith(f"book.json#{place}: ")
    assert "\n" not in str(refusal.value)
    assert not jsonschema_rs.is_valid(SCHEMA, book)


def test_each_offering_is_there_once() -> None:
    book = book_of({"id": "a", "prices": [PRICE]}, {"id": "a", "prices": [PRICE]})

    with pytest.raises(BadPriceBook, match=r"book\.json#/offerings/1/id: expected each offering once"):
        PriceBook.read(json.dumps(book).encode(), "book.json")


@pytest.mark.parametrize("text", [b"", b"{", b'{"offerings": [NaN]}', b"\xff"])
def test_a_file_that_is_not_json_says_so(text: bytes) -> None:
    with pytest.raises(BadPriceBook, match=r"book\.json: is not JSON: "):
        PriceBook.read(text, "book.json")


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    with pytest.raises(BadPriceBook, match=r"missing\.json: cannot be read: No such file"):
        PriceBook.load(tmp_path / "missing.json")


def test_a_price_that_a_double_would_change_is_rejected_with_its_place() -> None:
    text = json.dumps(money(value=1.25)).replace("1.25", "19.999999999999999999").encode()

    with pytest.raises(BadPriceBook) as rejected:
        PriceBook.read(text, "book.json")

    place = "/offerings/0/prices/0/price/dutyFreeAmount/value"
    assert str(rejected.value).startswith(f"book.json#{place}: the number 19.999999999999999999 cannot be kept exactly")
