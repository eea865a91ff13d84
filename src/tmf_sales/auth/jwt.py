"""Verifies bearer tokens offline: JWTs that the configured provider signed (RFC 7519, RFC 8725, RFC 9068).

Guarantee: a token is rejected unless a key of the provider signed it with an accepted algorithm, for this service, and
it has not expired. The error gives the reason and no more. Tokens are never logged; the cache only holds digests.
"""

from __future__ import annotations

import hashlib
import time
import warnings
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import ExpiredTokenError, InvalidClaimError, JoseError, MissingClaimError, SecurityWarning

from tmf_sales.access import Principal
from tmf_sales.auth.jwks import Keys
from tmf_sales.errors import Unauthenticated

TOKEN_LIMIT = 16 * 1024
API_KEY_SUBJECT = "api-key:"
KEPT = 10_000
KEPT_FOR = 300.0
TYPES = {"jwt", "at+jwt", "application/at+jwt"}
CHALLENGE = 'Bearer realm="tmf-api", error="invalid_token"'


@dataclass(frozen=True, slots=True)
class Credential:
    """The caller behind a credential. `scopes` None: not limited to scopes. `expires`: seconds since 1970."""

    principal: Principal
    scopes: frozenset[str] | None
    expires: float


@dataclass(frozen=True, slots=True)
class TokenRules:
    """The required claims of a token, and the paths of the claims to read, such as `realm_access.roles`.

    `algorithms` has no algorithm with a shared secret. `leeway`: seconds by which clocks may differ.
    """

    issuer: str
    audience: str
    algorithms: tuple[str, ...]
    leeway: int
    roles_claim: str
    parties_claim: str


class Tokens:
    """Verifies tokens; caches each valid one until it expires, for five minutes at most."""

    def __init__(self, rules: TokenRules, keys: Keys, now: Callable[[], float] = time.time) -> None:
        self._rules = rules
        self._keys = keys
        self._now = now
        self._known: OrderedDict[bytes, tuple[Credential, float]] = OrderedDict()

    async def credential_of(self, token: str) -> Credential:
        """Verify the token; raise Unauthenticated, or Unavailable while there are no keys."""
        if len(token) > TOKEN_LIMIT:
            raise refusal("the token is too long")
        digest = hashlib.sha256(token.encode("latin-1", "replace")).digest()
        credential, until = self._known.get(digest, (None, 0.0))
        if credential is not None and self._now() < until:
            return credential
        credential = await self._checked(token)
        self._remember(digest, credential)
        return credential

    async def _checked(self, token: str) -> Credential:
        header = self._header(token)
        key = await self._keys.find(header.get("kid"), header["alg"])
        if key is None:
            raise refusal("the token is not signed with a key of the issuer")
        try:
            with warnings.catch_warnings():  # providers still say EdDSA, where RFC 9864 says Ed25519
                warnings.simplefilter("ignore", SecurityWarning)
                claims = jwt.decode(token, key, algorithms=[header["alg"]]).claims
            self._claims_registry().validate(claims)
        except ExpiredTokenError:
            raise refusal("the token has expired") from None
        except (InvalidClaimError, MissingClaimError) as error:
            raise refusal(f"the claim {error.claim} is missing or not the expected one") from None
        except (JoseError, ValueError, TypeError, OverflowError, RecursionError):
            raise refusal("the token is not valid") from None
        return self._credential(claims)

    def _header(self, token: str) -> Mapping[str, Any]:
        """Read the header before verification; raise Unauthenticated when no key could make the token valid."""
        try:
            header = jws.extract_compact(token.encode("ascii")).headers()
        except (JoseError, ValueError, TypeError, RecursionError):
            raise refusal("the token is not a signed JWT") from None
        if header.get("alg") not in self._rules.algorithms:
            raise refusal("the token's algorithm is not accepted")
        if str(header.get("typ", "jwt")).lower() not in TYPES:
            raise refusal("the token is not an access token")
        return header

    def _claims_registry(self) -> jwt.JWTClaimsRegistry:
        return jwt.JWTClaimsRegistry(
            now=int(self._now()),
            leeway=self._rules.leeway,
            iss={"essential": True, "value": self._rules.issuer},
            aud={"essential": True, "value": self._rules.audience},
            sub={"essential": True},
            exp={"essential": True},
        )

    def _credential(self, claims: Mapping[str, Any]) -> Credential:
        if claims["sub"].startswith(API_KEY_SUBJECT):
            raise refusal("the subject is one of the service's own")
        scopes = texts_at(claims, "scope") | texts_at(claims, "scp")
        expires = float(claims["exp"]) + self._rules.leeway
        principal = Principal(
            subject=claims["sub"],
            roles=texts_at(claims, self._rules.roles_claim),
            parties=texts_at(claims, self._rules.parties_claim),
            scopes=scopes,
            is_valid=lambda: self._now() < expires,
        )
        return Credential(principal, scopes, expires)

    def _remember(self, digest: bytes, credential: Credential) -> None:
        self._known[digest] = (credential, min(credential.expires, self._now() + KEPT_FOR))
        self._known.move_to_end(digest)
        if len(self._known) > KEPT:
            self._known.popitem(last=False)


def texts_at(claims: Mapping[str, Any], path: str) -> frozenset[str]:
    """The strings of a claim, given as a list or separated by blanks; empty when the claim is missing.

    `path` may also be a claim name with dots, such as `https://example.com/roles`.
    """
    value: Any = claims.get(path)
    if value is None:
        value = claims
        for step in path.split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
    if isinstance(value, str):
        return frozenset(value.split())
    return frozenset(each for each in value if isinstance(each, str)) if isinstance(value, list) else frozenset()


def refusal(message: str) -> Unauthenticated:
    return Unauthenticated(f"Authorization: {message}", {"WWW-Authenticate": CHALLENGE})
