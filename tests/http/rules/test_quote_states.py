"""The state machines of a quote and of its items, and how they hold together (TMF648, state machines and use cases)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from tests.api import JSON_PATCH, Api, Document, refusal

STATES = ("inProgress", "pending", "approved", "accepted", "rejected", "cancelled")
ALLOWED = {
    "inProgress": {"pending", "approved", "cancelled"},
    "pending": {"inProgress", "cancelled"},
    "approved": {"accepted", "rejected"},
}
WAY_TO = {
    "inProgress": [],
    "pending": ["pending"],
    "approved": ["approved"],
    "accepted": ["approved", "accepted"],
    "rejected": ["approved", "rejected"],
    "cancelled": ["cancelled"],
}
ITEM_STATES = ("inProgress", "pending", "approved", "rejected")


@pytest.fixture(scope="session")
def store() -> str:
    """These rules are the same on every store."""
    return "sqlite"


def at(quote: Document) -> str:
    return f"/quote/{quote['id']}"


def quote_in(quotes: Api, state: str, items: list[Document] | None = None) -> Document:
    """A quote with two items, one of which has an item, that went the shortest way to the state."""
    quote = quotes.create("/quote", {"quoteItem": items or [{"quoteItem": [{}]}, {}]})
    for step in WAY_TO[state]:
        quote = quotes.changed(at(quote), {"state": step})
    return quote


def item_states(quote: Document) -> list[str]:
    """Those of all items, nested ones after the one that holds them."""
    return [item["state"] for item in all_items(quote["quoteItem"])]


def all_items(items: list[Document]) -> Iterator[Document]:
    for item in items:
        yield item
        yield from all_items(item.get("quoteItem", []))


@pytest.mark.parametrize(("now", "wanted"), [*itertools.product(STATES, STATES)])
def test_the_state_follows_the_state_machine(quotes: Api, now: str, wanted: str) -> None:
    quote = quote_in(quotes, now)

    answer = quotes.patch(at(quote), {"state": wanted})

    if wanted == now:
        assert answer.json() == quote
    elif wanted in ALLOWED.get(now, ()):
        assert answer.json()["state"] == wanted
    else:
        message = refusal(answer, 409, "forbiddenTransition")
        start, _, allowed = message.partition("; allowed: ")
        assert start == f"/state: cannot change from {now} to '{wanted}'"
        assert set(allowed.split(", ")) == ALLOWED.get(now, {"nothing", "it is final"})
        assert quotes.get(at(quote)).json() == quote


@pytest.mark.parametrize(
    ("quote_state", "now", "wanted", "result"),
    [
        ("inProgress", "inProgress", "inProgress", "inProgress"),
        ("inProgress", "inProgress", "pending", "pending"),
        ("inProgress", "inProgress", "approved", "statesDisagree"),
        ("inProgress", "inProgress", "rejected", "forbiddenTransition"),
        ("pending", "pending", "pending", "pending"),
        ("pending", "pending", "inProgress", "pending"),
        ("pending", "pending", "approved", "statesDisagree"),
        ("pending", "pending", "rejected", "forbiddenTransition"),
        ("approved", "approved", "approved", "approved"),
        ("approved", "approved", "rejected", "rejected"),
        ("approved", "approved", "inProgress", "forbiddenTransition"),
        ("approved", "approved", "pending", "forbiddenTransition"),
    ],
)
@pytest.mark.parametrize("deep", [False, True], ids=["item", "nested item"])
def test_an_item_follows_its_state_machine(
    quotes: Api, quote_state: str, now: str, wanted: str, result: str, deep: bool
) -> None:
    quote = quote_in(quotes, "inProgress")
    if now == "pending":
        quote = quotes.changed(at(quote), item_patch("pending", deep))
    elif now == "approved":
        quote = quotes.changed(at(quote), {"state": "approved"})
    assert quote["state"] == quote_state

    answer = quotes.patch(at(quote), item_patch(wanted, deep))

    if result in STATES:
        assert answer.json()["state"] == result
        assert item_states(answer.json())[1 if deep else 0] == wanted
    else:
        place = "/quoteItem/0/quoteItem/0/state" if deep else "/quoteItem/0/state"
        assert refusal(answer, 409, result).startswith(f"{place}: cannot change from {now} to ")
        assert quotes.get(at(quote)).json() == quote


def item_patch(state: str, deep: bool) -> Document:
    first: Document = {"id": "1", "quoteItem": [{"id": "1", "state": state}]} if deep else {"id": "1", "state": state}
    return {"quoteItem": [first, {"id": "2"}]}


def test_a_rejected_item_stays_rejected(quotes: Api) -> None:
    quote = quote_in(quotes, "rejected")

    for state in ("inProgress", "pending", "approved"):
        answer = quotes.patch(at(quote), item_patch(state, deep=False))
        assert answer.status_code == 409
    assert quotes.get(at(quote)).json() == quote


def test_approving_a_quote_approves_its_items(quotes: Api) -> None:
    assert set(item_states(quote_in(quotes, "approved"))) == {"approved"}


@pytest.mark.parametrize("deep", [False, True], ids=["item", "nested item"])
def test_a_pending_item_keeps_its_quote_from_being_approved(quotes: Api, deep: bool) -> None:
    quote = quote_in(quotes, "inProgress")

    answer = quotes.patch(at(quote), {"state": "approved", **item_patch("pending", deep)})

    assert refusal(answer, 409, "statesDisagree").endswith(
        "/state: cannot become pending while the quote becomes approved"
    )


def test_a_quote_that_waits_is_approved_in_two_steps(quotes: Api) -> None:
    quote = quotes.changed(at(quote := quote_in(quotes, "inProgress")), item_patch("pending", deep=True))

    refusal(quotes.patch(at(quote), {"state": "approved"}), 409, "forbiddenTransition")
    for step in ("inProgress", "approved"):
        quote = quotes.changed(at(quote), {"state": step})

    assert set(item_states(quote)) == {"approved"}


@pytest.mark.parametrize("state", ["accepted", "cancelled"])
def test_items_stay_when_a_quote_is_accepted_or_cancelled(quotes: Api, state: str) -> None:
    before = quote_in(quotes, WAY_TO[state][-2] if len(WAY_TO[state]) > 1 else "inProgress")

    assert item_states(quotes.changed(at(before), {"state": state})) == item_states(before)


def test_rejecting_a_quote_rejects_all_items_if_none_is(quotes: Api) -> None:
    assert set(item_states(quote_in(quotes, "rejected"))) == {"rejected"}


def test_rejecting_a_quote_with_one_item_leaves_the_others(quotes: Api) -> None:
    quote = quote_in(quotes, "approved")

    changed = quotes.changed(at(quote), {"state": "rejected", **item_patch("rejected", deep=False)})

    assert item_states(changed) == ["rejected", "approved", "approved"]


def test_a_rejected_item_of_an_approved_quote_rejects_the_quote(quotes: Api) -> None:
    quote = quote_in(quotes, "approved")

    assert quotes.changed(at(quote), item_patch("rejected", deep=True))["state"] == "rejected"


def test_an_accepted_quote_cannot_reject_an_item_at_once(quotes: Api) -> None:
    quote = quote_in(quotes, "approved")

    refusal(quotes.patch(at(quote), {"state": "accepted", **item_patch("rejected", deep=False)}), 409, "statesDisagree")


def test_a_pending_item_makes_its_quote_pending(quotes: Api) -> None:
    quote = quote_in(quotes, "inProgress")

    changed = quotes.changed(at(quote), item_patch("pending", deep=True))

    assert changed["state"] == "pending"


def test_sending_the_stored_state_along_does_not_keep_a_quote_from_waiting(quotes: Api) -> None:
    quote = quote_in(quotes, "inProgress")

    changed = quotes.changed(at(quote), {"state": "inProgress", **item_patch("pending", deep=False)})

    assert changed["state"] == "pending"


def test_pending_items_go_on_with_their_quote(quotes: Api) -> None:
    quote = quotes.changed(at(quote := quote_in(quotes, "inProgress")), item_patch("pending", deep=True))

    assert set(item_states(quotes.changed(at(quote), {"state": "inProgress"}))) == {"inProgress"}


def test_an_approved_quote_has_a_completion_date_and_a_period(quotes: Api) -> None:
    quote = quote_in(quotes, "approved")

    completed = quote["effectiveQuoteCompletionDate"]
    assert completed > quote["quoteDate"]
    assert quote["validFor"]["startDateTime"] == completed
    assert quote["validFor"]["endDateTime"] > completed


def test_completion_date_and_period_that_are_given_stand(quotes: Api) -> None:
    quote = quote_in(quotes, "inProgress")
    given = {
        "effectiveQuoteCompletionDate": "2019-05-13T12:45:12.028Z",
        "validFor": {"endDateTime": "2039-05-13T12:45:12.028Z"},
    }

    assert given.items() <= quotes.changed(at(quote), {"state": "approved", **given}).items()


def test_the_offer_holds_from_the_completion_date_that_was_given(quotes: Api) -> None:
    quote = quote_in(quotes, "inProgress")

    changed = quotes.changed(at(quote), {"state": "approved", "effectiveQuoteCompletionDate": "2019-05-13T00:00:00Z"})

    assert changed["validFor"] == {
        "startDateTime": "2019-05-13T00:00:00.000Z",
        "endDateTime": "2019-06-12T00:00:00.000Z",
    }


@pytest.mark.parametrize(
    "patch",
    [
        {"description": "x"},
        {"colour": "x"},
        {"note": [{"id": "1", "text": "x"}]},
        {"quoteItem": [{"id": "1", "quantity": 2}, {"id": "2"}]},
        {"quoteItem": [{"id": "1"}]},
        {"quoteItem": [{"id": "1"}, {"id": "2"}, {}]},
        {"quoteItem": [{"id": "2"}, {"id": "1"}]},
        {"state": "accepted", "description": "x"},
        {"version": "2"},
    ],
    ids=str,
)
def test_once_the_customer_has_a_quote_only_states_change(quotes: Api, patch: Document) -> None:
    quote = quote_in(quotes, "approved")

    message = refusal(quotes.patch(at(quote), patch), 409, "finalState")

    assert "cannot change while state is approved" in message
    assert quotes.get(at(quote)).json() == quote


@pytest.mark.parametrize("state", ["accepted", "rejected", "cancelled"])
@pytest.mark.parametrize("member", ["description", "validFor", "quoteTotalPrice", "version"])
def test_a_final_quote_cannot_be_changed(quotes: Api, state: str, member: str) -> None:
    values: Document = {
        "description": "x",
        "validFor": {"endDateTime": "2039-01-01T00:00:00Z"},
        "quoteTotalPrice": [],
        "version": "7",
    }
    quote = quote_in(quotes, state)
    # What is sent as it is stored does not count.
    same = {name: quote[name] for name in ("state", "quoteItem", "id")}

    assert quotes.changed(at(quote), same) == quote
    message = refusal(quotes.patch(at(quote), {**same, member: values[member]}), 409, "finalState")

    assert message.startswith(f"/{member}: cannot change while state is {state}; open in it: nothing")
    assert quotes.get(at(quote)).json() == quote


@pytest.mark.parametrize("value", [None, "done", 1, ["pending"]])
def test_a_state_that_is_none_is_refused(quotes: Api, value: Any) -> None:
    quote = quote_in(quotes, "inProgress")

    refusal(quotes.patch(at(quote), {"state": value}), 400, "invalidBody")
    operations = [{"op": "replace", "path": "/state", "value": value}]
    refusal(quotes.patch(at(quote), operations, as_type=JSON_PATCH), 409, "patchResultRefused")


@pytest.mark.parametrize("member", ["/state", "/version", "/quoteItem/0/state", "/quoteItem/0/quoteItem/0/state"])
def test_what_a_quote_always_has_cannot_be_removed(quotes: Api, member: str) -> None:
    quote = quote_in(quotes, "inProgress")

    answer = quotes.patch(at(quote), [{"op": "remove", "path": member}], as_type=JSON_PATCH)

    assert f"{member}: is required" in refusal(answer, 409, "patchResultRefused")


def test_an_item_whose_id_is_removed_gets_another_one(quotes: Api) -> None:
    quote = quote_in(quotes, "inProgress")

    changed = quotes.changed(at(quote), [{"op": "remove", "path": "/quoteItem/0/id"}], as_type=JSON_PATCH)

    assert [item["id"] for item in changed["quoteItem"]] == ["3", "2"]


def test_a_new_item_starts_in_progress(quotes: Api) -> None:
    quote = quote_in(quotes, "inProgress")

    answer = quotes.patch(at(quote), {"quoteItem": [{"id": "1"}, {"id": "2"}, {"state": "approved"}]})

    assert refusal(answer, 409, "statesDisagree").startswith("/quoteItem/2/state: ")
