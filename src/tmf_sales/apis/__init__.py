"""The thin modules, one per contract: what a contract cannot say of its resources, and nothing else.

`RULES` names the rules of each resource that has some; a resource without is run by its contract alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tmf_sales.apis.quote import QuoteRules
from tmf_sales.apis.sales_lead import SalesLeadRules
from tmf_sales.engine.hooks import Rules

RULES: Mapping[str, Callable[[], Rules]] = {"SalesLead": SalesLeadRules, "Quote": QuoteRules}
