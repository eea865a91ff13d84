"""What authentication, policy and limits come to with the settings at hand, once, at start.

Promise: what is wrong with keys, policy or contract stops the start with one line.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from tmf_sales.access import ANONYMOUS_ADMIN, Principal
from tmf_sales.errors import CannotStart
from tmf_sales.events.envelope import Occasion
from tmf_sales.ingress import Scope
from tmf_sales.security.api_keys import ApiKeys
from tmf_sales.security.gate import Admit, Authenticator, admission, admit_everybody, require_credentials
from tmf_sales.security.key_set import Keys, reader_of
from tmf_sales.security.limits import RateLimit
from tmf_sales.security.policy import READ_AUDIT, SHIPPED, Policy
from tmf_sales.security.tokens import TokenRules, Tokens
from tmf_sales.settings import Settings
from tmf_sales.storage import Document
from tmf_sales.tmf630 import instants
from tmf_sales.tmf630.audit import record_of
from tmf_sales.tmf630.contract import Contract
from tmf_sales.tmf630.exchange import Request


@dataclass(frozen=True, slots=True)
class Security:
    """`policy` None: there is no authentication, and everybody is the admin."""

    authenticator: Authenticator
    policy: Policy | None
    admit: Admit

    async def may_read_audit(self, scope: Scope) -> Principal:
        """Raises Unauthenticated and Forbidden."""
        if self.policy is None:
            return ANONYMOUS_ADMIN
        principal = await self.authenticator.principal_of(scope)
        self.policy.access(principal, READ_AUDIT)
        return principal


def create_security(apis: Sequence[Contract], settings: Settings) -> Security:
    """Raises CannotStart. With authentication on, the contracts no longer say that credentials are optional."""
    limit = RateLimit(settings.rate_limit) if settings.rate_limit else None
    if not settings.authentication:
        return Security(Authenticator(None, None), None, admission(None, limit) if limit else admit_everybody)
    policy = Policy.load(settings.policy or SHIPPED, apis)
    policy.check()
    for api in apis:
        try:
            require_credentials(api)
        except ValueError as error:
            raise CannotStart(str(error)) from None
    api_keys = ApiKeys.load(settings.api_keys) if settings.api_keys else None
    return Security(Authenticator(_tokens(settings), api_keys), policy, admission(policy, limit))


def _tokens(settings: Settings) -> Tokens | None:
    if settings.jwt_issuer is None or settings.jwt_audience is None or settings.jwt_keys is None:
        return None
    rules = TokenRules(
        issuer=settings.jwt_issuer,
        audience=settings.jwt_audience,
        algorithms=settings.jwt_algorithms,
        leeway=settings.jwt_leeway,
        roles_claim=settings.roles_claim,
        parties_claim=settings.parties_claim,
    )
    return Tokens(rules, Keys(reader_of(settings.jwt_keys)))


def listener_record(request: Request, clock: Callable[[], datetime], ids: Callable[[], str]) -> Document:
    """The entry of the log for a listener that is registered or unregistered."""
    return record_of(request, Occasion(instants.written(clock()), request.correlation_id, ids), {}, {})
