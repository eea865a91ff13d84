"""Expands references: puts a referred resource in place of a reference to it (TMF630 part 2, `expand` and `depth`).

A caller gets nothing that it could not retrieve itself: references to resources that this service does not serve, that
do not exist, or that the caller may not see, stay as they are. The number and the size of what one response gets are
bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tmf_sales.access import Principal
from tmf_sales.contract.resource_type import ResourceType
from tmf_sales.engine.representation import with_href
from tmf_sales.engine.request import Request
from tmf_sales.errors import InvalidParameter
from tmf_sales.events.visibility import SeenBy
from tmf_sales.query.expansion import Expansion
from tmf_sales.storage.conditions import Path
from tmf_sales.storage.protocol import Storage
from tmf_sales.storage.records import Document

MOST_RESOURCES = 200
MOST_BYTES = 8 * 1024 * 1024

Target = tuple[str, str]
"""The kind and the id of a resource that a reference refers to."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A document in its expanded form, and the bytes of stored resources that it adds to a response."""

    document: Document
    size: int


class References:
    """Finds the resources of all served APIs that references refer to.

    A reference belongs to a resource when its `href` is that of the resource, or, without an `href`, when its
    `@referredType` is the name of the resource's type.
    """

    def __init__(self, types: Iterable[ResourceType], store: Storage, seen_by: Callable[[Principal], SeenBy]) -> None:
        self._types = {each.kind: each for each in types}
        self._store = store
        self._seen_by = seen_by
        self._kind_at = {f"{each.base_path}{each.path}": kind for kind, each in self._types.items()}
        names = [each.name for each in self._types.values()]
        self._kind_named = {each.name: kind for kind, each in self._types.items() if names.count(each.name) == 1}

    async def expanded(self, request: Request, documents: Sequence[Document], wanted: Expansion) -> list[Document]:
        """Copies of the documents with the wanted references expanded. Raises InvalidParameter when it is too much."""
        expanded = await _Expander(self, request, wanted).expanded(documents, wanted.paths, wanted.depth)
        return [each.document for each in expanded]

    def target(self, reference: Document, public_url: str) -> Target | None:
        """The resource that an object refers to, if this service serves it."""
        href, id = reference.get("href"), reference.get("id")
        if isinstance(href, str) and href:
            place, _, named = href.removeprefix(public_url).rpartition("/")
            kind = self._kind_at.get(place)
            return (kind, named) if kind and named else None
        name = reference.get("@referredType")
        kind = self._kind_named.get(name) if isinstance(name, str) else None
        return (kind, id) if kind and isinstance(id, str) and id else None

    async def find(self, request: Request, target: Target, seen_by: SeenBy) -> _Found | None:
        kind, id = target
        record = await self._store.get(kind, id)
        access = seen_by(kind)
        if record is None or not access.sees(record.current.document):
            return None
        href = self._types[kind].href(request.public_url, id)
        return _Found(with_href(access.shown(record.current.document), href), len(record.current.text))

    def seen_by(self, principal: Principal) -> SeenBy:
        return self._seen_by(principal)


class _Expander:
    """The expansion of one response. Reads each resource once; `_known` has None for those that stay hidden."""

    def __init__(self, references: References, request: Request, wanted: Expansion) -> None:
        self._references = references
        self._request = request
        self._parameter = wanted.parameter
        self._seen_by = references.seen_by(request.principal)
        self._known: dict[Target, _Found | None] = {}

    async def expanded(self, documents: Sequence[Document], paths: Sequence[Path], depth: int) -> list[_Found]:
        """Copies of the documents, each with the size of what they gained; their top level is never a reference."""
        targets: dict[Target, None] = {}

        def collect(reference: Document) -> Document:
            if target := self._of(reference):
                targets[target] = None
            return reference

        for document in documents:
            _replaced(document, paths, depth, collect)
        found = await self._find(targets)
        if depth > 1:
            inner = await self.expanded([each.document for each in found.values()], (), depth - 1)
            found = {
                target: _Found(one.document, found[target].size + one.size)
                for target, one in zip(found, inner, strict=True)
            }
        return self._with_found(documents, paths, depth, found)

    def _with_found(
        self, documents: Sequence[Document], paths: Sequence[Path], depth: int, found: Mapping[Target, _Found]
    ) -> list[_Found]:
        total = gained = 0

        def replace(reference: Document) -> Document:
            nonlocal gained
            target = self._of(reference)
            resource = found.get(target) if target else None
            if resource is None:
                return reference
            gained += resource.size
            if total + gained > MOST_BYTES:
                raise self._too_much(f"more than {MOST_BYTES} bytes of resources")
            return resource.document

        made = []
        for document in documents:
            gained = 0
            made.append(_Found(_replaced(document, paths, depth, replace), gained))
            total += gained
        return made

    def _of(self, reference: Document) -> Target | None:
        return self._references.target(reference, self._request.public_url)

    async def _find(self, targets: Iterable[Target]) -> Mapping[Target, _Found]:
        for target in targets:
            if target not in self._known:
                if len(self._known) >= MOST_RESOURCES:
                    raise self._too_much(f"more than {MOST_RESOURCES} resources")
                self._known[target] = await self._references.find(self._request, target, self._seen_by)
        return {target: found for target in targets if (found := self._known[target])}

    def _too_much(self, what: str) -> InvalidParameter:
        return InvalidParameter(f"{self._parameter}: this would add {what}; expand fewer references, or use limit")


Replace = Callable[[Document], Document]


def _replaced(document: Document, paths: Iterable[Path], depth: int, replace: Replace) -> Document:
    """A copy of the document with each object at the paths, or each one below its top level, passed to `replace`."""
    if depth:
        return {name: _replaced_everywhere(value, replace) for name, value in document.items()}
    for path in sorted(paths, key=len, reverse=True):  # the inner ones first: they are about the stored document
        document = _replaced_at(document, path, replace)
    return document


def _replaced_everywhere(value: Any, replace: Replace) -> Any:
    if isinstance(value, list):
        return [_replaced_everywhere(element, replace) for element in value]
    if not isinstance(value, dict):
        return value
    other = replace(value)
    if other is not value:
        return other
    return {name: _replaced_everywhere(inner, replace) for name, inner in value.items()}


def _replaced_at(value: Any, path: Path, replace: Replace) -> Any:
    if isinstance(value, list):
        return [_replaced_at(element, path, replace) for element in value]
    if not isinstance(value, dict):
        return value
    if not path:
        return replace(value)
    return {**value, path[0]: _replaced_at(value[path[0]], path[1:], replace)} if path[0] in value else value
