"""Reads from the SQLite file: connections that cannot write, and queries within a time limit."""

from __future__ import annotations

import math
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path as FilePath
from typing import Any

from tmf_sales.storage.conditions import EVERYTHING, Query
from tmf_sales.storage.protocol import StorageUnavailable, TookTooLong
from tmf_sales.storage.records import Page, PageRows, Record, Version
from tmf_sales.storage.sqlite.compile import Plan, Statement, compile_first_page, compile_query
from tmf_sales.storage.sqlite.damage import Damage
from tmf_sales.storage.sqlite.layout import Layout, SqlValue, unpack_versions

BUSY_TIMEOUT = 5.0
OPERATIONS_BETWEEN_CHECKS = 1_000


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
        self._connection.set_progress_handler(self._is_to_end, OPERATIONS_BETWEEN_CHECKS)
        self._connection.create_function("satisfies", 1, self._satisfies)
        self._connection.create_function("sort_value", 2, self._sort_value)
        self._waits = waits
        self._time_limit = time_limit
        self._deadline = math.inf
        self._checks = 0
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
        """Find a page near the first one: one statement reads its rows and their count, where the query allows it.

        Without a condition it has no time limit, as the count is stored; so the query must ask for few rows.
        """
        statement = compile_first_page(query, layout)
        if statement is not None:
            found, total = PageRows(query), None
            if query.where != EVERYTHING:
                self._start_clock()
            try:
                rows = self._connection.execute(statement.sql, statement.values)
                total = found.read(rows, query.fields)
                rows.close()
            except sqlite3.Error as failure:
                raise self._late_or_unreadable(failure) from failure
            finally:
                self._deadline = math.inf
            if total is not None:
                return found.page(query, total)
        return self.find(layout, query)

    def find(self, layout: Layout, query: Query) -> Page:
        with self.snapshot():
            [(total, uneven)] = self.all("SELECT total, uneven FROM kind WHERE name = ?", [layout.kind.name])
            plan = compile_query(query, layout, even=not uneven, checkpoint=self._stop_when_late)
            if plan.needs_python and not self._waits:
                raise Busy
            self._use_functions_of(plan)
            found = PageRows(query)
            with closing(self._connection.execute(plan.page.sql, plan.page.values)) as rows:
                found.read(rows, query.fields)
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
        self._start_clock()
        try:
            self._connection.execute("BEGIN")
            yield
        except sqlite3.Error as failure:
            raise self._late_or_unreadable(failure) from failure
        finally:
            self._deadline = math.inf
            self._connection.rollback()

    def _start_clock(self) -> None:
        self._deadline = time.monotonic() + self._time_limit
        self._checks = 0

    def _late_or_unreadable(self, failure: sqlite3.Error) -> StorageUnavailable | Busy | TookTooLong:
        if not self._is_late():
            return self._unreadable(failure)
        return TookTooLong(f"more than {self._time_limit:g} s; narrow the query") if self._waits else Busy()

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

    def _is_to_end(self) -> bool:
        """SQLite counts operations over all statements, so the first check may come right after the start.

        It ends nothing: a search of a few rows is not given up because the process was suspended.
        """
        self._checks += 1
        return self._checks > 1 and self._is_late()

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
