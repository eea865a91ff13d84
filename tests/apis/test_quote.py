"""TMF648: how the states of a quote and of its items follow each other, and what may change in which state."""

from __future__ import annotations

import copy
import dataclasses
import itertools
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from tmf_sales.apis.price_book import BadPriceBook, PriceBook
from tmf_sales.apis.quote import QuoteRules, QuoteSettings
from tmf_sales.contract.loader import Contract
from tmf_sales.engine.documents import DocumentBuilder, Patch
from tmf_sales.engine.verified import Known
from tmf_sales.errors import (
    FinalState,
    ForbiddenTransition,
    InvalidBody,
    OfferExpired,
    PatchResultRefused,
    StatesDisagree,
    TmfError,
)

ROOT = Path(__file__).parents[2]
NOW = "2026-03-04T05:06:07.890Z"
LATER = "2026-03-05T00:00:00.000Z"
MERGE_PATCH = "application/merge-patch+json"
EXPIRED = {"endDateTime": "2026-03-04T23:59:59.999Z"}
QUOTE_STATES = ["inProgress", "pending", "approved", "accepted", "rejected", "cancelled"]
ITEM_STATES = ["inProgress", "pending", "approved", "rejected"]

Document = dict[str, Any]


@pytest.fixture(scope="module")
def rules() -> QuoteRules:
    return QuoteRules()


@pytest.fixture(scope="module")
def builder(rules: QuoteRules) -> DocumentBuilder:
    return DocumentBuilder(Contract(ROOT / "openapi" / "tmf648-quote-v4.yaml").resources["quote"], rules)


class Desk:
    """Makes and patches quotes; nothing is stored."""

    def __init__(self, builder: DocumentBuilder) -> None:
        self.builder = builder

    def new(self, **members: Any) -> Document:
        body = {"quoteItem": [{"id": "1"}, {"id": "2"}], **members}
        self.builder.normalize_body(body, lambda: NOW)
        return self.builder.new(body, "7", NOW)

    def patch(self, before: Document, **patch: Any) -> Document:
        """A merge patch; what was there before is left alone, also when it is refused.

        It does the same when all members are verified: then the patched quote shares those that it leaves alone.
        """
        plain, sharing = (self._outcome(before, patch, verified) for verified in (frozenset[str](), frozenset(before)))
        assert (type(plain), str(plain)) == (type(sharing), str(sharing))
        if isinstance(plain, TmfError):
            raise plain
        self._compare_with_a_part(before, patch, plain)
        return plain

    def _compare_with_a_part(self, before: Document, patch: Document, after: Document) -> None:
        """A patch for which all hooks are called makes the same quote, as does one of a part, if that will do."""
        rules = copy.copy(self.builder.rules)
        vars(rules)["depends_on"] = None
        whole = dataclasses.replace(self.builder, rules=rules)
        assert whole.patched(before, Patch(patch, MERGE_PATCH, "http://host/7", LATER)).document == after
        known = Known(frozenset(), orjson.dumps(before))
        built = self.builder.patched_in_part(known, Patch(patch, MERGE_PATCH, "http://host/7", LATER))
        assert built is None or (built.text or known.text) == orjson.dumps(after)

    def _outcome(self, before: Document, patch: Document, verified: frozenset[str]) -> Document | TmfError:
        stored = copy.deepcopy(before)
        try:
            return self.builder.patched(before, Patch(patch, MERGE_PATCH, "http://host/7", LATER), verified).document
        except TmfError as error:
            return error
        finally:
            assert before == stored

    def quote_in(self, state: str, items: list[Document] | None = None) -> Document:
        """A quote that went to the state by the transitions that reach it."""
        quote = self.new(quoteItem=items or [{"id": "1"}, {"id": "2"}])
        way = {"accepted": ["approved", "accepted"], "rejected": ["approved", "rejected"]}.get(state, [state])
        for step in way if state != "inProgress" else []:
            quote = self.patch(quote, state=step)
        return quote


@pytest.fixture
def desk(builder: DocumentBuilder) -> Desk:
    return Desk(builder)


