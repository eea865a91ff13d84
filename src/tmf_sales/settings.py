"""Every setting once: its name, its environment variable, its default and what it is for, in one line each.

Promise: a `Settings` that exists is good. A bad one is refused at start in one line that names the variable or the
option, shows the value safely and says what was expected; the README's table is made from this file.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import os
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from marshmallow import Schema, ValidationError

from tmf_sales.errors import CannotStart
from tmf_sales.messages import shown
from tmf_sales.setting_types import (
    ALGORITHMS,
    DURATION,
    FILE,
    FOLDERS,
    LIST,
    MEMORY,
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

PREFIX = "TMF_SALES_"
LONGEST_PAGE = 1000  # the contracts' maximum of `limit`


class InvalidSettings(CannotStart):
    """Raised when a setting is not valid, alone or together with another; one line for each."""


@dataclass(frozen=True, slots=True)
class _About:
    kind: Kind
    purpose: str
    secret: bool


def setting(default: Any, kind: Kind, purpose: str, *, secret: bool = False) -> Any:
    return dataclasses.field(default=default, repr=not secret, metadata={"about": _About(kind, purpose, secret)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the service runs with. Sizes are bytes, spans of time seconds unless they are a timedelta."""

    host: str = setting("127.0.0.1", TEXT, "address to listen on")
    port: int = setting(8080, whole_number(0, 65535), "port to listen on; 0 lets the system choose")
    management_port: int | None = setting(
        None, whole_number(0, 65535), "port for /live, /ready and /metrics alone; without it, `port` has /metrics"
    )
    store: str = setting("sqlite:tmf-sales.sqlite", STORE, "where resources are kept: " + STORE.expected)
    contracts: tuple[Path, ...] = setting(
        (), FOLDERS, f"folders with contracts of further APIs, separated by `{os.pathsep}`"
    )
    apis: tuple[str, ...] = setting((), LIST, "serve only these APIs, such as `tmf622,tmf648`; without it all")
    workers: int = setting(1, whole_number(1, 256), "processes that share the port")
    mode: str = setting(
        "standard",
        one_of("strict", "standard", "lenient"),
        "how strictly requests are read; docs/reference/leniency.md has the rules",
    )
    strict: bool = setting(False, SWITCH, "deprecated: the same as mode strict")
    public_url: str | None = setting(None, URL, "base of every href; without it `http://HOST:PORT`")
    trusted_hosts: tuple[str, ...] = setting((), LIST, "host names, with their ports, that may become the base of href")
    trusted_proxies: tuple[Network, ...] = setting(
        (), NETWORKS, "networks of proxies whose X-Forwarded-* and Forwarded headers count"
    )
    cors_origins: tuple[str, ...] = setting(
        (), ORIGINS, "origins of web pages that may call the service from a browser, or `*`"
    )
    jwt_issuer: str | None = setting(
        None, TEXT, "who signs the bearer tokens that are accepted; turns authentication on"
    )
    jwt_audience: str | None = setting(None, TEXT, "what bearer tokens name as their audience: this service")
    jwt_keys: str | None = setting(None, PLACE, "the issuer's public keys (JWKS), as a URL or a file")
    jwt_algorithms: tuple[str, ...] = setting(("RS256", "PS256", "ES256"), ALGORITHMS, "how tokens may be signed")
    jwt_leeway: int = setting(30, whole_number(0, 600), "seconds by which clocks may differ")
    roles_claim: str = setting("realm_access.roles", TEXT, "path of the claim with the caller's roles")
    parties_claim: str = setting("parties", TEXT, "path of the claim with the ids of the caller's parties")
    console_client_id: str | None = setting(
        None, TEXT, "client id of the console at the issuer; lets people sign in to /console with OpenID Connect"
    )
    api_keys: Path | None = setting(None, FILE, "digests of the API keys that are accepted; turns authentication on")
    policy: Path | None = setting(None, FILE, "who may do what; without it the shipped table")
    audit: str = setting("auto", one_of("auto", "on", "off"), "log who changes what; auto: with authentication")
    rate_limit: int = setting(0, whole_number(0), "requests a second of one caller, in each worker; 0 is no limit")
    listener_limit: int = setting(
        100, whole_number(0), "subscriptions of one caller; without authentication all callers are one; 0: no limit"
    )
    subscriptions_per_host: int = setting(50, whole_number(0), "subscriptions with the same callback host; 0: no limit")
    allow_anonymous: bool = setting(
        False, SWITCH, "allow a non-loopback address without authentication (every caller is an admin)"
    )
    seed: bool = setting(False, SWITCH, "put the contracts' examples, dated towards now, into an empty store")
    body_limit: int = setting(4 * 1024 * 1024, SIZE, "largest request body")
    body_memory: int = setting(
        32 * 1024 * 1024, SIZE, "bytes of bodies over 64 KiB that one worker keeps at a time; further ones get 503"
    )
    request_deadline: float = setting(10.0, SECONDS, "after so many seconds a request is answered 503")
    drain: int = setting(
        0, whole_number(0, 3600), "seconds after SIGTERM in which /ready says no while requests are still served"
    )
    statement_timeout: float = setting(2.0, SECONDS, "after so many seconds one query of the store is given up")
    max_concurrent: int = setting(256, whole_number(1), "concurrent requests of one worker; further ones get 503")
    no_compression: bool = setting(False, SWITCH, "leave the compression of responses to a proxy")
    page_default: int = setting(100, whole_number(1), "length of a page when the request has no limit")
    page_max: int = setting(
        1000, whole_number(1, LONGEST_PAGE), f"longest page that a request may ask for; {LONGEST_PAGE} at most"
    )
    page_bytes: int = setting(
        8 * 1024 * 1024, SIZE, "bytes of a page; it ends before the resource that would exceed them, with a next link"
    )
    count_limit: int = setting(0, whole_number(0), "count matches only so far; 0 counts all")
    no_delivery: bool = setting(False, SWITCH, "leave the delivery of events to another process")
    delivery_connections: int = setting(
        128, whole_number(1, 4096), "open deliveries of one process; at most a quarter of its open files"
    )
    delivery_connections_per_host: int = setting(16, whole_number(1, 4096), "open deliveries of one process to a host")
    event_streams: int = setting(100, whole_number(0), "open event streams of one worker; further ones get 503")
    event_streams_per_caller: int = setting(
        25, whole_number(1), "open event streams of one caller in one worker, with authentication"
    )
    webhook_secret: str | None = setting(None, TEXT, "signs what is posted to subscriptions (`whsec_...`)", secret=True)
    listener_secrets: bool = setting(False, SWITCH, "give each subscription its own secret, shown once at registration")
    event_retention: timedelta = setting(timedelta(days=7), DURATION, "how long delivered events are kept")
    audit_retention: timedelta | None = setting(
        None, DURATION, "how long audit records are kept; without it as long as events"
    )
    callback_networks: tuple[Network, ...] = setting((), NETWORKS, "private networks that callbacks may reach")
    require_https: bool = setting(False, SWITCH, "reject callbacks that are not https")
    log_level: str = setting(
        "warning",
        one_of("debug", "info", "warning", "error"),
        "least severity that is logged; `info` has a line for each request",
    )
    log_format: str = setting("text", one_of("text", "json"), "form of a log line")
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
        """What every href starts with, without a slash at its end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url or f"http://{host}:{self.port}"

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


@dataclass(frozen=True, slots=True)
class Described:
    """One row of the table of settings."""

    name: str
    variable: str
    default: str
    purpose: str
    is_switch: bool


def describe_settings(of: type = Settings) -> list[Described]:
    """The rows of a class of settings: the service's own, or those that the rules of an API have."""
    return [
        Described(
            name=name,
            variable=variable_of(name),
            default=shown_default(default),
            purpose=about.purpose,
            is_switch=about.kind is SWITCH,
        )
        for name, (default, about) in _described_fields(of).items()
    ]


