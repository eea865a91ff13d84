"""The service that generated clients speak to, and the forms of the contracts that they are generated from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.service import Service, start_service

from tmf_sales.publishing.bundle import publish_all

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    service = start_service(tmp_path_factory.mktemp("service") / "log", "--store", "memory:")
    yield service
    service.stop()


@pytest.fixture(scope="session")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with each contract in each form."""
    target = tmp_path_factory.mktemp("contracts")
    list(publish_all(ROOT / "openapi", target))
    return target