def states_of(items: list[Document]) -> list[Any]:
    """The states of items; of one with items inside, a pair of its own and theirs."""
    return [(item["state"], states_of(item["quoteItem"])) if "quoteItem" in item else item["state"] for item in items]


def item_states(quote: Document) -> list[Any]:
    return states_of(quote["quoteItem"])


# The quote's own machine ---------------------------------------------------------------------------------------------

TRANSITIONS = {
    "inProgress": ["pending", "approved", "cancelled"],
    "pending": ["inProgress", "cancelled"],
    "approved": ["accepted", "rejected"],
}


@pytest.mark.parametrize(("state", "wanted"), list(itertools.product(QUOTE_STATES, repeat=2)))
def test_a_quote_goes_from_state_to_state_as_its_diagram_says(desk: Desk, state: str, wanted: str) -> None:
    quote = desk.quote_in(state)

    if wanted == state or wanted in TRANSITIONS.get(state, []):
        assert desk.patch(quote, state=wanted)["state"] == wanted
        return
    with pytest.raises(ForbiddenTransition) as refusal:
        desk.patch(quote, state=wanted)

    allowed = ", ".join(TRANSITIONS.get(state, [])) or "nothing, it is final"
    assert refusal.value.message == f"/state: cannot change from {state} to '{wanted}'; allowed: {allowed}"


def test_a_pending_quote_is_approved_in_two_steps(desk: Desk) -> None:
    quote = desk.quote_in("pending")

    with pytest.raises(ForbiddenTransition):
        desk.patch(quote, state="approved")
    assert desk.patch(desk.patch(quote, state="inProgress"), state="approved")["state"] == "approved"


# The machine of an item, with the tie to its quote -------------------------------------------------------------------

# (state of the quote, state of the item, wanted state of the item) -> state of the quote then
ITEM_CHANGES = {
    ("inProgress", "inProgress", "pending"): "pending",
    ("pending", "inProgress", "pending"): "pending",
    ("pending", "pending", "inProgress"): "pending",
    ("approved", "approved", "rejected"): "rejected",
}


def quote_with_item_in(desk: Desk, quote_state: str, item_state: str) -> Document | None:
    """A quote in a state with its first item in another, or None where no way reaches that."""
    quote = desk.quote_in(quote_state)
    if quote["quoteItem"][0]["state"] == item_state:
        return quote
    if (quote_state, item_state) == ("pending", "pending"):
        return desk.patch(quote, quoteItem=[{"id": "1", "state": "pending"}, {"id": "2"}])
    if (quote_state, item_state) == ("cancelled", "pending"):
        waiting = desk.patch(desk.new(), quoteItem=[{"id": "1", "state": "pending"}, {"id": "2"}])
        return desk.patch(waiting, state="cancelled")
    if (quote_state, item_state) == ("inProgress", "pending"):
        return desk.patch(desk.quote_in("pending"), state="inProgress", quoteItem=[{"id": "1", "state": "pending"}])
    return None


@pytest.mark.parametrize("nested", [False, True], ids=["item", "nested item"])
@pytest.mark.parametrize(
    ("quote_state", "item_state", "wanted"), list(itertools.product(QUOTE_STATES, ITEM_STATES, ITEM_STATES))
)
def test_an_item_goes_from_state_to_state_as_its_diagram_and_its_quote_allow(
    desk: Desk, quote_state: str, item_state: str, wanted: str, nested: bool
) -> None:
    quote = quote_with_item_in(desk, quote_state, item_state)
    if quote is None:
        return  # no way reaches it
    patch = [{"id": "1", "state": wanted}, *({"id": item["id"]} for item in quote["quoteItem"][1:])]
    if nested:  # the same items, one level further down
        quote["quoteItem"] = [{"id": "0", "state": quote["quoteItem"][-1]["state"], "quoteItem": quote["quoteItem"]}]
        patch = [{"id": "0", "quoteItem": patch}]

    if wanted == item_state:
        assert desk.patch(quote, quoteItem=patch) == quote
    elif (quote_state, item_state, wanted) == ("inProgress", "pending", "inProgress"):
        assert desk.patch(quote, quoteItem=patch)["state"] == "inProgress"
    elif (quote_state, item_state, wanted) in ITEM_CHANGES:
        after = desk.patch(quote, quoteItem=patch)
        changed = after["quoteItem"][0]["quoteItem"][0] if nested else after["quoteItem"][0]
        assert changed["state"] == wanted
        assert after["state"] == ITEM_CHANGES[quote_state, item_state, wanted]
    else:
        with pytest.raises((ForbiddenTransition, StatesDisagree, FinalState)) as refusal:
            desk.patch(quote, quoteItem=patch)
        assert refusal.value.status == 409


