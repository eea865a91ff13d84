"""Caches the public keys of the identity provider, from a JWKS URL or file (RFC 7517), and refreshes them.

Guarantee: reading never blocks the event loop and happens at most once in an interval, however many tokens name unknown
keys. While the provider is unavailable, only tokens with unknown keys fail.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
import warnings
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey, import_key

from tmf_sales.errors import Unavailable

READ_INTERVAL = 30.0
OLD_AFTER = 3600.0
TIMEOUT = 5.0
SIZE_LIMIT = 1024 * 1024
KEYS_LIMIT = 100
RSA_BITS = 2048
FAMILY = {"RS": RSAKey, "PS": RSAKey, "ES": ECKey, "Ed": OKPKey}

Read = Callable[[], Awaitable[bytes]]

log = logging.getLogger(__name__)


class Keys:
    """The cached keys. `read` returns the JWKS document; it may raise OSError, ValueError or httpx.HTTPError."""

    def __init__(self, read: Read, now: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._now = now
        self._keys: Sequence[Key] = ()
        self._tried = float("-inf")
        self._read_at = float("-inf")
        self._reading: asyncio.Task[None] | None = None

    async def find(self, kid: object, algorithm: str) -> Key | None:
        """Find the key with this id for the algorithm; without an id, the only key for the algorithm.

        Raises Unavailable as long as no keys could be read.
        """
        found = self._known(kid, algorithm)
        if found is None:
            await self._refresh()
            found = self._known(kid, algorithm)
        elif self._now() - self._read_at > OLD_AFTER:
            self._begin()  # the known key still verifies this token; the refresh removes withdrawn keys for later ones
        if found is None and not self._keys:
            raise Unavailable("The keys of the identity provider cannot be read now", retry_after=5)
        return found

    def _known(self, kid: object, algorithm: str) -> Key | None:
        fitting = [each for each in self._keys if _is_for(each, algorithm)]
        if kid is None:
            return fitting[0] if len(fitting) == 1 else None
        return next((each for each in fitting if each.kid == kid), None)

    async def _refresh(self) -> None:
        self._begin()
        if self._reading is not None:
            await asyncio.shield(self._reading)

    def _begin(self) -> None:
        """Start to read, unless a read is running or one began less than READ_INTERVAL ago."""
        if self._reading is None and self._now() - self._tried >= READ_INTERVAL:
            self._tried = self._now()
            self._reading = asyncio.create_task(self._read_anew())

    async def _read_anew(self) -> None:
        try:
            self._keys = usable_keys(await self._read())
            self._read_at = self._now()
        except (OSError, ValueError, httpx.HTTPError) as error:
            log.warning("the keys of the identity provider cannot be read: %s: %s", type(error).__name__, error)
        finally:
            self._reading = None


def usable_keys(document: bytes) -> list[Key]:
    """The public signature keys of a JWKS; omits all others, including shared secrets. Raises ValueError."""
    try:
        entries = list(json.loads(document)["keys"])
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError("is no JWKS: it has no list of keys") from error
    keys = (_usable(entry) for entry in entries[:KEYS_LIMIT] if isinstance(entry, dict))
    return [key for key in keys if key is not None]


def _usable(entry: dict[str, Any]) -> Key | None:
    if entry.get("kty") not in {"RSA", "EC", "OKP"} or entry.get("use", "sig") != "sig":
        return None
    try:
        with warnings.catch_warnings():  # joserfc warns about short keys, which are omitted here
            warnings.simplefilter("ignore", SecurityWarning)
            key = import_key(entry)
        if isinstance(key, RSAKey) and key.public_key.key_size < RSA_BITS:
            return None
    except (JoseError, ValueError, TypeError):
        return None
    return key


def _is_for(key: Key, algorithm: str) -> bool:
    stated = key.get("alg")
    return isinstance(key, FAMILY[algorithm[:2]]) and stated in (None, algorithm)


def reader_of(place: str) -> Read:
    """Return a function that reads the JWKS from an http or https URL or from a file."""
    return _from_url(place) if urlsplit(place).scheme in {"http", "https"} else _from_file(Path(place))


def _from_file(path: Path) -> Read:
    async def read() -> bytes:
        return await asyncio.to_thread(path.read_bytes)

    return read


def _from_url(url: str) -> Read:
    async def read() -> bytes:
        """Fetch without proxy or redirects; the URL may be private, because the operator set it."""
        async with (
            httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=False, trust_env=False) as client,
            asyncio.timeout(2 * TIMEOUT),
            client.stream("GET", url, headers={"Accept": "application/json"}) as answer,
        ):
            if answer.status_code != 200:
                raise ValueError(f"status {answer.status_code}")
            body = b""
            async for chunk in answer.aiter_bytes():
                body += chunk
                if len(body) > SIZE_LIMIT:
                    raise ValueError("the document is too large")
            return body

    return read
