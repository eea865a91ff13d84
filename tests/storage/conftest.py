"""The stores under test: each of them passes the same suite."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.mongodb.databases import Databases, drop
from tests.storage.deviations import skip_what_deviates
from tests.storage.tickets import KINDS

from tmf_sales.storage.factory import open_store
from tmf_sales.storage.protocol import Storage


@pytest.fixture(scope="session")
def mongo_uri(databases: Databases) -> str:
    return databases.uri


@pytest.fixture
def mongo_url(databases: Databases, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database of the test's own; the test is skipped when it shows what the server is known to do otherwise."""
    skip_what_deviates(request.node, databases.uri)
    url = databases.new()
    yield url
    drop(url)


@pytest.fixture(params=["memory", "sqlite", "mongo"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "memory":
        return "memory:"
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store.sqlite"
    return str(request.getfixturevalue("mongo_url"))


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Storage]:
    opened = open_store(store_url, KINDS)
    await opened.open()
    yield opened
    await opened.close()
