"""The rules of a quote and its items (TMF648: mandatory attributes, default values, patchable attributes)."""

from __future__ import annotations

from typing import Any

import pytest
from tests.api import JSON_PATCH, Api, Document, refusal
from tests.http.conftest import Services

ITEM = {"action": "add"}
QUOTE = {"quoteItem": [ITEM]}


@pytest.fixture(scope="session")
def store() -> str:
    """These rules are the same on every store."""
    return "sqlite"


def at(quote: Document) -> str:
    return f"/quote/{quote['id']}"


def nested(item: Document) -> Document:
    """A quote whose item is in an item in an item."""
    return {"quoteItem": [{**ITEM, "quoteItem": [{**ITEM, "quoteItem": [item]}]}]}


def test_one_item_is_mandatory_and_the_rest_has_defaults(quotes: Api) -> None:
    quote = quotes.create("/quote", QUOTE)

    assert quote == {
        "id": quote["id"],
        "href": f"{quotes.root}/quote/{quote['id']}",
        "quoteItem": [{"action": "add", "id": "1", "quantity": 1, "state": "inProgress"}],
        "instantSyncQuote": False,
        "quoteDate": quote["quoteDate"],
        "state": "inProgress",
        "version": "1",
        "@type": "Quote",
    }


def test_a_quote_without_items_is_refused(quotes: Api) -> None:
    assert refusal(quotes.post("/quote", {"quoteItem": []}), 400, "invalidBody") == (
        "/quoteItem: must have at least 1 element"
    )


def test_the_supplier_expects_to_answer_when_it_was_asked_to(quotes: Api) -> None:
    quote = quotes.create("/quote", {**QUOTE, "requestedQuoteCompletionDate": "2019-05-14T14:45:12.028+02:00"})

    assert quote["expectedQuoteCompletionDate"] == "2019-05-14T12:45:12.028Z"


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("href", "http://host/1"),
        ("quoteDate", "2019-05-06T12:45:12.028Z"),
        ("effectiveQuoteCompletionDate", "2019-05-06T12:45:12.028Z"),
        ("expectedQuoteCompletionDate", "2019-05-06T12:45:12.028Z"),
        ("authorization", []),
    ],
)
def test_what_only_the_server_gives_may_not_be_sent(quotes: Api, member: str, value: Any) -> None:
    assert refusal(quotes.post("/quote", {**QUOTE, member: value}), 400, "invalidBody") == f"/{member}: may not be sent"


@pytest.mark.parametrize("member", ["state", "quoteItemAuthorization", "quoteItemPrice"])
def test_what_the_seller_gives_to_an_item_may_not_be_sent_at_any_depth(quotes: Api, member: str) -> None:
    value: Any = "inProgress" if member == "state" else []

    message = refusal(quotes.post("/quote", nested({**ITEM, member: value})), 400, "invalidBody")

    assert message == f"/quoteItem/0/quoteItem/0/quoteItem/0/{member}: may not be sent"


def test_a_quote_may_say_that_it_starts_in_progress(quotes: Api) -> None:
    assert quotes.create("/quote", {**QUOTE, "state": "inProgress"})["state"] == "inProgress"
    refusal(quotes.post("/quote", {**QUOTE, "state": "approved"}), 400, "invalidBody")


def test_period_total_and_version_may_be_sent(quotes: Api) -> None:
    sent = {
        "validFor": {"startDateTime": "2019-05-06T12:45:12.033Z"},
        "quoteTotalPrice": [{"priceType": "recurring", "price": {"dutyFreeAmount": {"unit": "EUR", "value": -3.5}}}],
        "version": "2.1",
    }

    assert sent.items() <= quotes.create("/quote", {**QUOTE, **sent}).items()


def test_items_without_an_id_get_the_next_free_number_of_their_list(quotes: Api) -> None:
    quote = quotes.create("/quote", {"quoteItem": [{}, {"id": "5", "quoteItem": [{}, {}]}, {}, {"id": "x"}]})

    assert [item["id"] for item in quote["quoteItem"]] == ["6", "5", "7", "x"]
    assert [item["id"] for item in quote["quoteItem"][1]["quoteItem"]] == ["1", "2"]


