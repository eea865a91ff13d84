"""Chooses the public URL of a request: the base of every href, Location, Link and page link in its response."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tmf_sales.configuration.settings import Settings

FORWARDED_BASE = "tmf_sales.public_base"
"""The key in the scope under which edge/forwarded.py stores the base that a trusted proxy named."""


@dataclass(frozen=True, slots=True)
class PublicBase:
    """`default` is the base without a slash at its end; `by_host` maps a trusted Host, in lower case, to its base."""

    default: str
    by_host: Mapping[bytes, str] = field(default_factory=dict)

    def of(self, scope: MutableMapping[str, Any]) -> str:
        if (forwarded := scope.get(FORWARDED_BASE)) is not None:
            return str(forwarded)
        if not self.by_host:
            return self.default
        host = next((value for name, value in scope["headers"] if name == b"host"), b"")
        return self.by_host.get(host.lower(), self.default)


def public_base_of(settings: Settings) -> PublicBase:
    """Trusted hosts share the scheme and the path of the public URL."""
    public = urlsplit(settings.public_base)
    by_host = {host.lower().encode(): f"{public.scheme}://{host}{public.path}" for host in settings.trusted_hosts}
    return PublicBase(settings.public_base, by_host)
