"""TMF699 Sales Management: the rules of a sales lead that its contract cannot express.

Everything else (members, defaults, lifecycle, dates set on transition, indexes, events) is in the contract.
"""

from __future__ import annotations

from tmf_sales.engine.hooks import Rules


class SalesLeadRules(Rules):
    def editable_members(self, state: str, final: bool) -> frozenset[str] | None:
        """A lead that is accepted, rejected or cancelled is still talked about: people, notes, what came of it."""
        return frozenset({"note", "relatedParty", "salesOpportunity"}) if final else None
