"""Validates the head of a request as RFC 9112 demands, before the parser sees it.

Guarantee: a head is rejected unless everything that decides where the request ends (its lines, Host, Content-Length,
Transfer-Encoding) has exactly one meaning. A proxy and this service therefore cannot disagree (request smuggling).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tmf_sales.values.messages import shown

LONGEST_HEAD = 256 * 1024
LONGEST_TARGET = 65_535  # httptools stores offsets into it in 16 bits
MOST_FIELDS = 512
LARGEST_LENGTH = 2**63 - 1  # larger ones overflow in httptools

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]"
_FIELD = _TOKEN + rb"++:[^\x00-\x08\x0a-\x1f\x7f]*+"
_REQUEST_LINE = rb"[A-Z-]{1,32} [\x21-\x7e\x80-\xff]++ HTTP/1\.[01]"
_HEAD = re.compile(_REQUEST_LINE + rb"\r\n(?:" + _FIELD + rb"\r\n)*+\r\n")
_VALID_REQUEST_LINE = re.compile(_REQUEST_LINE)
_VALID_FIELD = re.compile(_FIELD)
_NAME = re.compile(_TOKEN + rb"+")
_FRAMING = re.compile(rb"\r\n(host|content-length|transfer-encoding|upgrade):[ \t]*+([^\r]*)", re.IGNORECASE)
_UPGRADE = re.compile(rb"\r\nupgrade:[^\r]*", re.IGNORECASE)
_HOST = re.compile(rb"(?:\[[0-9A-Fa-f:.]{2,45}\]|[0-9A-Za-z._~%-]{1,255})(?::([0-9]{0,5}))?")
_LENGTH = re.compile(rb"[0-9]{1,19}")
_BLANKS_BEHIND_VALUE = re.compile(rb"(?<![ \t])[ \t]++(?=\r)")
_ABSOLUTE_TARGET = re.compile(rb"https?://([^/?#]*)", re.IGNORECASE)
_START = re.compile(rb"[A-Z-]{1,32}(?: |\Z)")
_BROKEN_LINE = re.compile(rb"(?<!\r)\n|\r(?=[^\n])")


class InvalidHead(Exception):
    """Raised when a head is not valid; the text says what is expected."""


class Head(NamedTuple):
    """A valid head as the parser gets it, and how its body ends: after `length` bytes or with the last chunk."""

    text: bytes
    length: int
    is_chunked: bool


def read_head(head: bytes) -> Head:
    """Validate a complete head, including the empty line at its end; raise InvalidHead.

    `text` omits Upgrade fields: the service offers no other protocol (RFC 9110, 7.8: "a server MAY ignore a received
    Upgrade header field"), and httptools would treat the following bytes as that protocol. It also omits the blanks
    behind values, which are not part of them (RFC 9112, 5.1) and which httptools keeps.
    """
    if _HEAD.fullmatch(head) is None:
        raise InvalidHead(_find_syntax_fault(head))
    if len(head) > 4 * MOST_FIELDS and head.count(b"\r\n") > MOST_FIELDS + 2:
        raise InvalidHead(f"the head has more than {MOST_FIELDS} fields")
    if b" \r" in head or b"\t\r" in head:
        head = _BLANKS_BEHIND_VALUE.sub(b"", head)
    hosts, lengths, codings, upgrades = [], [], [], False
    for name, value in _FRAMING.findall(head):
        match name.lower():
            case b"host":
                hosts.append(value)
            case b"content-length":
                lengths.append(value)
            case b"transfer-encoding":
                codings.append(value)
            case _:
                upgrades = True
    method, target, version = head[: head.index(b"\r\n")].split(b" ")
    _check_host(hosts, is_required=version == b"HTTP/1.1")
    if not target.startswith(b"/") or method == b"CONNECT":
        _check_target(method, target, hosts)
    length = _read_length(lengths)
    if codings:
        _check_coding(codings, version, has_length=bool(lengths))
    return Head(_UPGRADE.sub(b"", head) if upgrades else head, length, bool(codings))


def reject_hopeless_start(received: bytes | bytearray, begin: int, searched: int) -> None:
    """Raise InvalidHead when the bytes from `begin` on can no longer become a valid head.

    The first `searched` bytes were checked before and are skipped, so a head that arrives byte by byte stays cheap.
    """
    if _START.match(received, begin) is None:
        raise InvalidHead("the method is not an HTTP method")
    if _BROKEN_LINE.search(received, begin + searched):
        raise InvalidHead("each line of the head must end with CRLF (RFC 9112, 2.2)")


def _find_syntax_fault(head: bytes) -> str:
    request_line, *fields = head[:-4].split(b"\r\n")
    if _VALID_REQUEST_LINE.fullmatch(request_line) is None:
        version = request_line.rpartition(b" ")[2].decode("latin-1")
        if re.fullmatch(r"HTTP/\d(\.\d)?", version) and version not in {"HTTP/1.0", "HTTP/1.1"}:
            return f"expected a request of HTTP/1.1 (RFC 9112), not of {version}"
        return "expected a request of HTTP/1.1 (RFC 9112): method, target and version, one blank between them"
    place, field = next(
        (place, field) for place, field in enumerate(fields, 1) if _VALID_FIELD.fullmatch(field) is None
    )
    name, colon, _ = field.partition(b":")
    if not colon or _NAME.fullmatch(name) is None:
        return f"field {place} of the head: expected `name: value` without a blank before name or colon (RFC 9112, 5)"
    return f"field {shown(name.decode('latin-1'))} of the head has a control character in its value (RFC 9110, 5.5)"


def _check_host(hosts: list[bytes], *, is_required: bool) -> None:
    """RFC 9112, 3.2: 400 for a request of HTTP/1.1 without Host, for more than one, and for an invalid value."""
    if len(hosts) > 1 or (is_required and not hosts):
        raise InvalidHead(f"expected one Host field, found {len(hosts)} (RFC 9112, 3.2)")
    if hosts:
        found = _HOST.fullmatch(hosts[0])
        if found is None or int(found[1] or 0) > 65535:
            raise InvalidHead(f"Host is {shown(hosts[0].decode('latin-1'))}; expected a host and perhaps a port")


def _check_target(method: bytes, target: bytes, hosts: list[bytes]) -> None:
    """Accept `*` for OPTIONS, and a URL with the same host as Host (RFC 9112, 3.2)."""
    if method == b"CONNECT":
        raise InvalidHead("the service is not a proxy: CONNECT is not supported")
    if target == b"*" and method == b"OPTIONS":
        return
    absolute = _ABSOLUTE_TARGET.match(target)
    if absolute is None:
        raise InvalidHead("the target of the request is neither a path nor an http URL (RFC 9112, 3.2)")
    if hosts and absolute[1].lower() != hosts[0].lower():
        raise InvalidHead("the target of the request names another host than Host")


def _read_length(lengths: list[bytes]) -> int:
    if not lengths:
        return 0
    if len(lengths) > 1:
        raise InvalidHead(f"expected one Content-Length, found {len(lengths)}")
    if _LENGTH.fullmatch(lengths[0]) is None or int(lengths[0]) > LARGEST_LENGTH:
        raise InvalidHead(f"Content-Length is {shown(lengths[0].decode('latin-1'))}; expected a whole number of bytes")
    return int(lengths[0])


def _check_coding(codings: list[bytes], version: bytes, *, has_length: bool) -> None:
    if has_length:
        raise InvalidHead("expected Content-Length or Transfer-Encoding, found both (RFC 9112, 6.3)")
    if version != b"HTTP/1.1":
        raise InvalidHead("HTTP/1.0 has no Transfer-Encoding (RFC 9112, 6.1)")
    if len(codings) > 1 or codings[0].lower() != b"chunked":
        listed = b", ".join(codings).decode("latin-1")
        raise InvalidHead(f"Transfer-Encoding is {shown(listed)}; expected chunked alone")
