"""Nobody who built on a released contract is surprised: what breaks needs a new major version in the changelog."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tmf_sales.contract.bundling import bundle
from tmf_sales.publishing.breaking_changes import breaking_changes, newest_version

Json = dict[str, Any]

ROOT = Path(__file__).parents[2]
RELEASED = ROOT / "openapi/released"
NAMES = sorted(path.name for path in (ROOT / "openapi").glob("tmf[0-9]*.yaml"))
SALES = bundle(ROOT / "openapi/tmf699-sales-v4.yaml")


# No program compares what two patterns match. These matched all that the released ones did, and more.
WIDER_PATTERNS = (" fields in query: pattern ",)


def test_a_change_that_breaks_clients_comes_with_a_new_major_version() -> None:
    released_with = tuple(map(int, (RELEASED / "VERSION").read_text().split(".")))
    changes = {
        name: [
            line
            for line in breaking_changes(bundle(RELEASED / name), bundle(ROOT / "openapi" / name))
            if not any(wider in line for wider in WIDER_PATTERNS)
        ]
        for name in NAMES
    }

    if newest_version((ROOT / "CHANGELOG.md").read_text())[0] == released_with[0]:
        assert changes == {name: [] for name in NAMES}


def test_every_contract_is_compared() -> None:
    assert sorted(path.name for path in RELEASED.glob("*.yaml")) == NAMES


def schema(document: Json, name: str) -> Json:
    found = document["components"]["schemas"][name]
    assert isinstance(found, dict)
    return found


def listing(document: Json) -> Json:
    found = document["paths"]["/salesLead"]["get"]
    assert isinstance(found, dict)
    return found


def patch_bodies(document: Json) -> Json:
    found = document["paths"]["/salesLead/{id}"]["patch"]["requestBody"]["content"]
    assert isinstance(found, dict)
    return found


def attribute(name: str, **said: Any) -> Callable[[Json], Any]:
    return lambda document: schema(document, "SalesLead_Attributes")["properties"].update({name: said})


def rated(**said: Any) -> Callable[[Json], Any]:
    return bounded("rating", **said)


def bounded(name: str, **said: Any) -> Callable[[Json], Any]:
    """Changes what the contract says of an attribute; None removes it."""

    def change(document: Json) -> None:
        stated = {**schema(document, "SalesLead_Attributes")["properties"][name], **said}
        kept = {key: value for key, value in stated.items() if value is not None}
        schema(document, "SalesLead_Attributes")["properties"][name] = kept

    return change


def limited(**said: Any) -> Callable[[Json], Any]:
    """Changes what the contract says of the parameter `limit`; None removes it."""

    def change(document: Json) -> None:
        stated = {**document["components"]["parameters"]["Limit"]["schema"], **said}
        kept = {key: value for key, value in stated.items() if value is not None}
        document["components"]["parameters"]["Limit"]["schema"] = kept

    return change


STATES = ["acknowledged", "inProgress", "pending", "accepted", "rejected", "cancelled"]

BREAKING: dict[str, Callable[[Json], Any]] = {
    "GET /hub: is gone": lambda d: d["paths"]["/hub"].pop("get"),
    "GET /salesLead/{id}: is gone": lambda d: d["paths"].pop("/salesLead/{id}"),
    "GET /salesLead: operationId listSalesLead is now leads": lambda d: listing(d).update(operationId="leads"),
    "GET /salesLead: the parameter fields in query is gone": lambda d: listing(d)["parameters"].pop(0),
    "GET /salesLead: the parameter tenant in header is now required": lambda d: listing(d)["parameters"].append(
        {"name": "tenant", "in": "header", "required": True, "schema": {"type": "string"}}
    ),
    "GET /salesLead limit in query: integer is now string": lambda d: d["components"]["parameters"]["Limit"].update(
        schema={"type": "string"}
    ),
    "GET /salesLead: no longer answers 206": lambda d: listing(d)["responses"].pop("206"),
    "POST /salesLead 201: the header ETag is gone": lambda d: d["paths"]["/salesLead"]["post"]["responses"]["201"][
        "headers"
    ].pop("ETag"),
    "PATCH /salesLead/{id} body: application/json is gone": lambda d: patch_bodies(d).pop("application/json"),
    "POST /salesLead body: rating is now required": lambda d: schema(d, "SalesLead_Create")["required"].append(
        "rating"
    ),
    "POST /salesLead body: may no longer be sent": lambda d: schema(d, "SalesLead_Create").update(readOnly=True),
    "POST /salesLead body rating: may no longer be sent": lambda d: schema(d, "SalesLead_Create")["properties"].update(
        rating={"type": "string", "readOnly": True}
    ),
    "GET /salesLead 200: href is no longer always there": lambda d: schema(d, "SalesLead")["required"].remove("href"),
    "GET /salesLead 200: rating is gone": lambda d: schema(d, "SalesLead_Attributes")["properties"].pop("rating"),
    "GET /salesLead 200 rating: string is now integer": attribute("rating", type="integer"),
    "GET /salesLead 200 rating: null is now answered": attribute("rating", type="string", nullable=True),
    "PATCH /salesLead/{id} body rating: null is no longer taken": lambda d: schema(d, "SalesLead_MergePatch")[
        "properties"
    ].update(rating={"type": "string"}),
    "POST /salesLead body rating: no longer takes any value": attribute("rating", type="string", enum=["hot"]),
    "POST /salesLead body status: no longer takes cancelled": lambda d: schema(d, "SalesLeadStateType").update(
        enum=STATES[:-1]
    ),
    "GET /salesLead 200 status: may now be lost": lambda d: schema(d, "SalesLeadStateType").update(
        enum=[*STATES, "lost"]
    ),
    "GET /salesLead 200 status: may now be any value": lambda d: schema(d, "SalesLeadStateType").pop("enum"),
    "POST /salesLead body rating: maxLength 255 is now 5": rated(maxLength=5),
    "GET /salesLead 200 rating: maxLength 255 is now 600": rated(maxLength=600),
    "GET /salesLead 200 rating: maxLength 255 is now none": rated(maxLength=None),
    "POST /salesLead body rating: minLength none is now 1": rated(minLength=1),
    "POST /salesLead body rating: pattern none is now ^a": rated(pattern="^a"),
    "POST /salesLead body rating: format none is now email": rated(format="email"),
    "GET /salesLead limit in query: maximum 1000 is now 100": limited(maximum=100),
    "GET /salesLead limit in query: minimum 0 is now 1": limited(minimum=1),
    "GET /salesLead limit in query: multipleOf none is now 5": limited(multipleOf=5),
    "POST /salesLead body note: maxItems 10000 is now 10": bounded("note", maxItems=10),
    "POST /salesLead body note: minItems none is now 1": bounded("note", minItems=1),
    "POST /salesLead body note: uniqueItems none is now True": bounded("note", uniqueItems=True),
    "POST /salesLead body: further members are no longer taken": lambda d: schema(d, "SalesLead_Create").update(
        additionalProperties=False
    ),
}


@pytest.mark.parametrize("line", BREAKING)
def test_a_breaking_change_is_reported(line: str) -> None:
    changed = deepcopy(SALES)
    BREAKING[line](changed)

    assert line in breaking_changes(SALES, changed)


HARMLESS: dict[str, Callable[[Json], Any]] = {
    "a new path": lambda d: d["paths"].update({"/salesOpportunity": {}}),
    "a new attribute": attribute("colour", type="string"),
    "a new optional parameter": lambda d: listing(d)["parameters"].append(
        {"name": "tenant", "in": "header", "schema": {"type": "string"}}
    ),
    "a new media type": lambda d: patch_bodies(d).update({"text/json": {"schema": {"type": "object"}}}),
    "a demand less": lambda d: schema(d, "SalesLead_Create").update(required=[]),
    "a wider bound of requests": limited(maximum=2000),
    "a bound less of requests": limited(minimum=None),
    "another format of our own": limited(format="tmf630-limit"),
    "another description": lambda d: listing(d).update(description="All of them."),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_a_harmless_change_is_not_reported(name: str) -> None:
    changed = deepcopy(SALES)
    HARMLESS[name](changed)

    assert breaking_changes(SALES, changed) == []


def test_a_body_that_becomes_mandatory_breaks() -> None:
    optional = deepcopy(SALES)
    optional["paths"]["/salesLead"]["post"]["requestBody"]["required"] = False

    assert breaking_changes(optional, SALES) == ["POST /salesLead: now needs a body"]


def test_the_version_is_that_of_the_topmost_heading() -> None:
    assert newest_version("# Changelog\n\n## 2.0.1 (not yet released)\n\n## 1.9.0\n") == (2, 0, 1)


def test_a_changelog_without_versions_is_refused() -> None:
    with pytest.raises(ValueError, match="has no version"):
        newest_version("# Changelog\n")
