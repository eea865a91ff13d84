"""Reads from the SQLite file: connections that cannot write, and queries within a time limit."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path as FilePath
from typing import Any

from tmf_sales.storage.conditions import Query
from tmf_sales.storage.protocol import StorageUnavailable, TookTooLong
from tmf_sales.storage.records import Page, PageRows, Record, Row, Version
from tmf_sales.storage.sqlite.compile import Plan, Statement, compile_query
from tmf_sales.storage.sqlite.damage import Damage
from tmf_sales.storage.sqlite.layout import Layout, SqlValue, unpack_versions

BUSY_TIMEOUT = 5.0
OPERATIONS_BETWEEN_CHECKS = 2_000


class Busy(Exception):
    """Raised by a reader that does not wait, when another process locks the file or the query takes long."""


class Reader:
    """A read-only connection for one thread at a time. `waits`: for locks of other processes, at most BUSY_TIMEOUT.

    A reader that does not wait gives up with Busy after its time limit as well, and for a query that SQL alone does not
    answer: another reader may take longer.
    """

    def __init__(self, path: FilePath, time_limit: float, damage: Damage | None = None, *, waits: bool = True) -> None:
        self._damage = damage or Damage()
        self._connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro",
            uri=True,
            timeout=BUSY_TIMEOUT if waits else 0.0,
            isolation_level=None,
            check_same_thread=False,
        )
        self._connection.create_function("satisfies", 1, self._satisfies)
        self._connection.create_function("sort_value", 2, self._sort_value)
        self._waits = waits
        self._time_limit = time_limit
        self._deadline = 0.0
        self._predicate: Callable[[bytes], bool] = bool
        self._sort_values: list[Callable[[bytes], SqlValue]] = []

    def close(self) -> None:
        self._connection.close()

    def get(self, layout: Layout, id: str) -> Record | None:
        """Read one resource by its id. This must be fast, so it has neither a snapshot nor a time limit.

        Raises Busy, as find does, if this reader does not wait.
        """
        try:
            row = self._connection.execute(layout.point_read, (id,)).fetchone()
        except sqlite3.Error as failure:
            raise self._unreadable(failure) from failure
        if row is None:
            return None
        revision, changed, current, others = row
        version = Version(changed, text=current)
        return Record(id, revision, (version, *unpack_versions(others)) if others else (version,))

    def first_page(self, layout: Layout, query: Query) -> Page:
        """Find a page of a query without condition and order: one statement reads the rows and the stored count.

        Like `get`, it has no time limit, so the query must ask for few rows.
        """
        found, total = PageRows(query), 0
        try:
            values = (layout.kind.name, query.limit, query.offset)
            with closing(self._connection.execute(layout.first_page, values)) as rows:
                for row in rows:
                    total, key, changed, text = row
                    if not found.add(Row(key, Version(changed, text=text))):
                        break
        except sqlite3.Error as failure:
            raise self._unreadable(failure) from failure
        return found.page(query, total) if found.rows else self.find(layout, query)

    def find(self, layout: Layout, query: Query) -> Page:
        with self.snapshot():
            [(total, uneven)] = self.all("SELECT total, uneven FROM kind WHERE name = ?", [layout.kind.name])
            plan = compile_query(query, layout, even=not uneven, checkpoint=self._stop_when_late)
            if plan.needs_python and not self._waits:
                raise Busy
            self._use_functions_of(plan)
            found = PageRows(query)
            with closing(self._connection.execute(plan.page.sql, plan.page.values)) as rows:
                all(found.add(Row(key, Version(changed, text=text))) for key, changed, text in rows)
            if plan.count is not None:
                total = self._count_matches(plan.count, query, found)
        return found.page(query, total)

    def read(self, sql: str, values: list[SqlValue]) -> list[Any]:
        """Return all rows of one statement, within the time limit."""
        with self.snapshot():
            return self.all(sql, values)

    @contextmanager
    def rows(self, sql: str, values: list[SqlValue]) -> Iterator[Iterator[Any]]:
        """Give the rows of one statement, within the time limit; each is read from the file when it is requested."""
        with self.snapshot(), closing(self._connection.execute(sql, values)) as found:
            yield found

    def explain(self, layout: Layout, query: Query) -> list[str]:
        """Return SQLite's query plan for finding the page."""
        statement = compile_query(query, layout, even=True).search
        return [row[3] for row in self.all(f"EXPLAIN QUERY PLAN {statement.sql}", statement.values)]

    def all(self, sql: str, values: list[SqlValue]) -> list[Any]:
        return self._connection.execute(sql, values).fetchall()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Run several statements on one state of the store, with one time limit for all of them."""
        self._deadline = time.monotonic() + self._time_limit
        self._connection.set_progress_handler(self._is_late, OPERATIONS_BETWEEN_CHECKS)
        try:
            self._connection.execute("BEGIN")
            yield
        except sqlite3.Error as failure:
            if self._is_late():
                if not self._waits:
                    raise Busy from None
                raise TookTooLong(f"more than {self._time_limit:g} s; narrow the query") from None
            raise self._unreadable(failure) from failure
        finally:
            self._connection.set_progress_handler(None, 0)
            self._connection.rollback()

    def _unreadable(self, failure: sqlite3.Error) -> StorageUnavailable | Busy:
        if not self._waits and getattr(failure, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
            return Busy()
        self._damage.note(failure)
        return StorageUnavailable("the store could not be read")

    def _count_matches(self, count: Statement, query: Query, page: PageRows) -> int:
        if not page.is_cut and query.is_last_page(len(page.rows)):
            return query.offset + len(page.rows)
        [(matching,)] = self.all(count.sql, count.values)
        return int(matching)

    def _use_functions_of(self, plan: Plan) -> None:
        self._predicate = plan.satisfies
        self._sort_values = plan.sort_values

    def _is_late(self) -> bool:
        return time.monotonic() >= self._deadline

    def _satisfies(self, text: bytes) -> bool:
        self._stop_when_late()
        return self._predicate(text)

    def _sort_value(self, number: int, text: bytes) -> SqlValue:
        self._stop_when_late()
        return self._sort_values[number](text)

    def _stop_when_late(self) -> None:
        """End a late statement: a few large documents take long without SQLite calling its progress handler."""
        if self._is_late():
            raise TimeoutError
