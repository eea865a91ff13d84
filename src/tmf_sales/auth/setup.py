"""Sets up authentication, policy and rate limits from the settings, once, at start.

Guarantee: a fault in keys, policy or contracts stops the start with a clear message.
"""

from __future__ import annotations

from collections.abc import Sequence

from tmf_sales.auth.api_keys import ApiKeys
from tmf_sales.auth.authentication import (
    Authenticator,
    admission,
    identification,
    page_admission,
    require_credentials,
)
from tmf_sales.auth.jwks import Keys, reader_of
from tmf_sales.auth.jwt import TokenRules, Tokens
from tmf_sales.auth.policy import READ_AUDIT, READ_HEALTH, READ_METRICS, Policy
from tmf_sales.auth.rate_limit import RateLimit
from tmf_sales.contract.loader import Contract
from tmf_sales.errors import CannotStart
from tmf_sales.http.context import Security
from tmf_sales.settings import Settings


def create_security(apis: Sequence[Contract], settings: Settings, policy: Policy) -> Security:
    """Create the security; raise CannotStart. With authentication on, makes credentials mandatory in the contracts."""
    limit = RateLimit(settings.rate_limit) if settings.rate_limit else None
    if not settings.authentication:
        nobody = Authenticator(None, None)
        return _security(nobody, None, limit)
    policy.check(all_apis=not settings.apis)
    for api in apis:
        try:
            require_credentials(api)
        except ValueError as error:
            raise CannotStart(str(error)) from None
    api_keys = ApiKeys.load(settings.api_keys) if settings.api_keys else None
    authenticator = Authenticator(_tokens(settings), api_keys)

    return _security(authenticator, policy, limit)


def _security(authenticator: Authenticator, policy: Policy | None, limit: RateLimit | None) -> Security:
    return Security(
        authenticator.security_map(),
        admission(policy, limit),
        page_admission(READ_AUDIT, authenticator, policy, limit),
        page_admission(READ_METRICS, authenticator, policy),
        page_admission(READ_HEALTH, authenticator, policy, limit),
        identification(authenticator, policy, limit),
    )


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