def test_nested_items_have_the_defaults_too(quotes: Api) -> None:
    quote = quotes.create("/quote", nested({"product": {"productCharacteristic": [{"name": "a", "value": None}]}}))

    innermost = quote["quoteItem"][0]["quoteItem"][0]["quoteItem"][0]
    assert innermost == {
        "product": {"productCharacteristic": [{"name": "a", "value": None}]},
        "id": "1",
        "quantity": 1,
        "state": "inProgress",
    }


@pytest.mark.parametrize(
    ("value", "type"),
    [("x", "string"), (3, "number"), (3.5, "number"), (True, "boolean"), ({"a": 1}, "object"), ([], "array")],
)
def test_a_characteristic_has_the_type_of_its_value(quotes: Api, value: Any, type: str) -> None:
    characteristics = [{"name": "a", "value": value}, {"name": "b", "value": value, "valueType": "other"}]
    quote = quotes.create("/quote", nested({"product": {"productCharacteristic": characteristics}}))

    innermost = quote["quoteItem"][0]["quoteItem"][0]["quoteItem"][0]
    made = innermost["product"]["productCharacteristic"]
    assert [each["valueType"] for each in made] == [type, "other"]


def test_an_id_stands_for_one_item_of_a_list(quotes: Api) -> None:
    message = refusal(quotes.post("/quote", {"quoteItem": [{"id": "1"}, {}, {"id": "1"}]}), 400, "invalidBody")

    assert message.startswith("/quoteItem/2/id: ")


@pytest.mark.parametrize("quantity", [0, -1, 1.5, "1", True, 9007199254740992])
def test_a_quantity_is_a_whole_number_from_one(quotes: Api, quantity: Any) -> None:
    answer = quotes.post("/quote", {"quoteItem": [{"quantity": quantity}]})

    refusal(answer, 400, "invalidBody", "malformedBody")


MANDATORY = {
    "relatedParty": ({"relatedParty": [{}]}, ["relatedParty/0/id", "relatedParty/0/@referredType"]),
    "note": ({"note": [{}]}, ["note/0/id", "note/0/text"]),
    "appointment": ({"appointment": [{}]}, ["appointment/0/id"]),
    "productOffering": ({"productOffering": {}}, ["productOffering/id"]),
    "quoteItemRelationship": (
        {"quoteItemRelationship": [{}]},
        ["quoteItemRelationship/0/id", "quoteItemRelationship/0/relationshipType"],
    ),
    "productOfferingQualificationItem": (
        {"productOfferingQualificationItem": {}},
        ["productOfferingQualificationItem/productOfferingQualificationId", "productOfferingQualificationItem/id"],
    ),
    "productRelationship": (
        {"product": {"productRelationship": [{}]}},
        ["product/productRelationship/0/relationshipType", "product/productRelationship/0/product"],
    ),
    "place": ({"product": {"place": [{}]}}, ["product/place/0/role", "product/place/0/@referredType"]),
    "productOrderItem": ({"product": {"productOrderItem": [{}]}}, ["product/productOrderItem/0/productOrderId"]),
    "productPrice": (
        {"product": {"productPrice": [{}]}},
        ["product/productPrice/0/price", "product/productPrice/0/priceType"],
    ),
    "productPriceAlteration": (
        {"product": {"productPrice": [{"price": {}, "priceType": "x", "productPriceAlteration": [{}]}]}},
        [f"product/productPrice/0/productPriceAlteration/0/{name}" for name in ("price", "priceType")],
    ),
    "productCharacteristic": (
        {"product": {"productCharacteristic": [{}]}},
        ["product/productCharacteristic/0/name", "product/productCharacteristic/0/value"],
    ),
    "targetProductSchema": (
        {"product": {"productSpecification": {"id": "1", "targetProductSchema": {}}}},
        [f"product/productSpecification/targetProductSchema/{name}" for name in ("@type", "@schemaLocation")],
    ),
    "product in product": (
        {"product": {"product": [{"realizingResource": [{}]}]}},
        ["product/product/0/realizingResource/0/id"],
    ),
}