def test_the_refusal_of_an_items_state_names_its_place_and_what_is_allowed(desk: Desk) -> None:
    quote = desk.new(quoteItem=[{"id": "1", "quoteItem": [{"id": "1"}, {"id": "2"}]}])

    with pytest.raises(ForbiddenTransition) as refusal:
        desk.patch(quote, quoteItem=[{"id": "1", "quoteItem": [{"id": "1"}, {"id": "2", "state": "rejected"}]}])

    assert refusal.value.message == (
        "/quoteItem/0/quoteItem/1/state: cannot change from inProgress to 'rejected'; allowed: pending, approved"
    )


# Approve -------------------------------------------------------------------------------------------------------------


def test_all_items_become_approved_with_their_quote(desk: Desk) -> None:
    quote = desk.new(quoteItem=[{"id": "1", "quoteItem": [{"id": "1"}]}, {"id": "2"}])

    assert item_states(desk.patch(quote, state="approved")) == [("approved", ["approved"]), "approved"]


def test_items_may_be_sent_as_approved_with_their_quote(desk: Desk) -> None:
    items = [{"id": "1", "state": "approved"}, {"id": "2"}, {"id": "3", "state": "approved"}]

    after = desk.patch(desk.new(), state="approved", quoteItem=items)

    assert item_states(after) == ["approved", "approved", "approved"]


@pytest.mark.parametrize("current", ["inProgress", None])
def test_an_item_is_not_approved_without_its_quote(desk: Desk, current: str | None) -> None:
    quote = desk.new()
    id = "1" if current else "3"

    with pytest.raises(StatesDisagree, match="cannot change from inProgress to approved unless the quote becomes"):
        desk.patch(quote, quoteItem=[{"id": id, "state": "approved"}])


@pytest.mark.parametrize("wanted", ["pending", "cancelled"])
def test_an_item_is_not_approved_while_its_quote_becomes_something_else(desk: Desk, wanted: str) -> None:
    with pytest.raises(StatesDisagree):
        desk.patch(desk.new(), state=wanted, quoteItem=[{"id": "1", "state": "approved"}])


@pytest.mark.parametrize("nested", [False, True])
def test_a_pending_item_refuses_the_approval_of_its_quote(desk: Desk, nested: bool) -> None:
    items = [{"id": "1", "quoteItem": [{"id": "1"}]}] if nested else [{"id": "1"}]
    waiting = (
        [{"id": "1", "quoteItem": [{"id": "1", "state": "pending"}]}] if nested else [{"id": "1", "state": "pending"}]
    )
    quote = desk.patch(desk.quote_in("pending", items), state="inProgress", quoteItem=waiting)
    assert quote["state"] == "inProgress"

    with pytest.raises(
        ForbiddenTransition, match=r"/state: cannot change from pending to 'approved'; allowed: inProgress"
    ):
        desk.patch(quote, state="approved")


def test_an_item_cannot_become_pending_while_its_quote_becomes_approved(desk: Desk) -> None:
    with pytest.raises(StatesDisagree, match="/quoteItem/0/state: cannot become pending"):
        desk.patch(desk.new(), state="approved", quoteItem=[{"id": "1", "state": "pending"}])


