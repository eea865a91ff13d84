"""A quote is accepted only while its offer is valid, unless the operator says otherwise; seeded examples are valid."""

from __future__ import annotations

import pytest
from tests.api import JSON_PATCH, MERGE_PATCH, Api, Document, refusal
from tests.http.conftest import QUOTES, SALES, Services

PAST, FUTURE = {"endDateTime": "2020-12-31T00:00:00.000Z"}, {"endDateTime": "2039-12-31T00:00:00.000Z"}


def approved(quotes: Api, **members: object) -> Document:
    quote = quotes.create("/quote", {"quoteItem": [{}], **members})
    return quotes.changed(at(quote), {"state": "approved"})


def at(quote: Document) -> str:
    return f"/quote/{quote['id']}"


@pytest.mark.parametrize(
    "patch", [{"state": "accepted"}, [{"op": "replace", "path": "/state", "value": "accepted"}]], ids=["merge", "json"]
)
def test_an_offer_that_has_run_out_cannot_be_accepted(quotes: Api, patch: object) -> None:
    quote = approved(quotes, validFor=PAST)
    as_type = JSON_PATCH if isinstance(patch, list) else MERGE_PATCH

    message = refusal(quotes.patch(at(quote), patch, as_type=as_type), 409, "offerExpired")

    assert message == "/state: cannot become accepted, as the offer was valid until 2020-12-31T00:00:00.000Z (validFor)"
    assert quotes.get(at(quote)).json() == quote


def test_an_offer_that_has_run_out_can_be_rejected(quotes: Api) -> None:
    assert quotes.changed(at(approved(quotes, validFor=PAST)), {"state": "rejected"})["state"] == "rejected"


@pytest.mark.parametrize("period", [FUTURE, {"startDateTime": "2020-12-31T00:00:00.000Z"}], ids=["future", "open"])
def test_an_offer_that_is_valid_is_accepted(quotes: Api, period: object) -> None:
    assert quotes.changed(at(approved(quotes, validFor=period)), {"state": "accepted"})["state"] == "accepted"


def test_a_quote_that_was_never_approved_has_a_wrong_state_and_not_an_expired_offer(quotes: Api) -> None:
    quote = quotes.create("/quote", {"quoteItem": [{}], "validFor": PAST})

    refusal(quotes.patch(at(quote), {"state": "accepted"}), 409, "forbiddenTransition")


def test_an_operator_may_let_expired_offers_be_accepted(services: Services, store: str) -> None:
    quotes = services.api(services.on(store, TMF_SALES_ACCEPT_EXPIRED="true"), QUOTES)

    assert quotes.changed(at(approved(quotes, validFor=PAST)), {"state": "accepted"})["state"] == "accepted"


def test_the_seeded_examples_can_be_played_through(services: Services, store: str) -> None:
    service = services.on(store, "--seed")
    quotes, leads = services.api(service, QUOTES), services.api(service, SALES)

    assert quotes.changed("/quote/12dd-78hg", {"state": "accepted"})["state"] == "accepted"
    assert leads.changed("/salesLead/123", {"status": "accepted"})["status"] == "accepted"
