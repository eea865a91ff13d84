"""Says which values of the Host field a service without authentication on loopback serves.

Guarantee: a web page that lets its own name resolve to this machine (DNS rebinding) reaches nothing, because browsers
send that name as Host (RFC 9112, 3.2).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from tmf_sales.errors import UnservedHost
from tmf_sales.messages import shown
from tmf_sales.settings import Settings, is_loopback

MOST_KNOWN = 100


class ServedHosts:
    """Names of this machine with any port, and those in `named`: a name with any port, or with the one it has there."""

    def __init__(self, named: Iterable[str]) -> None:
        self._named = frozenset(name.lower() for name in named)
        self._known: set[bytes] = set()

    def reject_other(self, scope: MutableMapping[str, Any]) -> None:
        """Raises UnservedHost. A request of HTTP/1.0 may have no Host; no browser sends one."""
        for name, value in scope["headers"]:
            if name == b"host" and value not in self._known:
                if not self._serves(value.decode("latin-1").lower()):
                    raise UnservedHost(
                        f"Host is {shown(value.decode('latin-1'))}; expected localhost, a loopback address, or a name "
                        "in TMF_SALES_PUBLIC_URL or TMF_SALES_TRUSTED_HOSTS"
                    )
                if len(self._known) < MOST_KNOWN:
                    self._known.add(value)

    def _serves(self, host: str) -> bool:
        name = host if host.endswith("]") else host.rpartition(":")[0] or host
        return name == "localhost" or host in self._named or name in self._named or _is_loopback_address(name)


def _is_loopback_address(name: str) -> bool:
    """IPv6 addresses stand in brackets."""
    try:
        return ipaddress.ip_address(name.removeprefix("[").removesuffix("]")).is_loopback
    except ValueError:
        return False


def served_hosts(settings: Settings) -> ServedHosts | None:
    """None where any Host is served: behind authentication, or on an address that others reach anyway."""
    if settings.authentication or not is_loopback(settings.host):
        return None
    public = urlsplit(settings.public_base)
    return ServedHosts({settings.host, public.netloc, public.hostname or "", *settings.trusted_hosts})
