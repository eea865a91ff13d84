"""A client reads at once all that is wrong with a body: against the schema, within lists and periods, by the rules."""

from __future__ import annotations

import pytest
from tests.api import Api, Document, refusal

PERIOD = {"startDateTime": "2026-02-01T00:00:00Z", "endDateTime": "2026-01-01T00:00:00Z"}
ITEM = {"id": "1", "action": "add"}
BACKWARDS = "/validFor/endDateTime: must not be before startDateTime"
TWICE = "/quoteItem/1/id: is the same as that of element 0; it must be unique in its list"
OUTSIDE = "/quoteItem/1/quoteItemRelationship/0/id: expected the id of an item of the same quote"


def related(to: object) -> Document:
    return {**ITEM, "quoteItemRelationship": [{"id": to, "relationshipType": "reliesOn"}]}


@pytest.fixture(scope="session")
def store() -> str:
    """What is tested here happens before any store is asked."""
    return "memory"


def test_schema_order_keys_and_rules_are_reported_together(quotes: Api) -> None:
    body = {"category": 5, "validFor": PERIOD, "quoteItem": [ITEM, related("zz")]}

    message = refusal(quotes.post("/quote", body), 400, "invalidBody")

    for violation in ("/category: expected text, got number 5", BACKWARDS, TWICE, OUTSIDE):
        assert violation in message


def test_what_is_no_schemas_matter_is_reported_together(quotes: Api) -> None:
    message = refusal(
        quotes.post("/quote", {"validFor": PERIOD, "quoteItem": [ITEM, related("zz")]}), 400, "invalidBody"
    )

    for violation in (BACKWARDS, TWICE, OUTSIDE):
        assert violation in message


def test_rules_do_not_judge_by_members_that_the_contract_refuses(quotes: Api) -> None:
    """The item of this id is there, only written as a number; and items that are missing relate to nothing."""
    message = refusal(quotes.post("/quote", {"quoteItem": [{**ITEM, "id": 1}, related("1")]}), 400, "invalidBody")
    assert message == "/quoteItem/0/id: expected text, got number 1"

    assert "same quote" not in refusal(quotes.post("/quote", {"quoteItem": 5, "category": 5}), 400, "invalidBody")


@pytest.mark.parametrize(
    ("state", "reported"), [({}, "expected text, got an object"), ("x", "expected one of inProgress, got")]
)
def test_a_value_that_is_no_state_is_reported_once(quotes: Api, state: object, reported: str) -> None:
    message = refusal(quotes.post("/quote", {"quoteItem": [ITEM], "state": state}), 400, "invalidBody")

    assert message.startswith(f"/state: {reported}")
    assert ";" not in message


def test_one_place_is_reported_once(quotes: Api) -> None:
    body = {"category": 5, "quoteDate": "yesterday", "quoteItem": [{**ITEM, "state": 7}]}

    message = refusal(quotes.post("/quote", body), 400, "invalidBody")

    assert message.count("/quoteItem/0/state") == 1
    assert message.count("/quoteDate") <= 1


@pytest.mark.parametrize("wrong", [5, "x", None, True, [], [[]], {}, [5], [None], [{"id": []}], {"id": {}}], ids=str)
def test_whatever_else_is_wrong_is_no_obstacle(quotes: Api, wrong: object) -> None:
    body = {
        "category": 5,
        "quoteItem": [{**ITEM, "quoteItemRelationship": wrong, "quoteItem": wrong}],
        "validFor": wrong,
        "note": wrong,
        "relatedParty": wrong,
        "quoteTotalPrice": wrong,
    }

    assert "/category: expected text" in refusal(quotes.post("/quote", body), 400, "invalidBody")


def test_twenty_are_reported_and_the_others_counted(quotes: Api) -> None:
    body = {"category": 5, "quoteItem": [ITEM] * 41}

    message = refusal(quotes.post("/quote", body), 400, "invalidBody")

    assert message.startswith("/category: expected text, got number 5; /quoteItem/1/id: ")
    assert message.endswith("; and 21 more")


def test_a_merge_patch_gets_the_same_report(quotes: Api) -> None:
    quote = quotes.create("/quote", {"quoteItem": [ITEM]})

    message = refusal(
        quotes.patch(f"/quote/{quote['id']}", {"category": 5, "validFor": PERIOD, "quoteItem": [ITEM, ITEM]}),
        400,
        "invalidBody",
    )

    for violation in ("/category: expected text", BACKWARDS, TWICE):
        assert violation in message
