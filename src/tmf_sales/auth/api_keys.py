"""Authenticates machines by API keys, from a file that holds only their digests: a leaked file reveals no key.

Guarantee: keys are looked up by their SHA-256, so the time of a comparison reveals nothing about them. Keys must be
random (256 bits), so a slow digest is not needed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from tmf_sales.access import Principal
from tmf_sales.auth.jwt import API_KEY_SUBJECT, Credential
from tmf_sales.errors import CannotStart, Unauthenticated

KEY_LIMIT = 512
MEMBERS = {"name", "sha256", "roles", "parties"}


class BadApiKeys(CannotStart):
    """Raised when the file of API keys cannot be used; one line that names the entry, never a digest."""


class ApiKeys:
    """`known`: hexadecimal SHA-256 of a key -> its caller."""

    def __init__(self, known: Mapping[str, Principal]) -> None:
        self._accept(known)

    @classmethod
    def load(cls, path: Path) -> ApiKeys:
        """Read the file; raise BadApiKeys when it cannot be used."""
        try:
            entries = yaml.safe_load(path.read_bytes())
        except (OSError, yaml.YAMLError):
            raise BadApiKeys(f"api_keys {path.name}: cannot be read as YAML") from None
        if not isinstance(entries, list):
            raise BadApiKeys(f"api_keys {path.name}: expected a list of keys")
        known: dict[str, Principal] = {}
        for number, entry in enumerate(entries, 1):
            try:
                digest, principal = _read(entry)
            except ValueError as error:
                raise BadApiKeys(f"api_keys {path.name}: entry {number}: {error}") from None
            known[digest] = principal
        if len({principal.subject for principal in known.values()}) < len(entries):
            raise BadApiKeys(f"api_keys {path.name}: a name or a key is there twice")
        return cls(known)

    def replace(self, loaded: ApiKeys) -> None:
        """Accept the keys of the other file from now on, and no others."""
        self._accept({digest: credential.principal for digest, credential in loaded._known.items()})

    def _accept(self, known: Mapping[str, Principal]) -> None:
        self._known = {digest: self._credential(digest, principal) for digest, principal in known.items()}

    def _credential(self, digest: str, principal: Principal) -> Credential:
        return Credential(replace(principal, is_valid=partial(self._accepts, digest, principal)), None, float("inf"))

    def _accepts(self, digest: str, principal: Principal) -> bool:
        """Tell whether the key is still in the file, with the same roles and parties."""
        current = self._known.get(digest)
        return current is not None and current.principal == principal

    def credential_of(self, key: str) -> Credential:
        """Find the credential of a key; raise Unauthenticated when the key is unknown."""
        found = None
        if len(key) <= KEY_LIMIT:
            found = self._known.get(hashlib.sha256(key.encode("latin-1", "replace")).hexdigest())
        if found is None:
            raise Unauthenticated("X-API-Key: the key is not known", {"WWW-Authenticate": 'ApiKey realm="tmf-api"'})
        return found


def _read(entry: Any) -> tuple[str, Principal]:
    if not isinstance(entry, dict) or not entry.keys() <= MEMBERS:
        raise ValueError(f"expected the members {', '.join(sorted(MEMBERS))}")
    name, digest = entry.get("name"), entry.get("sha256")
    if not isinstance(name, str) or not name:
        raise ValueError("expected a name")
    if not isinstance(digest, str) or not re.fullmatch("[0-9a-f]{64}", digest):
        raise ValueError("sha256: expected the SHA-256 of the key, 64 hexadecimal digits in lower case")
    return digest, Principal(f"{API_KEY_SUBJECT}{name}", _texts(entry, "roles"), _texts(entry, "parties"))


def _texts(entry: Mapping[str, Any], member: str) -> frozenset[str]:
    texts = entry.get(member, [])
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ValueError(f"{member}: expected a list of texts")
    return frozenset(texts)