def test_an_item_that_was_pending_is_not_approved_in_the_same_step(desk: Desk) -> None:
    quote = desk.patch(desk.quote_in("pending"), state="inProgress", quoteItem=[{"id": "1", "state": "pending"}])

    with pytest.raises(ForbiddenTransition):
        desk.patch(quote, state="approved", quoteItem=[{"id": "1", "state": "inProgress"}])


# Accept, cancel, reject ----------------------------------------------------------------------------------------------


def test_items_stay_when_their_quote_is_accepted(desk: Desk) -> None:
    assert item_states(desk.patch(desk.quote_in("approved"), state="accepted")) == ["approved", "approved"]


def test_items_stay_when_their_quote_is_cancelled(desk: Desk) -> None:
    quote = desk.patch(desk.new(), quoteItem=[{"id": "1", "state": "pending"}, {"id": "2"}])

    assert item_states(desk.patch(quote, state="cancelled")) == ["pending", "inProgress"]


def test_all_items_become_rejected_with_their_quote_when_none_is(desk: Desk) -> None:
    quote = desk.quote_in("approved", [{"id": "1", "quoteItem": [{"id": "1"}]}, {"id": "2"}])

    assert item_states(desk.patch(quote, state="rejected")) == [("rejected", ["rejected"]), "rejected"]


def test_the_other_items_stay_when_one_is_rejected_with_the_quote(desk: Desk) -> None:
    items = [{"id": "1"}, {"id": "2", "state": "rejected"}]

    after = desk.patch(desk.quote_in("approved"), state="rejected", quoteItem=items)

    assert item_states(after) == ["approved", "rejected"]


def test_an_item_that_the_customer_rejects_takes_the_approved_quote_along(desk: Desk) -> None:
    quote = desk.quote_in("approved", [{"id": "1", "quoteItem": [{"id": "1"}]}, {"id": "2"}])

    after = desk.patch(quote, quoteItem=[{"id": "1", "quoteItem": [{"id": "1", "state": "rejected"}]}, {"id": "2"}])

    assert after["state"] == "rejected"
    assert item_states(after) == [("approved", ["rejected"]), "approved"]


def test_an_item_cannot_be_rejected_while_its_quote_is_accepted(desk: Desk) -> None:
    with pytest.raises(StatesDisagree, match="/quoteItem/1/state: cannot become rejected"):
        desk.patch(
            desk.quote_in("approved"), state="accepted", quoteItem=[{"id": "1"}, {"id": "2", "state": "rejected"}]
        )


# Pending -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "items",
    [
        [{"id": "1", "state": "pending"}, {"id": "2"}],
        [{"id": "1"}, {"id": "2", "quoteItem": [{"id": "1", "state": "pending"}]}],
        [{"id": "1"}, {"id": "2"}, {"state": "pending"}],
    ],
)
def test_an_item_that_waits_makes_its_quote_wait(desk: Desk, items: list[Document]) -> None:
    assert desk.patch(desk.new(), quoteItem=items)["state"] == "pending"


def test_an_item_that_waits_does_so_also_when_the_patch_repeats_the_quotes_state(desk: Desk) -> None:
    after = desk.patch(desk.new(), state="inProgress", quoteItem=[{"id": "1", "state": "pending"}])

    assert after["state"] == "pending"


def test_an_item_may_begin_to_wait_while_its_quote_is_asked_to_go_on(desk: Desk) -> None:
    after = desk.patch(desk.quote_in("pending"), state="inProgress", quoteItem=[{"id": "1", "state": "pending"}])

    assert (after["state"], item_states(after)) == ("inProgress", ["pending"])


def test_an_item_may_begin_to_wait_while_its_quote_is_cancelled(desk: Desk) -> None:
    after = desk.patch(desk.new(), state="cancelled", quoteItem=[{"id": "1", "state": "pending"}])

    assert (after["state"], item_states(after)) == ("cancelled", ["pending"])


