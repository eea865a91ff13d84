"""Verifies credentials for Connexion's security middleware, then asks the policy for the caller's permissions.

Guarantee: with authentication on, every operation needs a valid credential with the scope that the contract asks for
(RFC 6750). With authentication off, every caller is an admin and credentials are ignored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connexion.security import NO_VALUE

from tmf_sales.access import ANONYMOUS_ADMIN, FULL_ACCESS, Access, Principal
from tmf_sales.auth.api_keys import ApiKeys
from tmf_sales.auth.current_policy import CurrentPolicy
from tmf_sales.auth.jwt import Credential, Tokens, refusal
from tmf_sales.auth.policy import Policy
from tmf_sales.auth.rate_limit import RateLimit
from tmf_sales.contract.loader import METHODS, Contract
from tmf_sales.errors import Forbidden, TmfError, Unauthenticated
from tmf_sales.http.context import (
    CALLER,
    EVERYBODY,
    Admit,
    Caller,
    Identify,
    MayRead,
    SchemeHandler,
    SecurityMap,
    Verify,
)
from tmf_sales.http.middleware import Scope

Permissions = Policy | CurrentPolicy

AUTHORIZATION, API_KEY = b"authorization", b"x-api-key"
_REFUSAL = "tmf_sales.refusal"


@dataclass(frozen=True, slots=True)
class Authenticator:
    """Verifies tokens and API keys; None means that the service does not accept this kind of credential."""

    tokens: Tokens | None
    api_keys: ApiKeys | None

    def security_map(self) -> SecurityMap:
        return {"oauth2": self._bearer, "openIdConnect": self._bearer, "apiKey": self._api_key}

    async def principal_of(self, scope: Scope, required: Sequence[str] = ()) -> Principal:
        """The caller of a path outside the contracts; raises Unauthenticated, or Forbidden without the scopes."""
        credential = await self.credential_of(scope)
        reject_missing_scopes(credential, required)
        return credential.principal

    async def credential_of(self, scope: Scope) -> Credential:
        """Verify the credential of a request; raises Unauthenticated."""
        if self.tokens is not None and (token := bearer_token(scope)) is not None:
            return await self.tokens.credential_of(token)
        if self.api_keys is not None and (key := _single(scope, API_KEY)) is not None:
            return self.api_keys.credential_of(key)
        raise Unauthenticated("expected a bearer token or an API key")

    def _bearer(self) -> SchemeHandler:
        return _Bearer(self.tokens)

    def _api_key(self) -> SchemeHandler:
        return _ApiKey(self.api_keys)


@dataclass(frozen=True, slots=True)
class _Bearer:
    tokens: Tokens | None

    def get_fn(self, security_scheme: Mapping[str, Any], required_scopes: Sequence[str]) -> Verify | None:
        tokens = self.tokens
        return None if tokens is None else lambda request: self._verified(tokens, request.scope, required_scopes)

    async def _verified(self, tokens: Tokens, scope: Scope, required: Sequence[str]) -> Any:
        if (refused := scope.get(_REFUSAL)) is not None:  # the contract has two schemes that take the same tokens
            raise refused
        try:
            if (token := bearer_token(scope)) is None:
                return NO_VALUE
            credential = await tokens.credential_of(token)
            reject_missing_scopes(credential, required)
        except TmfError as error:
            scope[_REFUSAL] = error
            raise
        return _authenticated(scope, credential)


@dataclass(frozen=True, slots=True)
class _ApiKey:
    api_keys: ApiKeys | None

    def get_fn(self, security_scheme: Mapping[str, Any], required_scopes: Sequence[str]) -> Verify | None:
        api_keys = self.api_keys
        return None if api_keys is None else lambda request: self._verified(api_keys, request.scope)

    def _verified(self, api_keys: ApiKeys, scope: Scope) -> Any:
        key = _single(scope, API_KEY)
        return NO_VALUE if key is None else _authenticated(scope, api_keys.credential_of(key))


def bearer_token(scope: Scope) -> str | None:
    """The token of the Authorization header (RFC 6750, 2.1); None if it is missing or has another scheme."""
    scheme, _, token = (_single(scope, AUTHORIZATION) or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def reject_missing_scopes(credential: Credential, required: Sequence[str]) -> None:
    missing = [] if credential.scopes is None else [scope for scope in required if scope not in credential.scopes]
    if missing:
        wanted = " ".join(required)
        challenge = f'Bearer realm="tmf-api", error="insufficient_scope", scope="{wanted}"'
        raise Forbidden(f"Authorization: the token lacks the scope {wanted}", {"WWW-Authenticate": challenge})


def _authenticated(scope: Scope, credential: Credential) -> Mapping[str, Any]:
    scope[CALLER] = credential.principal
    return {"sub": credential.principal.subject}


def _single(scope: Scope, name: bytes) -> str | None:
    """The only value of a header; raises Unauthenticated when the request repeats it."""
    values = [value for header, value in scope["headers"] if header == name]
    if len(values) > 1:
        raise refusal("there is more than one")
    return values[0].decode("latin-1") if values else None


def admission(policy: Permissions | None, limit: RateLimit | None) -> Admit:
    """Create the check of permissions. `policy` None: no authentication, every caller is an admin."""

    async def admit(scope: Scope, base_path: str, operation_id: str) -> tuple[Principal, Access]:
        principal = ANONYMOUS_ADMIN if policy is None else scope[CALLER]
        if limit is not None:
            await limit.reject_too_many(principal.subject, scope)
        return principal, FULL_ACCESS if policy is None else policy.access(principal, operation_id, base_path)

    return admit


def page_admission(
    right: str, authenticator: Authenticator, policy: Permissions | None, limit: RateLimit | None = None
) -> MayRead:
    """Create the check for a page outside the contracts, which needs this right; parameters as for `admission`."""

    async def may_read(scope: Scope, required: Sequence[str]) -> Principal:
        principal = ANONYMOUS_ADMIN if policy is None else await authenticator.principal_of(scope, required)
        if limit is not None:
            await limit.reject_too_many(principal.subject, scope)
        if policy is not None:
            policy.access(principal, right, "")
        return principal

    return may_read


def identification(authenticator: Authenticator, policy: Permissions | None, limit: RateLimit | None) -> Identify:
    """Create the check for a page that every known caller may read; parameters as for `admission`."""

    async def identify(scope: Scope) -> Caller:
        if policy is None:
            caller = EVERYBODY
        else:
            credential = await authenticator.credential_of(scope)
            caller = Caller(credential.principal, credential.scopes)
        if limit is not None:
            await limit.reject_too_many(caller.principal.subject, scope)
        return caller

    return identify


def require_credentials(api: Contract) -> None:
    """Remove the anonymous alternative from the contract's security requirements, in place; raise ValueError."""
    for holder in _with_security(api.document):
        holder["security"] = [requirement for requirement in holder["security"] if requirement]
        if not holder["security"]:
            rule = "with authentication, every operation needs credentials"
            raise ValueError(
                f"{api.file}: {rule}; expected security, such as [{{apiKey: []}}], and its securitySchemes"
            )


def _with_security(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    document.setdefault("security", [])
    yield document
    for item in document["paths"].values():
        yield from (item[method] for method in METHODS if "security" in item.get(method, {}))
