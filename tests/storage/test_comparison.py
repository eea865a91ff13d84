"""Every adapter gives the oracle's answers: rows, order and counts, for random documents and queries."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.storage.deviations import (
    DOTTED_NAMES,
    EXTREME_NUMBERS,
    LIST_IS_NO_ELEMENT,
    LISTS_IN_LISTS,
    NO_CONDITION,
    NO_ELEMENT,
    NO_LOOK_AHEAD,
    deviations_of,
)
from tests.storage.random_queries import EXTREMES, Case, make_case, operators_in
from tests.storage.tickets import KINDS, delete, insert, update

from tmf_sales.storage.conditions import And, Condition, Element, Not, Or, Query
from tmf_sales.storage.evaluate import matches, values_at
from tmf_sales.storage.factory import open_store
from tmf_sales.storage.memory.store import MemoryStorage
from tmf_sales.storage.mongo.store import MongoStorage
from tmf_sales.storage.protocol import Storage
from tmf_sales.storage.records import Page, Version

QUERIES_IN_CASE = 20


@pytest.mark.parametrize(
    ("examples", "least"),
    [pytest.param(40, 1_000, id="some"), pytest.param(600, 20_000, id="many", marks=pytest.mark.full)],
)
@pytest.mark.deviation(LISTS_IN_LISTS, DOTTED_NAMES, NO_CONDITION, NO_ELEMENT, NO_LOOK_AHEAD)
def test_every_adapter_answers_like_the_oracle(
    examples: int,
    least: int,
    tmp_path: Path,
    mongo_uri: str,
    mongo_url: str,
    record_property: Callable[[str, object], None],
) -> None:
    with asyncio.Runner() as runner:
        urls = ("memory:", f"sqlite:///{tmp_path}/store.sqlite", mongo_url)
        stores = [open_store(url, KINDS) for url in urls]
        comparison = Comparison(stores, deviations_of(mongo_uri))
        runner.run(comparison.open())

        @settings(
            max_examples=examples,
            derandomize=True,
            database=None,
            deadline=None,
        )
        @given(st.integers(0, 2**64))
        def compare(seed: int) -> None:
            runner.run(comparison.of(make_case(seed, QUERIES_IN_CASE)))

        try:
            compare()
        finally:
            runner.run(comparison.close())
    record_property("figure", f"stores: {comparison}")
    comparison.check(least)


class Comparison:
    """Counts what was compared, and how telling it was."""

    def __init__(self, adapters: list[Storage], deviations: set[str]) -> None:
        self._adapters = adapters
        self._deviations = deviations
        self._oracle = MemoryStorage([replace(kind, indexes=()) for kind in KINDS])
        self._compared = 0
        self._telling = 0
        self._skipped: Counter[str] = Counter()
        self._operators: Counter[str] = Counter()

    def __str__(self) -> str:
        operators = ", ".join(f"{name} {count}" for name, count in sorted(self._operators.items()))
        return (
            f"{self._compared} comparisons, {self._telling / self._compared:.0%} neither empty nor everything;"
            f" {operators}; skipped: {dict(self._skipped)}"
        )

    def check(self, least: int) -> None:
        """Enough of them, most neither empty nor everything, and each operator in a hundredth of them at least."""
        assert self._compared >= least
        assert self._telling >= 0.6 * self._compared
        assert min(self._operators.values()) >= self._compared / 100

    async def open(self) -> None:
        for store in (*self._adapters, self._oracle):
            await store.open()

    async def close(self) -> None:
        for store in self._adapters:
            await store.close()

    async def of(self, case: Case) -> None:
        stores = (*self._adapters, self._oracle)
        await asyncio.gather(*(load(store, case) for store in stores))
        try:
            for query in case.queries:
                await self._compare(query, case)
        finally:
            await asyncio.gather(*(empty(store) for store in stores))

    async def _compare(self, query: Query, case: Case) -> None:
        expected = _shown(await self._oracle.find("ticket", query))
        matching = sum(matches(query.where, document) for document in case.documents)
        for store in self._adapters:
            if isinstance(store, MongoStorage) and (name := self._known_deviation(query, case)) is not None:
                self._skipped[name] += 1
                continue
            assert _shown(await store.find("ticket", query)) == expected, (type(store).__name__, query, case.documents)
            self._compared += 1
            self._telling += 0 < matching < len(case.documents)
            self._operators += operators_in(query.where)

    def _known_deviation(self, query: Query, case: Case) -> str | None:
        """What the server is known to do otherwise than MongoDB, when this query would show it."""
        for name in sorted(self._deviations & SHOWS.keys()):
            if any(SHOWS[name](query.where, document) for document in case.documents):
                return name
        return None


def _shown(page: Page) -> Any:
    return page.total, page.exact, [(row.id, row.version.revision, row.version.text) for row in page.rows]


async def load(store: Storage, case: Case) -> None:
    """Each document is inserted as what it was before, if it was, and then becomes what it is."""
    for number, (before, document) in enumerate(zip(case.before, case.documents, strict=True)):
        if before is None:
            await store.commit(insert(str(number), document))
        else:
            await store.commit(insert(str(number), before))
            await store.commit(update(str(number), 1, document))


async def empty(store: Storage) -> None:
    for row in (await store.find("ticket", Query())).rows:
        stored = await store.get("ticket", row.id)
        assert stored is not None
        await store.commit(delete(row.id, stored.revision))


def counts_list_as_element(where: Condition, document: Any) -> bool:
    """Whether a list in a list is an element without members that satisfies an Element: SecantusDB leaves it out."""
    match where:
        case And(parts) | Or(parts):
            return any(counts_list_as_element(each, document) for each in parts)
        case Not(part):
            return counts_list_as_element(part, document)
        case Element(path, inner):
            return any(
                matches(inner, element) if isinstance(element, list) else counts_list_as_element(inner, element)
                for element in values_at(document, path)
            )
        case _:
            return False


def holds_extreme_number(_: Condition, document: Any) -> bool:
    """Whether a number is one that SecantusDB's index keys put in the wrong place."""
    text = Version(1, document).text
    return any(Version(1, {"": number}).text[4:-1] in text for number in EXTREMES)


SHOWS: dict[str, Callable[[Condition, Any], bool]] = {
    LIST_IS_NO_ELEMENT: counts_list_as_element,
    EXTREME_NUMBERS: holds_extreme_number,
}
"""Whether a condition on a document shows a deviation."""
