"""Serves TLS: loads the certificate with its key, and the authorities of clients' certificates.

Guarantee: a certificate that does not load never replaces one that is in force. Connections that are open keep theirs;
new ones get the certificate that was loaded last.
"""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Callable
from pathlib import Path

from tmf_sales.configuration.names import variable_of
from tmf_sales.configuration.settings import Settings
from tmf_sales.errors import CannotStart

HANDSHAKE_SECONDS = 20.0
CERTIFICATE, KEY, CLIENT_CA = map(variable_of, ("tls_cert", "tls_key", "tls_client_ca"))
_BEGIN_CERTIFICATE = re.compile(r"-----BEGIN (TRUSTED |X509 )?CERTIFICATE-----")


class InvalidTls(CannotStart):
    """Raised when certificate, key or authorities cannot be used; one line that names the setting."""


class Tls:
    """The TLS of a listener. `context`: for asyncio; it gives each new connection the certificate in force."""

    def __init__(self, settings: Settings) -> None:
        self._in_force = create_context(settings)
        self.context = create_context(settings)
        self.context.sni_callback = self._choose  # OpenSSL calls it for clients that send no name, too

    def _choose(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        connection.context = self._in_force

    def prepare(self, settings: Settings) -> Callable[[], None]:
        """Load the certificate anew; return what puts it into force. Raises InvalidTls."""
        loaded = create_context(settings)
        if loaded.verify_mode != self.context.verify_mode:
            raise InvalidTls(f"{CLIENT_CA} was added or removed, which needs a restart")

        def replace() -> None:
            self._in_force = loaded

        return replace


def create_tls(settings: Settings) -> Tls | None:
    """None without a certificate; raises InvalidTls."""
    return None if settings.tls_cert is None else Tls(settings)


def create_context(settings: Settings) -> ssl.SSLContext:
    """A context for TLS 1.2 and later with the configured files; raises InvalidTls."""
    if settings.tls_cert is None or settings.tls_key is None:
        raise InvalidTls(f"{CERTIFICATE} was removed, which needs a restart")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    load_certificate(context, settings.tls_cert, settings.tls_key)
    if settings.tls_client_ca is not None:
        load_authorities(context, settings.tls_client_ca)
    return context


def load_certificate(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    """Load both, or raise InvalidTls with the setting that is wrong."""
    if _BEGIN_CERTIFICATE.search(_read(CERTIFICATE, certificate)) is None:
        raise InvalidTls(f"{CERTIFICATE} is {str(certificate)!a}; expected a certificate chain as PEM")
    wrong_key = f"{KEY} is {str(key)!a}; expected"
    if "PRIVATE KEY-----" not in _read(KEY, key):
        raise InvalidTls(f"{wrong_key} a private key as PEM")
    try:
        context.load_cert_chain(certificate, key, password=_reject_passphrase)
    except _Encrypted:
        raise InvalidTls(f"{wrong_key} a private key without a passphrase") from None
    except (ssl.SSLError, OSError) as error:
        if getattr(error, "reason", None) == "KEY_VALUES_MISMATCH":
            raise InvalidTls(f"{wrong_key} the private key of the certificate in {CERTIFICATE}") from None
        paths = f"{str(certificate)!a} and {str(key)!a}"
        raise InvalidTls(f"{CERTIFICATE} and {KEY} are {paths}; expected valid PEM") from None


def load_authorities(context: ssl.SSLContext, authorities: Path) -> None:
    """Ask clients for a certificate of one of these authorities; raises InvalidTls."""
    context.verify_mode = ssl.CERT_REQUIRED
    # A resumed session would skip the verification, also after the authorities have changed.
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    text = _read(CLIENT_CA, authorities)
    try:
        context.load_verify_locations(cadata=text)
    except (ssl.SSLError, ValueError):
        raise InvalidTls(f"{CLIENT_CA} is {str(authorities)!a}; expected certificates as PEM") from None


def _read(variable: str, path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else "not a file"
        raise InvalidTls(f"{variable} is {str(path)!a}, which cannot be read: {reason}") from None


class _Encrypted(Exception):
    """Raised when a key has a passphrase; without it OpenSSL would ask for one on the terminal."""


def _reject_passphrase() -> str:
    raise _Encrypted
