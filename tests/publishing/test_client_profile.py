"""The form for code generators: flat types, every operation, and each answer of the contract fits its type."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from tests.contract.implication import Implication
from tests.contract.test_contracts import misfits

from tmf_sales.contract.bundling import bundle
from tmf_sales.publishing.client_profile import client_profile
from tmf_sales.publishing.plain_profile import plain_profile
from tmf_sales.publishing.recursion import reachable, references_in

Json = dict[str, Any]

OPENAPI = Path(__file__).parents[2] / "openapi"
CONTRACTS = {
    path.name.partition("-")[0]: plain_profile(bundle(path)) for path in sorted(OPENAPI.glob("tmf[0-9]*.yaml"))
}
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


def success_types(operation: Json, document: Json) -> set[str]:
    answers = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
    contents = [entry for answer in answers for entry in resolved(document, answer).get("content", {}).values()]
    return {json.dumps(entry["schema"]) for entry in contents}


@apis
def test_an_operation_has_one_type_for_all_its_successes(api: str) -> None:
    for item in PROFILES[api]["paths"].values():
        for operation in (each for method, each in item.items() if method != "parameters"):
            assert len(success_types(operation, PROFILES[api])) <= 1, operation["operationId"]


def test_a_quote_that_is_not_kept_has_the_type_of_one_that_is() -> None:
    create = PROFILES["tmf648"]["paths"]["/quote"]["post"]

    assert success_types(create, PROFILES["tmf648"]) == {'{"$ref": "#/components/schemas/Quote"}'}
    assert "required" not in PROFILES["tmf648"]["components"]["schemas"]["Quote"]
    assert PROFILES["tmf699"]["components"]["schemas"]["SalesLead"]["required"] == ["id", "href"]


def test_successes_of_different_types_keep_them() -> None:
    document = deepcopy(CONTRACTS["tmf648"])
    document["paths"]["/quote"]["post"]["responses"]["200"]["content"]["application/json"]["schema"] = {
        "$ref": "#/components/schemas/Error"
    }

    profile = client_profile(document)

    assert len(success_types(profile["paths"]["/quote"]["post"], profile)) == 2
    assert profile["components"]["schemas"]["Quote"]["required"] == ["id", "href"]


def names_of(document: Json) -> list[str]:
    """The names of all components as generators compare them: letters and digits, whatever the case."""
    return [re.sub("[^a-z0-9]", "", name.lower()) for entries in document["components"].values() for name in entries]


@apis
def test_a_name_is_there_once_over_all_kinds_of_components(api: str) -> None:
    for document in (CONTRACTS[api], PROFILES[api]):
        assert sorted(names_of(document)) == sorted(set(names_of(document)))


def test_components_with_the_name_of_a_schema_get_the_name_of_their_kind() -> None:
    document = deepcopy(CONTRACTS["tmf699"])
    bodies, responses = (document["components"][kind] for kind in ("requestBodies", "responses"))
    bodies["EventSubscription"] = bodies.pop("SubscriptionToRegister")
    document["paths"]["/hub"]["post"]["requestBody"] = {"$ref": "#/components/requestBodies/EventSubscription"}
    responses["Event_Subscription"] = responses["Deleted"]

    profile = client_profile(document)

    assert sorted(names_of(profile)) == sorted(set(names_of(profile)))
    assert profile["paths"]["/hub"]["post"]["requestBody"] == {
        "$ref": "#/components/requestBodies/EventSubscriptionRequestBodies"
    }
    assert resolved(profile, profile["paths"]["/hub"]["post"]["requestBody"])["required"] is True


@apis
def test_enums_with_null_keep_it(api: str) -> None:
    schemas = PROFILES[api]["components"]["schemas"].values()
    nullable = [
        entry
        for schema in schemas
        for entry in schema.get("properties", {}).values()
        if entry.get("nullable") and "enum" in entry
    ]

    assert nullable
    assert all(None in entry["enum"] for entry in nullable)


@apis
def test_every_body_has_one_example_of_its_type(api: str) -> None:
    for name, content in messages(PROFILES[api]):
        for entry in content.values():
            assert "examples" not in entry
            assert misfits(PROFILES[api], entry["schema"], entry["example"]) == [], name


@apis
def test_examples_only_have_members_that_their_types_declare(api: str) -> None:
    closed = deepcopy(PROFILES[api])
    for schema in closed["components"]["schemas"].values():
        if schema.get("properties"):
            schema["additionalProperties"] = False

    for name, content in messages(closed):
        for entry in content.values():
            assert misfits(closed, entry["schema"], entry["example"]) == [], name


@apis
def test_a_mock_that_follows_examples_comes_to_an_end_in_every_type(api: str) -> None:
    schemas = PROFILES[api]["components"]["schemas"]
    without_examples = {name: list(unended(schema)) for name, schema in schemas.items()}

    endless = [name for name in schemas if name in reachable(without_examples, references_in(without_examples[name]))]

    assert endless == []


def unended(schema: Json) -> Iterator[Json]:
    """The parts of a type that a mock makes a value for: all without an example."""
    if "example" not in schema:
        yield {key: value for key, value in schema.items() if key != "properties"}
        for entry in schema.get("properties", {}).values():
            yield from unended(entry)


@apis
def test_it_is_made_without_touching_the_bundle(api: str) -> None:
    before = deepcopy(CONTRACTS[api])

    client_profile(CONTRACTS[api])

    assert before == CONTRACTS[api]