def test_pending_items_go_on_with_their_quote_also_when_they_are_sent_as_they_are_stored(desk: Desk) -> None:
    waiting = [{"id": "1", "state": "pending", "quoteItem": [{"id": "1", "state": "pending"}]}, {"id": "2"}]
    quote = desk.patch(desk.new(), quoteItem=waiting)
    assert quote["state"] == "pending"

    for patch in ({}, {"quoteItem": waiting}):
        after = desk.patch(quote, state="inProgress", **patch)
        assert item_states(after) == [("inProgress", ["inProgress"]), "inProgress"]


def test_an_item_that_goes_on_leaves_its_quote_pending(desk: Desk) -> None:
    quote = desk.patch(desk.new(), quoteItem=[{"id": "1", "state": "pending"}])

    assert desk.patch(quote, quoteItem=[{"id": "1", "state": "inProgress"}])["state"] == "pending"


def test_items_need_not_wait_with_their_quote(desk: Desk) -> None:
    assert item_states(desk.patch(desk.new(), state="pending")) == ["inProgress", "inProgress"]


# What may change in which state --------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["inProgress", "pending"])
def test_everything_may_change_until_the_customer_has_the_quote(desk: Desk, state: str) -> None:
    after = desk.patch(desk.quote_in(state), category="x", quoteItem=[{"id": "1", "quantity": 2}])

    assert (after["category"], after["quoteItem"][0]["quantity"]) == ("x", 2)


def test_only_the_states_of_an_approved_quote_and_its_items_may_change(desk: Desk) -> None:
    with pytest.raises(FinalState, match=r"/category, /note: cannot change while state is approved"):
        desk.patch(desk.quote_in("approved"), category="x", note=[{"id": "1", "text": "x"}], state="accepted")


@pytest.mark.parametrize(
    ("items", "place"),
    [
        ([{"id": "1"}, {"id": "2", "quantity": 2}], "/quoteItem/1"),
        ([{"id": "1", "quantity": 2}, {"id": "2", "quantity": 2}], "/quoteItem/0, /quoteItem/1"),
        ([{"id": "1", "quoteItem": [{"id": "1", "quantity": 2}]}, {"id": "2"}], "/quoteItem/0"),
        ([{"id": "1"}], "/quoteItem"),
        ([{"id": "1"}, {"id": "2"}, {"id": "3"}], "/quoteItem"),
        ([{"id": "2"}, {"id": "1"}], "/quoteItem/0, /quoteItem/1"),
    ],
)
def test_the_items_of_an_approved_quote_change_in_nothing_but_state(
    desk: Desk, items: list[Document], place: str
) -> None:
    quote = desk.quote_in("approved", [{"id": "1", "quoteItem": [{"id": "1"}]}, {"id": "2"}])

    with pytest.raises(FinalState) as refusal:
        desk.patch(quote, quoteItem=items)

    assert refusal.value.message.startswith(f"{place}: cannot change while state is approved")


@pytest.mark.parametrize("state", ["accepted", "rejected", "cancelled"])
def test_a_final_quote_cannot_be_changed(desk: Desk, state: str) -> None:
    quote = desk.quote_in(state)

    with pytest.raises(FinalState, match=rf"/category, /quoteItem: cannot change while state is {state}"):
        desk.patch(quote, category="x", quoteItem=[{"id": "1", "quantity": 2}])
    assert desk.patch(quote, state=state, quoteItem=quote["quoteItem"]) == quote


# What the server sets ------------------------------------------------------------------------------------------------


def test_an_approved_quote_is_complete_and_holds_for_the_validity(desk: Desk) -> None:
    after = desk.patch(desk.new(), state="approved")

    assert after["effectiveQuoteCompletionDate"] == LATER
    assert after["validFor"] == {"startDateTime": LATER, "endDateTime": "2026-04-04T00:00:00.000Z"}


def test_a_completion_date_that_the_patch_gives_is_kept_and_the_offer_holds_from_it(desk: Desk) -> None:
    sent = "2026-02-01T00:00:00.000Z"

    after = desk.patch(desk.new(), state="approved", effectiveQuoteCompletionDate=sent)

    assert after["effectiveQuoteCompletionDate"] == sent
    assert after["validFor"] == {"startDateTime": sent, "endDateTime": "2026-03-03T00:00:00.000Z"}


