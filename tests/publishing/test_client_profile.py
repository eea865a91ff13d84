"""The form for code generators: flat types, every operation, and each answer of the contract fits its type."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from tests.contract.implication import Implication

from tmf_sales.contract.bundling import bundle
from tmf_sales.publishing.client_profile import client_profile

Json = dict[str, Any]

OPENAPI = Path(__file__).parents[2] / "openapi"
CONTRACTS = {path.name.partition("-")[0]: bundle(path) for path in sorted(OPENAPI.glob("tmf[0-9]*.yaml"))}
PROFILES = {name: client_profile(document) for name, document in CONTRACTS.items()}

apis = pytest.mark.parametrize("api", CONTRACTS)


def messages(document: Json) -> Iterator[tuple[str, Json]]:
    """The content of each request and answer, by name."""
    for item in document["paths"].values():
        for operation in (each for method, each in item.items() if method != "parameters"):
            for name, message in {"request": operation.get("requestBody", {}), **operation["responses"]}.items():
                yield f"{operation['operationId']} {name}", resolved(document, message).get("content", {})


def resolved(document: Json, node: Json) -> Json:
    while "$ref" in node:
        _, section, name = node["$ref"].removeprefix("#/").split("/")
        node = document["components"][section][name]
    return node


@apis
def test_types_are_flat_and_none_has_two_members_of_one_name(api: str) -> None:
    for schema in PROFILES[api]["components"]["schemas"].values():
        assert not {"allOf", "anyOf", "oneOf", "not"} & schema.keys()
        assert not {"type", "@type"} <= schema.get("properties", {}).keys()


@apis
def test_types_that_no_operation_names_are_gone(api: str) -> None:
    unnamed = {"Extensible", "EntityRef", "SalesLead_Update", "SalesLead_Full", "Quote_Update", "Quote_Full"}

    assert not unnamed & PROFILES[api]["components"]["schemas"].keys()


@apis
def test_every_body_is_there_in_one_media_type(api: str) -> None:
    written, left = dict(messages(CONTRACTS[api])), dict(messages(PROFILES[api]))

    assert written.keys() == left.keys()
    for name, content in left.items():
        assert len(content) == min(1, len(written[name]))
        assert content.keys() <= written[name].keys()


@apis
def test_whatever_the_contract_takes_or_answers_fits_the_types(api: str) -> None:
    implication = Implication(CONTRACTS[api], PROFILES[api])
    written = dict(messages(CONTRACTS[api]))

    gaps = [
        gap
        for name, content in messages(PROFILES[api])
        for media_type, entry in content.items()
        for gap in implication.gaps([written[name][media_type]["schema"]], entry["schema"], name)
    ]

    assert gaps == []


def test_a_member_that_may_not_be_sent_is_not_offered() -> None:
    assert "id" in PROFILES["tmf699"]["components"]["schemas"]["SalesLead"]["properties"]
    assert "id" not in PROFILES["tmf699"]["components"]["schemas"]["SalesLead_Create"]["properties"]
    assert "id" not in PROFILES["tmf699"]["components"]["schemas"]["SalesLead_MergePatch"]["properties"]


@apis
def test_it_is_made_without_touching_the_bundle(api: str) -> None:
    before = deepcopy(CONTRACTS[api])

    client_profile(CONTRACTS[api])

    assert before == CONTRACTS[api]
