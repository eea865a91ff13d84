"""Schemathesis finds nothing: what the contracts allow is answered as they say, and what they forbid is refused.

All checks and phases, over real HTTP, each run on a store of its own. The bounded runs are for every day; the larger
ones also break every rule of the nested types of a quote, on each store that keeps what it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from tests.fuzz.schemathesis_run import PHASES, run, served_operations
from tests.mongodb.databases import Databases
from tests.service import start_service

Record = Callable[[str, object], None]

# The phase that enumerates makes thousands of requests: it is left to the longer run.
WITHOUT_COVERAGE = ("examples", "fuzzing", "stateful")


def nothing_is_found(
    folder: Path, record: Record, api: str, url: str, store: str, phases: Sequence[str], examples: int
) -> None:
    with start_service(folder / "service.log", "--store", url) as service:
        outcome = run(service.url, api, phases, examples, folder)
    record("figure", f"fuzz: {outcome.operations} operations, {outcome.cases} cases ({api} on {store})")
    assert outcome.passed, outcome.failures
    assert outcome.operations == served_operations(api)
    assert outcome.cases > 50


@pytest.mark.parametrize("api", ["sales", "quote"])
def test_a_bounded_run_finds_nothing(tmp_path: Path, record_property: Record, api: str) -> None:
    url = f"sqlite:///{tmp_path}/fuzz.sqlite"
    nothing_is_found(tmp_path, record_property, api, url, "sqlite", WITHOUT_COVERAGE, examples=5)


@pytest.mark.full
@pytest.mark.parametrize("store", ["sqlite", "mongo"])
@pytest.mark.parametrize("api", ["sales", "quote"])
def test_a_larger_run_finds_nothing(
    tmp_path: Path, record_property: Record, databases: Databases, api: str, store: str
) -> None:
    url = databases.new() if store == "mongo" else f"sqlite:///{tmp_path}/fuzz.sqlite"
    nothing_is_found(tmp_path, record_property, api, url, store, PHASES, examples=30)