def test_an_offer_that_says_for_how_long_it_holds_does_so(desk: Desk) -> None:
    period = {"endDateTime": "2026-12-31T00:00:00.000Z"}

    assert desk.patch(desk.new(validFor=period), state="approved")["validFor"] == period
    assert desk.patch(desk.new(), state="approved", validFor=period)["validFor"] == period


def test_a_later_step_leaves_completion_and_validity_alone(desk: Desk) -> None:
    approved = desk.quote_in("approved")

    after = desk.patch(approved, state="accepted")

    for name in ("effectiveQuoteCompletionDate", "validFor"):
        assert after[name] == approved[name]


@pytest.mark.parametrize(
    ("end", "is_expired"),
    [
        ("2026-03-04T23:59:59.999Z", True),
        ("2026-03-05T00:00:00.000Z", False),  # the time of the patch
        ("2026-03-05T00:00:00.001Z", False),
        (None, False),
    ],
)
def test_an_offer_is_accepted_until_its_end(builder: DocumentBuilder, end: str | None, is_expired: bool) -> None:
    desk = Desk(builder)
    approved = desk.patch(desk.new(validFor={"endDateTime": end} if end else {}), state="approved")

    if is_expired:
        with pytest.raises(OfferExpired, match=f"/state: cannot become accepted, as the offer was valid until {end}"):
            desk.patch(approved, state="accepted")
    else:
        assert desk.patch(approved, state="accepted")["state"] == "accepted"


def test_an_expired_offer_is_accepted_where_the_operator_allows_it(builder: DocumentBuilder) -> None:
    desk = Desk(dataclasses.replace(builder, rules=QuoteRules(accept_expired=True)))
    approved = desk.patch(desk.new(validFor=EXPIRED), state="approved")

    assert desk.patch(approved, state="accepted")["state"] == "accepted"


# Rules between members -----------------------------------------------------------------------------------------------


def related(id: str) -> list[Document]:
    return [{"id": id, "relationshipType": "bundles"}]


def test_a_relationship_names_an_item_of_the_same_quote_at_any_depth(desk: Desk) -> None:
    items = [
        {"id": "1", "quoteItemRelationship": related("2.1")},
        {"id": "2", "quoteItem": [{"id": "2.1", "quoteItemRelationship": related("1")}]},
        {"quoteItemRelationship": related("3")},
    ]

    assert desk.new(quoteItem=items)["quoteItem"][2]["id"] == "3"


def test_a_relationship_with_an_item_of_no_quote_is_refused(desk: Desk) -> None:
    items = [{"id": "1", "quoteItem": [{"id": "1.1", "quoteItemRelationship": related("1") + related("9")}]}]

    with pytest.raises(InvalidBody) as refusal:
        desk.new(quoteItem=items)

    place = "/quoteItem/0/quoteItem/0/quoteItemRelationship/1/id"
    assert refusal.value.message == f"{place}: expected the id of an item of the same quote"


def test_an_item_that_others_relate_to_cannot_be_taken_away(desk: Desk) -> None:
    quote = desk.new(quoteItem=[{"id": "1", "quoteItemRelationship": related("2")}, {"id": "2"}])

    with pytest.raises(PatchResultRefused, match="expected the id of an item of the same quote"):
        desk.patch(quote, quoteItem=[{"id": "1"}])


# Prices --------------------------------------------------------------------------------------------------------------


def price(value: float, unit: str = "EUR") -> list[Document]:
    return [{"priceType": "nonRecurring", "price": {"dutyFreeAmount": {"unit": unit, "value": value}}}]


def total(value: float) -> list[Document]:
    return price(value)


def test_the_total_follows_the_prices_that_sales_gives(desk: Desk) -> None:
    priced = desk.patch(desk.new(), quoteItem=[{"id": "1", "quantity": 3, "quoteItemPrice": price(10)}, {"id": "2"}])

    assert priced["quoteTotalPrice"] == total(30)
    assert desk.patch(priced, quoteItem=[{"id": "1", "quantity": 4}])["quoteTotalPrice"] == total(40)
    assert desk.patch(priced, quoteItem=[{"id": "1", "quoteItemPrice": price(1)}])["quoteTotalPrice"] == total(3)


