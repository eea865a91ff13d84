"""Implements list operations: filtering, sorting, paging, counts, and links to other pages (TMF630 part 1; RFC 8288).

The store filters, sorts and counts. X-Total-Count is the number of matches, X-Result-Count that of this page. A list
with a filter on one id returns all versions of a versioned resource.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import orjson

from tmf_sales.access import Access
from tmf_sales.contract.resource_type import ResourceType
from tmf_sales.engine import versions
from tmf_sales.engine.expansion import References
from tmf_sales.engine.representation import list_with_hrefs, with_href
from tmf_sales.engine.request import Body, Request, Response
from tmf_sales.query.paging import Paging
from tmf_sales.query.query import CACHED_LENGTH, ListRequest, parse_query
from tmf_sales.storage.evaluate import in_order
from tmf_sales.storage.protocol import Storage
from tmf_sales.storage.records import AnyRow, Page, Row, Version

LONGEST_LINKED = 1500  # each link repeats the query, and proxies reject response heads of more than 8 KB
_CACHED_LINKS = 64  # a client that refreshes a page gets the same ones; each takes at most 4 KB


@dataclass(frozen=True, slots=True)
class Listing:
    """Lists the resources of one type."""

    type: ResourceType
    store: Storage
    references: References
    strict: bool
    paging: Paging

    async def answer(self, request: Request) -> Response:
        wanted = parse_query(request.raw_query, self.type.attributes, strict=self.strict, paging=self.paging)
        page = await self._find(request, wanted)
        result = self._without_body(request, wanted, page)
        result.body = await self._text(request, wanted, page.rows)
        return result

    async def head(self, request: Request) -> Response:
        wanted = parse_query(request.raw_query, self.type.attributes, strict=self.strict, paging=self.paging)
        return self._without_body(request, wanted, await self._find(request, wanted))

    async def _find(self, request: Request, wanted: ListRequest) -> Page:
        if wanted.single_id is None:
            page = await self.store.find(self.type.kind, request.access.restricted(wanted.query))
            return page._replace(rows=_seen(page.rows, request.access)) if request.access.hides else page
        return await self._find_versions(request.access, wanted.single_id, wanted)

    async def _find_versions(self, access: Access, id: str, wanted: ListRequest) -> Page:
        """Find the versions of one resource, oldest first, or those with the requested number, by a single read.

        Applies the caller's permissions before its filters, as the stores do.
        """
        member = self.type.version_member or ""
        record = await self.store.get(self.type.kind, id)
        rows = [Row(id, version) for version in reversed(record.versions)] if record else []
        numbers = wanted.equality_on((member,))
        if numbers is not None:
            asked = {number for text in numbers if (number := _number_or_none(text)) is not None}
            rows = [row for row in rows if versions.number_in(row.version, member) in asked]
        rest = wanted.where_without(("id",), (member,))
        current = record.current if record else None
        rows = [row for row in rows if access.finds(rest, row.version.document, is_current=row.version is current)]
        place = {row: f"{number:06}" for number, row in enumerate(rows)}
        rows = in_order(rows, access.restricted(wanted.query).sort, lambda row: row.version.document, place.__getitem__)
        first = wanted.query.offset
        return Page(_seen(rows[first : first + wanted.query.limit], access, current), len(rows))

    async def _text(self, request: Request, wanted: ListRequest, rows: Sequence[AnyRow]) -> Body:
        url = f"{request.public_url}{self.type.base_path}{self.type.path}"
        if wanted.expansion:
            documents = [with_href(row.version.document, f"{url}/{row.id}") for row in rows]
            documents = await self.references.expanded(request, documents, wanted.expansion)
            return orjson.dumps(
                [wanted.selection.select(each) for each in documents] if wanted.selection else documents
            )
        if wanted.selection:  # Select first: there is less to copy when href is added.
            select = wanted.selection.select
            return orjson.dumps([with_href(select(row.version.document), f"{url}/{row.id}") for row in rows])
        return list_with_hrefs(rows, url)

    def _without_body(self, request: Request, wanted: ListRequest, page: Page) -> Response:
        url = f"{request.public_url}{self.type.base_path}{self.type.path}"
        return page_response(url, wanted, len(page.rows), page.total, exact=page.exact, is_cut=page.is_cut)


def page_response(
    url: str, wanted: ListRequest, shown: int, total: int, *, exact: bool, is_cut: bool = False
) -> Response:
    """The response of a list operation at `url`, without its body; 206 when a requested page is not the whole list.

    `shown`: the number of rows on this page. `total`: the number of matches; without `exact` a lower bound. `is_cut`:
    the page ended early, because of its size.
    """
    headers = [(b"x-total-count" if exact else b"x-total-count-at-least", b"%d" % total)]
    headers.append((b"x-result-count", b"%d" % shown))
    if len(wanted.raw) <= LONGEST_LINKED:
        links = _links_once if len(wanted.raw) <= CACHED_LENGTH else _links
        headers.append((b"link", links(url, wanted, shown, total, exact, is_cut)))
    is_part = wanted.paged and 0 < total != shown and wanted.query.offset < total
    return Response(206 if is_part else 200, headers=headers)


def _links(url: str, wanted: ListRequest, shown: int, total: int, exact: bool, is_cut: bool) -> bytes:
    links = ", ".join(
        f'<{url}{query and "?"}{query}>; rel="{relation}"'
        for relation, query in wanted.links(shown, total, exact=exact, is_cut=is_cut)
    )
    return links.encode("latin-1")


_links_once = lru_cache(maxsize=_CACHED_LINKS)(_links)


def _seen(rows: Sequence[AnyRow], access: Access, current: Version | None = None) -> Sequence[AnyRow]:
    """The rows without members hidden from the caller. Without `current`, all rows are current versions."""
    if not access.hides:
        return rows
    shown = (access.shown(row.version.document, is_current=current in (None, row.version)) for row in rows)
    return [Row(row.id, Version(row.version.revision, document)) for row, document in zip(rows, shown, strict=True)]


def _number_or_none(text: str) -> versions.Number | None:
    try:
        return versions.number_of(text)
    except ValueError:
        return None
