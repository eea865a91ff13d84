"""Stores resources in plain dictionaries: the reference store, for tests and fuzzing. Nothing survives the process."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from itertools import islice

from sortedcontainers import SortedList

from tmf_sales.storage.conditions import EVERYTHING, Query
from tmf_sales.storage.evaluate import in_order, predicate
from tmf_sales.storage.memory.deadline import Deadline
from tmf_sales.storage.memory.equality_index import EqualityIndex
from tmf_sales.storage.memory.events import MemoryEvents
from tmf_sales.storage.protocol import Storage, reject_other_revision, reject_too_large_record
from tmf_sales.storage.records import Change, Document, Kind, Page, PageRows, Record, Row, Version, new_row


class MemoryStorage(Storage):
    """Every method is atomic because it awaits nothing, or works on a snapshot taken when it was called.

    `statement_timeout` is in seconds and bounds every find.
    """

    format: int | None = None

    def __init__(
        self, kinds: Sequence[Kind], now: Callable[[], float] = time.time, statement_timeout: float = 2.0
    ) -> None:
        self.events = MemoryEvents(now)
        self._statement_timeout = statement_timeout
        self._kinds: dict[str, dict[str, Record]] = {kind.name: {} for kind in kinds}
        self._ids: dict[str, SortedList] = {kind.name: SortedList() for kind in kinds}
        self._subscriptions = [self._kinds[kind.name] for kind in kinds if kind.subscribes]
        self._indexes = {kind.name: EqualityIndex(kind.indexes) for kind in kinds}

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def ping(self) -> None: ...

    async def get(self, kind: str, id: str) -> Record | None:
        return self._kinds[kind].get(id)  # not timed: two clock reads would take longer than this

    async def find(self, kind: str, query: Query) -> Page:
        if query.where == EVERYTHING and not query.sort:
            return self._page_of_all(kind, query)
        deadline = Deadline(self._statement_timeout)
        is_wanted = predicate(query.where, deadline.reject_when_late)
        found: list[Row] = []
        for stored in await self._indexes[kind].candidates(query.where, self._kinds[kind], deadline):
            await deadline.give_way()
            if is_wanted(stored.current.document):
                found.append(Row(stored.id, stored.current))

        def document(row: Row) -> Document:
            deadline.reject_when_late()
            return row.version.document

        ordered = in_order(found, query.sort, document=document, id=lambda row: row.id)
        return _page(query, ordered[query.offset : query.offset + query.limit], len(found))

    def _page_of_all(self, kind: str, query: Query) -> Page:
        resources = self._kinds[kind]
        ids = self._ids[kind].islice(query.offset, query.offset + query.limit)
        return _page(query, [new_row((id, resources[id].versions[0])) for id in ids], len(resources))

    async def commit(self, change: Change) -> int:
        resources = self._kinds[change.kind]
        stored = resources.get(change.id)
        reject_other_revision(change, stored.revision if stored is not None else 0)
        reject_too_large_record(change.versions)
        revision = change.revision
        if change.versions:
            # Keep only texts, as other stores do: the documents of many writes make garbage collection expensive.
            texts = tuple(Version(version.revision, text=version.text) for version in change.versions)
            resources[change.id] = Record(change.id, revision, texts)
        else:
            del resources[change.id]
        if stored is None:
            self._ids[change.kind].add(change.id)
        elif not change.versions:
            self._ids[change.kind].remove(change.id)
        self._indexes[change.kind].note(change.id)
        self.events.append(change, is_awaited=not self._subscriptions or any(self._subscriptions))
        return revision

    async def load(self, kind: str, records: Sequence[Record]) -> list[str]:
        for record in records:
            reject_too_large_record(record.versions)
        resources, taken = self._kinds[kind], []
        for record in records:
            if record.id in resources:
                taken.append(record.id)
            else:
                resources[record.id] = record
                self._ids[kind].add(record.id)
                self._indexes[kind].note(record.id)
        return taken

    async def unknown_kinds(self) -> Mapping[str, int]:
        return {}

    async def walk(self, kind: str, after: str, limit: int) -> Sequence[Record]:
        resources = self._kinds[kind]
        behind = self._ids[kind].irange(after, inclusive=(False, True))
        return [resources[id] for id in islice(behind, limit)]


def _page(query: Query, rows: list[Row], total: int) -> Page:
    found = PageRows(query)
    found.extend(rows)
    return found.page(query, total)
