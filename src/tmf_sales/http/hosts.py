"""Checks the Host header of a service that listens on loopback without authentication.

Guarantee: DNS rebinding does not reach the service. A web page whose own name resolves to this machine sends that name
as Host (RFC 9112, 3.2), and the service rejects it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from tmf_sales.configuration.settings import Settings, is_loopback
from tmf_sales.errors import UnservedHost
from tmf_sales.http.fields import fields_of
from tmf_sales.values.messages import shown

MOST_KNOWN = 100


class ServedHosts:
    """Accepts loopback names with any port, and the names in `named` with their port, or with any if they have none."""

    def __init__(self, named: Iterable[str]) -> None:
        self._named = frozenset(name.lower() for name in named)
        self._known: set[bytes] = set()

    def reject_other(self, scope: MutableMapping[str, Any]) -> None:
        """Raise UnservedHost. HTTP/1.0 requests may lack Host; no browser sends such requests."""
        host = fields_of(scope).get(b"host")
        if host is None or host in self._known:
            return
        if not self._serves(host.decode("latin-1").lower()):
            raise UnservedHost(
                f"Host is {shown(host.decode('latin-1'))}; expected localhost, a loopback address, or a name "
                "in TMF_SALES_PUBLIC_URL or TMF_SALES_TRUSTED_HOSTS"
            )
        if len(self._known) < MOST_KNOWN:
            self._known.add(host)

    def _serves(self, host: str) -> bool:
        name = host if host.endswith("]") else host.rpartition(":")[0] or host
        return name == "localhost" or host in self._named or name in self._named or _is_loopback_address(name)


def _is_loopback_address(name: str) -> bool:
    """Accepts IPv6 addresses in brackets."""
    try:
        return ipaddress.ip_address(name.removeprefix("[").removesuffix("]")).is_loopback
    except ValueError:
        return False


def served_hosts(settings: Settings) -> ServedHosts | None:
    """None when any Host is served: with authentication, or on an address that other machines can reach anyway."""
    if settings.authentication or not is_loopback(settings.host):
        return None
    public = urlsplit(settings.public_base)
    return ServedHosts({settings.host, public.netloc, public.hostname or "", *settings.trusted_hosts})