def test_prices_of_nested_items_are_part_of_the_total(desk: Desk) -> None:
    items = [{"id": "1", "quoteItemPrice": price(1), "quoteItem": [{"id": "1", "quoteItemPrice": price(2)}]}]

    assert desk.patch(desk.new(), quoteItem=items)["quoteTotalPrice"] == total(3)


def test_a_total_that_the_patch_gives_is_kept(desk: Desk) -> None:
    items = [{"id": "1", "quoteItemPrice": price(10)}]

    after = desk.patch(desk.new(), quoteItem=items, quoteTotalPrice=total(9))

    assert after["quoteTotalPrice"] == total(9)


def test_a_total_that_was_given_stays_while_no_price_changes(desk: Desk) -> None:
    quote = desk.new(quoteTotalPrice=total(5))

    after = desk.patch(quote, category="x", quoteItem=[{"id": "1", "quantity": 2}])

    assert after["quoteTotalPrice"] == total(5)


def test_the_total_goes_with_the_last_price(desk: Desk) -> None:
    priced = desk.patch(desk.new(), quoteItem=[{"id": "1", "quoteItemPrice": price(10)}])

    assert "quoteTotalPrice" not in desk.patch(priced, quoteItem=[{"id": "1", "quoteItemPrice": None}])


def test_a_total_beyond_what_numbers_hold_is_refused(desk: Desk) -> None:
    items = [{"id": "1", "quantity": 9_007_199_254_740_991, "quoteItemPrice": price(1)}]

    with pytest.raises(PatchResultRefused, match="/quoteTotalPrice: expected a total of at most"):
        desk.patch(desk.new(), quoteItem=items)


# Answers at once -----------------------------------------------------------------------------------------------------

OFFERED = {"productOffering": {"id": "z789-78ga"}}


def test_a_quote_that_is_priced_at_once_has_prices_dates_and_no_defaults(rules: QuoteRules) -> None:
    body = {"instantSyncQuote": True, "quoteItem": [OFFERED], "quoteTotalPrice": total(1)}
    sent = copy.deepcopy(body)

    answer = rules.answer_instantly(body, NOW)

    assert answer is not None
    assert body == sent
    assert answer.keys() - body.keys() == {"effectiveQuoteCompletionDate", "validFor"}
    assert answer["quoteItem"][0].keys() == {"productOffering", "quoteItemPrice"}
    assert answer["effectiveQuoteCompletionDate"] == NOW
    assert answer["validFor"] == {"startDateTime": NOW, "endDateTime": "2026-04-03T05:06:07.890Z"}
    assert answer["quoteTotalPrice"][0]["price"]["taxIncludedAmount"] == {"unit": "EUR", "value": 406}


def test_a_quote_that_is_priced_at_once_holds_as_long_as_it_says(rules: QuoteRules) -> None:
    period = {"endDateTime": NOW}

    answer = rules.answer_instantly({"instantSyncQuote": True, "quoteItem": [OFFERED], "validFor": period}, NOW)

    assert answer is not None
    assert answer["validFor"] == period


@pytest.mark.parametrize(
    "body",
    [
        {"quoteItem": [OFFERED]},
        {"instantSyncQuote": False, "quoteItem": [OFFERED]},
        {"instantSyncQuote": True, "id": "7", "quoteItem": [OFFERED]},
        {"instantSyncQuote": True, "quoteItem": [OFFERED, {"productOffering": {"id": "unknown"}}]},
        {"instantSyncQuote": True, "quoteItem": [{**OFFERED, "quoteItem": [{}]}]},
        {"instantSyncQuote": True, "quoteItem": [{**OFFERED, "quantity": 9_007_199_254_740_991}]},
        {"instantSyncQuote": True, "quoteItem": [{**OFFERED, "quoteItemRelationship": related("9")}]},
    ],
    ids=["not asked", "asked not to", "a new version", "no price", "no price inside", "too much", "broken"],
)
def test_any_other_quote_is_created_and_answered_later(rules: QuoteRules, body: Document) -> None:
    assert rules.answer_instantly(body, NOW) is None


