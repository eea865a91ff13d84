"""The Postman collections: every operation with the contract's samples, and newman runs them against the service."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from tests.node_tools import node_tools
from tests.service import Service, start_service

from tmf_sales.contract.bundling import bundle

pytestmark = pytest.mark.full

ROOT = Path(__file__).parents[2]
CONTRACTS = {path.stem: bundle(path) for path in sorted((ROOT / "openapi").glob("tmf[0-9]*.yaml"))}
METHODS = {"get", "head", "post", "patch", "delete"}


@pytest.fixture(scope="module")
def quiet_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """It tells no listener of anything: the samples' callbacks are not ours."""
    folder = tmp_path_factory.mktemp("quiet")
    service = start_service(folder / "log", "--store", "memory:", "--no-delivery")
    yield service
    service.stop()


@pytest.fixture(scope="module")
def collections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    node_tools()
    target = tmp_path_factory.mktemp("postman")
    done = subprocess.run([ROOT / "scripts/postman", target], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return target


def requests_of(collection: dict[str, Any]) -> list[dict[str, Any]]:
    return [item for folder in collection["item"] for item in folder["item"]]


@pytest.mark.parametrize("name", CONTRACTS)
def test_every_operation_is_a_request_with_examples(name: str, collections: Path) -> None:
    contract = CONTRACTS[name]
    collection = json.loads((collections / f"{name}.postman_collection.json").read_text())
    operations = {
        (method.upper(), path.replace("{id}", ":id"))
        for path, item in contract["paths"].items()
        for method in METHODS & item.keys() | ({"head"} if "get" in item else set())
    }

    requests = requests_of(collection)

    assert {(r["request"]["method"], "/" + "/".join(r["request"]["url"]["path"])) for r in requests} == operations
    assert all(request["response"] for request in requests)


@pytest.mark.parametrize("name", CONTRACTS)
def test_the_samples_of_the_contract_are_what_is_created(name: str, collections: Path) -> None:
    collection = json.loads((collections / f"{name}.postman_collection.json").read_text())
    [create] = [
        request["request"]
        for request in requests_of(collection)
        if request["request"]["method"] == "POST" and "hub" not in request["request"]["url"]["path"]
    ]
    samples = [each["value"] for each in CONTRACTS[name]["components"]["examples"].values()]

    assert json.loads(create["body"]["raw"]) in samples


@pytest.mark.parametrize("name", CONTRACTS)
def test_each_request_has_its_url_as_text_too_because_insomnia_reads_nothing_else(name: str, collections: Path) -> None:
    collection = json.loads((collections / f"{name}.postman_collection.json").read_text())

    for item in requests_of(collection):
        url = item["request"]["url"]
        parts = [f"{each['key']}={quote(each['value'])}" for each in url.get("query", []) if not each["disabled"]]
        path = "/".join(["{{baseUrl}}", *url["path"]])
        assert url["raw"] == (f"{path}?{'&'.join(parts)}" if parts else path)


@pytest.mark.parametrize("name", CONTRACTS)
def test_what_is_switched_off_does_no_harm_when_it_is_switched_on(name: str, collections: Path) -> None:
    collection = json.loads((collections / f"{name}.postman_collection.json").read_text())
    requests = [item["request"] for item in requests_of(collection)]

    assert {each["value"] for request in requests for each in request["url"].get("query", []) if each["disabled"]} <= {
        "", "0", "20", "100", "-eventTime",  # nothing, or the default
    }  # fmt: skip
    headers = {each["key"]: each["value"] for request in requests for each in request.get("header", [])}
    assert headers["Idempotency-Key"] == "{{$guid}}"  # one for each creation


@pytest.mark.parametrize("name", CONTRACTS)
def test_newman_runs_a_collection_from_top_to_bottom(name: str, collections: Path, quiet_service: Service) -> None:
    url = f"{quiet_service.url}{CONTRACTS[name]['servers'][0]['url']}"
    collection = collections / f"{name}.postman_collection.json"

    done = subprocess.run(
        [node_tools() / "newman", "run", collection, "--env-var", f"baseUrl={url}", "--color", "off"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "is a success" in done.stdout
