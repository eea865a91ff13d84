"""The plain profile declares all that is served, and leaves out what only the service uses."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.service import start_service

from tmf_sales.contract.bundling import bundle
from tmf_sales.publishing.plain_profile import plain_profile

Json = dict[str, Any]

OPENAPI = Path(__file__).parents[2] / "openapi"
CONTRACTS = {path.name.partition("-")[0]: bundle(path) for path in sorted(OPENAPI.glob("tmf[0-9]*.yaml"))}
PROFILES = {name: plain_profile(document) for name, document in CONTRACTS.items()}

apis = pytest.mark.parametrize("api", CONTRACTS)


@apis
def test_every_path_with_get_declares_head_without_a_body(api: str) -> None:
    for item in (item for item in PROFILES[api]["paths"].values() if "get" in item):
        get, head = item["get"], item["head"]

        assert head["operationId"].startswith("head")
        assert head["responses"].keys() == get["responses"].keys()
        assert head["parameters"] == get["parameters"] if "parameters" in get else True
        for status in ("200", "206"):
            assert "content" not in head["responses"].get(status, {})


@apis
def test_operation_ids_stay_unique_and_the_contracts_own_head_stays(api: str) -> None:
    ids = [
        operation["operationId"]
        for item in PROFILES[api]["paths"].values()
        for method, operation in item.items()
        if method != "parameters"
    ]

    assert len(ids) == len(set(ids))
    assert {"headQuote", "headSalesLead"} & set(ids)
    assert not {"headListQuote", "headListSalesLead"} & set(ids)


def test_the_service_answers_every_declared_head(tmp_path: Path) -> None:
    service = start_service(tmp_path / "log", "--store", "memory:", "--seed")
    try:
        for document in PROFILES.values():
            base = f"{service.url}{document['servers'][0]['url']}"
            collection = next(path for path in document["paths"] if "{" not in path)
            id = httpx.get(base + collection).json()[0]["id"]
            for path in (path for path, item in document["paths"].items() if "head" in item and "hub/" not in path):
                url = base + path.replace("{id}", id)
                head, get = (
                    httpx.request(method, url, params={"query": ""}) if "match" in path else httpx.request(method, url)
                    for method in ("HEAD", "GET")
                )

                assert (head.status_code, head.content) == (get.status_code, b"")
                assert get.is_success, path
    finally:
        service.stop()


@apis
def test_the_served_contract_is_the_plain_profile(api: str, tmp_path: Path) -> None:
    service = start_service(tmp_path / "log", "--store", "memory:")
    try:
        served = httpx.get(f"{service.url}{PROFILES[api]['servers'][0]['url']}/openapi.json").json()
    finally:
        service.stop()

    assert {**served, "servers": None} == {**PROFILES[api], "servers": None}


@apis
def test_schemas_that_only_the_service_uses_are_left_out(api: str) -> None:
    written, left = CONTRACTS[api]["components"]["schemas"], PROFILES[api]["components"]["schemas"]

    gone = written.keys() - left.keys()
    assert {name.rpartition("_")[2] for name in gone} == {"Update", "Full"}
    assert not any({"x-update", "x-full"} & schema.keys() for schema in left.values())


def test_a_schema_that_nothing_uses_stays_for_linters_to_report() -> None:
    document = deepcopy(CONTRACTS["tmf699"])
    document["components"]["schemas"]["Forgotten"] = {"type": "object"}

    assert "Forgotten" in plain_profile(document)["components"]["schemas"]


@apis
def test_scopes_are_listed_where_a_scheme_can_declare_them(api: str) -> None:
    for item in PROFILES[api]["paths"].values():
        for requirement in item.get("post", {}).get("security", []):
            assert requirement.get("openIdConnect", []) == []
            assert requirement.get("oauth2", ["x"]) != []


@apis
def test_it_is_made_without_touching_the_bundle(api: str) -> None:
    before = deepcopy(CONTRACTS[api])

    plain_profile(CONTRACTS[api])

    assert before == CONTRACTS[api]
