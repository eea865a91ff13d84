"""Schemathesis finds nothing: what the contracts allow is answered as they say, and what they forbid is refused.

All checks and phases, over real HTTP, each run on a store of its own. The bounded runs are for every day; the larger
ones also break every rule of the nested types of a quote, on each store that keeps what it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.fuzz.schemathesis_run import PHASES, run
from tests.service import start_service
from tests.storage.mongo_server import MongoServer

Record = Callable[[str, object], None]

# The phase that enumerates makes thousands of requests: it is left to the longer run.
WITHOUT_COVERAGE = ("examples", "fuzzing", "stateful")


def nothing_is_found(folder: Path, record: Record, api: str, store: str, phases: Sequence[str], examples: int) -> None:
    with ExitStack() as ends:
        if store == "mongo":
            store_url = f"{ends.enter_context(MongoServer(folder / 'mongo')).uri}/fuzz"
        else:
            store_url = f"sqlite:///{folder}/fuzz.sqlite"
        service = start_service(folder / "service.log", "--store", store_url)
        ends.callback(service.stop)
        outcome = run(service.url, api, phases, examples, folder)
    record("figure", f"fuzz: {outcome.operations} operations, {outcome.cases} cases ({api} on {store})")
    assert outcome.passed, outcome.failures
    assert outcome.operations == 10
    assert outcome.cases > 50


@pytest.mark.parametrize("api", ["sales", "quote"])
def test_a_bounded_run_finds_nothing(tmp_path: Path, record_property: Record, api: str) -> None:
    nothing_is_found(tmp_path, record_property, api, "sqlite", WITHOUT_COVERAGE, examples=5)


@pytest.mark.full
@pytest.mark.parametrize("store", ["sqlite", "mongo"])
@pytest.mark.parametrize("api", ["sales", "quote"])
def test_a_larger_run_finds_nothing(tmp_path: Path, record_property: Record, api: str, store: str) -> None:
    nothing_is_found(tmp_path, record_property, api, store, PHASES, examples=30)
