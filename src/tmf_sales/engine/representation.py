"""Represents stored documents to clients: adds href (TMF630 part 1).

href is never stored, so that a service may move to another URL. When nothing else changes, the stored JSON text is sent
without being parsed.
"""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from tmf_sales.storage.records import AnyRow, Document, Version

_BEFORE_ID = b'{"id":'


def with_href(document: Document, href: str) -> Document:
    """The representation as a document: id first, href second, then the rest."""
    return {"id": document["id"], "href": href, **document}


def text_with_href(version: Version, id: str, href: str) -> bytes:
    """The representation as JSON; inserts href after id, which is the first member of stored documents."""
    head = _BEFORE_ID + orjson.dumps(id)
    text = version.text
    if text.startswith(head):
        return b'%b,"href":%b%b' % (head, orjson.dumps(href), text[len(head) :])
    return orjson.dumps(with_href(version.document, href))


class Representation:
    """A version of a resource as the client sees it. Its text is made once, for the response and the events."""

    __slots__ = ("_text", "href", "id", "version")

    def __init__(self, version: Version, id: str, href: str) -> None:
        self.version = version
        self.id = id
        self.href = href
        self._text: bytes | None = None

    @property
    def document(self) -> Document:
        return with_href(self.version.document, self.href)

    @property
    def text(self) -> bytes:
        if self._text is None:
            self._text = text_with_href(self.version, self.id, self.href)
        return self._text


def list_with_hrefs(rows: Iterable[AnyRow], url: str) -> list[bytes]:
    """The representations as the parts of a JSON list, without copying the texts. Each href is `url`/id."""
    href = b',"href":' + orjson.dumps(f"{url}/").removesuffix(b'"')
    parts = [b"["]
    for row in rows:
        id, text = row.id, row.text
        head = f'{{"id":"{id}"'.encode()  # differs from the text if JSON escapes a character of the id
        if text.startswith(head):
            parts += (head, href, text[len(_BEFORE_ID) + 1 :], b",")  # href ends as the text goes on: with the id
        else:
            parts += (text_with_href(row.version, id, f"{url}/{id}"), b",")
    if len(parts) > 1:
        parts.pop()
    parts.append(b"]")
    return parts
