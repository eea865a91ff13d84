"""TMF648 Quote Management: rules of a quote that its contract cannot express.

How the states of a quote and its items follow each other (TMF648, state machines of Quote and QuoteItem), what may
change once the customer has the quote, until when it can be accepted, and what it costs. Items nest: every rule is
about all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

from tmf_sales import datetimes
from tmf_sales.apis.price_book import PriceBook
from tmf_sales.apis.pricing import TotalTooLarge, all_items, price_items, total_price
from tmf_sales.engine.hooks import Rules
from tmf_sales.errors import FinalState, InvalidBody, OfferExpired, PatchResultRefused, StatesDisagree
from tmf_sales.json_values import same_json
from tmf_sales.messages import Violation, list_places
from tmf_sales.setting_types import DURATION, FILE, SWITCH
from tmf_sales.settings import setting
from tmf_sales.storage.protocol import Document

IN_PROGRESS, PENDING, APPROVED = "inProgress", "pending", "approved"
ACCEPTED, REJECTED = "accepted", "rejected"


class ItemChange(NamedTuple):
    """An item of the patched quote: its pointer, the stored item of the same id (None: it is new), and itself."""

    pointer: str
    before: Document | None
    after: Document

    def becomes(self, state: str) -> bool:
        return self.after.get("state") == state and not self.was(state)

    def was(self, state: str) -> bool:
        return (self.before or {}).get("state") == state


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteSettings:
    """What an operator sets for quotes."""

    price_book: Path | None = setting(None, FILE, "prices of the offerings; without it the shipped example")
    validity: timedelta = setting(timedelta(days=30), DURATION, "how long an offer holds once it is complete")
    accept_expired: bool = setting(False, SWITCH, "accept quotes after the end of their validFor")


class QuoteRules(Rules):
    """`validity`: how long an offer is valid from its completion, unless it says so itself (validFor).

    `accept_expired`: a quote may be accepted after that, too.
    """

    settings_type = QuoteSettings

    def __init__(
        self, book: PriceBook | None = None, validity: timedelta = timedelta(days=30), accept_expired: bool = False
    ) -> None:
        self.book = book or PriceBook.example()
        self.validity = validity
        self.accept_expired = accept_expired

    def configure(self, settings: QuoteSettings) -> None:
        """Take the operator's price book, if there is one, and the validity; raises BadPriceBook."""
        self.validity = settings.validity
        self.accept_expired = settings.accept_expired
        if settings.price_book is not None:
            self.book = PriceBook.load(settings.price_book)

    def check_body(self, document: Document) -> list[Violation]:
        return list(relationships_outside_the_quote(document))

    def on_create(self, document: Document, now: str) -> None:
        """Where a contract lets a request bring prices, the total follows from them unless it is given, too."""
        if "quoteTotalPrice" in document or not any(
            item.get("quoteItemPrice") for item in all_items(document["quoteItem"])
        ):
            return
        try:
            total = total_price(document["quoteItem"])
        except TotalTooLarge as error:
            raise InvalidBody([Violation("/quoteTotalPrice", str(error))]) from None
        if total:
            document["quoteTotalPrice"] = total

    def answer_instantly(self, body: Document, now: str) -> Document | None:
        """With instantSyncQuote the answer to POST has the prices (TMF648, Create quote), if there is one for every
        item; a new version of a quote is always created.
        """
        if body.get("instantSyncQuote") is not True or "id" in body or self.check_body(body):
            return None
        priced = price_items(body, self.book)
        if priced is None:
            return None
        try:
            priced["quoteTotalPrice"] = total_price(priced["quoteItem"])
        except TotalTooLarge:
            return None
        priced["effectiveQuoteCompletionDate"] = now
        self._hold_from(now, priced)
        return priced

    def editable_members(self, state: str, final: bool) -> frozenset[str] | None:
        """TMF648, use cases: once the customer has the quote, only its status, and that of its items, is updated."""
        if state == APPROVED:
            return frozenset({"quoteItem"})
        return frozenset() if final else None

    def on_patch(self, before: Document, after: Document, now: str) -> None:
        was, wanted = before["state"], after.get("state")
        items = list(item_changes(before.get("quoteItem"), after.get("quoteItem")))
        if was == APPROVED:
            reject_changes_of_what_the_customer_has(before, after)
        if wanted == was:
            quote_follows_its_items(after, items)
        elif wanted == ACCEPTED:
            if was == APPROVED and not self.accept_expired:
                reject_an_expired_offer(before, now)
            reject_rejected_items_in_an_accepted_quote(items)
        elif (was, wanted) == (IN_PROGRESS, APPROVED):
            items_become_approved_with_their_quote(items)
        elif (was, wanted) == (APPROVED, REJECTED):
            some_item_is_rejected_with_its_quote(items)
        elif (was, wanted) == (PENDING, IN_PROGRESS):
            pending_items_go_on_with_their_quote(items)
        if after.get("state") != APPROVED:
            reject_items_approved_without_their_quote(items)

    def after_transition(self, before: Document, after: Document, now: str) -> None:
        if after["state"] == APPROVED != before["state"]:
            self._hold_from(after.get("effectiveQuoteCompletionDate") or now, after)
        recompute_a_total_that_the_prices_left_behind(before, after)

    def title_of_state_change(self, before: Document, after: Document) -> str | None:
        if after["state"] == ACCEPTED != before["state"] and after.get("agreement"):
            return "Quote accepted: an agreement is to be signed"
        return None

    def _hold_from(self, start: str, quote: Document) -> None:
        """An offer holds for a while once it is complete, unless it says itself for how long."""
        if "validFor" not in quote:
            quote["validFor"] = {"startDateTime": start, "endDateTime": datetimes.later(start, self.validity)}


