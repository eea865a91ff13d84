"""The checks that only TMF648 has: creation of a quote, its items and its states."""

from __future__ import annotations

from functools import partial
from typing import Any

from tmf_conformance.api import Document
from tmf_conformance.check import Check, Checks, belonging_to
from tmf_conformance.checks import quote_sub_attributes, versions
from tmf_conformance.checks.create import posted
from tmf_conformance.checks.json_patch import JSON_PATCH, applied
from tmf_conformance.checks.merge_patch import expect_read
from tmf_conformance.comparison import missing, same, value_at
from tmf_conformance.http.response import Response
from tmf_conformance.outcome import NotRun, NotSupported
from tmf_conformance.profile import Feature
from tmf_conformance.session import Session
from tmf_conformance.source import advice, mandatory

CREATE, STATES, OPERATIONS = "Create quote", "State definition", "API operations"
FORBIDDEN: dict[str, Any] = {
    "authorization": [{"name": "Global authorization", "state": "approved"}],
    "effectiveQuoteCompletionDate": "2001-02-03T04:05:06.000Z",
    "expectedQuoteCompletionDate": "2001-02-03T04:05:06.000Z",
    "quoteDate": "2001-02-03T04:05:06.000Z",
}
# The text around each attribute in the specification's table of attributes.
FORBIDDEN_AT = {
    "authorization": "authorization Must be not provided in the POST request",
    "effectiveQuoteCompletionDate": "effectiveQuoteCompletionDate Must be not provided in the POST request",
    "expectedQuoteCompletionDate": "expectedQuoteCompletionDate Must be not provided in the POST request",
    "quoteDate": "quoteDate Must be not provided in the POST request",
}
FORBIDDEN_OF_ITEM: dict[str, Any] = {
    "state": "approved",
    "quoteItemAuthorization": [{"name": "Item authorization", "state": "approved"}],
    "quoteItemPrice": [{"priceType": "recurring", "name": "A price"}],
}


def checks() -> Checks:
    yield from creation_checks()
    yield from item_checks()
    yield from quote_sub_attributes.checks()
    yield from belonging_to(Feature.PATCH, state_checks())
    yield from belonging_to(Feature.VERSIONS, versions.checks())


def creation_checks() -> Checks:
    some = mandatory(CREATE, "At least one quoteItem must be present")
    yield Check("quote-needs-items", "a quote without quoteItem is rejected", some, needs_items)
    yield Check("quote-needs-one-item", "a quote with an empty quoteItem is rejected", some, needs_one_item)
    for name, value in FORBIDDEN.items():
        source = mandatory(CREATE, FORBIDDEN_AT[name])
        yield Check(
            f"quote-without-{name}", f"{name} cannot be set at creation", source, partial(cannot_set, name, value)
        )
    for name, value in FORBIDDEN_OF_ITEM.items():
        field = "state field" if name == "state" else name
        source = mandatory(CREATE, f"When creating a quote (post) a quote item should not have the {field} valued")
        title = f"{name} of an item cannot be set at creation"
        yield Check(f"quote-item-without-{name}", title, source, partial(cannot_set_of_item, name, value))
    sync = mandatory(CREATE, "instantSyncQuote By default False")
    yield Check("quote-default-instantSyncQuote", "instantSyncQuote is false by default", sync, sync_is_false)
    version = advice("Lifecycle management extension to quote", "the first version of a quote has the version 1")
    yield Check("quote-default-version", "the first version is 1", version, first_version_is_1)
    instant = mandatory(
        OPERATIONS,
        "Note that POST Quote with instantSyncResponse set to true will provide quoting in the response; The resource "
        "could not be created in this case (up to API provider). In this case code 200 is send back. If resource is "
        "created code 201 is send back.",
    )
    yield Check("quote-instant", "an instant quote returns 200 or 201", instant, instant_is_200_or_201)
    priced = mandatory(OPERATIONS, "set to true will provide quoting in the response")
    yield Check("quote-instant-prices", "an instant quote has prices", priced, instant_has_prices)
    query = mandatory("Patch quote", '"path": "/quoteItem/quantity?id=2", "value": 12')
    by_query = Check("quote-patch-by-query", "JSON Patch selects items as printed", query, patches_by_query)
    yield from belonging_to(Feature.JSON_PATCH, [by_query])


