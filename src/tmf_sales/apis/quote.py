"""TMF648 Quote Management: rules of a quote that its contract cannot express.

They keep the states of a quote and its items consistent (TMF648, state machines of Quote and QuoteItem), limit what may
change after the customer has the quote and until when it can be accepted, and compute its price. Items may contain
items; every rule applies at all levels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

from tmf_sales.apis.price_book import PriceBook
from tmf_sales.apis.pricing import TotalTooLarge, all_items, price_items, total_price
from tmf_sales.configuration.setting_types import DURATION, FILE, SWITCH
from tmf_sales.configuration.settings import setting
from tmf_sales.engine.hooks import Rules
from tmf_sales.errors import FinalState, InvalidBody, OfferExpired, PatchResultRefused, StatesDisagree
from tmf_sales.storage.records import Document
from tmf_sales.values import datetimes
from tmf_sales.values.json_values import own_copy, same_json
from tmf_sales.values.messages import Violation, list_places

IN_PROGRESS, PENDING, APPROVED = "inProgress", "pending", "approved"
ACCEPTED, REJECTED = "accepted", "rejected"


class ItemChange(NamedTuple):
    """An item of the patched quote: its pointer, the stored item of the same id (None: it is new), and the item."""

    pointer: str
    before: Document | None
    after: Document

    def becomes(self, state: str) -> bool:
        return self.after.get("state") == state and not self.was(state)

    def was(self, state: str) -> bool:
        return (self.before or {}).get("state") == state


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteSettings:
    """The settings of quotes."""

    price_book: Path | None = setting(
        None, FILE, "price book (JSON) for instant quotes; without it the shipped example"
    )
    validity: timedelta = setting(
        timedelta(days=30), DURATION, "how long an approved quote is valid if it has no `validFor`"
    )
    accept_expired: bool = setting(False, SWITCH, "accept quotes after the end of their validFor")


class QuoteRules(Rules):
    """The rules of quotes. `validity`: how long an offer is valid from its completion, unless it has a validFor.

    `accept_expired`: whether a quote may be accepted after that.
    """

    settings_type = QuoteSettings
    changes_in_place = False
    depends_on = frozenset({"state", "quoteItem"})

    def __init__(
        self, book: PriceBook | None = None, validity: timedelta = timedelta(days=30), accept_expired: bool = False
    ) -> None:
        self.book = book or PriceBook.example()
        self.validity = validity
        self.accept_expired = accept_expired

    def configure(self, settings: QuoteSettings) -> None:
        """Apply the settings and load the configured price book, if there is one; raises BadPriceBook."""
        self.validity = settings.validity
        self.accept_expired = settings.accept_expired
        if settings.price_book is not None:
            self.book = PriceBook.load(settings.price_book)

    def check_body(self, document: Document) -> list[Violation]:
        return list(relationships_outside_the_quote(document))

    def on_create(self, document: Document, now: str) -> None:
        """Compute the total, unless it is given, from prices in the request, if the contract allows these."""
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
        """Return the priced quote for instantSyncQuote, when every item has a price (TMF648, Create quote).

        A further version of a quote is always created instead.
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
        """Once the customer has the quote, only its state and those of its items may change (TMF648, use cases)."""
        if state == APPROVED:
            return frozenset({"quoteItem"})
        return frozenset() if final else None

    def on_patch(self, before: Document, after: Document, now: str) -> None:
        was, wanted = before["state"], after.get("state")
        if was == APPROVED:
            reject_changes_of_what_the_customer_has(before, after)
        if wanted == was and before.get("quoteItem") == after.get("quoteItem"):
            return  # most patches change neither, and then no item has become anything
        items = list(item_changes(before.get("quoteItem"), copied_items(after)))
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
        """Set how long the complete offer is valid, unless it has a validFor."""
        if "validFor" not in quote:
            quote["validFor"] = {"startDateTime": start, "endDateTime": datetimes.later(start, self.validity)}


def copied_items(quote: Document) -> Any:
    """Replace the items by copies, whose states the rules may change, and return them."""
    if "quoteItem" in quote:
        quote["quoteItem"] = own_copy(quote["quoteItem"])
    return quote.get("quoteItem")


def item_changes(before: Any, after: Any, pointer: str = "/quoteItem") -> Iterator[ItemChange]:
    """Every item in `after`, paired by id with the item in the same list of `before`; parents before children."""
    stored = {item.get("id"): item for item in before or ()}
    for number, item in enumerate(after or ()):
        place, known = f"{pointer}/{number}", stored.get(item.get("id"))
        yield ItemChange(place, known, item)
        yield from item_changes((known or {}).get("quoteItem"), item.get("quoteItem"), f"{place}/quoteItem")


def relationships_outside_the_quote(quote: Document) -> Iterator[Violation]:
    """The relationships to items outside the quote, which TMF648 forbids (QuoteItemRelationship.id)."""
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
    """A pending or rejected item changes the state of its quote too, unless the patch sets that state."""
    if after["state"] == IN_PROGRESS and any(item.becomes(PENDING) for item in items):
        after["state"] = PENDING
    elif after["state"] == APPROVED and any(item.becomes(REJECTED) for item in items):
        after["state"] = REJECTED


def items_become_approved_with_their_quote(items: list[ItemChange]) -> None:
    """Approve the items with their quote. The lifecycle rejects this for an item that was pending."""
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
    """Compute the total again when prices or quantities have changed, unless the patch gives a total."""
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
    """The quantities and prices from which the total of a quote is computed."""
    items = all_items(quote.get("quoteItem"))
    return [(item.get("quantity"), item["quoteItemPrice"]) for item in items if item.get("quoteItemPrice")]
