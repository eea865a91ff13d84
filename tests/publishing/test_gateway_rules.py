"""Each published import rule of the gateways: the profiles keep it, and a document that breaks it is reported."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tmf_sales.contract.bundling import bundle
from tmf_sales.publishing import gateway_check
from tmf_sales.publishing.gateway_profile import gateway_profile
from tmf_sales.publishing.gateway_rules import RULES, Rule

Json = dict[str, Any]

ROOT = Path(__file__).parents[2]
CONTRACTS = {path.stem: bundle(path) for path in sorted((ROOT / "openapi").glob("tmf[0-9]*.yaml"))}
PROFILES = {name: gateway_profile(document) for name, document in CONTRACTS.items()}
LIST = "get /salesLead"


def lead(document: Json) -> Json:
    """The type of a sales lead, to be spoilt."""
    found = document["components"]["schemas"]["SalesLead"]
    assert isinstance(found, dict)
    return found


def listing(document: Json) -> Json:
    """The operation that lists sales leads, to be spoilt."""
    found = document["paths"]["/salesLead"]["get"]
    assert isinstance(found, dict)
    return found


def a_primitive_answer(document: Json) -> None:
    listing(document)["responses"]["200"]["content"]["application/json"]["schema"] = {"type": "string"}


def a_second_media_type(document: Json) -> None:
    content = listing(document)["responses"]["200"]["content"]
    content["text/csv"] = content["application/json"]


def the_same_parameter_twice(document: Json) -> None:
    listing(document)["parameters"].append({"name": "Fields", "in": "query"})


def the_same_id_twice(document: Json) -> None:
    listing(document)["operationId"] = "HeadSalesLead"


def in_a_lead(**keywords: Any) -> Callable[[Json], None]:
    return lambda document: lead(document)["properties"]["name"].update(keywords)


def in_the_listing(**parts: Any) -> Callable[[Json], None]:
    return lambda document: listing(document).update(parts)


def in_a_parameter(**parts: Any) -> Callable[[Json], None]:
    return lambda document: listing(document)["parameters"][0].update(parts)


ITSELF = {"$ref": "#/components/schemas/SalesLead"}

# Words of the rule -> what breaks it, and the place that is reported.
BREAKS: dict[str, tuple[Callable[[Json], Any], str]] = {
    "Segments of a path": (lambda d: d["paths"].update({"/lead{id}": {}}), "/lead{id}"),
    "Names of models": (lambda d: d["components"]["schemas"].update(Sales_Lead={}), "Sales_Lead"),
    "A $ref does not leave": (lambda d: lead(d).update(items={"$ref": "other.yaml#/Lead"}), "other.yaml#/Lead"),
    "An answer is written out": (lambda d: listing(d)["responses"].update({"500": ITSELF}), f"{LIST} 500"),
    "The body of a response": (a_primitive_answer, f"{LIST} 200"),
    "no additionalProperties": (in_a_lead(additionalProperties=False), "SalesLead.name: additionalProperties"),
    "no discriminator": (in_a_lead(discriminator={}), "SalesLead.name: discriminator"),
    "no readOnly": (in_a_lead(readOnly=True), "SalesLead.name: readOnly"),
    "no example": (in_a_lead(example="x"), "SalesLead.name: example"),
    "JSON Schema draft 4": (in_a_lead(nullable=True), "SalesLead.name: nullable"),
    "Bounds are inclusive": (in_a_lead(exclusiveMinimum=True), "SalesLead.name: exclusiveMinimum"),
    "no format int32": (in_a_lead(format="int64"), "SalesLead.name: int64"),
    "it is one value": (in_a_parameter(schema={"type": "array"}), f"{LIST} X-Correlation-ID"),
    "A security scheme": (lambda d: d["components"].update(securitySchemes={"own": {"type": "oauth2"}}), "own"),
    "at most 6 MB": (lambda d: d["info"].update(description="x" * 7_000_000), "bytes"),
    "at most 4 MB": (lambda d: d["info"].update(description="x" * 5_000_000), "bytes"),
    "No type contains itself": (lambda d: lead(d)["properties"].update(child=ITSELF), "SalesLead"),
    "names of their own": (the_same_parameter_twice, f"{LIST} fields"),
    "A path parameter": (in_a_parameter(name="id", **{"in": "path"}), LIST),
    "The schema of a body": (a_primitive_answer, f"{LIST} 200"),
    "only schemas are read": (lambda d: d["components"].update(responses={}), "components/responses"),
    "Operations have no callbacks": (in_the_listing(callbacks={}), f"{LIST}: callbacks"),
    "Parameters have no style": (in_a_parameter(style="form"), f"{LIST} X-Correlation-ID: style"),
    "There is one server": (lambda d: d["servers"].append({"url": "/other"}), "servers"),
    "76 characters": (in_the_listing(operationId="x" * 77), LIST),
    "Extensions are dropped": (in_a_lead(**{"x-index": []}), "SalesLead.name: x-index"),
    "Every operation has an operationId": (the_same_id_twice, f"{LIST}: HeadSalesLead"),
    "Schemas have no nullable": (in_a_lead(nullable=True), "SalesLead.name: nullable"),
    "A body has one media type": (a_second_media_type, f"{LIST} 200"),
}

rules = pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.gateway}: {rule.text}")


@rules
@pytest.mark.parametrize("name", PROFILES)
def test_the_profiles_keep_every_rule(rule: Rule, name: str) -> None:
    assert list(rule.broken_by(PROFILES[name])) == []


@rules
def test_a_profile_that_breaks_a_rule_is_reported_at_its_place(rule: Rule) -> None:
    [(spoil, place)] = [breaks for words, breaks in BREAKS.items() if words in rule.text]
    document = deepcopy(PROFILES["tmf699-sales-v4"])
    spoil(document)

    assert any(place in line for line in rule.broken_by(document))


def test_the_contracts_themselves_break_rules_so_the_profile_is_needed() -> None:
    broken = {rule.gateway for rule in RULES if any(any(rule.broken_by(each)) for each in CONTRACTS.values())}

    assert broken >= {"Amazon API Gateway", "Azure API Management", "Google Cloud API Gateway", "Akamai API Gateway"}


def test_the_script_names_every_rule_and_ends_well() -> None:
    done = subprocess.run([ROOT / "scripts/gateway_check"], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines() == [f"ok     {rule.gateway}: {rule.text}" for rule in RULES]


def test_the_page_for_users_shows_what_the_script_prints() -> None:
    page = (ROOT / "docs/how-to/gateways.md").read_text()

    assert "\n".join(f"ok     {rule.gateway}: {rule.text}" for rule in RULES) in page


def test_the_script_fails_and_names_the_place(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(gateway_check, "gateway_profile", lambda document: document)

    assert gateway_check.main(ROOT / "openapi") == 1
    assert "BROKEN Azure API Management: No type contains itself.\n" in capsys.readouterr().out
