"""Reads when the certificate expires that the service presents (RFC 5280), for a metric."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

VERSION, UTC_TIME = 0xA0, 0x17
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


def expiry_of(path: Path) -> float | None:
    """When the first certificate of a PEM file expires, in seconds since 1970; None if the file has none."""
    try:
        found = _CERTIFICATE.search(path.read_text(encoding="ascii", errors="replace"))
        return None if found is None else not_after(ssl.PEM_cert_to_DER_cert(found[0]))
    except (OSError, ValueError, IndexError):  # the server says why it cannot use the certificate
        return None


def not_after(certificate: bytes) -> float:
    """The member notAfter of a certificate in DER; raises ValueError or IndexError for anything else."""
    ((_, whole),) = _elements(certificate)
    (_, to_be_signed), *_ = _elements(whole)
    members = [content for tag, content in _elements(to_be_signed) if tag != VERSION]
    _serial, _signature, _issuer, validity = members[:4]
    _, (tag, text) = _elements(validity)
    form = "%y%m%d%H%M%SZ" if tag == UTC_TIME else "%Y%m%d%H%M%SZ"
    return datetime.strptime(text.decode("ascii"), form).replace(tzinfo=UTC).timestamp()


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The tag and the content of each element (X.690, 8.1)."""
    at = 0
    while at < len(data):
        tag, length, begin = data[at], data[at + 1], at + 2
        if length & 0x80:
            begin += length & 0x7F
            length = int.from_bytes(data[at + 2 : begin], "big")
        yield tag, data[begin : begin + length]
        at = begin + length
