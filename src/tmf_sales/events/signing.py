"""Signs webhooks as Standard Webhooks 1.0 specifies: HMAC-SHA256 over `id.timestamp.body`, byte for byte as sent.

A receiver that has any of the secrets in use can verify. While a secret is being replaced, both the old and the new one
sign. A secret is shown once and never logged.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence

PREFIX = "whsec_"
NEW_SECRET_BYTES = 32
_MESSAGE_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


class InvalidSecret(ValueError):
    """Raised for a text that is not a secret: `whsec_` and the base64 of 24 to 64 bytes. Never shows the text."""


class Secret:
    """One signing key."""

    __slots__ = ("_key",)

    def __init__(self, text: str) -> None:
        try:
            key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if not text.startswith(PREFIX) or not 24 <= len(key) <= 64:
            raise InvalidSecret("expected whsec_ and the base64 of 24 to 64 bytes")
        self._key = key

    def __repr__(self) -> str:
        return "Secret(...)"

    def sign(self, signed: bytes) -> str:
        return "v1," + base64.b64encode(hmac.digest(self._key, signed, hashlib.sha256)).decode()


def written_secret(random_bytes: bytes) -> str:
    """Return the text of a secret made from these random bytes (32 of them)."""
    return PREFIX + base64.b64encode(random_bytes).decode()


def read_secrets(text: str | None) -> tuple[Secret, ...]:
    """Read a setting: the signing secrets, separated by blanks or commas, newest first. Raises InvalidSecret."""
    return tuple(Secret(part) for part in re.split(r"[\s,]+", text or "") if part)


def signature_headers(message_id: str, timestamp: int, body: bytes, secrets: Iterable[Secret]) -> list[tuple[str, str]]:
    """Return webhook-id, webhook-timestamp (seconds since 1970) and, when there are secrets, webhook-signature.

    Several signatures share one header, separated by a blank.
    """
    if not _MESSAGE_ID.fullmatch(message_id):
        raise ValueError("a message id must not contain what separates the signed parts")
    headers = [("webhook-id", message_id), ("webhook-timestamp", str(timestamp))]
    signed = f"{message_id}.{timestamp}.".encode() + body
    signatures = " ".join(secret.sign(signed) for secret in secrets)
    return [*headers, ("webhook-signature", signatures)] if signatures else headers


def verifies(
    headers: dict[str, str], body: bytes, secrets: Sequence[Secret], now: float, tolerance: float = 300
) -> bool:
    """Check a message as a receiver does: it has a valid signature, and its timestamp is within 5 minutes of `now`.

    `headers` have lower-case names.
    """
    message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not re.fullmatch("[0-9]{1,12}", timestamp) or abs(now - int(timestamp)) > tolerance:
        return False
    signed = f"{message_id}.{timestamp}.".encode() + body
    given = headers.get("webhook-signature", "").split()
    return any(hmac.compare_digest(secret.sign(signed), one) for secret in secrets for one in given if one.isascii())
