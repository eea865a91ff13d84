"""An identity provider for tests: keys of its own, and tokens as one that is well, or as one that attacks."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.jwk import Key, RSAKey

ISSUER = "https://id.example.com/realms/sales"
AUDIENCE = "tmf-sales"
API_KEY = "1f8a2f0c-a-key-for-a-machine"
SCOPES = " ".join(f"{api}:{scope}" for api in ("tmf648", "tmf699") for scope in ("read", "write", "admin"))
PARTY = "4711"


class Provider:
    """Signs with one RSA key, whose public half is in the file `jwks`; a reader's API key is in `api_keys`."""

    def __init__(self, folder: Path) -> None:
        self.key = new_key("one")
        self.jwks = folder / "jwks.json"
        self.publish(self.key)
        self.api_keys = folder / "keys.yaml"
        digest = hashlib.sha256(API_KEY.encode()).hexdigest()
        self.api_keys.write_text(f"- {{name: billing, sha256: {digest}, roles: [reader]}}\n")

    def publish(self, *keys: Key) -> None:
        self.jwks.write_text(json.dumps({"keys": [key.as_dict(private=False) for key in keys]}))

    @property
    def environ(self) -> dict[str, str]:
        """The settings of a service that takes this provider's tokens, and one API key."""
        return {
            "TMF_SALES_JWT_ISSUER": ISSUER,
            "TMF_SALES_JWT_AUDIENCE": AUDIENCE,
            "TMF_SALES_JWT_KEYS": str(self.jwks),
            "TMF_SALES_API_KEYS": str(self.api_keys),
        }

    def token(self, *roles: str, header: dict[str, Any] | None = None, key: Key | None = None, **claims: Any) -> str:
        """A token of somebody with these roles; a claim that is None is left out."""
        stated = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "-".join(("somebody", *roles)),
            "exp": int(time.time()) + 600,
            "scope": SCOPES,
            "realm_access": {"roles": list(roles)},
            "parties": [PARTY],
            **claims,
        }
        kept = {name: claim for name, claim in stated.items() if claim is not None}
        head = {"alg": "RS256", "kid": "one", **(header or {})}
        return jwt.encode(head, kept, key or self.key, algorithms=[head["alg"]])

    def headers(self, *roles: str, **claims: Any) -> dict[str, str]:
        return bearer(self.token(*roles, **claims))


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def new_key(kid: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig"})


def party(id: str) -> Sequence[dict[str, str]]:
    return [{"id": id, "@referredType": "Organization", "role": "customer"}]