@pytest.mark.parametrize(("members", "places"), MANDATORY.values(), ids=MANDATORY.keys())
def test_mandatory_members_are_named_wherever_the_type_occurs(
    quotes: Api, members: Document, places: list[str]
) -> None:
    for body, item in (({"quoteItem": [members]}, "/quoteItem/0"), (nested(members), "/quoteItem/0" * 3)):
        message = refusal(quotes.post("/quote", body), 400, "invalidBody")

        assert sorted(message.split("; ")) == sorted(f"{item}/{place}: is required" for place in places)


def test_a_total_price_has_a_kind_and_complete_alterations(quotes: Api) -> None:
    body = {**QUOTE, "quoteTotalPrice": [{"priceAlteration": [{}]}]}

    message = refusal(quotes.post("/quote", body), 400, "invalidBody")

    for place in ("priceType", "priceAlteration/0/price", "priceAlteration/0/priceType"):
        assert f"/quoteTotalPrice/0/{place}: is required" in message


def test_a_related_item_is_in_the_same_quote(quotes: Api) -> None:
    relation = {"quoteItemRelationship": [{"id": "9", "relationshipType": "reliesOn"}]}

    message = refusal(quotes.post("/quote", nested(relation)), 400, "invalidBody")

    assert message == (
        "/quoteItem/0/quoteItem/0/quoteItem/0/quoteItemRelationship/0/id: expected the id of an item of the same quote"
    )
    related = {"quoteItem": [{"id": "9"}, relation]}
    assert quotes.create("/quote", related)["quoteItem"][1]["quoteItemRelationship"][0]["id"] == "9"


def test_a_related_item_may_be_one_whose_id_the_server_gives(quotes: Api) -> None:
    relation = {"quoteItemRelationship": [{"id": "2", "relationshipType": "reliesOn"}]}

    assert quotes.create("/quote", {"quoteItem": [relation, {}]})["quoteItem"][1]["id"] == "2"


def test_what_looks_like_a_date_in_a_characteristic_is_left_alone(quotes: Api) -> None:
    characteristic = {"name": "start", "value": {"startDateTime": "2019-05-06T12:45:12+02:00"}, "valueType": "object"}
    body = {"quoteItem": [{"product": {"productCharacteristic": [characteristic]}, "when": "2019-05-06T12:45:12Z"}]}

    item = quotes.create("/quote", body)["quoteItem"][0]

    assert item["product"]["productCharacteristic"] == [characteristic]
    assert item["when"] == "2019-05-06T12:45:12Z"


def test_dates_and_periods_are_canonical_at_any_depth(quotes: Api) -> None:
    period = {"startDateTime": "2019-05-06T00:00:00+02:00", "endDateTime": "2019-05-07T00:00:00z"}
    product = {"startDate": "2019-05-06T00:00:00+02:00"}
    body = nested({"product": product, "attachment": [{"validFor": period}], "note": [{"id": "1", "text": "x"}]})

    innermost = quotes.create("/quote", body)["quoteItem"][0]["quoteItem"][0]["quoteItem"][0]

    assert innermost["product"]["startDate"] == "2019-05-05T22:00:00.000Z"
    assert innermost["attachment"][0]["validFor"] == {
        "startDateTime": "2019-05-05T22:00:00.000Z",
        "endDateTime": "2019-05-07T00:00:00.000Z",
    }


def test_the_quote_date_cannot_be_changed(quotes: Api) -> None:
    quote = quotes.create("/quote", QUOTE)

    assert quotes.changed(at(quote), {"quoteDate": quote["quoteDate"].replace("Z", "+00:00")}) == quote
    refusal(quotes.patch(at(quote), {"quoteDate": "2019-05-06T00:00:00Z"}), 400, "notPatchable")


def test_the_last_item_cannot_be_removed(quotes: Api) -> None:
    quote = quotes.create("/quote", QUOTE)

    refusal(quotes.patch(at(quote), {"quoteItem": []}), 400, "invalidBody")
    remove = [{"op": "remove", "path": "/quoteItem/0"}]
    refusal(quotes.patch(at(quote), remove, as_type=JSON_PATCH), 409, "patchResultRefused")


def test_an_item_with_a_known_id_is_merged_and_the_others_leave(quotes: Api) -> None:
    quote = quotes.create("/quote", {"quoteItem": [{"action": "add", "colour": "red"}, {"action": "modify"}]})

    changed = quotes.changed(at(quote), {"quoteItem": [{"id": "1", "quantity": 4, "colour": None}]})

    assert changed["quoteItem"] == [{"id": "1", "action": "add", "quantity": 4, "state": "inProgress"}]


