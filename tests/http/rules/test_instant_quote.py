"""Quotes that are priced at once (TMF648, POST with instantSyncQuote)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from tests import printed
from tests.api import Api, Document, document_of, refusal
from tests.http.resources import unique_text

TARIFF, HANDSET, SUPPORT = ({"productOffering": {"id": id}} for id in ("54gg-zza1", "z789-78ga", "ssdd-4dfd"))


@pytest.fixture(scope="session")
def store() -> str:
    """These rules are the same on every store."""
    return "sqlite"


def instant(*items: Document, **members: object) -> Document:
    return {"instantSyncQuote": True, "quoteItem": [*items], **members}


def total(quotes: Api, *items: Document) -> list[tuple[str, str | None, float, float]]:
    """Kind, period, amount without and with tax of each total."""
    answer = quotes.post("/quote", instant(*items))
    assert answer.status_code == 200
    return [
        (
            one["priceType"],
            one.get("recurringChargePeriod"),
            one["price"]["dutyFreeAmount"]["value"],
            one["price"]["taxIncludedAmount"]["value"],
        )
        for one in document_of(answer)["quoteTotalPrice"]
    ]


def test_what_was_sent_comes_back_with_prices_and_nothing_else(quotes: Api) -> None:
    sent = instant(TARIFF, category="BSBS Quote", colour="blue")

    answer = quotes.post("/quote", sent)

    priced = document_of(answer)
    assert answer.status_code == 200
    assert priced.keys() - sent.keys() == {"effectiveQuoteCompletionDate", "validFor", "quoteTotalPrice"}
    assert priced["quoteItem"][0].keys() - TARIFF.keys() == {"quoteItemPrice"}
    assert "location" not in answer.headers
    assert "etag" not in answer.headers


def test_a_quote_that_is_priced_at_once_is_not_kept(quotes: Api) -> None:
    mark = unique_text()

    quotes.post("/quote", instant(TARIFF, category=mark))

    assert quotes.get("/quote", category=mark).json() == []


def test_the_offer_holds_for_thirty_days(quotes: Api) -> None:
    priced = document_of(quotes.post("/quote", instant(TARIFF)))

    start, end = (datetime.fromisoformat(priced["validFor"][name]) for name in ("startDateTime", "endDateTime"))
    assert priced["validFor"]["startDateTime"] == priced["effectiveQuoteCompletionDate"]
    assert end - start == timedelta(days=30)


def test_a_period_that_is_sent_stands(quotes: Api) -> None:
    period = {"startDateTime": "2019-05-06T00:00:00+02:00"}

    priced = document_of(quotes.post("/quote", instant(TARIFF, validFor=period)))

    assert priced["validFor"] == {"startDateTime": "2019-05-05T22:00:00.000Z"}


def test_the_three_items_of_the_sample_have_three_totals(quotes: Api) -> None:
    sample = printed.read("tmf648-create-request")

    answer = quotes.post("/quote", {**sample, "instantSyncQuote": True})

    totals = document_of(answer)["quoteTotalPrice"]
    assert [(one["priceType"], one.get("recurringChargePeriod"), one["price"]) for one in totals] == [
        ("recurring", "month", money(270, 313.2)),
        ("nonRecurring", None, money(3500, 4060)),
        ("recurring", "year", money(100, 116)),
    ]
    assert totals[2]["priceAlteration"][0]["price"] == {"percentage": 100}


def money(net: float, gross: float) -> Document:
    return {
        "taxRate": 16,
        "dutyFreeAmount": {"unit": "EUR", "value": net},
        "taxIncludedAmount": {"unit": "EUR", "value": gross},
    }


def test_nested_items_count_with_their_own_quantity(quotes: Api) -> None:
    inner = {**HANDSET, "quantity": 2}

    assert total(quotes, {**TARIFF, "quantity": 5, "quoteItem": [inner]}) == [
        ("recurring", "month", 135, 156.6),
        ("nonRecurring", None, 700, 812),
    ]


def test_a_total_that_is_sent_is_replaced(quotes: Api) -> None:
    priced = document_of(quotes.post("/quote", instant(HANDSET, quoteTotalPrice=[{"priceType": "free"}])))

    assert [one["priceType"] for one in priced["quoteTotalPrice"]] == ["nonRecurring"]


def test_a_quote_with_an_item_that_has_no_price_is_created_without_prices(quotes: Api) -> None:
    for unknown in ({"productOffering": {"id": "unknown"}}, {}, {**TARIFF, "quoteItem": [{}]}):
        answer = quotes.post("/quote", instant(TARIFF, unknown))

        quote = document_of(answer)
        assert answer.status_code == 201
        assert "quoteTotalPrice" not in quote
        assert all("quoteItemPrice" not in item for item in quote["quoteItem"])
        assert quotes.get(f"/quote/{quote['id']}").json() == quote


RELATION = {"quoteItemRelationship": [{"id": "9", "relationshipType": "reliesOn"}]}


@pytest.mark.parametrize(
    ("item", "members"),
    [({**TARIFF, **RELATION}, {}), ({**TARIFF, "quantity": 0}, {}), (TARIFF, {"href": "x"})],
    ids=["a relation to nothing", "a quantity of none", "href"],
)
def test_what_may_not_be_created_is_not_priced_either(quotes: Api, item: Document, members: Document) -> None:
    refusal(quotes.post("/quote", instant(item, **members)), 400, "invalidBody")


def test_fields_select_from_a_priced_quote_too(quotes: Api) -> None:
    answer = quotes.post("/quote?fields=quoteTotalPrice.priceType", instant(TARIFF, category="x"))

    assert answer.json() == {"quoteTotalPrice": [{"priceType": "recurring"}]}


def test_an_id_of_nothing_is_not_found_even_if_it_could_be_priced(quotes: Api) -> None:
    refusal(quotes.post("/quote", instant(TARIFF, id="nothing")), 404, "notFound")
