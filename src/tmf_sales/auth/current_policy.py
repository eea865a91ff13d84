"""Holds the policy in force. A reload replaces it as a whole; the old one is not changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tmf_sales.access import Access, Principal
from tmf_sales.auth.policy import Policy
from tmf_sales.auth.policy_table import Row
from tmf_sales.configuration.settings import Settings
from tmf_sales.contract.loader import Contract
from tmf_sales.events.visibility import SeenBy


class CurrentPolicy:
    """Answers with the policy in force. `apis`: the contracts that a reloaded policy must match."""

    def __init__(self, policy: Policy, apis: Sequence[Contract]) -> None:
        self._policy = policy
        self._apis = apis

    @classmethod
    def load(cls, settings: Settings, apis: Sequence[Contract]) -> CurrentPolicy:
        """Load the policy of the settings; raises BadPolicy."""
        return cls(Policy.for_apis(settings.policy, apis), apis)

    def check(self, *, all_apis: bool) -> None:
        self._policy.check(all_apis=all_apis)

    def access(self, principal: Principal, operation_id: str, base_path: str | None = None) -> Access:
        return self._policy.access(principal, operation_id, base_path)

    def rows(self, principal: Principal, operation_id: str, base_path: str) -> list[tuple[str, Row | None]]:
        return self._policy.rows(principal, operation_id, base_path)

    def seen_by(self, principal: Principal) -> SeenBy:
        """What the principal may see, for as long as one request takes."""
        return self._policy.seen_by(principal)

    def always_seen_by(self, principal: Principal) -> SeenBy:
        """What the principal may see under the policy that is in force at each call, for subscriptions and streams."""
        return lambda kind: self._policy.seen_by(principal)(kind)

    def prepare(self, settings: Settings) -> Callable[[], None]:
        """Load the policy anew; return what puts it into force. Raises BadPolicy."""
        loaded = Policy.for_apis(settings.policy, self._apis)
        if settings.authentication:
            loaded.check(all_apis=not settings.apis)

        def replace() -> None:
            self._policy = loaded

        return replace
