"""Our service in this process, once for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.conformance.served import Served, served


@pytest.fixture(scope="session")
def service() -> Iterator[Served]:
    with served() as made:
        yield made