def test_a_patch_may_reorder_items_and_add_new_ones_with_the_defaults(quotes: Api) -> None:
    quote = quotes.create("/quote", {"quoteItem": [{"action": "a"}, {"action": "b"}]})

    changed = quotes.changed(at(quote), {"quoteItem": [{"id": "2"}, {"action": "c"}, {"id": "1"}]})

    assert [(item["id"], item["action"]) for item in changed["quoteItem"]] == [("2", "b"), ("3", "c"), ("1", "a")]
    assert changed["quoteItem"][1] == {"action": "c", "id": "3", "quantity": 1, "state": "inProgress"}


def test_nested_items_are_merged_by_their_ids(quotes: Api) -> None:
    quote = quotes.create("/quote", {"quoteItem": [{"quoteItem": [{"action": "a"}, {"action": "b"}]}]})

    changed = quotes.changed(
        at(quote), {"quoteItem": [{"id": "1", "quoteItem": [{"id": "2", "quantity": 7}, {"action": "c"}]}]}
    )

    inner = changed["quoteItem"][0]["quoteItem"]
    assert [(item["id"], item["action"], item["quantity"]) for item in inner] == [("2", "b", 7), ("3", "c", 1)]


def test_two_items_of_a_patch_may_not_have_one_id(quotes: Api) -> None:
    quote = quotes.create("/quote", QUOTE)

    refusal(quotes.patch(at(quote), {"quoteItem": [{"id": "1"}, {"id": "1"}]}), 400, "invalidBody")


def test_a_related_item_cannot_be_taken_away(quotes: Api) -> None:
    relation = {"quoteItemRelationship": [{"id": "2", "relationshipType": "reliesOn"}]}
    quote = quotes.create("/quote", {"quoteItem": [relation, {}]})

    message = refusal(quotes.patch(at(quote), {"quoteItem": [{"id": "1"}]}), 409, "patchResultRefused")

    assert message.startswith("/quoteItem/0/quoteItemRelationship/0/id: ")


def test_the_seller_authorizes_by_patch(quotes: Api) -> None:
    quote = quotes.create("/quote", QUOTE)
    approval = {"name": "Discount validation", "approver": [{"name": "Joe Doe", "role": "B2B Discount approver"}]}

    changed = quotes.changed(
        at(quote), {"authorization": [approval], "quoteItem": [{"id": "1", "quoteItemAuthorization": [approval]}]}
    )

    assert changed["authorization"] == changed["quoteItem"][0]["quoteItemAuthorization"] == [approval]


def test_prices_of_items_give_the_total(quotes: Api) -> None:
    quote = quotes.create("/quote", {"quoteItem": [{"quantity": 3}]})
    price = {"priceType": "nonRecurring", "price": {"dutyFreeAmount": {"unit": "EUR", "value": 0.335}}}

    changed = quotes.changed(at(quote), {"quoteItem": [{"id": "1", "quoteItemPrice": [price]}]})

    amount = changed["quoteTotalPrice"][0]["price"]["dutyFreeAmount"]
    assert amount == {"unit": "EUR", "value": 1.0}  # 1.005, rounded half to even


def test_a_total_that_is_sent_stands(quotes: Api) -> None:
    quote = quotes.create("/quote", QUOTE)
    price = {"priceType": "nonRecurring", "price": {"dutyFreeAmount": {"unit": "EUR", "value": 10}}}

    changed = quotes.changed(
        at(quote), {"quoteItem": [{"id": "1", "quoteItemPrice": [price]}], "quoteTotalPrice": [{"priceType": "flat"}]}
    )

    assert changed["quoteTotalPrice"] == [{"priceType": "flat"}]


def test_strictly_unknown_attributes_are_refused_at_any_depth(services: Services) -> None:
    strict = services.api(services.on("memory", "--strict"), "/tmf-api/quoteManagement/v4")

    message = refusal(strict.post("/quote", nested({"colour": 1})), 400, "invalidBody")

    assert message == "/quoteItem/0/quoteItem/0/quoteItem/0/colour: is not known to the contract"
