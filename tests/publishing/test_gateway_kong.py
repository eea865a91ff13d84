"""Kong, really imported: its converter makes a route of every operation, and each request finds the one it should."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.node_tools import node_tools

from tmf_sales.contract.bundling import bundle
from tmf_sales.publishing.gateway_profile import METHODS
from tmf_sales.publishing.plain_profile import plain_profile

ROOT = Path(__file__).parents[2]
CONTRACTS = {path.stem: plain_profile(bundle(path)) for path in sorted((ROOT / "openapi").glob("tmf[0-9]*.yaml"))}
ID = "4711-a.b:(version=2)"

pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def configurations(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Each contract's configuration of Kong."""
    node_tools()
    target = tmp_path_factory.mktemp("kong")
    done = subprocess.run([ROOT / "scripts/kong", target], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return {path.name.removesuffix(".kong.json"): json.loads(path.read_text()) for path in target.iterdir()}


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield method.upper(), path.replace("{id}", ID), item[method]["operationId"]


def matching(routes: list[dict[str, Any]], method: str, path: str) -> list[str]:
    """The routes that Kong would take: a path is a regular expression that has to match from the start."""
    return [
        route["name"]
        for route in routes
        if method in route["methods"] and any(re.match(each.replace("(?<", "(?P<"), path) for each in route["paths"])
    ]


@pytest.mark.parametrize("name", CONTRACTS)
def test_every_operation_is_one_route_and_only_its_requests_take_it(name: str, configurations: dict[str, Any]) -> None:
    contract = CONTRACTS[name]
    [service] = configurations[name]["services"]
    base_path = contract["servers"][0]["url"]

    for method, path, operation_id in operations(contract):
        [route] = matching(service["routes"], method, base_path + path)
        assert route.endswith(f"-{operation_id}")
    assert len(service["routes"]) == len(list(operations(contract)))


@pytest.mark.parametrize("name", CONTRACTS)
def test_a_request_that_is_no_operation_finds_no_route(name: str, configurations: dict[str, Any]) -> None:
    [service] = configurations[name]["services"]
    collection = CONTRACTS[name]["servers"][0]["url"] + next(iter(CONTRACTS[name]["paths"]))

    assert matching(service["routes"], "PUT", f"{collection}/{ID}") == []
    assert matching(service["routes"], "GET", f"{collection}/{ID}/note") == []
    assert matching(service["routes"], "POST", f"{collection}s") == []


@pytest.mark.parametrize("name", CONTRACTS)
def test_callbacks_do_not_become_routes(name: str, configurations: dict[str, Any]) -> None:
    assert "callback" not in json.dumps(configurations[name])
