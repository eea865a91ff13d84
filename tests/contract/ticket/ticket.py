"""The rules of a ticket that its contract cannot express."""

from __future__ import annotations

from tmf_sales.engine.hooks import Rules
from tmf_sales.storage.records import Document
from tmf_sales.values.messages import Violation


class TicketRules(Rules):
    def check_body(self, document: Document) -> list[Violation]:
        """What is critical is described."""
        if document["severity"] == "critical" and "description" not in document:
            return [Violation("/description", "is required when severity is critical")]
        return []

    def on_patch(self, before: Document, after: Document, now: str) -> None:
        """Trouble that is back has no resolution yet."""
        if (before["status"], after.get("status")) == ("resolved", "open"):
            after.pop("resolutionDate", None)

    def editable_members(self, state: str, final: bool) -> frozenset[str] | None:
        return frozenset({"note"}) if final else None


RULES = {"Ticket": TicketRules}
