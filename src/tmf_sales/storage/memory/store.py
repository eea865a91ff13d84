"""The oracle: a store in plain dictionaries, obviously right, for tests and fuzzing; nothing survives the process."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import islice

from sortedcontainers import SortedList

from tmf_sales.storage.conditions import EVERYTHING, Query
from tmf_sales.storage.evaluate import in_order, predicate
from tmf_sales.storage.memory.events import MemoryEvents
from tmf_sales.storage.protocol import (
    Change,
    Kind,
    Page,
    Row,
    Storage,
    Stored,
    Version,
    refuse_other_revision,
    refuse_too_large_unit,
)


class MemoryStorage(Storage):
    """Every method is atomic because none of them awaits anything."""

    def __init__(self, kinds: Sequence[Kind], now: Callable[[], float] = time.time) -> None:
        self.events = MemoryEvents(now)
        self._kinds: dict[str, dict[str, Stored]] = {kind.name: {} for kind in kinds}
        self._ids: dict[str, SortedList] = {kind.name: SortedList() for kind in kinds}

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def ping(self) -> None: ...

    async def get(self, kind: str, id: str) -> Stored | None:
        return self._kinds[kind].get(id)

    async def find(self, kind: str, query: Query) -> Page:
        if query.where == EVERYTHING and not query.sort:
            return self._page_of_all(kind, query)
        is_wanted = predicate(query.where)
        found = [
            Row(stored.id, stored.current)
            for stored in self._kinds[kind].values()
            if is_wanted(stored.current.document)
        ]
        ordered = in_order(found, query.sort, document=lambda row: row.version.document, id=lambda row: row.id)
        exact = not query.count_limit or len(found) <= query.count_limit
        total = len(found) if exact else query.count_limit
        return Page(ordered[query.offset : query.offset + query.limit], total, exact)

    def _page_of_all(self, kind: str, query: Query) -> Page:
        resources = self._kinds[kind]
        ids = self._ids[kind].islice(query.offset, query.offset + query.limit)
        rows = [Row(id, resources[id].current) for id in ids]
        exact = not query.count_limit or len(resources) <= query.count_limit
        return Page(rows, len(resources) if exact else query.count_limit, exact)

    async def commit(self, change: Change) -> int:
        resources = self._kinds[change.kind]
        stored = resources.get(change.id)
        refuse_other_revision(change, stored.revision if stored is not None else 0)
        refuse_too_large_unit(change.versions)
        revision = change.expected_revision + 1
        if change.versions:
            # Texts alone, as in any other store: the documents of many writes are what garbage collection works on.
            texts = tuple(Version(version.revision, text=version.text) for version in change.versions)
            resources[change.id] = Stored(change.id, revision, texts)
        else:
            del resources[change.id]
        if stored is None:
            self._ids[change.kind].add(change.id)
        elif not change.versions:
            self._ids[change.kind].remove(change.id)
        self.events.append(change)
        return revision

    async def load(self, kind: str, units: Sequence[Stored]) -> list[str]:
        for unit in units:
            refuse_too_large_unit(unit.versions)
        resources, taken = self._kinds[kind], []
        for unit in units:
            if unit.id in resources:
                taken.append(unit.id)
            else:
                resources[unit.id] = unit
                self._ids[kind].add(unit.id)
        return taken

    async def walk(self, kind: str, after: str, limit: int) -> Sequence[Stored]:
        resources = self._kinds[kind]
        behind = self._ids[kind].irange(after, inclusive=(False, True))
        return [resources[id] for id in islice(behind, limit)]