def item_changes(before: Any, after: Any, pointer: str = "/quoteItem") -> Iterator[ItemChange]:
    """Every item in `after`, paired by id with the one in the same list of `before`; each before those inside it."""
    stored = {item.get("id"): item for item in before or ()}
    for number, item in enumerate(after or ()):
        place, known = f"{pointer}/{number}", stored.get(item.get("id"))
        yield ItemChange(place, known, item)
        yield from item_changes((known or {}).get("quoteItem"), item.get("quoteItem"), f"{place}/quoteItem")


def relationships_outside_the_quote(quote: Document) -> Iterator[Violation]:
    """TMF648, QuoteItemRelationship.id: the related item must be in the same quote."""
    items = list(all_items(quote.get("quoteItem")))
    if not any("quoteItemRelationship" in item for item in items):
        return
    known = {item.get("id") for item in items}
    for pointer, _, item in item_changes((), quote.get("quoteItem")):
        for number, relationship in enumerate(item.get("quoteItemRelationship") or ()):
            if relationship.get("id") not in known:
                place = f"{pointer}/quoteItemRelationship/{number}/id"
                yield Violation(place, "expected the id of an item of the same quote")


def reject_changes_of_what_the_customer_has(before: Document, after: Document) -> None:
    stored, wanted = (without_states(quote.get("quoteItem")) for quote in (before, after))
    if not same_json(stored, wanted):
        changed = [n for n, pair in enumerate(zip(stored, wanted, strict=False)) if not same_json(*pair)]
        places = list_places(f"/quoteItem/{n}" for n in changed) or "/quoteItem"
        raise FinalState(f"{places}: cannot change while state is approved; open in it: state, and that of items")


def reject_an_expired_offer(quote: Document, now: str) -> None:
    end = quote.get("validFor", {}).get("endDateTime")
    if end is not None and end < now:
        raise OfferExpired(f"/state: cannot become accepted, as the offer was valid until {end} (validFor)")


def without_states(items: Any) -> list[Document]:
    bare = []
    for item in items or ():
        inner = {"quoteItem": without_states(item["quoteItem"])} if "quoteItem" in item else {}
        bare.append({**{name: value for name, value in item.items() if name != "state"}, **inner})
    return bare


def quote_follows_its_items(after: Document, items: list[ItemChange]) -> None:
    """When the patch asks for no other state: an item that waits, or that the customer rejects, takes it along."""
    if after["state"] == IN_PROGRESS and any(item.becomes(PENDING) for item in items):
        after["state"] = PENDING
    elif after["state"] == APPROVED and any(item.becomes(REJECTED) for item in items):
        after["state"] = REJECTED


def items_become_approved_with_their_quote(items: list[ItemChange]) -> None:
    """An item that was pending is left to its lifecycle, which refuses it."""
    for item in items:
        if item.becomes(PENDING):
            raise StatesDisagree(f"{item.pointer}/state: cannot become pending while the quote becomes approved")
        if item.after.get("state") in {IN_PROGRESS, PENDING}:
            item.after["state"] = APPROVED


def reject_rejected_items_in_an_accepted_quote(items: list[ItemChange]) -> None:
    for item in items:
        if item.becomes(REJECTED):
            raise StatesDisagree(f"{item.pointer}/state: cannot become rejected while the quote becomes accepted")


def some_item_is_rejected_with_its_quote(items: list[ItemChange]) -> None:
    if not any(item.after.get("state") == REJECTED for item in items):
        for item in items:
            item.after["state"] = REJECTED


def pending_items_go_on_with_their_quote(items: list[ItemChange]) -> None:
    for item in items:
        if item.was(PENDING) and item.after.get("state") == PENDING:
            item.after["state"] = IN_PROGRESS


def reject_items_approved_without_their_quote(items: list[ItemChange]) -> None:
    for item in items:
        if item.becomes(APPROVED):
            current = (item.before or {}).get("state", IN_PROGRESS)
            raise StatesDisagree(
                f"{item.pointer}/state: cannot change from {current} to approved unless the quote becomes approved"
            )


def recompute_a_total_that_the_prices_left_behind(before: Document, after: Document) -> None:
    """Sales prices the items; the total follows, unless the patch gives one."""
    if priced(before) == priced(after) or not same_json(before.get("quoteTotalPrice"), after.get("quoteTotalPrice")):
        return
    try:
        total = total_price(after.get("quoteItem"))
    except TotalTooLarge as error:
        raise PatchResultRefused([Violation("/quoteTotalPrice", str(error))]) from None
    after["quoteTotalPrice"] = total
    if not total:
        del after["quoteTotalPrice"]


def priced(quote: Document) -> list[tuple[Any, Any]]:
    """What the total of a quote depends on."""
    items = all_items(quote.get("quoteItem"))
    return [(item.get("quantity"), item["quoteItemPrice"]) for item in items if item.get("quoteItemPrice")]
