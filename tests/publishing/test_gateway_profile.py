"""The gateway profile takes all that the contract takes; what it takes beyond is named and shown, rule by rule."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from tests.contract.implication import Implication
from tests.contract.test_contracts import misfits

from tmf_sales.contract.bundling import bundle
from tmf_sales.contract.schemas import Schemas
from tmf_sales.publishing.flat_schemas import CannotFlatten, FlatSchemas
from tmf_sales.publishing.gateway_profile import METHODS, WIDER, gateway_profile, plain_name
from tmf_sales.publishing.plain_profile import plain_profile
from tmf_sales.publishing.recursion import DEPTH, without_recursion

Json = dict[str, Any]

OPENAPI = Path(__file__).parents[2] / "openapi"
CONTRACTS = {
    path.name.partition("-")[0]: plain_profile(bundle(path)) for path in sorted(OPENAPI.glob("tmf[0-9]*.yaml"))
}
PROFILES = {name: gateway_profile(document) for name, document in CONTRACTS.items()}
OTHER_ANSWERS = {"text/event-stream", "application/problem+json"}
PATCHES_BY_OPERATIONS = {"application/json-patch+json", "application/json-patch-query+json"}

IMPATIENCE = list(HealthCheck)

apis = pytest.mark.parametrize("api", CONTRACTS)


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def resolved(document: Json, node: Json) -> Json:
    while "$ref" in node:
        _, section, name = node["$ref"].removeprefix("#/").split("/")
        node = document["components"][section][name]
    return node


def bodies(document: Json) -> Iterator[tuple[str, str, Json]]:
    """Each body of a request and of an answer: what it is, its media type and its content."""
    for _, _, operation in operations(document):
        said = {"request": operation.get("requestBody", {}), **operation["responses"]}
        for name, message in said.items():
            for media_type, content in resolved(document, message).get("content", {}).items():
                yield f"{operation['operationId']} {name}", media_type, content


def body_pairs(api: str) -> Iterator[tuple[str, Json, Json]]:
    """The bodies of the profile with the schema that the contract has for the same media type."""
    written = {(name, media_type): content["schema"] for name, media_type, content in bodies(CONTRACTS[api])}
    for name, media_type, content in bodies(PROFILES[api]):
        yield name, written[name, media_type], content["schema"]


@apis
def test_every_rule_of_the_profile_is_a_rule_of_the_contract(api: str) -> None:
    implication = Implication(CONTRACTS[api], PROFILES[api])

    assert [gap for name, ours, theirs in body_pairs(api) for gap in implication.gaps([ours], theirs, name)] == []


@pytest.mark.parametrize(
    ("schema", "change", "gap"),
    [
        ("SalesLeadCreate", {"required": ["name", "status"]}, "createSalesLead request: required ['name', 'status']"),
        ("SalesLeadStateType", {"enum": ["pending"]}, "listSalesLead 200/-/status: enum ['pending']"),
        ("CategoryRefMergePatch", {"type": "object"}, "patchSalesLead request/category: type 'object'"),
        ("SalesLeads", {"maxItems": 1}, "listSalesLead 200: maxItems 1"),
    ],
)
def test_a_profile_that_asks_for_more_is_noticed(schema: str, change: Json, gap: str) -> None:
    profile = deepcopy(PROFILES["tmf699"])
    profile["components"]["schemas"][schema].update(change)
    implication = Implication(CONTRACTS["tmf699"], profile)

    found = [each for name, ours, theirs in body_pairs("tmf699") for each in implication.gaps([ours], theirs, name)]

    assert gap in found


@apis
def test_the_examples_of_the_contract_pass(api: str) -> None:
    checks = Schemas(PROFILES[api])
    profiled = {(name, media_type): content["schema"] for name, media_type, content in bodies(PROFILES[api])}
    examples = [
        (profiled[name, media_type], resolved(CONTRACTS[api], example)["value"])
        for name, media_type, content in bodies(CONTRACTS[api])
        if (name, media_type) in profiled
        for example in content["examples"].values()
    ]

    assert len(examples) > 80
    assert [checks.check(schema).violations(value) for schema, value in examples] == [[]] * len(examples)


DISTINCT_BODIES = {
    (api, theirs["$ref"].rpartition("/")[2]): (ours, theirs) for api in CONTRACTS for _, ours, theirs in body_pairs(api)
}


@pytest.mark.full
@pytest.mark.parametrize(("api", "name"), DISTINCT_BODIES, ids=str)
def test_whatever_the_contract_takes_the_profile_takes(api: str, name: str) -> None:
    ours, theirs = DISTINCT_BODIES[api, name]
    taken, profiled = Schemas(CONTRACTS[api]).check(ours), Schemas(PROFILES[api]).check(theirs)
    values = schemathesis.openapi.from_dict(as_request(ours, CONTRACTS[api]))["/body"]["POST"].as_strategy()

    @seed(1)
    @settings(max_examples=50, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=IMPATIENCE)
    @given(values)
    def each_value(case: Any) -> None:
        if taken.accepts(case.body):
            assert profiled.violations(case.body) == []

    each_value()


def as_request(schema: Json, contract: Json) -> Json:
    """A contract that takes the schema as a request, for the generator."""
    operation = {
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "responses": {"200": {"description": "Any."}},
    }
    info = {"title": "One body", "version": "1"}
    return {
        "openapi": "3.0.3",
        "info": info,
        "paths": {"/body": {"post": operation}},
        "components": contract["components"],
    }


# What the profile takes beyond the contract ---------------------------------------------------------------------------


def deep_items(levels: int, innermost: Json) -> Json:
    """A quote whose items hold items, `levels` deep; the innermost one is given."""
    item = innermost
    for _ in range(levels - 1):
        item = {"id": "1", "action": "add", "quoteItem": [item]}
    return {"quoteItem": [item]}


TAKEN_BEYOND: dict[str, tuple[str, str, Json]] = {
    "nullable": ("tmf699", "SalesLead_MergePatch", {"rating": 7}),
    "alternatives": ("tmf699", "RelatedParty_Update", {"@referredType": "Individual"}),
    "recursion": ("tmf648", "Quote_Create", deep_items(DEPTH + 1, {"action": 7})),
    "readOnly": ("tmf699", "SalesLead_Create", {"name": "Campaign", "id": "42"}),
    "unknown members": ("tmf648", "ReplayInput", {"unknown": 1}),
}


@pytest.mark.parametrize("rule", TAKEN_BEYOND)
def test_the_profile_takes_more_only_by_a_named_rule(rule: str) -> None:
    api, name, value = TAKEN_BEYOND[rule]

    assert taken_by_contract(api, name, value) is False
    assert taken_by_profile(api, name, value) is True


@apis
def test_what_gateways_do_not_understand_is_not_declared(api: str) -> None:
    text = json.dumps(PROFILES[api])

    assert set(re.findall('"format": "([^"]*)"', text)) <= {"date-time", "uri", "byte"}
    assert '"name": "criteria"' not in text
    assert "securitySchemes" not in text
    assert PROFILES[api]["security"] == []


def test_every_named_rule_is_shown() -> None:
    shown_above = {"formats", "criteria", "security"}

    assert TAKEN_BEYOND.keys() | shown_above == WIDER.keys()


@pytest.mark.parametrize(
    ("api", "name", "value"),
    [
        ("tmf699", "SalesLead_Create", {}),
        ("tmf699", "SalesLead_Create", {"name": "x" * 513}),
        ("tmf699", "SalesLead_Create", {"name": "Campaign", "status": "won"}),
        ("tmf699", "SalesLead_Create", {"name": "Campaign", "relatedParty": [{"id": "1"}]}),
        ("tmf699", "SalesLead_MergePatch", {"name": None}),
        ("tmf699", "SalesLead_MergePatch", {"rating": "x" * 256}),
        ("tmf648", "Quote_Create", {"quoteItem": []}),
        ("tmf648", "Quote_Create", deep_items(DEPTH, {"action": 7})),
        ("tmf699", "EventSubscriptionInput", {"query": "eventType=QuoteCreateEvent"}),
    ],
)
def test_the_profile_refuses_what_the_contract_refuses(api: str, name: str, value: Json) -> None:
    assert taken_by_contract(api, name, value) is False
    assert taken_by_profile(api, name, value) is False


def taken_by_contract(api: str, name: str, value: Any) -> bool:
    check = Schemas(CONTRACTS[api]).check({"$ref": f"#/components/schemas/{name}"}, reject_read_only=True)
    return check.accepts(value)


def taken_by_profile(api: str, name: str, value: Any) -> bool:
    return Schemas(PROFILES[api]).check({"$ref": f"#/components/schemas/{plain_name(name)}"}).accepts(value)


# What is left of the operations ---------------------------------------------------------------------------------------


@apis
def test_every_operation_is_there_under_its_path_and_id(api: str) -> None:
    def ids(document: Json) -> list[tuple[str, str, str]]:
        return [(path, method, operation["operationId"]) for path, method, operation in operations(document)]

    assert ids(PROFILES[api]) == ids(CONTRACTS[api])


@apis
def test_an_operation_keeps_its_answers_and_its_single_valued_parameters(api: str) -> None:
    plain = {operation["operationId"]: operation for _, _, operation in operations(PROFILES[api])}
    for path, _, operation in operations(CONTRACTS[api]):
        all_parameters = CONTRACTS[api]["paths"][path].get("parameters", []) + operation.get("parameters", [])
        expected = {(p["in"], p["name"]) for each in all_parameters if (p := resolved(CONTRACTS[api], each))}
        counterpart = plain[operation["operationId"]]

        assert {(p["in"], p["name"]) for p in counterpart["parameters"]} == expected - {("query", "criteria")}
        assert counterpart["responses"].keys() == operation["responses"].keys()


@apis
def test_each_body_has_one_media_type_and_patches_are_merge_patches(api: str) -> None:
    for _, method, operation in operations(PROFILES[api]):
        content = operation.get("requestBody", {}).get("content", {})
        expected = "application/merge-patch+json" if method == "patch" else "application/json"
        assert list(content) in ([], [expected])
        for answer in operation["responses"].values():
            assert list(answer.get("content", {})) in ([], ["application/json"])


@apis
def test_only_patches_by_operations_lose_their_media_type(api: str) -> None:
    written = {(name, media_type) for name, media_type, _ in bodies(CONTRACTS[api])}
    left = {(name, media_type) for name, media_type, _ in bodies(PROFILES[api])}
    gone = {(name, media_type) for name, media_type in written - left if media_type not in OTHER_ANSWERS}
    lost = {(name, media_type) for name, media_type in gone if media_type != "application/json"}

    assert {media_type for _, media_type in lost} == PATCHES_BY_OPERATIONS
    # Plain JSON is taken as a merge patch, so a gateway that knows one of the two loses nothing.
    assert {name.split()[0][:5] for name, _ in gone} == {"patch"}


@apis
def test_no_name_has_more_than_letters_and_digits(api: str) -> None:
    names = PROFILES[api]["components"]["schemas"]

    assert [name for name in names if not re.fullmatch("[A-Za-z0-9]+", name)] == []


@apis
def test_it_is_made_without_touching_the_bundle(api: str) -> None:
    before = deepcopy(CONTRACTS[api])

    gateway_profile(CONTRACTS[api])

    assert before == CONTRACTS[api]


# The steps that it is made in -----------------------------------------------------------------------------------------


def test_a_type_within_itself_is_written_out_level_by_level() -> None:
    node = {"type": "object", "properties": {"child": {"$ref": "#/components/schemas/Node"}}}

    levels = without_recursion({"Node": node}, depth=2)

    assert list(levels) == ["Node", "NodeLevel2"]
    assert levels["Node"]["properties"]["child"] == {"$ref": "#/components/schemas/NodeLevel2"}
    assert levels["NodeLevel2"]["properties"]["child"]["type"] == "object"
    assert "$ref" not in levels["NodeLevel2"]["properties"]["child"]


def test_two_types_within_each_other_end_too() -> None:
    def holding(name: str) -> Json:
        return {"type": "object", "properties": {"other": {"$ref": f"#/components/schemas/{name}"}}}

    levels = without_recursion({"One": holding("Two"), "Two": holding("One")}, depth=2)

    assert list(levels) == ["One", "OneLevel2", "Two", "TwoLevel2"]
    assert levels["One"]["properties"]["other"] == {"$ref": "#/components/schemas/Two"}
    assert levels["Two"]["properties"]["other"] == {"$ref": "#/components/schemas/OneLevel2"}
    assert "$ref" not in levels["TwoLevel2"]["properties"]["other"]


def test_of_two_bounds_the_narrower_one_holds() -> None:
    wide = {"type": "number", "minimum": 0, "maximum": 9, "enum": [1, 2, 3]}
    narrow = {"allOf": [{"$ref": "#/components/schemas/Wide"}], "type": "integer", "minimum": 1, "enum": [2, 3, 4]}

    flat = FlatSchemas({"Wide": wide, "Narrow": narrow}).all["Narrow"]

    assert flat == {"type": "integer", "minimum": 1, "maximum": 9, "enum": [2, 3]}


def test_a_member_of_two_types_becomes_one_type_of_both() -> None:
    reference = "#/components/schemas/"
    schemas: dict[str, Json] = {
        "Colour": {"type": "object", "properties": {"red": {"type": "integer"}}},
        "Named": {"type": "object", "required": ["name"]},
        "Thing": {"properties": {"colour": {"$ref": f"{reference}Colour"}}},
        "NamedThing": {
            "allOf": [{"$ref": f"{reference}Thing"}],
            "properties": {"colour": {"$ref": f"{reference}Named"}},
        },
    }

    flat = FlatSchemas(schemas).all

    assert flat["NamedThing"]["properties"]["colour"] == {"$ref": f"{reference}ColourAndNamed"}
    assert flat["ColourAndNamed"] == {
        "type": "object",
        "properties": {"red": {"type": "integer"}},
        "required": ["name"],
    }


def test_parts_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(CannotFlatten, match="string and object at once"):
        FlatSchemas({"Odd": {"allOf": [{"type": "string"}, {"type": "object"}]}})


def test_alternatives_leave_what_all_of_them_ask_for() -> None:
    either = {"type": "object", "oneOf": [{"required": ["id", "name"]}, {"required": ["id", "href"]}]}

    assert FlatSchemas({"Either": either}).all["Either"] == {"type": "object", "required": ["id"]}


def test_names_that_would_be_the_same_without_their_marks_are_refused() -> None:
    contract = deepcopy(CONTRACTS["tmf699"])
    contract["components"]["schemas"]["SalesLeadCreate"] = {"type": "object"}
    operation = contract["paths"]["/salesLead"]["post"]
    operation["responses"]["201"]["content"]["application/json"]["schema"] = {
        "$ref": "#/components/schemas/SalesLeadCreate"
    }

    with pytest.raises(CannotFlatten, match="two schemas would be named SalesLeadCreate"):
        gateway_profile(contract)


@apis
def test_every_body_has_an_example_that_a_mock_answers_with(api: str) -> None:
    for name, _, content in bodies(PROFILES[api]):
        assert misfits(PROFILES[api], content["schema"], content["example"]) == [], name


@apis
def test_a_contract_that_describes_nothing_has_a_profile_too(api: str) -> None:
    bare = deepcopy(CONTRACTS[api])
    del bare["tags"]
    for header in bare["components"]["headers"].values():
        del header["description"]
    for _, _, operation in operations(bare):
        for member in ("tags", "summary", "description"):
            operation.pop(member, None)

    profile = gateway_profile(bare)

    assert "tags" not in profile
    assert profile["components"]["schemas"].keys() == PROFILES[api]["components"]["schemas"].keys()
    assert all(
        operation.keys().isdisjoint({"tags", "summary", "description"}) for _, _, operation in operations(profile)
    )
