"""TMF699 Sales Management: the rules of a sales lead that its contract cannot express.

Everything else (members, defaults, lifecycle, dates set on transition, indexes, events) is in the contract.
"""

from __future__ import annotations

from tmf_sales.engine.hooks import Rules


class SalesLeadRules(Rules):
    changes_in_place = False

    def editable_members(self, state: str, final: bool) -> frozenset[str] | None:
        """A closed lead still collects notes, parties and the opportunity it led to."""
        return frozenset({"note", "relatedParty", "salesOpportunity"}) if final else None
