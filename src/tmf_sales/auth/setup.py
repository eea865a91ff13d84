"""Sets up authentication, policy and rate limits from the settings at start, and reloads the API keys.

Guarantee: a fault in keys, policy or contracts stops the start with a clear message.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from tmf_sales.auth.api_keys import ApiKeys
from tmf_sales.auth.authentication import (
    Authenticator,
    admission,
    identification,
    page_admission,
    require_credentials,
)
from tmf_sales.auth.current_policy import CurrentPolicy
from tmf_sales.auth.jwks import Keys, reader_of
from tmf_sales.auth.jwt import TokenRules, Tokens
from tmf_sales.auth.policy import READ_AUDIT, READ_HEALTH, READ_METRICS
from tmf_sales.auth.rate_limit import RateLimit
from tmf_sales.configuration.names import variable_of
from tmf_sales.configuration.reloading import Prepare, PutIntoForce
from tmf_sales.configuration.settings import Settings
from tmf_sales.contract.loader import Contract
from tmf_sales.errors import CannotStart
from tmf_sales.http.context import Security, reload_nothing


def create_security(apis: Sequence[Contract], settings: Settings, policy: CurrentPolicy) -> Security:
    """Create the security; raise CannotStart. With authentication on, makes credentials mandatory in the contracts."""
    limit = RateLimit(settings.rate_limit) if settings.rate_limit else None
    if not settings.authentication:
        nobody = Authenticator(None, None)
        return _security(nobody, None, limit, reload_nothing)
    policy.check(all_apis=not settings.apis)
    for api in apis:
        try:
            require_credentials(api)
        except ValueError as error:
            raise CannotStart(str(error)) from None
    api_keys = ApiKeys.load(settings.api_keys) if settings.api_keys else None
    authenticator = Authenticator(_tokens(settings), api_keys)

    return _security(authenticator, policy, limit, partial(prepare_api_keys, api_keys))


def _security(
    authenticator: Authenticator, policy: CurrentPolicy | None, limit: RateLimit | None, prepare: Prepare
) -> Security:
    return Security(
        authenticator.security_map(),
        admission(policy, limit),
        page_admission(READ_AUDIT, authenticator, policy, limit),
        page_admission(READ_METRICS, authenticator, policy),
        page_admission(READ_HEALTH, authenticator, policy, limit),
        identification(authenticator, policy, limit),
        prepare,
    )


def prepare_api_keys(in_use: ApiKeys | None, settings: Settings) -> PutIntoForce:
    """Load the API keys anew; return what puts them into force. Raises CannotStart."""
    if (in_use is None) != (settings.api_keys is None):
        change = "removed" if settings.api_keys is None else "added"
        raise CannotStart(f"{variable_of('api_keys')} was {change}, which needs a restart")
    if in_use is None or settings.api_keys is None:
        return lambda: None
    return partial(in_use.replace, ApiKeys.load(settings.api_keys))


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
