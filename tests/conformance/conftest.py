"""Our service in this process, once for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from tests.conformance.service_under_test import RenewedService, ServiceUnderTest, served, whole_seconds


@pytest.fixture(scope="session")
def service() -> Iterator[ServiceUnderTest]:
    with served() as made:
        yield made


@pytest.fixture(scope="session")
def renewed() -> Iterator[RenewedService]:
    with ExitStack() as ends:
        yield RenewedService(ends)


@pytest.fixture(scope="session")
def coarse_service() -> Iterator[ServiceUnderTest]:
    """The service with a clock of whole seconds, by which a pair of resources is created at the same time."""
    with served(whole_seconds) as made:
        yield made
