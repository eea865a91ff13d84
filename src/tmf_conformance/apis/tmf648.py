"""TMF648 Quote Management 4.0.1: names, states and bodies of a quote, and the sentences that state its rules."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from tmf_conformance.api import Api, Document
from tmf_conformance.checks import quote
from tmf_conformance.contract_files import contract_path
from tmf_conformance.profile import SPECIFICATION, TMF648B
from tmf_conformance.source import mandatory
from tmf_conformance.suite import Suite

PARTIES = (
    {"id": "qsdd-9888", "name": "Jean Pontus", "role": "Buyer Contact", "@referredType": "Individual"},
    {"id": "55", "name": "PerfectCustomer", "role": "Buyer organization", "@referredType": "Organization"},
)

SOURCES = {
    "list": mandatory("List quotes", "This operation list quote entities. … Response 200"),
    "list contents": mandatory("List quotes", "This operation list quote entities."),
    "list fields": mandatory("List quotes", "Attribute selection is enabled for all first level attributes."),
    "retrieve": mandatory("Retrieve quote", "This operation retrieves a quote entity. … Response 200"),
    "retrieve contents": mandatory("Retrieve quote", "This operation retrieves a quote entity."),
    "retrieve fields": mandatory("Retrieve quote", "Attribute selection is enabled for all first level attributes."),
    "create": mandatory("API operations", "If resource is created code 201 is send back."),
    "create contents": mandatory("Create quote", "This operation creates a quote entity."),
    "id": mandatory("Field descriptions", "A string. Unique identifier - attributed by quoting system."),
    "href": mandatory("Field descriptions", "A string. Hyperlink to access the quote."),
    "created": mandatory("Field descriptions", "A date time (DateTime). Date and time when the quote was created."),
    "initial": mandatory(
        "State definition",
        "The In Progress state is when the quote is currently in the hands of the SP sales team to build it regarding "
        "customer requirements.",
    ),
    "types": mandatory(
        "Field descriptions", "Quote fields agreement A list of agreement references (AgreementRef [*])."
    ),
    "state": mandatory(
        "State definition",
        "A quote state type (QuoteStateType). State of the quote : described in the state-machine diagram.",
    ),
    "state values": mandatory("State definition", "State of the quote : described in the state-machine diagram."),
    "polymorphism": mandatory(
        "Support of polymorphism and extension patterns",
        "All resources and sub-resources of this API have a @type attributes that can be provided when this is useful.",
    ),
    "patch": mandatory("Patch quote", "This operation allows partial updates of a quote entity. … Response 200"),
    "patch contents": mandatory("Patch quote", "This operation allows partial updates of a quote entity."),
    "merge": mandatory("Patch quote", "Support of json/merge (https://tools.ietf.org/html/rfc7386) is mandatory"),
    "json patch": mandatory("Patch quote", "support of json/patch (http://tools.ietf.org/html/rfc5789) is optional."),
    "patchable": mandatory(
        "Patch quote",
        "The tables below provide the list of patchable and non patchable attributes, including constraint rules on "
        "their usage.",
    ),
    "fixed": mandatory("Patch quote", "Non Patchable Attributes Rule id href quoteDate"),
    "delete": mandatory("Delete quote", "This operation deletes a quote entity. … Response 204"),
    "delete contents": mandatory("API operations", "DELETE must be used to remove a resource"),
    "hub register": mandatory(
        "Register listener", "Returns HTTP/1.1 status code 204 if the request was successful. … Response 201"
    ),
    "hub refuse": mandatory("Register listener", "Returns HTTP/1.1 status code 409 if request is not successful."),
    "hub body": mandatory("Register listener", '{"id":"42","callback":"http://in.listener.com","query":null}'),
    "hub location": mandatory("Register listener", "Response 201 Content-Type: application/json Location: /api/hub/42"),
    "hub several": mandatory(
        "Register listener",
        "Subsequent POST calls will be rejected by the service if it does not support multiple listeners.",
    ),
    "hub remove": mandatory("Unregister listener", "Returns HTTP/1.1 status code 204 if the request was successful."),
    "hub unknown": mandatory("Unregister listener", "Returns HTTP/1.1 status code 404 if the resource is not found."),
    "hub silent": mandatory(
        "Unregister listener", "Clears the communication endpoint address that was set by creating the Hub."
    ),
    "event envelope": mandatory(
        "Notification resource models",
        "a generic Event structure containing at least an id of the event occurrence (eventId), an event timestamp "
        "(eventTime), and the name of the resource (eventType).",
    ),
    "event id": mandatory(
        "Notification resource models", "containing at least an id of the event occurrence (eventId)"
    ),
    "event payload": mandatory(
        "Notification resource models",
        'This notification structure owns an event payload structure ("SpecificEventPayload" placeholder) linked to '
        'the resource concerned by the notification using the resource name as access field ("resourceName" '
        "placeholder).",
    ),
    "event Create": mandatory("Notification resource models", "Notification QuoteCreateEvent case for resource Quote"),
    "event StateChange": mandatory(
        "Notification resource models", "Notification QuoteStateChangeEvent case for resource Quote"
    ),
    "event AttributeValueChange": mandatory(
        "Notification resource models", "Notification QuoteAttributeValueChangeEvent case for resource Quote"
    ),
    "event Delete": mandatory("Notification resource models", "Notification QuoteDeleteEvent case for resource Quote"),
}

QUERIES = (
    "category", "description", "externalId", "instantSyncQuote", "state", "version", "quoteDate",
    "expectedFulfillmentStartDate", "requestedQuoteCompletionDate", "expectedQuoteCompletionDate", "@type",
    "agreement.id", "billingAccount.id", "contactMedium.mediumType", "contactMedium.characteristic.emailAddress",
    "note.author", "note.text", "productOfferingQualification.id", "quoteItem.action", "quoteItem.quantity",
    "quoteItem.productOffering.id", "quoteItem.productOffering.name", "quoteItem.product.name", "relatedParty.id",
    "relatedParty.name", "relatedParty.role", "validFor.startDateTime", "validFor.endDateTime",
)  # fmt: skip


def minimal() -> Document:
    return {"quoteItem": [{"id": "1", "action": "add", "productOffering": {"id": "54gg-zza1"}}]}


def body(mark: str, variant: int) -> Document:
    day = f"{11 + variant:02}"
    return {
        "category": f"category {mark}",
        "description": mark,
        "externalId": f"external {mark}",
        "expectedFulfillmentStartDate": f"2019-05-{day}T12:45:12.028Z",
        "requestedQuoteCompletionDate": f"2019-06-{day}T12:45:12.028Z",
        "instantSyncQuote": False,
        "version": str(1 + variant),
        "validFor": {"startDateTime": f"2019-05-{day}T12:45:12.033Z", "endDateTime": f"2019-06-{day}T12:45:12.033Z"},
        "agreement": [{"id": f"agreement-{mark}", "name": "Global Agreement", "@referredType": "MassAgreement"}],
        "billingAccount": [{"id": f"account-{mark}"}],
        "contactMedium": [
            {
                "mediumType": ("email", "fax")[variant % 2],
                "preferred": True,
                "characteristic": {"emailAddress": f"{mark}@example.com"},
            }
        ],
        "note": [
            {"id": "1", "author": f"author {mark}", "date": f"2019-05-{day}T12:45:12.028Z", "text": f"text {mark}"}
        ],
        "productOfferingQualification": [{"id": f"qualification-{mark}"}],
        "relatedParty": [_party(party, mark) for party in PARTIES],
        "quoteItem": [
            {
                "id": "1",
                "action": ("add", "modify")[variant % 2],
                "quantity": 10 + variant,
                "productOffering": {"id": f"offering-{mark}", "name": f"offering {mark}"},
                "product": {"@type": "Product", "name": f"product {mark}"},
            }
        ],
    }


def _party(party: Document, mark: str) -> Document:
    return party | {name: f"{party[name]} {mark}" for name in ("id", "name", "role")}


PATCHABLE: dict[str, Any] = {
    "agreement": [{"id": "7778-jj56"}],
    "authorization": [{"name": "Global authorization", "state": "approved"}],
    "billingAccount": [{"id": "BA4569"}],
    "category": "changed category",
    "contactMedium": [{"mediumType": "phone", "preferred": False}],
    "description": "Changed description",
    "effectiveQuoteCompletionDate": "2019-05-13T12:45:12.028Z",
    "expectedFulfillmentStartDate": "2019-05-22T12:45:12.028Z",
    "expectedQuoteCompletionDate": "2019-05-15T12:45:12.028Z",
    "externalId": "changed-external-id",
    "note": [{"id": "1", "text": "Changed note"}],
    "productOfferingQualification": [{"id": "poq-1"}],
    "quoteItem": [{"id": "1", "action": "modify", "productOffering": {"id": "54gg-zza1"}}],
    "quoteTotalPrice": [{"priceType": "recurring", "name": "Changed price"}],
    "relatedParty": [PARTIES[0]],
    "requestedQuoteCompletionDate": "2019-05-16T12:45:12.028Z",
    "validFor": {"startDateTime": "2019-04-01T00:00:00.000Z", "endDateTime": "2019-05-01T00:00:00.000Z"},
    "version": "7",
}

TMF648 = Api(
    name="tmf648",
    title="TMF648 Quote Management 4.0.1",
    segments=("quoteManagement",),
    resource="quote",
    type="Quote",
    contract=contract_path("tmf648-quote-v4.yaml"),
    state="state",
    created="quoteDate",
    transitions=MappingProxyType(
        {
            "inProgress": ("pending", "approved", "cancelled"),
            "pending": ("inProgress", "cancelled"),
            "approved": ("accepted", "rejected"),
        }
    ),
    fixed=MappingProxyType(
        {"id": "another-id", "href": "http://elsewhere.invalid/1", "quoteDate": "2001-02-03T04:05:06.000Z"}
    ),
    minimal=minimal,
    body=body,
    text="externalId",
    other_text="description",
    group="category",
    nested=(
        "validFor",
        {"startDateTime": "2019-05-06T12:45:12.000Z", "endDateTime": "2019-06-06T12:45:12.000Z"},
        {"endDateTime": "2019-07-06T12:45:12.000Z"},
    ),
    parties=PARTIES,
    patchable=MappingProxyType(PATCHABLE),
    queries=QUERIES,
    sources=MappingProxyType(SOURCES),
    profiles=(SPECIFICATION, TMF648B),
)

SUITE = Suite(TMF648, quote.checks)
