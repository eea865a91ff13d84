"""Evaluates If-Match and If-None-Match on one resource (RFC 9110, 13): on GET, HEAD, PATCH and DELETE alike.

An entity tag is the revision of the requested version. Collections have no tags and ignore both headers.
"""

from __future__ import annotations

import re

from tmf_sales.engine.request import Request
from tmf_sales.errors import PreconditionFailed

_TAG = re.compile(rb'(?:W/)?"[^"]*"')
READING = {"GET", "HEAD"}
CONDITIONS = {b"if-match", b"if-none-match"}


def entity_tag(revision: int) -> bytes:
    """A strong validator of the whole resource at this revision (RFC 9110, 8.8.3)."""
    return b'"%d"' % revision


def is_not_modified(request: Request, revision: int) -> bool:
    """Whether to respond 304 to GET or HEAD; raises PreconditionFailed in the order of RFC 9110, 13.2.2."""
    if CONDITIONS.isdisjoint(request.headers):
        return False
    own = entity_tag(revision)
    wanted = request.header(b"if-match")
    if wanted is not None and not _is_listed(wanted, own):
        raise PreconditionFailed(f"If-Match: the current ETag is {own.decode()}")
    known = request.header(b"if-none-match")
    if known is None or not _is_listed(known, own, b"W/" + own):
        return False
    if request.method not in READING:
        raise PreconditionFailed(f"If-None-Match: the current ETag is {own.decode()}")
    return True


def _is_listed(header: str, *tags: bytes) -> bool:
    """Whether a header is `*` or lists one of these tags; a malformed list matches none."""
    if header.strip() == "*":
        return True
    text = header.encode("latin-1")
    return not set(tags).isdisjoint(_TAG.findall(text)) and not _TAG.sub(b"", text).translate(None, b" \t,")
