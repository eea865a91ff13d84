"""Our service in this process, once for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from tests.conformance.service_under_test import Renewed, Served, served


@pytest.fixture(scope="session")
def service() -> Iterator[Served]:
    with served() as made:
        yield made


@pytest.fixture(scope="session")
def renewed() -> Iterator[Renewed]:
    with ExitStack() as ends:
        yield Renewed(ends)
