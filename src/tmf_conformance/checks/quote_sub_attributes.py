"""The mandatory attributes of sub-resources: the table "Mandatory Sub-Attributes" of TMF648's "Create quote"."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from functools import partial
from typing import Any, NamedTuple

from tmf_conformance.api import Document
from tmf_conformance.check import Check, Checks
from tmf_conformance.comparison import missing
from tmf_conformance.outcome import NotRun
from tmf_conformance.session import Session
from tmf_conformance.source import mandatory

CREATE = "Create quote"
Place = Callable[[Document, Document], None]


class Part(NamedTuple):
    """A row of the table: a complete part, its mandatory attributes, and how to put it into a quote."""

    context: str
    part: Document
    needed: tuple[str, ...]
    put: Place


def in_quote(name: str) -> Place:
    def put(quote: Document, part: Document) -> None:
        quote[name] = [part]

    return put


def in_item(name: str, *, many: bool) -> Place:
    def put(quote: Document, part: Document) -> None:
        quote["quoteItem"][0][name] = [part] if many else part

    return put


def in_product(name: str, *, many: bool) -> Place:
    def put(quote: Document, part: Document) -> None:
        quote["quoteItem"][0]["product"] = {"name": "A product", name: [part] if many else part}

    return put


PARTS = (
    Part("relatedParty", {"id": "1", "@referredType": "Individual"}, ("id", "@referredType"), in_quote("relatedParty")),
    Part("note", {"id": "1", "text": "A note"}, ("text", "id"), in_quote("note")),
    Part("billingAccount", {"id": "1", "name": "An account"}, ("id",), in_quote("billingAccount")),
    Part("agreement", {"id": "1", "name": "An agreement"}, ("id",), in_quote("agreement")),
    Part("productOffering", {"id": "1", "name": "An offering"}, ("id",), in_item("productOffering", many=False)),
    Part("realizingService", {"id": "1", "name": "A service"}, ("id",), in_product("realizingService", many=True)),
    Part("realizingResource", {"id": "1", "name": "A resource"}, ("id",), in_product("realizingResource", many=True)),
    Part(
        "productRelationship",
        {"relationshipType": "bundled", "product": {"id": "1"}},
        ("relationshipType", "product"),
        in_product("productRelationship", many=True),
    ),
    Part(
        "quoteItemRelationship",
        {"id": "1", "relationshipType": "reliesOn"},
        ("id", "relationshipType"),
        in_item("quoteItemRelationship", many=True),
    ),
    Part("productSpecification", {"id": "1", "name": "One"}, ("id",), in_product("productSpecification", many=False)),
    Part(
        "relatedPlace",
        {"id": "1", "role": "site", "@referredType": "Site"},
        ("role", "@referredType"),
        in_product("place", many=True),
    ),
    Part(
        "productOrderItem",
        {"productOrderId": "1", "role": "r"},
        ("productOrderId",),
        in_product("productOrderItem", many=True),
    ),
    Part("quotePrice", {"priceType": "recurring", "name": "A price"}, ("priceType",), in_quote("quoteTotalPrice")),
    Part("productOfferingQualification", {"id": "1", "name": "One"}, ("id",), in_quote("productOfferingQualification")),
    Part("appointment", {"id": "1", "description": "One"}, ("id",), in_item("appointment", many=True)),
    Part(
        "productOfferingQualificationItem",
        {"productOfferingQualificationId": "1", "id": "1"},
        ("productOfferingQualificationId", "id"),
        in_item("productOfferingQualificationItem", many=False),
    ),
)  # fmt: skip


def checks() -> Checks:
    for row in PARTS:
        source = mandatory(CREATE, f"Mandatory Sub-Attributes … {row.context} {', '.join(row.needed)}")
        title = f"{row.context} without {' or '.join(row.needed)} is rejected"
        yield Check(f"quote-part-{row.context}", title, source, partial(needs_its_attributes, row))


def needs_its_attributes(row: Part, session: Session) -> None:
    """Send the complete part first, so that a later rejection must be due to the missing attribute."""
    plain, complete = session.minimal(), with_part(session, row, row.part)
    whole = session.post_variant(complete)
    if not whole.is_success:
        raise session.not_created(whole, f"with a {row.context}")
    sent = {name: value for name, value in complete.items() if name != "description" and value != plain.get(name)}
    if missing(sent, whole.object()):
        raise NotRun(f"the server does not keep a {row.context}", whole.interaction)
    for name in row.needed:
        lacking = {other: value for other, value in row.part.items() if other != name}
        response = session.post_variant(with_part(session, row, lacking))
        response.expect(response.is_rejection, f"a rejection (4xx): {row.context} needs {name}")


def with_part(session: Session, row: Part, part: Any) -> Document:
    quote = deepcopy(session.minimal())
    row.put(quote, dict(part))
    return quote
