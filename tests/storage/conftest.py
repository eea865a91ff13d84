"""The stores under test: each of them passes the same suite. TEST_MONGODB names a MongoDB to use instead."""

from __future__ import annotations

import itertools
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.storage.deviations import skip_what_deviates
from tests.storage.mongo_server import MongoServer
from tests.storage.tickets import KINDS

from tmf_sales.storage.factory import open_store
from tmf_sales.storage.protocol import Storage

_numbers = itertools.count()


@pytest.fixture(scope="session")
def mongo_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server for the whole session; each test takes a database of its own."""
    if named := os.environ.get("TEST_MONGODB"):
        yield named
        return
    with MongoServer(tmp_path_factory.mktemp("mongo")) as server:
        yield server.uri


@pytest.fixture
def mongo_url(mongo_uri: str, request: pytest.FixtureRequest) -> str:
    """A database of the test's own; the test is skipped when it shows what the server is known to do otherwise."""
    skip_what_deviates(request.node, mongo_uri)
    return f"{mongo_uri.rstrip('/')}/tmf_test_{os.getpid()}_{next(_numbers)}"


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