# Settings and events -------------------------------------------------------------------------------------------------


def test_validity_and_price_book_are_settings(tmp_path: Path) -> None:
    book = tmp_path / "book.json"
    book.write_text('{"offerings": []}')
    rules = QuoteRules()

    rules.configure(QuoteSettings(validity=timedelta(days=1), accept_expired=True))
    answer = rules.answer_instantly({"instantSyncQuote": True, "quoteItem": [OFFERED]}, NOW)
    assert answer is not None
    assert answer["validFor"]["endDateTime"] == "2026-03-05T05:06:07.890Z"

    rules.configure(QuoteSettings(validity=timedelta(days=1), price_book=book))
    assert rules.answer_instantly({"instantSyncQuote": True, "quoteItem": [OFFERED]}, NOW) is None

    with pytest.raises(BadPriceBook, match="cannot be read"):
        rules.configure(QuoteSettings(validity=timedelta(days=1), price_book=tmp_path / "missing.json"))


def test_rules_take_another_price_book() -> None:
    assert QuoteRules(PriceBook({})).answer_instantly({"instantSyncQuote": True, "quoteItem": [OFFERED]}, NOW) is None


@pytest.mark.parametrize(
    ("before", "after", "agreement", "is_announced"),
    [
        ("approved", "accepted", [{"id": "1"}], True),
        ("approved", "accepted", [], False),
        ("approved", "rejected", [{"id": "1"}], False),
        ("accepted", "accepted", [{"id": "1"}], False),
    ],
)
def test_the_acceptance_of_a_quote_with_agreements_says_that_one_is_to_be_signed(
    rules: QuoteRules, before: str, after: str, agreement: list[Document], is_announced: bool
) -> None:
    title = rules.title_of_state_change({"state": before}, {"state": after, "agreement": agreement})

    assert title == ("Quote accepted: an agreement is to be signed" if is_announced else None)


# Patches that are hostile to the rules -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "path": "/quoteItem", "value": 7},
        {"op": "replace", "path": "/quoteItem", "value": [7]},
        {"op": "replace", "path": "/quoteItem/0/id", "value": []},
        {"op": "replace", "path": "/quoteItem/0/id", "value": {}},
        {"op": "add", "path": "/quoteItem/-", "value": {"id": 7}},
        {"op": "add", "path": "/quoteItem/-", "value": {"id": None}},
        {"op": "add", "path": "/quoteItem/-", "value": {"quoteItem": "x"}},
        {"op": "add", "path": "/quoteItem/0/quoteItem", "value": [None]},
        {"op": "add", "path": "/quoteItem/0/quoteItemRelationship", "value": [7]},
        {"op": "add", "path": "/quoteItem/0/quoteItemPrice", "value": [{"price": 7}]},
        {"op": "replace", "path": "/quoteItem/0/state", "value": ["pending"]},
        {"op": "remove", "path": "/quoteItem/0/state"},
        {"op": "remove", "path": "/quoteItem"},
        {"op": "replace", "path": "/state", "value": {}},
        {"op": "remove", "path": "/state"},
        {"op": "replace", "path": "/effectiveQuoteCompletionDate", "value": 7},
        {"op": "add", "path": "/validFor", "value": "x"},
    ],
    ids=lambda operation: f"{operation['op']} {operation['path']}",
)
@pytest.mark.parametrize("state", ["inProgress", "pending", "approved"])
def test_any_patch_applies_or_is_refused(desk: Desk, state: str, operation: Document) -> None:
    quote = desk.quote_in(state)

    with pytest.raises(TmfError) as refusal:
        desk.builder.patched(quote, Patch([operation], "application/json-patch+json", "http://host/7", LATER))

    assert refusal.value.status == 409
