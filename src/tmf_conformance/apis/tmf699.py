"""TMF699 Sales Management 4.0.1: names, states and bodies of a sales lead, and the sentences that state its rules."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from tmf_conformance.api import Api, Document
from tmf_conformance.checks import sales_lead
from tmf_conformance.contract_files import contract_path
from tmf_conformance.source import mandatory
from tmf_conformance.suite import Suite

PARTIES = (
    {"id": "127", "name": "Walter White", "role": "marketing team", "@referredType": "individual"},
    {"id": "475", "name": "Saul Goodman", "role": "sales team", "@referredType": "individual"},
)

SOURCES = {
    "list": mandatory("List sales leads", "This operation list sales lead entities. … Response 200"),
    "list contents": mandatory("List sales leads", "This operation list sales lead entities."),
    "list fields": mandatory("List sales leads", "Attribute selection is enabled for all first level attributes."),
    "retrieve": mandatory("Retrieve sales lead", "This operation retrieves a sales lead entity. … Response 200"),
    "retrieve contents": mandatory("Retrieve sales lead", "This operation retrieves a sales lead entity."),
    "retrieve fields": mandatory(
        "Retrieve sales lead", "Attribute selection is enabled for all first level attributes."
    ),
    "create": mandatory("Create sales lead", "This operation creates a sales lead entity. … Response 201"),
    "create contents": mandatory("Create sales lead", "This operation creates a sales lead entity."),
    "id": mandatory("Field descriptions", "A string. Unique identifier of the salesLead."),
    "href": mandatory("Field descriptions", "A string. Reference of the salesLead."),
    "created": mandatory("Field descriptions", "A date time (DateTime). Date and time of the salesLead creation."),
    "initial": mandatory(
        "Create sales lead",
        "Here's an example of a request for creating a sales lead resource. … Response 201 … "
        '"status": "acknowledged",',
    ),
    "types": mandatory("Field descriptions", "SalesLead fields category A category reference (CategoryRef)."),
    "state": mandatory(
        "Lifecycle",
        "A sales lead state type (SalesLeadStateType). Valid values for the lifecycle state of a salesLead resource.",
    ),
    "state values": mandatory("Lifecycle", "Valid values for the lifecycle state of a salesLead resource."),
    "polymorphism": mandatory(
        "Support of polymorphism and extension patterns",
        "All resources and sub-resources of this API have a @type attributes that can be provided when this is useful.",
    ),
    "patch": mandatory(
        "Patch sales lead", "This operation allows partial updates of a sales lead entity. … Response 200"
    ),
    "patch contents": mandatory("Patch sales lead", "This operation allows partial updates of a sales lead entity."),
    "merge": mandatory("Patch sales lead", "Support of json/merge (https://tools.ietf.org/html/rfc7386) is mandatory"),
    "json patch": mandatory(
        "Patch sales lead", "support of json/patch (http://tools.ietf.org/html/rfc5789) is optional."
    ),
    "patchable": mandatory(
        "Patch sales lead",
        "The tables below provide the list of patchable and non-patchable attributes, including constraint rules on "
        "their usage.",
    ),
    "fixed": mandatory("Patch sales lead", "Non Patchable Attributes Rule id href creationDate"),
    "delete": mandatory("Delete sales lead", "This operation deletes a sales lead entity. … Response … 204"),
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
        "Publish event to listener",
        '{ "event": { EVENT BODY }, "eventType": "EVENT_TYPE" }',
    ),
    "event id": mandatory(
        "Notification resource models", '"eventId":"00001", "eventTime":"2015-11-16T16:42:25-04:00",'
    ),
    "event payload": mandatory(
        "Notification resource models", '"event": { "salesLead" : {-- SEE SalesLead RESOURCE SAMPLE --} }'
    ),
    "event Create": mandatory(
        "Notification resource models", "Notification SalesLeadCreateEvent case for resource SalesLead"
    ),
    "event StateChange": mandatory(
        "Notification resource models", "Notification SalesLeadStateChangeEvent case for resource SalesLead"
    ),
    "event AttributeValueChange": mandatory(
        "Notification resource models", "Notification SalesLeadAttributeValueChangeEvent case for resource SalesLead"
    ),
    "event Delete": mandatory(
        "Notification resource models", "Notification SalesLeadDeleteEvent case for resource SalesLead"
    ),
}

QUERIES = (
    "name", "description", "status", "priority", "rating", "type", "creationDate", "referredDate", "statusChangeDate",
    "statusChangeReason", "@type", "category.id", "category.name", "channel.id", "estimatedRevenue.unit",
    "estimatedRevenue.value", "marketSegment.id", "marketingCampaign.id", "note.author", "note.text", "product.id",
    "productOffering.id", "productSpecification.id", "prospectContact.mediumType",
    "prospectContact.characteristic.emailAddress", "relatedParty.id", "relatedParty.name", "relatedParty.role",
    "salesOpportunity.id", "validFor.startDateTime", "validFor.endDateTime",
)  # fmt: skip


def minimal() -> Document:
    return {"name": "Conformance run"}


def body(mark: str, variant: int) -> Document:
    day = f"{11 + variant:02}"
    reference = {"name": f"name of {mark}"}
    return {
        "name": f"Lead {mark}",
        "description": mark,
        "referredDate": f"2019-01-{day}T12:27:59.123Z",
        "status": ("acknowledged", "inProgress")[variant % 2],
        "statusChangeReason": f"reason {mark}",
        "type": f"type {mark}",
        "rating": f"rating {mark}",
        "priority": ("medium", "high")[variant % 2],
        "estimatedRevenue": {"unit": ("EUR", "USD")[variant % 2], "value": 1200 + variant},
        "validFor": {"startDateTime": f"2019-01-{day}T12:27:59.123Z", "endDateTime": f"2019-02-{day}T12:27:59.123Z"},
        "marketSegment": {"id": f"segment-{mark}"} | reference,
        "marketingCampaign": {"id": f"campaign-{mark}"} | reference,
        "channel": {"id": f"channel-{mark}"} | reference,
        "productOffering": {"id": f"offering-{mark}"} | reference,
        "productSpecification": {"id": f"specification-{mark}"} | reference,
        "product": {"id": f"product-{mark}"},
        "category": {"id": f"category-{mark}"} | reference,
        "salesOpportunity": {"id": f"opportunity-{mark}"} | reference,
        "relatedParty": [_party(party, mark) for party in PARTIES],
        "prospectContact": [
            {
                "preferred": True,
                "mediumType": ("email", "fax")[variant % 2],
                "characteristic": {"emailAddress": f"{mark}@example.com"},
            }
        ],
        "note": [
            {"id": "1", "author": f"author {mark}", "date": f"2019-01-{day}T15:53:29.961Z", "text": f"text {mark}"}
        ],
    }


def _party(party: Document, mark: str) -> Document:
    return party | {name: f"{party[name]} {mark}" for name in ("id", "name", "role")}


PATCHABLE: dict[str, Any] = {
    "category": {"id": "15", "name": "Individual Bank account category"},
    "channel": {"id": "1", "name": "www.example.com"},
    "description": "Changed description",
    "estimatedRevenue": {"unit": "EUR", "value": 99},
    "marketSegment": {"id": "657"},
    "marketingCampaign": {"id": "21"},
    "name": "Changed name",
    "note": [{"id": "1", "author": "Saul Goodman", "text": "Changed note"}],
    "priority": "low",
    "product": {"id": "7321"},
    "productOffering": {"id": "42"},
    "productSpecification": {"id": "43"},
    "prospectContact": [{"preferred": False, "mediumType": "phone"}],
    "rating": "cold",
    "referredDate": "2019-03-01T00:00:00.000Z",
    "relatedParty": [PARTIES[0]],
    "salesOpportunity": {"id": "7894325"},
    "statusChangeDate": "2019-03-02T00:00:00.000Z",
    "statusChangeReason": "Changed reason",
    "type": "changed type",
    "validFor": {"startDateTime": "2019-04-01T00:00:00.000Z", "endDateTime": "2019-05-01T00:00:00.000Z"},
}

TMF699 = Api(
    name="tmf699",
    title="TMF699 Sales Management 4.0.1",
    segments=("sales", "salesManagement"),
    resource="salesLead",
    type="SalesLead",
    contract=contract_path("tmf699-sales-v4.yaml"),
    state="status",
    created="creationDate",
    transitions=MappingProxyType(
        {
            "acknowledged": ("inProgress", "cancelled"),
            "inProgress": ("pending", "accepted", "rejected"),
            "pending": ("inProgress", "rejected"),
        }
    ),
    fixed=MappingProxyType(
        {"id": "another-id", "href": "http://elsewhere.invalid/1", "creationDate": "2001-02-03T04:05:06.000Z"}
    ),
    minimal=minimal,
    body=body,
    text="name",
    other_text="rating",
    group="type",
    nested=(
        "estimatedRevenue",
        {"unit": "EUR", "value": 1200},
        {"value": 1300},
    ),
    parties=PARTIES,
    patchable=MappingProxyType(PATCHABLE),
    queries=QUERIES,
    sources=MappingProxyType(SOURCES),
)

SUITE = Suite(TMF699, sales_lead.checks)
