"""What the service asks of its security, and the answer without any: everybody is the admin.

Promise: nothing that reads keys, tokens or limits is imported where no setting asks for it; that is a tenth of a second
of each start.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from tmf_sales.access import ANONYMOUS_ADMIN, FULL_ACCESS, Access, Principal
from tmf_sales.http.middleware import Scope

if TYPE_CHECKING:
    from connexion.lifecycle import ConnexionRequest

Verify = Callable[["ConnexionRequest"], Any]

Admit = Callable[[Scope, str, str], Awaitable[tuple[Principal, Access]]]
"""(scope, base path of the API, operationId) -> who calls, and what it may; raises Forbidden and TooManyRequests."""


MayReadAudit = Callable[[Scope, Sequence[str]], Awaitable[Principal]]
"""(scope, scopes that a token needs) -> who calls; raises Unauthenticated, Forbidden and TooManyRequests."""


class SchemeHandler(Protocol):
    """What Connexion's security_map makes for a security scheme (see connexion.security.AbstractSecurityHandler)."""

    def get_fn(self, security_scheme: Mapping[str, Any], required_scopes: Sequence[str]) -> Verify | None: ...


SecurityMap = Mapping[str, Callable[[], SchemeHandler]]


@dataclass(frozen=True, slots=True)
class Security:
    """`security_map`: by type of scheme, as ConnexionMiddleware takes it; `may_read_audit` raises Unauthenticated,
    Forbidden and TooManyRequests.
    """

    security_map: SecurityMap
    admit: Admit
    may_read_audit: MayReadAudit


class NoCredential:
    """A scheme that nobody needs to follow."""

    def get_fn(self, security_scheme: Mapping[str, Any], required_scopes: Sequence[str]) -> None:
        return None


async def admit_everybody(_scope: Scope, _base_path: str, _operation_id: str) -> tuple[Principal, Access]:
    return ANONYMOUS_ADMIN, FULL_ACCESS


async def admin(_scope: Scope, _scopes: Sequence[str]) -> Principal:
    return ANONYMOUS_ADMIN


NO_SECURITY = Security(dict.fromkeys(("oauth2", "openIdConnect", "apiKey"), NoCredential), admit_everybody, admin)
