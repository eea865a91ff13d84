"""Declares every setting once: its name, its default, its kind and what it is for, in one line each.

The tables of docs/reference/settings.md are generated from this file; `configuration/` loads the settings.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from tmf_sales.configuration.setting_types import (
    ALGORITHMS,
    DURATION,
    FILE,
    FOLDERS,
    LIST,
    NETWORKS,
    ORIGINS,
    PLACE,
    SECONDS,
    SIZE,
    STORE,
    SWITCH,
    TEXT,
    URL,
    Kind,
    Network,
    one_of,
    whole_number,
)

LONGEST_PAGE = 1000  # the contracts' maximum of `limit`


@dataclass(frozen=True, slots=True)
class About:
    """What a setting is. `secret`: its value is never shown; `credentials`: it may be a URL with a password in it."""

    kind: Kind
    purpose: str
    secret: bool
    credentials: bool

    @property
    def may_be_in_file(self) -> bool:
        """Whether a variable with _FILE behind its name may name a file with the value."""
        return self.secret or self.credentials


def setting(default: Any, kind: Kind, purpose: str, *, secret: bool = False, credentials: bool = False) -> Any:
    """A field of a class of settings: the service's own, or those of the rules of an API."""
    about = About(kind, purpose, secret, credentials)
    return dataclasses.field(default=default, repr=not about.may_be_in_file, metadata={"about": about})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of the service. Sizes are in bytes, times in seconds unless they are a timedelta."""

    host: str = setting("127.0.0.1", TEXT, "address to listen on")
    port: int = setting(8080, whole_number(0, 65535), "port to listen on; 0 lets the system choose")
    management_port: int | None = setting(
        None, whole_number(0, 65535), "port for /live, /ready and /metrics alone; without it, `port` has /metrics"
    )
    config: Path | None = setting(None, FILE, "configuration file (TOML) with the other settings, by name")
    store: str = setting(
        "sqlite:tmf-sales.sqlite", STORE, "where to store resources: " + STORE.expected, credentials=True
    )
    contracts: tuple[Path, ...] = setting(
        (), FOLDERS, f"folders with contracts of further APIs, separated by `{os.pathsep}`"
    )
    apis: tuple[str, ...] = setting((), LIST, "APIs to serve, such as `tmf622,tmf648`; all by default")
    workers: int = setting(1, whole_number(1, 256), "processes that share the port")
    tls_cert: Path | None = setting(
        None, FILE, "certificate chain (PEM); the service then serves HTTPS, and the management port plain HTTP"
    )
    tls_key: Path | None = setting(None, FILE, "private key (PEM, without passphrase) of the certificate")
    tls_client_ca: Path | None = setting(
        None, FILE, "certificate authorities (PEM) of clients; a client without their certificate cannot connect"
    )
    mode: str = setting(
        "standard",
        one_of("strict", "standard", "lenient"),
        "how strictly to validate requests: `strict`, `standard` or `lenient`",
    )
    strict: bool = setting(False, SWITCH, "deprecated: the same as mode strict")
    public_url: str | None = setting(
        None, URL, "base of every href; without it `http://HOST:PORT`, with TLS `https://HOST:PORT`"
    )
    trusted_hosts: tuple[str, ...] = setting((), LIST, "host names (with port) that may be the base of href")
    trusted_proxies: tuple[Network, ...] = setting(
        (), NETWORKS, "networks of proxies whose X-Forwarded-* and Forwarded headers count"
    )
    cors_origins: tuple[str, ...] = setting(
        (), ORIGINS, "origins of web pages that may call the service from a browser, or `*`"
    )
    jwt_issuer: str | None = setting(
        None, TEXT, "issuer (`iss`) of the bearer tokens to accept; turns authentication on"
    )
    jwt_audience: str | None = setting(None, TEXT, "audience (`aud`) that bearer tokens must name")
    jwt_keys: str | None = setting(None, PLACE, "the issuer's public keys (JWKS), as a URL or a file")
    jwt_algorithms: tuple[str, ...] = setting(("RS256", "PS256", "ES256"), ALGORITHMS, "signature algorithms to accept")
    jwt_leeway: int = setting(30, whole_number(0, 600), "clock difference to tolerate in tokens, in seconds")
    roles_claim: str = setting("realm_access.roles", TEXT, "path of the claim with the caller's roles")
    parties_claim: str = setting("parties", TEXT, "path of the claim with the ids of the caller's parties")
    console_client_id: str | None = setting(
        None, TEXT, "client id of the console at the issuer; lets people sign in to /console with OpenID Connect"
    )
    api_keys: Path | None = setting(
        None, FILE, "file with the digests of the API keys to accept; turns authentication on"
    )
    policy: Path | None = setting(None, FILE, "table of permissions (YAML); without it the shipped one")
    audit: str = setting(
        "auto", one_of("auto", "on", "off"), "record who changes what; `auto`: only with authentication"
    )
    rate_limit: int = setting(0, whole_number(0), "requests per second and caller that each worker allows; 0: no limit")
    listener_limit: int = setting(
        100, whole_number(0), "subscriptions per caller (without authentication: in all); 0: no limit"
    )
    subscriptions_per_host: int = setting(50, whole_number(0), "subscriptions per callback host; 0: no limit")
    allow_anonymous: bool = setting(
        False, SWITCH, "allow a non-loopback address without authentication (every caller is an admin)"
    )
    seed: bool = setting(
        False, SWITCH, "load the contracts' examples into an empty store, with their dates moved to the present"
    )
    body_limit: int = setting(4 * 1024 * 1024, SIZE, "largest request body, in bytes")
    body_memory: int = setting(
        32 * 1024 * 1024, SIZE, "memory of each worker for bodies over 64 KiB, in bytes; further ones get 503"
    )
    request_deadline: float = setting(10.0, SECONDS, "seconds after which a request gets 503")
    drain: int = setting(
        0, whole_number(0, 3600), "seconds after SIGTERM during which /ready is 503 and requests are still served"
    )
    statement_timeout: float = setting(2.0, SECONDS, "seconds after which a query of the store is cancelled")
    max_concurrent: int = setting(256, whole_number(1), "concurrent requests per worker; further ones get 503")
    no_compression: bool = setting(False, SWITCH, "do not compress responses")
    page_default: int = setting(100, whole_number(1), "resources per page if the request has no `limit`")
    page_max: int = setting(
        1000, whole_number(1, LONGEST_PAGE), f"largest `limit` that a request may have; {LONGEST_PAGE} at most"
    )
    page_bytes: int = setting(
        8 * 1024 * 1024,
        SIZE,
        "largest page, in bytes; it ends before the resource that would exceed this, with a next link",
    )
    count_limit: int = setting(0, whole_number(0), "count at most this many matches; 0 counts all")
    no_delivery: bool = setting(False, SWITCH, "do not deliver events; `tmf-sales deliver` does")
    delivery_connections: int = setting(
        128, whole_number(1, 4096), "concurrent deliveries per process; at most a quarter of the files that it may open"
    )
    delivery_connections_per_host: int = setting(
        16, whole_number(1, 4096), "concurrent deliveries per process and host"
    )
    event_streams: int = setting(100, whole_number(0), "open event streams per worker; further ones get 503")
    event_streams_per_caller: int = setting(
        25, whole_number(1), "open event streams per caller and worker, with authentication"
    )
    webhook_secret: str | None = setting(None, TEXT, "key that signs webhooks (`whsec_...`)", secret=True)
    listener_secrets: bool = setting(False, SWITCH, "give each subscription its own secret, shown once at registration")
    event_retention: timedelta = setting(timedelta(days=7), DURATION, "time for which delivered events are kept")
    audit_retention: timedelta | None = setting(
        None, DURATION, "time for which audit records are kept; without it as long as events"
    )
    callback_networks: tuple[Network, ...] = setting((), NETWORKS, "private networks that callbacks may reach")
    require_https: bool = setting(False, SWITCH, "reject callbacks that are not https")
    log_level: str = setting(
        "warning",
        one_of("debug", "info", "warning", "error"),
        "lowest severity to log; `info` has a line for each request",
    )
    log_format: str = setting("text", one_of("text", "json"), "format of log lines: `text` or `json`")
    of_apis: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """The settings that belong to the rules of an API, by the name under which these rules are registered."""

    def __post_init__(self) -> None:
        if self.strict and self.mode == "standard":
            object.__setattr__(self, "mode", "strict")

    @property
    def authentication(self) -> bool:
        """Whether callers must say who they are."""
        return self.jwt_issuer is not None or self.api_keys is not None

    @property
    def audits(self) -> bool:
        return self.authentication if self.audit == "auto" else self.audit == "on"

    @property
    def public_base(self) -> str:
        """The base of every href, without a slash at its end."""
        return self.public_url or self.listening_url

    @property
    def listening_url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls_cert else 'http'}://{host}:{self.port}"

    @property
    def only_this_machine_calls(self) -> bool:
        """Whether nobody else reaches the service, directly or through a proxy."""
        speaks_for_others = (
            self.authentication or self.public_url is not None or self.trusted_hosts or self.trusted_proxies
        )
        return is_loopback(self.host) and not speaks_for_others

    @property
    def shown_store(self) -> str:
        """The store's URL without its credentials."""
        return without_credentials(self.store)


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def without_credentials(url: str) -> str:
    """A URL without its credentials and without MongoDB's options, which may hold passwords."""
    shown_part = re.sub(r"//.*@", "//***@", url)
    return shown_part.partition("?")[0] if url.startswith("mongo") else shown_part