def item_checks() -> Checks:
    one = mandatory(CREATE, "if quantity is not specified, by defaut 1 is considered")
    yield Check("quote-item-default-quantity", "quantity of an item is 1 by default", one, quantity_is_1)
    state = mandatory(
        "Field descriptions", "A string. State of the quote item : described in the state machine diagram."
    )
    yield Check("quote-item-initial-state", "a new item is inProgress", state, item_is_in_progress)
    id = mandatory(
        "Field descriptions",
        "A string. Identifier of the quote item (generally it is a sequence number 01, 02, 03, ...).",
    )
    yield Check("quote-item-id", "an item gets an id", id, items_get_ids)
    nested = mandatory(
        "Field descriptions",
        "A list of quote items (QuoteItem [*]). A structure to embedded quote item within quote item.",
    )
    yield Check("quote-item-nested", "items may be embedded in items", nested, items_nest)


def state_checks() -> Checks:
    approved = mandatory(
        STATES, "When the quote is shifted to the Approved state, all quote item are marked as Approved"
    )
    yield Check("quote-approved-items", "items are approved with their quote", approved, items_are_approved)
    rejected = mandatory(STATES, "If at least one quote item is rejected the quote is rejected.")
    yield Check("quote-rejected-item", "a rejected item makes its quote rejected", rejected, item_rejects_quote)
    closed = mandatory(STATES, "The quote is no longer updatable.")
    yield Check("quote-approved-closed", "an approved quote cannot be changed", closed, approved_is_closed)
    pending = mandatory(
        "Sample use cases", "An existing quote should be updated … Quote in status In Progress or Pending"
    )
    yield Check("quote-pending-open", "a pending quote can be updated", pending, pending_is_open)
    done = mandatory("Field descriptions", "A date time (DateTime). Date when the quote has been completed.")
    yield Check("quote-completion-date", "approval sets effectiveQuoteCompletionDate", done, approval_is_dated)
    final = advice("State definition", "a quote whose state is final no longer changes")
    yield Check("quote-final-stays", "a cancelled quote cannot be changed", final, final_stays)


def needs_items(session: Session) -> None:
    body = session.minimal()
    del body["quoteItem"]
    response = session.post_variant(body)
    response.expect(response.is_rejection, "a rejection (4xx): at least one quoteItem")


def needs_one_item(session: Session) -> None:
    response = session.post_variant(session.minimal(quoteItem=[]))
    response.expect(response.is_rejection, "a rejection (4xx): at least one quoteItem")


def cannot_set(name: str, value: Any, session: Session) -> None:
    """The creation must be rejected, or ignore the attribute."""
    response = session.post_variant(session.minimal(**{name: value}))
    taken = response.is_success and not missing(value, response.object().get(name))
    response.expect(
        is_understood(response) and not taken, f"a rejection (4xx), or a quote without the {name} that was sent"
    )


def is_understood(response: Response) -> bool:
    return response.is_success or response.is_rejection


def items(session: Session, *members: Document) -> list[Document]:
    """One plain item for each of these documents, with its members added."""
    plain = {name: value for name, value in session.minimal()["quoteItem"][0].items() if name != "id"}
    return [plain | each for each in members]


def cannot_set_of_item(name: str, value: Any, session: Session) -> None:
    response = session.post_variant(session.minimal(quoteItem=items(session, {"id": "1", name: value})))
    taken = response.is_success and not missing(value, value_at(response.object(), f"quoteItem.{name}"))
    response.expect(
        is_understood(response) and not taken, f"a rejection (4xx), or an item without the {name} that was sent"
    )


def sync_is_false(session: Session) -> None:
    response = posted(session)
    response.expect(response.object().get("instantSyncQuote") is False, "instantSyncQuote is false")


def first_version_is_1(session: Session) -> None:
    response = posted(session)
    response.expect(str(response.object().get("version")) in ("1", "1.0"), "version is 1")


def instant_response(session: Session) -> Response:
    """The response to an instant quote; a server may reject it, as it need not offer instant prices."""
    response = session.post_variant(session.minimal(instantSyncQuote=True))
    if response.is_unsupported:
        raise NotSupported("the server does not offer instant quotes", response.interaction)
    return response


def instant_is_200_or_201(session: Session) -> None:
    response = instant_response(session)
    if response.is_success and response.status == session.plain_creation.status:
        return  # if all creations have an unusual status, create-answers-201 fails
    response.expect_status(200, 201)


