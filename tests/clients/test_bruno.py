"""The Bruno collections: Bruno's own runner runs each from top to bottom against a seeded service."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.node_tools import node_tools
from tests.service import Service, start_service

from tmf_sales.contract.bundling import bundle
from tmf_sales.publishing.gateway_profile import METHODS
from tmf_sales.publishing.plain_profile import plain_profile

pytestmark = [pytest.mark.full, pytest.mark.timeout(1800)]

ROOT = Path(__file__).parents[2]
RUNNER = ROOT / "build/bruno_tools/node_modules/.bin/bru"
CANNOT_INSTALL = 3
BASE_PATHS = {"tmf648-quote-v4": "/tmf-api/quoteManagement/v4", "tmf699-sales-v4": "/tmf-api/sales/v4"}


@pytest.fixture(scope="module")
def seeded_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """It posts no events: the callbacks of the samples are not ours."""
    log = tmp_path_factory.mktemp("bruno") / "log"
    service = start_service(log, "--store", "memory:", "--no-delivery", "--seed")
    yield service
    service.stop()


@pytest.fixture(scope="module")
def collections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    node_tools()
    target = tmp_path_factory.mktemp("collections")
    done = subprocess.run([ROOT / "scripts/bruno", target], capture_output=True, text=True, check=False)
    if done.returncode == CANNOT_INSTALL:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stdout + done.stderr
    return target


def test_bruno_runs_each_collection_from_top_to_bottom(collections: Path, seeded_service: Service) -> None:
    for name in BASE_PATHS:
        run_from_top_to_bottom(name, collections, seeded_service)


def run_from_top_to_bottom(name: str, collections: Path, seeded_service: Service) -> None:
    contract = plain_profile(bundle(ROOT / f"openapi/{name}.yaml"))
    operations = sum(method in item for item in contract["paths"].values() for method in METHODS)
    url = f"baseUrl={seeded_service.url}{BASE_PATHS[name]}"

    report = collections / f"{name}.json"
    done = subprocess.run(
        [RUNNER, "run", "-r", "--env-var", url, "--reporter-json", report],
        cwd=collections / name,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    [run] = json.loads(report.read_text())
    assert run["summary"]["passedRequests"] == run["summary"]["totalRequests"] == operations
