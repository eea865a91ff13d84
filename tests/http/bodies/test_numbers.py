"""Numbers are kept exactly or rejected with their place, wherever a request brings them in (RFC 7493, 2.2)."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote as url_quote

import pytest
from tests.api import JSON, JSON_PATCH, MERGE_PATCH, Api, Document, refusal

AMOUNTS: list[dict[str, Any]] = json.loads((Path(__file__).parents[2] / "inputs" / "amounts.json").read_bytes())
KEPT = [amount["text"] for amount in AMOUNTS if amount["kept"]]
CHANGED = [amount["text"] for amount in AMOUNTS if not amount["kept"]]
QUERY_PATCH = "application/json-patch-query+json"


def short(text: str) -> str:
    return text[:24]


@pytest.fixture(scope="session")
def store() -> str:
    """Bodies are read before any store is asked; test_round_trip.py has the stores."""
    return "memory"


@pytest.fixture
def quote(quotes: Api) -> Document:
    return quotes.create("/quote", {"quoteItem": [{"action": "add"}]})


def with_number(template: str, text: str) -> bytes:
    return template.replace("NUMBER", text).encode()


# where a number stands -> its pointer
BODIES = {
    '{"quoteItem":[{"action":"add","product":{"x":NUMBER}}]}': "/quoteItem/0/product/x",
    '{"quoteItem":[{}],"quoteTotalPrice":[{"priceType":"one","price":{"taxRate":NUMBER}}]}': (
        "/quoteTotalPrice/0/price/taxRate"
    ),
    '{"quoteItem":[{}],"x":{"y":[1,NUMBER]}}': "/x/y/1",
}
PATCHES = {
    (MERGE_PATCH, '{"x":NUMBER}'): "/x",
    (JSON, '{"quoteItem":[{"id":"1","quoteItemPrice":[{"priceType":"one","price":{"taxRate":NUMBER}}]}]}'): (
        "/quoteItem/0/quoteItemPrice/0/price/taxRate"
    ),
    (JSON_PATCH, '[{"op":"add","path":"/x","value":NUMBER}]'): "/0/value",
    (JSON_PATCH, '[{"op":"test","path":"/x","value":[NUMBER]}]'): "/0/value/0",
    (QUERY_PATCH, '[{"op":"add","path":"/x","value":{"y":NUMBER}}]'): "/0/value/y",
}


@pytest.mark.parametrize("template", BODIES)
@pytest.mark.parametrize("text", CHANGED, ids=short)
def test_a_body_with_a_number_that_would_change_is_rejected(quotes: Api, template: str, text: str) -> None:
    message = refusal(quotes.post("/quote", with_number(template, text)), 400, "malformedBody")

    assert message.startswith(f"{BODIES[template]}: the number {text[:40]} ")
    assert len(message) < 200


@pytest.mark.parametrize(("media_type", "template"), PATCHES)
@pytest.mark.parametrize("text", CHANGED, ids=short)
def test_a_patch_with_a_number_that_would_change_is_rejected(
    quotes: Api, quote: Document, media_type: str, template: str, text: str
) -> None:
    at = f"/quote/{quote['id']}"

    message = refusal(quotes.patch(at, with_number(template, text), as_type=media_type), 400, "malformedBody")

    assert message.startswith(f"{PATCHES[media_type, template]}: the number {text[:40]} ")
    assert quotes.get(at).json() == quote


@pytest.mark.parametrize("text", KEPT, ids=short)
def test_a_number_that_a_double_gives_back_is_kept(quotes: Api, text: str) -> None:
    created = quotes.create("/quote", with_number('{"quoteItem":[{}],"x":{"y":[NUMBER]}}', text))

    for answer in (quotes.get(f"/quote/{created['id']}"), quotes.get("/quote", id=created["id"])):
        stored = json.loads(answer.text, parse_float=Decimal, parse_int=Decimal)
        stored = stored[0] if isinstance(stored, list) else stored
        assert stored["x"]["y"] == [Decimal(text)]


@pytest.mark.parametrize("text", [text for text in CHANGED if len(text) < 100], ids=short)
@pytest.mark.parametrize(
    "query",
    [
        "quoteTotalPrice.price.taxRate=NUMBER",
        "quoteTotalPrice.price.taxRate.gt=NUMBER",
        "filter=quoteTotalPrice[?(@.price.taxRate==NUMBER)]",
        "filter=quoteTotalPrice[?(@.price.taxRate<NUMBER)]",
    ],
)
def test_a_filter_by_a_number_that_would_change_is_rejected(quotes: Api, query: str, text: str) -> None:
    raw = "&".join(f"{name}={url_quote(value.replace('NUMBER', text))}" for name, _, value in [query.partition("=")])

    message = refusal(quotes.get(f"/quote?{raw}"), 400, "invalidFilter")

    assert text in message
    assert "not a number" not in message
