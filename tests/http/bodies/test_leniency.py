"""What each mode forgives in a request: inputs of real clients, and their siblings in patches and nested items."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.api import JSON, JSON_PATCH, MERGE_PATCH, Api, Document, as_bytes, refusal
from tests.http.conftest import QUOTES, SALES, Services

INPUTS = Path(__file__).parents[2] / "inputs"
STRICT, STANDARD, LENIENT = MODES = ("strict", "standard", "lenient")
PARTY = {"id": "p", "@referredType": "Organization"}
PRICE = {
    "priceType": "recurring",
    "recurringChargePeriod": "month",
    "price": {"taxRate": 19, "dutyFreeAmount": {"unit": "EUR", "value": 10}},
}


class Shape(NamedTuple):
    """A body, the first mode that takes it, and the pointers that the message of the others names."""

    body: Any
    taken_from: str
    places: tuple[str, ...] = ()


def item(**members: Any) -> Document:
    return {"quoteItem": [members]}


def from_file(name: str) -> bytes:
    return (INPUTS / f"{name}.json").read_bytes()


NEW_QUOTES = {
    "an empty object for a list, the initial state": Shape(
        from_file("quote-empty-object-for-list"), LENIENT, ("/quoteItem/0/state", "/quoteItem/0/note")
    ),
    "a party without type, a price": Shape(
        from_file("quote-priced-by-client"),
        LENIENT,
        ("/relatedParty/0/@referredType", "/quoteItem/0/state", "/quoteItem/0/quoteItemPrice"),
    ),
    "a place without type": Shape(
        from_file("place-without-referred-type"), LENIENT, ("/quoteItem/0/product/place/0/@referredType",)
    ),
    "1.0": Shape(from_file("item-quantity-as-decimal"), STANDARD, ("/quoteItem/0/quantity",)),
    "1e3": Shape(b'{"quoteItem":[{"quantity":1e3}]}', STANDARD, ("/quoteItem/0/quantity",)),
    "9007199254740991.0": Shape(
        b'{"quoteItem":[{"quantity":9007199254740991.0}]}', STANDARD, ("/quoteItem/0/quantity",)
    ),
    "1.5": Shape(b'{"quoteItem":[{"quantity":1.5}]}', "never", ("/quoteItem/0/quantity",)),
    "1e30": Shape(b'{"quoteItem":[{"quantity":1e30}]}', "never", ("/quoteItem/0/quantity",)),
    "a nested item": Shape(
        item(quoteItem=[{"quantity": 2.0, "state": "inProgress", "note": {}, "relatedParty": [{"id": "p"}]}]),
        LENIENT,
        ("/quoteItem/0/quoteItem/0/quantity", "/quoteItem/0/quoteItem/0/state"),
    ),
    "nulls in a nested item": Shape(
        item(quoteItem=[{"state": None, "note": None, "quantity": None, "product": {"place": None, "name": None}}]),
        STANDARD,
        ("/quoteItem/0/quoteItem/0/quantity", "/quoteItem/0/quoteItem/0/product/name"),
    ),
    "null for what may not be sent": Shape(
        {"quoteItem": [{}], "href": None, "state": None, "validFor": None}, STANDARD, ("/href", "/state", "/validFor")
    ),
    "null for what is required": Shape({"quoteItem": None}, "never", ("/quoteItem",)),
    "a null element": Shape({"quoteItem": [{}], "relatedParty": [None]}, "never", ("/relatedParty/0",)),
    "notes without ids": Shape(item(note=[{"text": "a"}, {"text": "b"}]), LENIENT, ("/quoteItem/0/note/0/id",)),
    "another item state": Shape(item(state="approved"), "never", ("/quoteItem/0/state",)),
    "an approval": Shape(item(quoteItemAuthorization=[]), "never", ("/quoteItem/0/quoteItemAuthorization",)),
    "a price without kind": Shape(item(quoteItemPrice=[{}]), "never", ("/quoteItem/0/quoteItemPrice",)),
    "a party without anything": Shape({"quoteItem": [{}], "relatedParty": [{}]}, "never", ("/relatedParty/0/id",)),
    "a filled object for a list": Shape(item(note={"text": "a"}), "never", ("/quoteItem/0/note",)),
    "an empty object for the items": Shape({"quoteItem": {}}, "never", ("/quoteItem",)),
    "the texts true and false": Shape(
        {"quoteItem": [{}], "contactMedium": [{"preferred": "true"}]}, STANDARD, ("/contactMedium/0/preferred",)
    ),
}
NEW_LEADS = {
    "nulls": Shape(from_file("lead-null-members"), STANDARD, ("/description", "/prospectContact/0/preferred")),
    "an empty object for a list": Shape({"name": "x", "note": {}}, LENIENT, ("/note",)),
    "a party without type": Shape(
        {"name": "x", "relatedParty": [{"id": "p"}]}, LENIENT, ("/relatedParty/0/@referredType",)
    ),
    "a null name": Shape({"name": None}, "never", ("/name",)),
}
PATCHES = {
    "a note without id": Shape(from_file("note-without-id"), LENIENT, ("/note/0/id",)),
    "a party without type": Shape({"relatedParty": [{"id": "p"}]}, LENIENT, ("/relatedParty/0/@referredType",)),
    "an empty object for a list": Shape({"note": {}}, LENIENT, ("/note",)),
    "1.0": Shape(b'{"quoteItem":[{"id":"1","quantity":2.0}]}', STANDARD, ("/quoteItem/0/quantity",)),
    "a new item": Shape(
        item(quantity=2.0, note=[{"text": "a"}], product={"place": [{"role": "r"}]}),
        LENIENT,
        ("/quoteItem/0/quantity", "/quoteItem/0/note/0/id", "/quoteItem/0/product/place/0/@referredType"),
    ),
    "null in an element": Shape({"relatedParty": [{**PARTY, "name": None}]}, "never", ("/relatedParty/0/name",)),
}
OPERATIONS = {
    "a note without id": Shape([{"op": "add", "path": "/note", "value": [{"text": "a"}]}], LENIENT, ("/note/0/id",)),
    "a party without type": Shape(
        [{"op": "add", "path": "/relatedParty", "value": [{"id": "p"}]}], LENIENT, ("/relatedParty/0/@referredType",)
    ),
    "an empty object for a list": Shape([{"op": "add", "path": "/note", "value": {}}], LENIENT, ("/note",)),
    "1.0": Shape(
        b'[{"op":"replace","path":"/quoteItem/0/quantity","value":3.0}]', STANDARD, ("/quoteItem/0/quantity",)
    ),
    "null": Shape([{"op": "add", "path": "/description", "value": None}], "never", ("/description",)),
}


@pytest.fixture(scope="session")
def store() -> str:
    """Bodies are read before any store is asked."""
    return "memory"


@pytest.fixture(scope="module", params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def in_mode(services: Services, mode: str) -> Api:
    return services.api(services.on("memory", "--mode", mode), QUOTES)


@pytest.fixture(scope="module")
def leads_in_mode(services: Services, mode: str) -> Api:
    return services.api(services.on("memory", "--mode", mode), SALES)


@pytest.fixture(scope="module")
def lenient(services: Services) -> Api:
    return services.api(services.on("memory", "--mode", LENIENT), QUOTES)


def is_taken(shape: Shape, mode: str) -> bool:
    return shape.taken_from in MODES and MODES.index(mode) >= MODES.index(shape.taken_from)


def check(answer: Any, shape: Shape, mode: str, good: int, bad: int = 400, code: str = "invalidBody") -> None:
    if is_taken(shape, mode):
        assert answer.status_code == good, answer.text
    else:
        message = refusal(answer, bad, code)
        if mode == STRICT or shape.taken_from == "never":
            for place in shape.places:
                assert f"{place}: " in message or f"{place}/" in message


@pytest.mark.parametrize("name", NEW_QUOTES)
def test_a_new_quote_is_taken_from_its_mode_on(in_mode: Api, mode: str, name: str) -> None:
    check(in_mode.post("/quote", NEW_QUOTES[name].body), NEW_QUOTES[name], mode, 201)


@pytest.mark.parametrize("name", NEW_LEADS)
def test_a_new_lead_is_taken_from_its_mode_on(leads_in_mode: Api, mode: str, name: str) -> None:
    check(leads_in_mode.post("/salesLead", NEW_LEADS[name].body), NEW_LEADS[name], mode, 201)


@pytest.mark.parametrize("name", PATCHES)
def test_a_merge_patch_is_taken_from_its_mode_on(in_mode: Api, mode: str, name: str) -> None:
    quote = in_mode.create("/quote", item(id="1"))

    for media_type in (MERGE_PATCH, JSON):
        check(in_mode.patch(f"/quote/{quote['id']}", PATCHES[name].body, as_type=media_type), PATCHES[name], mode, 200)


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_json_patch_is_taken_from_its_mode_on(in_mode: Api, mode: str, name: str) -> None:
    quote, shape = in_mode.create("/quote", item(id="1")), OPERATIONS[name]

    answer = in_mode.patch(f"/quote/{quote['id']}", shape.body, as_type=JSON_PATCH)

    check(answer, shape, mode, 200, 409, "patchResultRefused")
    if not is_taken(shape, mode):
        assert in_mode.get(f"/quote/{quote['id']}").json() == quote


def test_a_json_patch_sent_as_plain_json_is_taken_in_every_mode(in_mode: Api) -> None:
    quote = in_mode.create("/quote", item())

    changed = in_mode.changed(f"/quote/{quote['id']}", from_file("json-patch-as-plain-json"), as_type=JSON)

    assert changed["category"] == "business"


def test_a_body_without_content_type_is_json_in_lenient_mode_only(in_mode: Api, mode: str) -> None:
    answer = in_mode.request("POST", "/quote", content=as_bytes(item()))
    assert "content-type" not in answer.request.headers

    if mode == LENIENT:
        assert answer.status_code == 201
        at = f"/quote/{answer.json()['id']}"
        assert in_mode.request("PATCH", at, content=b'{"category":"c"}').json()["category"] == "c"
        assert "got text" in refusal(in_mode.request("POST", "/quote", content=b'"x"'), 400, "invalidBody")
    else:
        assert "Content-Type is missing" in refusal(answer, 415, "unsupportedMediaType")


def test_what_is_not_sent_is_not_kept(lenient: Api) -> None:
    quote = lenient.create("/quote", NEW_QUOTES["an empty object for a list, the initial state"].body)
    assert "note" not in quote["quoteItem"][0]
    assert quote["quoteItem"][0]["state"] == "inProgress"

    nulls = lenient.create("/quote", {"description": None, "unknown": None, "quoteItem": [{"product": {"name": None}}]})
    assert "description" not in nulls
    assert nulls["unknown"] is None
    assert nulls["quoteItem"][0]["product"] == {}


def test_a_null_that_the_contract_allows_is_kept(in_mode: Api) -> None:
    product = {"productCharacteristic": [{"name": "n", "value": None}]}

    quote = in_mode.create("/quote", item(product=product))

    assert quote["quoteItem"][0]["product"]["productCharacteristic"][0]["value"] is None


def test_an_integer_is_stored_as_one(lenient: Api) -> None:
    answer = lenient.post("/quote", b'{"quoteItem":[{"quantity":1.0},{"quantity":1e3}]}')

    assert '"quantity":1,' in answer.text
    assert '"quantity":1000,' in answer.text


def test_prices_of_items_are_kept_and_the_total_follows(lenient: Api) -> None:
    inner = {"quantity": 2, "quoteItemPrice": [PRICE]}

    quote = lenient.create("/quote", item(quantity=3, quoteItemPrice=[PRICE], quoteItem=[inner]))

    assert quote["quoteItem"][0]["quoteItemPrice"] == [PRICE]
    assert quote["quoteItem"][0]["quoteItem"][0]["quoteItemPrice"] == [PRICE]
    (total,) = quote["quoteTotalPrice"]
    assert total["price"]["dutyFreeAmount"] == {"unit": "EUR", "value": 50}
    assert total["price"]["taxIncludedAmount"] == {"unit": "EUR", "value": 59.5}


def test_a_total_beside_prices_is_kept(lenient: Api) -> None:
    total = [{"priceType": "recurring", "price": {"dutyFreeAmount": {"unit": "EUR", "value": 9}}}]

    quote = lenient.create("/quote", {**item(quoteItemPrice=[PRICE]), "quoteTotalPrice": total})

    assert quote["quoteTotalPrice"] == total


def test_a_total_that_is_too_large_is_rejected(lenient: Api) -> None:
    huge = {"priceType": "one", "price": {"dutyFreeAmount": {"unit": "EUR", "value": 10**12}}}

    message = refusal(lenient.post("/quote", item(quantity=2, quoteItemPrice=[huge])), 400, "invalidBody")

    assert message.startswith("/quoteTotalPrice: expected a total of at most ")


def test_new_notes_get_the_next_free_numbers(lenient: Api) -> None:
    quote = lenient.create(
        "/quote", {"quoteItem": [{}], "note": [{"text": "a"}, {"id": "7", "text": "b"}, {"text": "c"}]}
    )
    assert [note["id"] for note in quote["note"]] == ["8", "7", "9"]

    patch = [{"op": "add", "path": "/note/-", "value": {"text": "d"}}]
    changed = lenient.changed(f"/quote/{quote['id']}", patch, as_type=JSON_PATCH)
    assert changed["note"][-1] == {"text": "d", "id": "10"}


def test_a_quote_taken_leniently_can_be_patched_further(lenient: Api) -> None:
    quote = lenient.create("/quote", NEW_QUOTES["a party without type, a price"].body)

    changed = lenient.changed(f"/quote/{quote['id']}", {"state": "approved"})

    assert changed["relatedParty"] == [{"id": "p-2", "role": "Consumer"}]
    assert changed["quoteTotalPrice"] == quote["quoteTotalPrice"]


@pytest.mark.parametrize(
    ("body", "media_type", "hint"),
    [
        ([{"op": "add", "path": "/x", "value": 1}], MERGE_PATCH, f"send a JSON Patch as {JSON_PATCH}"),
        ({"op": "remove", "path": "/x"}, JSON_PATCH, "put the operation into a list"),
        ({"category": "x"}, JSON_PATCH, f"send a merge patch as {MERGE_PATCH}"),
        ({"category": "x"}, "application/json-patch-query+json", f"send a merge patch as {MERGE_PATCH}"),
    ],
)
def test_a_patch_of_the_other_kind_gets_a_hint(lenient: Api, body: Any, media_type: str, hint: str) -> None:
    quote = lenient.create("/quote", item())

    message = refusal(lenient.patch(f"/quote/{quote['id']}", body, as_type=media_type), 400, "invalidBody")

    assert message.endswith(hint)


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"Content-Encoding": "gzip"}, "Content-Encoding is 'gzip'; send the body as it is"),
        ({"Content-Type": "application/json; charset=utf8"}, "Content-Type has charset 'utf8'; expected utf-8"),
        ({"Content-Type": "application/json;charset=latin-1"}, "Content-Type has charset 'latin-1'; expected utf-8"),
        ({"Content-Type": "text/plain"}, "Content-Type is 'text/plain'; expected application/json"),
    ],
)
def test_a_media_type_that_is_not_supported_is_named(lenient: Api, headers: dict[str, str], said: str) -> None:
    answer = lenient.post("/quote", item(), headers)

    assert said in refusal(answer, 415, "unsupportedMediaType")
    assert answer.headers.get("accept-encoding") == ("identity" if "Content-Encoding" in headers else None)


def test_a_wrong_choice_lists_each_choice_once(services: Services) -> None:
    leads = services.api(services.on("memory"), SALES)
    lead = leads.create("/salesLead", {"name": "x"})

    message = refusal(leads.patch(f"/salesLead/{lead['id']}", {"priority": "urgent"}), 400, "invalidBody")

    assert message == "/priority: expected one of low, medium, high or null, got text 'urgent'"
