"""Reads what trusted proxies say about a request: the client, and the URL that it called.

Guarantee: X-Forwarded-For, -Proto, -Host and -Prefix, and Forwarded (RFC 7239), count from the configured networks
alone. Of several proxies the outermost trusted one counts: entries that a client sent before it never do.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from tmf_sales.configuration.settings import Settings
from tmf_sales.errors import BadRequest
from tmf_sales.http.middleware import App, Receive, Scope
from tmf_sales.http.public_base import FORWARDED_BASE
from tmf_sales.http.responses import Send, send_error
from tmf_sales.values.messages import shown

FOR, PROTO, HOST, PREFIX = "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-prefix"
FORWARDED = "forwarded"
HEADERS = {name.encode(): name for name in (FOR, PROTO, HOST, PREFIX, FORWARDED, "host")}

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - RFC 9110, 5.6.2
_PAIR = re.compile(rf'({_TOKEN})=({_TOKEN}|"(?:[^"\\]|\\.)*")[ \t]*')
_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
_CLIENT = re.compile(r"[0-9A-Fa-f:.]{2,45}|_[A-Za-z0-9._-]{1,100}")
_PREFIX = re.compile(r"(?:/(?!\.{1,2}(?:/|$))(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})+)*/?")


@dataclass(frozen=True, slots=True)
class Said:
    """What the proxies say; None for what they leave out."""

    client: str | None = None
    scheme: str | None = None
    host: str | None = None
    prefix: str | None = None


class TrustedProxies:
    """Wraps the application: sets client, scheme and public URL of requests that come through a trusted proxy."""

    def __init__(self, app: App, settings: Settings) -> None:
        self._app = app
        self._networks = settings.trusted_proxies
        self._hosts = frozenset(host.lower() for host in settings.trusted_hosts)
        self._public = urlsplit(settings.public_base)
        self._names_host = settings.public_url is not None
        self.trusts = lru_cache(maxsize=1024)(self._trusts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope.get("client") and self.trusts(scope["client"][0]):
            try:
                self._read(scope)
            except BadRequest as error:
                await send_error(send, error, scope)
                return
        await self._app(scope, receive, send)

    def _trusts(self, address: str) -> bool:
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
            found = found.ipv4_mapped
        return any(found in network for network in self._networks)

    def _read(self, scope: Scope) -> None:
        """Raise BadRequest when a header is malformed."""
        headers: dict[str, str] = {}
        for name, value in scope["headers"]:
            if (known := HEADERS.get(name)) is not None:
                text = value.decode("latin-1")
                headers[known] = f"{headers[known]},{text}" if known in headers else text
        if headers.keys() <= {"host"}:
            return
        said = self._said(headers)
        if said.client is not None:
            scope["client"] = (said.client, 0)
        scope["scheme"] = said.scheme or self._public.scheme
        prefix = self._public.path if said.prefix is None else said.prefix
        scope[FORWARDED_BASE] = f"{scope['scheme']}://{self._host(said, headers)}{prefix}"

    def _said(self, headers: Mapping[str, str]) -> Said:
        prefix = _checked_prefix(headers[PREFIX]) if PREFIX in headers else None
        if headers.keys().isdisjoint({FOR, PROTO, HOST}) and FORWARDED in headers:
            client, pairs = self._outermost(read_forwarded(headers[FORWARDED]))
            scheme, host = pairs.get("proto"), pairs.get("host")
            return Said(client, scheme and _checked_scheme(scheme), host and _checked_host(host), prefix)
        entries = [{"for": each} for each in _listed(headers.get(FOR, ""))]
        client, _ = self._outermost(entries)
        hops = self._hops(entries)
        return Said(
            client,
            _checked_scheme(_entry(headers[PROTO], hops)) if PROTO in headers else None,
            _checked_host(_entry(headers[HOST], hops)) if HOST in headers else None,
            prefix,
        )

    def _hops(self, entries: Sequence[Mapping[str, str]]) -> int:
        """How many entries at the end trusted proxies have written; at least the one of the nearest proxy."""
        hops = 1
        for entry in reversed(entries):
            if not self.trusts(address_of(entry.get("for", ""))):
                break
            hops += 1
        return min(hops, max(len(entries), 1))

    def _outermost(self, entries: Sequence[Mapping[str, str]]) -> tuple[str | None, dict[str, str]]:
        """The client, and the pairs that trusted proxies have written; those of an outer proxy come first."""
        written: dict[str, str] = {}
        for entry in reversed(entries[-self._hops(entries) :]):
            written |= entry
        client = address_of(written["for"]) if "for" in written else None
        return client if client is None or _CLIENT.fullmatch(client) else "unknown", written

    def _host(self, said: Said, headers: Mapping[str, str]) -> str:
        if said.host is not None and (not self._hosts or said.host.lower() in self._hosts):
            return said.host
        own = headers.get("host", "")
        if own.lower() in self._hosts or not (self._hosts or self._names_host):
            return own or self._public.netloc
        return self._public.netloc


def read_forwarded(text: str) -> list[dict[str, str]]:
    """The elements of a Forwarded header (RFC 7239, 4), names in lower case; raises BadRequest."""
    elements: list[dict[str, str]] = [{}]
    at = 0
    while at < len(text):
        if text[at] in ",; \t":
            if text[at] == ",":
                elements.append({})
            at += 1
            continue
        pair = _PAIR.match(text, at)
        if pair is None or text[pair.end() : pair.end() + 1] not in {"", ",", ";"} or pair[1].lower() in elements[-1]:
            raise BadRequest(
                f"Forwarded: expected a pair at position {at}, as in for=192.0.2.1;proto=https;host=example.com"
            )
        value = pair[2]
        if value.startswith('"'):
            value = re.sub(r"\\(.)", r"\1", value[1:-1])
        elements[-1][pair[1].lower()] = value
        at = pair.end()
    return [element for element in elements if element]


def address_of(node: str) -> str:
    """The address of a client without its port and brackets; other names ("unknown", "_hidden") stay."""
    if node.startswith("["):
        return node[1:].partition("]")[0]
    return node.partition(":")[0] if node.count(":") == 1 else node


def _listed(text: str) -> list[str]:
    return [entry.strip() for entry in text.split(",") if entry.strip()]


def _entry(text: str, hops: int) -> str:
    """The entry of the outermost trusted proxy; a proxy that replaces the header leaves one for all."""
    entries = _listed(text) or [""]
    return entries[max(len(entries) - hops, 0)]


def _checked_scheme(text: str) -> str:
    if text.lower() not in {"http", "https"}:
        raise BadRequest(f"The protocol that the proxy names is {shown(text)}; expected http or https")
    return text.lower()


def _checked_host(text: str) -> str:
    if not _HOST.fullmatch(text):
        raise BadRequest(f"The host that the proxy names is {shown(text)}; expected a name with or without a port")
    return text


def _checked_prefix(text: str) -> str:
    """The prefix without a slash at its end."""
    prefix = text.strip()
    if not _PREFIX.fullmatch(prefix):
        raise BadRequest(f"X-Forwarded-Prefix is {shown(text)}; expected a path such as /sales")
    return prefix.removesuffix("/")


def trust_proxies(app: App, settings: Settings) -> App:
    """Return the application unchanged when no proxy is trusted."""
    return TrustedProxies(app, settings) if settings.trusted_proxies else app