def instant_has_prices(session: Session) -> None:
    response = instant_response(session)
    if response.status != 200 or session.plain_creation.status == 200:
        raise NotSupported("the server does not price this quote at once", response.interaction)
    prices = response.object().get("quoteTotalPrice"), value_at(response.object(), "quoteItem.quoteItemPrice")
    response.expect(any(prices), "the quote has quoteTotalPrice, or its item has quoteItemPrice")


def items_of(quote: Document) -> list[Document]:
    """The items that are objects."""
    found = quote.get("quoteItem")
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def quantity_of(quote: Document, id: str) -> object:
    return next((item.get("quantity") for item in items_of(quote) if item.get("id") == id), None)


def patches_by_query(session: Session) -> None:
    """A server may only support plain JSON Patch, where the path of the specification's example does not exist."""
    id = session.created(quoteItem=items(session, {"id": "1", "quantity": 5}, {"id": "2", "quantity": 5}))
    if [quantity_of(session.read(id), each) for each in ("1", "2")] != [5, 5]:
        raise NotRun("the server does not keep the id and the quantity of an item", session.last)
    path = "/quoteItem/quantity?id=2"
    response = applied(session, id, [{"op": "replace", "path": path, "value": 12}], JSON_PATCH)
    if response.is_unsupported:
        raise NotSupported("the server rejects a path with a query", response.interaction)
    response.expect_success()
    read = session.read(id)
    right = quantity_of(read, "1") == 5 and quantity_of(read, "2") == 12
    expect_read(session, right, "the quantity of item 2 is 12, and that of item 1 is 5 as before")


def quantity_is_1(session: Session) -> None:
    response = session.post_variant(session.minimal(quoteItem=items(session, {"id": "1"})))
    response.expect_success()
    response.expect(value_at(response.object(), "quoteItem.quantity") == 1, "the quantity of the item is 1")


def item_is_in_progress(session: Session) -> None:
    response = posted(session)
    response.expect(
        value_at(response.object(), "quoteItem.state") == "inProgress", "the state of the item is inProgress"
    )


def items_get_ids(session: Session) -> None:
    response = session.post_variant(session.minimal(quoteItem=items(session, {}, {})))
    response.expect_success()
    ids = [each.get("id") for each in items_of(response.object())]
    response.expect(all(ids) and len(set(map(str, ids))) == 2, "each of the two items has an id of its own")


def items_nest(session: Session) -> None:
    inner = items(session, {"id": "1.1", "action": "inner"})
    response = session.post_variant(session.minimal(quoteItem=items(session, {"id": "1", "quoteItem": inner})))
    response.expect_success()
    kept = value_at(response.object(), "quoteItem.quoteItem.action") == "inner"
    response.expect(kept, "the item has the item that it was sent with")


def states_of_items(session: Session, id: str) -> list[object]:
    return [item.get("state") for item in items_of(session.read(id))]


def items_are_approved(session: Session) -> None:
    id = session.in_state("approved", quoteItem=items(session, {"id": "1"}, {"id": "2"}))
    expect_read(session, states_of_items(session, id) == ["approved", "approved"], "both items are approved")


def item_rejects_quote(session: Session) -> None:
    id = session.in_state("approved")
    rejected = [item | {"state": "rejected"} for item in items_of(session.read(id))]
    response = session.patch(id, {"quoteItem": rejected})
    if not response.is_success:
        raise NotRun("the server does not let an item of an approved quote be rejected", response.interaction)
    expect_read(session, session.read(id).get("state") == "rejected", "the quote is rejected")


def approved_is_closed(session: Session) -> None:
    stays(session, "approved")


def stays(session: Session, state: str) -> None:
    """Check that the same patch has an effect in the initial state; otherwise the check proves nothing."""
    open_id, text = session.created(), session.new_text()
    session.must_change(open_id, {"description": text})
    if session.read(open_id).get("description") != text:
        raise NotRun("a patch of description has no effect in any state", session.last)
    id, text = session.in_state(state), session.new_text()
    session.patch(id, {"description": text})
    expect_read(session, not same(session.read(id).get("description"), text), "description is what it was before")


def pending_is_open(session: Session) -> None:
    id, text = session.in_state("pending"), session.new_text()
    session.patch(id, {"description": text}).expect_success()
    expect_read(session, session.read(id).get("description") == text, f"description is {text!r}")


def approval_is_dated(session: Session) -> None:
    id = session.in_state("approved")
    expect_read(
        session, bool(session.read(id).get("effectiveQuoteCompletionDate")), "effectiveQuoteCompletionDate is set"
    )


def final_stays(session: Session) -> None:
    stays(session, "cancelled")
