"""What the tests that hold for every resource need to know of each."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from tests.api import Document


@dataclass(frozen=True, slots=True)
class Resource:
    """One type. `minimal` creates it; `text` and `date` name members that a patch may change.

    `states`: the first one of the member `state`, one that it may become, and one that the latter may not become.
    """

    name: str
    base_path: str
    collection: str
    minimal: Document
    mandatory: str
    state: str
    states: tuple[str, str, str]
    text: str
    date: str
    second_text: str

    def body(self, **members: object) -> Document:
        return {**self.minimal, **members}

    def at(self, document: Document) -> str:
        return f"{self.collection}/{document['id']}"


def unique_text() -> str:
    """A text that no other test has stored, for filters that find only what their test created."""
    return uuid.uuid4().hex


LEAD = Resource(
    name="SalesLead",
    base_path="/tmf-api/sales/v4",
    collection="/salesLead",
    minimal={"name": "Campaign 17 salesLead 7852"},
    mandatory="name",
    state="status",
    states=("acknowledged", "inProgress", "cancelled"),
    text="description",
    second_text="rating",
    date="referredDate",
)
TICKET = Resource(
    name="Ticket",
    base_path="/tmf-api/troubleTicket/v4",
    collection="/ticket",
    minimal={"severity": "minor"},
    mandatory="severity",
    state="status",
    states=("open", "held", "closed"),
    text="description",
    second_text="reporter",
    date="requestedResolutionDate",
)
QUOTE = Resource(
    name="Quote",
    base_path="/tmf-api/quoteManagement/v4",
    collection="/quote",
    minimal={"quoteItem": [{"action": "add"}]},
    mandatory="quoteItem",
    state="state",
    states=("inProgress", "pending", "approved"),
    text="description",
    second_text="category",
    date="requestedQuoteCompletionDate",
)
