"""Rejects settings that contradict each other."""

from __future__ import annotations

import sys

from tmf_sales.configuration.names import InvalidSettings, variable_of
from tmf_sales.configuration.setting_types import MEMORY
from tmf_sales.configuration.settings import Settings, is_loopback
from tmf_sales.values.messages import shown


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
    reject_incomplete_tls_settings(settings)
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


def reject_incomplete_tls_settings(settings: Settings) -> None:
    names = ("tls_cert", "tls_key", "tls_client_ca")
    given = [name for name in names if getattr(settings, name) is not None]
    missing = [variable_of(name) for name in ("tls_cert", "tls_key") if name not in given]
    if given and missing:
        raise InvalidSettings(f"{variable_of(given[0])} is set without {' and '.join(missing)}; TLS needs both")
