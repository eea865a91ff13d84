"""Amazon API Gateway, as moto implements its import: each operation is a method, and every link leads back through it.

The router stands for a custom domain with one API mapping for each API, whose key is the base path of the contract.
https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-mappings.html
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.edge.conftest import Start
from tests.edge.gateway_router import PATIENCE, Routes, gateway
from tests.locked_packages import locked_packages
from tests.service import Service

from tmf_sales.publishing.bundle import publish_all
from tmf_sales.publishing.gateway_profile import METHODS

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
QUOTE, SALES = "/tmf-api/quoteManagement/v4", "/tmf-api/sales/v4"
PUBLIC = "https://crm.example.com"

pytestmark = [pytest.mark.full, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def contracts(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    target = tmp_path_factory.mktemp("contracts")
    list(publish_all(ROOT / "openapi", target))
    return sorted(target.glob("*.gateway.json"))


@pytest.fixture(scope="module")
def service(start: Start) -> Service:
    return start(TMF_SALES_PUBLIC_URL=PUBLIC, TMF_SALES_CALLBACK_NETWORKS="127.0.0.0/8")


@pytest.fixture(scope="module")
def apis(contracts: list[Path], service: Service) -> list[dict[str, Any]]:
    """The APIs that moto made of the contracts, each with its base path and its methods."""
    packages = locked_packages(HERE / "moto.lock")
    command = [sys.executable, "-W", "ignore", str(HERE / "aws_import.py"), service.url, *map(str, contracts)]
    environ = os.environ | {"PYTHONPATH": str(packages), "AWS_EC2_METADATA_DISABLED": "true"}
    done = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def client(apis: list[dict[str, Any]], service: Service) -> Iterator[httpx.Client]:
    """A client of the gateway: a path parameter is one segment of the path."""
    routes = [
        {"methods": [each["method"]], "paths": [f"{api['base_path']}{pattern(each['path'])}$"], "name": each["uri"]}
        for api in apis
        for each in api["methods"]
    ]
    with (
        gateway(Routes([{"services": [{"routes": routes}]}]), service.url) as url,
        httpx.Client(base_url=url, timeout=PATIENCE) as client,
    ):
        yield client


def pattern(path: str) -> str:
    return re.sub(r"\{\w+\}", "[^/]+", path)


def reached(link: str) -> str:
    """The path at the gateway that the public name stands for."""
    assert link.startswith(f"{PUBLIC}/tmf-api/")
    return link.removeprefix(PUBLIC)


def test_every_operation_becomes_a_method(apis: list[dict[str, Any]], contracts: list[Path], service: Service) -> None:
    for api, contract in zip(apis, contracts, strict=True):
        declared = json.loads(contract.read_text())["paths"]
        operations = {(method.upper(), path) for path, item in declared.items() for method in METHODS if method in item}

        assert {(each["method"], each["path"]) for each in api["methods"]} == operations
        assert all(each["uri"] == service.url + api["base_path"] + each["path"] for each in api["methods"])


def test_location_href_and_next_lead_back_through_the_gateway(client: httpx.Client) -> None:
    created = [client.post(f"{SALES}/salesLead", json={"name": name}) for name in ("one", "another")]
    for each in created:
        assert each.status_code == 201
        for link in (each.headers["location"], each.json()["href"]):
            assert client.get(reached(link)).json() == each.json()

    page = client.get(f"{SALES}/salesLead?limit=1")
    second = client.get(reached(page.links["next"]["url"]))
    assert (page.status_code, second.status_code) == (206, 206)
    assert page.json() != second.json()
    assert client.delete(reached(created[0].headers["location"])).status_code == 204


def test_the_hubs_of_both_apis_are_apart(client: httpx.Client) -> None:
    made = {api: client.post(f"{api}/hub", json={"callback": "http://127.0.0.1:9/aws"}) for api in (QUOTE, SALES)}

    for api, other in ((QUOTE, SALES), (SALES, QUOTE)):
        location = reached(made[api].headers["location"])
        assert location.startswith(f"{api}/hub/")
        assert client.get(f"{api}/hub/{made[other].json()['id']}").status_code == 404
        assert client.delete(location).status_code == 204
