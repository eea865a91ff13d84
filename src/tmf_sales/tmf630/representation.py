"""Stored documents as the client sees them: href, ETag, conditional requests, pages (TMF630 part 1; RFC 9110, 8288).

Promise: href is never stored but added on the way out, so that a service may move; where nothing else changes, the
stored JSON text goes out without being parsed.
"""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from tmf_sales.storage import Document, Version


def with_href(document: Document, href: str) -> Document:
    """The representation as a document: id first, href second, then the rest."""
    return {"id": document["id"], "href": href, **document}


def text_with_href(version: Version, id: str, href: str) -> bytes:
    """The representation as JSON; href is spliced in after id, which stored documents have first."""
    head = b'{"id":' + orjson.dumps(id)
    text = version.text
    if text.startswith(head):
        return b'%b,"href":%b%b' % (head, orjson.dumps(href), text[len(head) :])
    return orjson.dumps(with_href(version.document, href))


def json_list(texts: Iterable[bytes]) -> bytes:
    return b"[" + b",".join(texts) + b"]"


def entity_tag(revision: int) -> bytes:
    """A strong validator of the whole resource at this revision (RFC 9110, 8.8.3)."""
    return b'"%d"' % revision


def tag_is_listed(header: str, revision: int, *, weak: bool) -> bool:
    """Whether If-Match or If-None-Match names this revision; `weak` lets W/ tags count, as If-None-Match does."""
    if header.strip() == "*":
        return True
    own = entity_tag(revision).decode()
    tags = [tag.strip() for tag in header.split(",")]
    return own in tags or (weak and f"W/{own}" in tags)