def _described_fields(of: type) -> dict[str, tuple[Any, _About]]:
    fields = dataclasses.fields(of)
    return {field.name: (field.default, field.metadata["about"]) for field in fields if "about" in field.metadata}


def variable_of(name: str) -> str:
    return PREFIX + name.upper()


def option_of(name: str) -> str:
    return "--" + name.replace("_", "-")


def settings_in_force(settings: Settings) -> list[dict[str, object]]:
    """Each setting with its value, as one would write it into the environment; secrets are masked."""
    return [
        {
            "variable": variable_of(name),
            "value": _masked(about, getattr(each, name)),
            "isDefault": getattr(each, name) == default,
            "purpose": about.purpose,
        }
        for each in (settings, *settings.of_apis.values())
        for name, (default, about) in _described_fields(type(each)).items()
    ]


def _masked(about: _About, value: object) -> str:
    if about.secret and value is not None:
        return "***"
    return without_credentials(shown_default(value))


def shown_default(value: object) -> str:
    """A value as one would write it into the environment; empty where there is none."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, timedelta):
        return f"P{value.days}D" if value == timedelta(days=value.days) else f"PT{value.total_seconds():g}S"
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def load_settings(
    environ: Mapping[str, str],
    options: Mapping[str, object] | None = None,
    of_apis: Mapping[str, type] | None = None,
) -> Settings:
    """Settings from the environment and, before it, from the options that were given; an empty or None one is not.

    `of_apis`: the class of the settings of each API's rules, by their name. Raises InvalidSettings with a line for each
    setting that is not valid.
    """
    options = options or {}
    loaded, faults = dict[str, Any](), list[str]()
    known = dict(of_apis or {})
    _reject_shared_names(known)
    for name, of in {"": Settings, **known}.items():
        try:
            loaded[name] = _loaded(of, environ, options)
        except InvalidSettings as error:
            faults.append(str(error))
    if faults:
        raise InvalidSettings("\n".join(faults))
    settings: Settings = dataclasses.replace(loaded.pop(""), of_apis=loaded)
    reject_conflicting_settings(settings)
    return settings


def _loaded(of: type, environ: Mapping[str, str], options: Mapping[str, object]) -> Any:
    abouts = {name: about for name, (_, about) in _described_fields(of).items()}
    given = {name: value for name, value in options.items() if name in abouts and value not in (None, "")}
    found = {name: environ[variable_of(name)] for name in abouts if environ.get(variable_of(name))}
    sources = dict.fromkeys(found, variable_of) | dict.fromkeys(given, option_of)
    raw: dict[str, object] = {**found, **given}
    schema = Schema.from_dict({name: about.kind.field for name, about in abouts.items()}, name=f"{of.__name__}Schema")
    try:
        return of(**schema().load(raw))
    except ValidationError as error:
        names = sorted(map(str, error.messages_dict))
        lines = [
            f"{sources[name](name)} is {_shown(abouts[name], raw[name])}; {_expected(abouts[name])}" for name in names
        ]
        raise InvalidSettings("\n".join(lines)) from None


def _reject_shared_names(of_apis: Mapping[str, type]) -> None:
    owners = dict.fromkeys(_described_fields(Settings), "the service")
    for name, of in of_apis.items():
        for setting_name in _described_fields(of):
            if setting_name in owners:
                raise InvalidSettings(f"the rules {name} have a setting {setting_name}, as {owners[setting_name]} has")
            owners[setting_name] = name


def reject_conflicting_settings(settings: Settings) -> None:
    if settings.store == MEMORY and settings.workers > 1:
        raise InvalidSettings(f"store memory: cannot be shared by {settings.workers} workers; expected 1 worker")
    if settings.workers > 1 and sys.platform == "win32":
        raise InvalidSettings("several workers need gunicorn, which does not run on Windows; expected 1 worker")
    if settings.strict and settings.mode != "strict":
        raise InvalidSettings(
            f"{variable_of('strict')} contradicts {variable_of('mode')} {settings.mode}; use the latter"
        )
    if settings.page_default > settings.page_max:
        default, most = variable_of("page_default"), variable_of("page_max")
        raise InvalidSettings(f"{default} {settings.page_default} is more than {most} {settings.page_max}")
    reject_incomplete_token_settings(settings)
    if not settings.authentication and not settings.allow_anonymous and not is_loopback(settings.host):
        raise InvalidSettings(
            f"host {shown(settings.host)} is not a loopback address, and without authentication every caller is an "
            "administrator; set TMF_SALES_JWT_ISSUER or TMF_SALES_API_KEYS, or allow it with --allow-anonymous "
            "(TMF_SALES_ALLOW_ANONYMOUS=true)"
        )


def reject_incomplete_token_settings(settings: Settings) -> None:
    needed = ("jwt_issuer", "jwt_audience", "jwt_keys")
    missing = [name for name in needed if getattr(settings, name) is None]
    if 0 < len(missing) < len(needed):
        given = next(name for name in needed if name not in missing)
        absent = ", ".join(map(variable_of, missing))
        raise InvalidSettings(f"{variable_of(given)} is set without {absent}; expected all three, or none")


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def unknown_variables(environ: Mapping[str, str], of_apis: Iterable[type] = ()) -> list[str]:
    """Variables that look like settings but are none: misspelt, most likely."""
    known = {variable_of(name) for of in (Settings, *of_apis) for name in _described_fields(of)}
    return sorted(name for name in environ if name.startswith(PREFIX) and name not in known)


def _expected(about: _About) -> str:
    return f"expected {about.kind.expected}"


def _shown(about: _About, value: object) -> str:
    """The value without what may be secret in it: a webhook secret, a URL with a password."""
    if about.secret:
        return "not valid (its value is not shown)"
    return shown(without_credentials(value) if isinstance(value, str) else value)


def without_credentials(url: str) -> str:
    """A URL without its credentials and without MongoDB's options, which may hold passwords."""
    shown_part = re.sub(r"//.*@", "//***@", url)
    return shown_part.partition("?")[0] if url.startswith("mongo") else shown_part
