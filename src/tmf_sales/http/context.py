"""Declares the interface of authentication and authorization, and its default: every caller is an admin.

Guarantee: the modules for keys, tokens and rate limits are imported only when a setting needs them. That saves a tenth
of a second of each start.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from tmf_sales.access import ANONYMOUS_ADMIN, FULL_ACCESS, Access, Principal
from tmf_sales.configuration.reloading import Prepare, PutIntoForce
from tmf_sales.configuration.settings import Settings
from tmf_sales.errors import CannotStart
from tmf_sales.http.middleware import Scope

if TYPE_CHECKING:
    from connexion.lifecycle import ConnexionRequest

Verify = Callable[["ConnexionRequest"], Any]

Admit = Callable[[Scope, str, str], Awaitable[tuple[Principal, Access]]]
"""(scope, base path of the API, operationId) -> who calls, and what it may; raises Forbidden and TooManyRequests."""


class Caller(NamedTuple):
    """Who calls. `scopes`: those of the token; None without a token."""

    principal: Principal
    scopes: frozenset[str] | None


Identify = Callable[[Scope], Awaitable[Caller]]
"""Finds out who calls a page outside the contracts; raises Unauthenticated and TooManyRequests."""

MayRead = Callable[[Scope, Sequence[str]], Awaitable[Principal]]
"""(scope, scopes that a token needs) -> who calls; raises Unauthenticated, Forbidden and TooManyRequests."""


CALLER = "tmf_sales.principal"
"""In the scope of a request: who its credential belongs to."""


class SchemeHandler(Protocol):
    """Verifies one security scheme for Connexion's security_map (see connexion.security.AbstractSecurityHandler)."""

    def get_fn(self, security_scheme: Mapping[str, Any], required_scopes: Sequence[str]) -> Verify | None: ...


SecurityMap = Mapping[str, Callable[[], SchemeHandler]]


@dataclass(frozen=True, slots=True)
class Security:
    """Authenticates and authorizes requests.

    `security_map` has a handler for each type of scheme, as ConnexionMiddleware takes it. The next four check callers
    of the pages /audit, /metrics, /health and /permissions. `prepare` reloads the API keys.
    """

    security_map: SecurityMap
    admit: Admit
    may_read_audit: MayRead
    may_read_metrics: MayRead
    may_read_health: MayRead
    identify: Identify
    prepare: Prepare


EVERYBODY = Caller(ANONYMOUS_ADMIN, None)
EVERYTHING = ANONYMOUS_ADMIN, FULL_ACCESS


class NoCredential:
    """A security scheme that asks for no credential."""

    def get_fn(self, security_scheme: Mapping[str, Any], required_scopes: Sequence[str]) -> None:
        return None


async def admit_everybody(_scope: Scope, _base_path: str, _operation_id: str) -> tuple[Principal, Access]:
    return EVERYTHING


async def admin(_scope: Scope, _scopes: Sequence[str]) -> Principal:
    return ANONYMOUS_ADMIN


async def everybody(_scope: Scope) -> Caller:
    return EVERYBODY


def reload_nothing(settings: Settings) -> PutIntoForce:
    """Reject settings that turn authentication on: the pipeline of a running service has no place for it."""
    if settings.authentication:
        raise CannotStart("authentication was turned on, which needs a restart")
    return lambda: None


NO_SECURITY = Security(
    dict.fromkeys(("oauth2", "openIdConnect", "apiKey"), NoCredential),
    admit_everybody,
    admin,
    admin,
    admin,
    everybody,
    reload_nothing,
)
