"""Decides which addresses a callback may reach: none inside the operator's network, unless the operator allows it.

A host is resolved once, each of its addresses is vetted, and the caller connects to exactly these addresses, so a name
that changes its addresses between check and use (DNS rebinding) gains nothing. The forbidden networks follow the IANA
registries of special addresses. An IPv4-mapped IPv6 address counts as IPv4; ranges that otherwise embed IPv4 addresses
are forbidden.
"""

from __future__ import annotations

import asyncio
import functools
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

from tmf_sales.errors import CallbackRefused, InvalidBody
from tmf_sales.values.messages import Violation

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

URL_LIMIT = 2048
PARSED_CALLBACKS = 1024
LOOKUP_TIMEOUT = 5.0
LOOKUP_THREADS = 32
POINTER = "/callback"
LOOPBACK: tuple[Network, ...] = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))

_FORBIDDEN_V4 = [
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by providers; one cloud serves its metadata here
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # a cloud's virtual host, in public space
        "169.254.0.0/16",  # link-local, where most clouds serve their metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
]
# Only 2000::/3 is assigned to the internet: loopback, private, link-local, site-local, multicast, NAT64 (64:ff9b::/96)
# and IPv4 in IPv6 (::/96) are outside of it.
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
_FORBIDDEN_V6 = [
    ipaddress.IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which carries any IPv4 address
        "3fff::/20",  # documentation
    )
]
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})*\.?")


class Unresolved(Exception):
    """Raised when a name has no address now; it may have one later."""


@dataclass(frozen=True, slots=True)
class Target:
    """A parsed callback: where to connect, and the path to request."""

    secure: bool
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The value of the Host header, without the port if it is the scheme's default."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"


class SsrfGuard:
    """Vets callbacks. `allowed`: networks that may be reached although they are forbidden by default."""

    def __init__(
        self, allowed: Iterable[Network] = (), *, require_https: bool = False, resolve: Resolve | None = None
    ) -> None:
        self._allowed = tuple(allowed)
        self._require_https = require_https
        self._resolve = resolve or resolve_by_system

    async def vet(self, url: str) -> None:
        """Check a callback at its registration; a name that does not resolve is accepted, as it may resolve later.

        Raises InvalidBody when it is not a valid callback, CallbackRefused when its address is forbidden.
        """
        target = parse_callback(url)
        if self._require_https and not target.secure:
            raise CallbackRefused(f"{POINTER}: this service calls https only")
        try:
            await self.addresses(target)
        except Unresolved:
            return

    async def addresses(self, target: Target) -> list[str]:
        """Return the addresses to connect to, all of them vetted; raises CallbackRefused or Unresolved.

        One forbidden address rejects the name, because nothing guarantees which of its addresses is used.
        """
        if self._require_https and not target.secure:
            raise CallbackRefused(f"{POINTER}: this service calls https only")
        found = [target.host] if is_literal(target.host) else await self._look_up(target)
        if not all(self._is_allowed(each) for each in found):
            # The message names no address: that would show the client what the operator's names resolve to.
            raise CallbackRefused(f"{POINTER}: the host's address is not one that this service may call")
        return found

    async def _look_up(self, target: Target) -> list[str]:
        try:
            async with asyncio.timeout(LOOKUP_TIMEOUT):
                found = await self._resolve(target.host, target.port)
        except (OSError, UnicodeError, TimeoutError) as error:
            raise Unresolved(f"{target.host} has no address") from error
        if not found:
            raise Unresolved(f"{target.host} has no address")
        return list(dict.fromkeys(found))

    def _is_allowed(self, text: str) -> bool:
        address = parse_address(text)
        if address is None:
            return False
        if any(address.version == network.version and address in network for network in self._allowed):
            return True
        return not is_forbidden(address)


@functools.lru_cache(PARSED_CALLBACKS)  # each delivery asks twice
def parse_callback(url: str) -> Target:
    """Parse a callback; raises InvalidBody when it is not an absolute http or https URL without userinfo."""
    if len(url) > URL_LIMIT:
        raise _invalid(f"at most {URL_LIMIT} characters")
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise _invalid("an ASCII URL; other characters are percent-encoded, names in their xn-- form")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _invalid("an absolute http or https URL") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise _invalid("an absolute http or https URL")
    if "@" in parts.netloc:
        raise _invalid("a URL without user and password")
    if "#" in url:
        raise _invalid("a URL without fragment")
    if not (is_literal(host) if "[" in parts.netloc else _NAME.fullmatch(host)):
        raise _invalid("a URL whose host is a name or an address")
    if port == 0:
        raise _invalid("a URL with a port from 1 to 65535")
    secure = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(secure, host, port or (443 if secure else 80), path)


def host_of(callback: str) -> str:
    """The host of a callback; an empty text when it is not a valid callback."""
    try:
        return parse_callback(callback).host
    except InvalidBody:
        return ""


def is_literal(host: str) -> bool:
    """Return whether the host is an address in its usual spelling; the resolver reads others, such as 0x7f.1."""
    return parse_address(host) is not None


def parse_address(text: str) -> Address | None:
    """Parse an address: `::ffff:0:0/96` counts as IPv4, an IPv6 zone is dropped. None when it is not an address."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if address.version == 6 else None
    return mapped or address


def is_forbidden(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv4Address):
        return any(address in network for network in _FORBIDDEN_V4)
    return address not in _GLOBAL_V6 or any(address in network for network in _FORBIDDEN_V6)


# Lookups have their own threads: a name server that does not answer must not block the threads of other work.
_LOOKUPS = ThreadPoolExecutor(LOOKUP_THREADS, thread_name_prefix="callback-lookup")


async def resolve_by_system(host: str, port: int) -> list[str]:
    """Return all addresses of a name, in the system's order; raises OSError when there is none."""
    found = await asyncio.get_running_loop().run_in_executor(
        _LOOKUPS, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    )
    return [str(address[0]) for *_, address in found]


def _invalid(expected: str) -> InvalidBody:
    return InvalidBody([Violation(POINTER, f"expected {expected}")])
