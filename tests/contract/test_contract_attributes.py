"""The contracts say what the specification texts say: attributes, types, mandatory members, what may be sent, states.

The data files in `attributes` were made from the texts alone, so both sides were written independently.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tmf_sales.contract.bundling import bundle

HERE = Path(__file__).parent
OPENAPI = HERE.parent.parent / "openapi"
FILES = {"tmf699": "tmf699-sales-v4.yaml", "tmf648": "tmf648-quote-v4.yaml"}
META = {"@type": "string", "@baseType": "string", "@schemaLocation": "string"}
RULES = yaml.safe_load((HERE / "attributes" / "rules.yaml").read_text("utf-8"))

Json = dict[str, Any]


def specified(api: str) -> dict[str, dict[str, str]]:
    """Type -> attribute -> type of the attribute, as the text says."""
    types: dict[str, dict[str, str]] = yaml.safe_load((HERE / "attributes" / f"{api}.yaml").read_text("utf-8"))
    return {name: {**META, **attributes} for name, attributes in types.items()}


@dataclass
class ObjectType:
    """A schema with its `allOf` laid flat: what it requires, and each member's schemas, the base's first."""

    names: list[str] = field(default_factory=list)
    required: set[str] = field(default_factory=set)
    members: dict[str, list[Json]] = field(default_factory=dict)


def shape_of(schemas: list[Json], document: Json) -> ObjectType:
    object_type = ObjectType()
    for schema in schemas:
        _flatten(schema, document, object_type)
    return object_type


def _flatten(schema: Json, document: Json, object_type: ObjectType) -> None:
    if "$ref" in schema:
        object_type.names.append(schema["$ref"].rpartition("/")[2])
        _flatten(_target(schema, document), document, object_type)
        return
    for part in schema.get("allOf", []):
        _flatten(part, document, object_type)
    object_type.required |= set(schema.get("required", ()))
    for name, member in schema.get("properties", {}).items():
        object_type.members.setdefault(name, []).append(member)


def _target(schema: Json, document: Json) -> Json:
    """What the schema refers to; nothing is known of a type that is missing."""
    target: Json = document["components"]["schemas"].get(schema["$ref"].rpartition("/")[2], {})
    return target


def first(schemas: list[Json], keyword: str, document: Json) -> Any:
    """The keyword's value in the first of the schemas, or of what they refer to, that has it."""
    for schema in schemas:
        if keyword in schema:
            return schema[keyword]
        target = [_target(schema, document)] if "$ref" in schema else []
        if (value := first([*target, *schema.get("allOf", [])], keyword, document)) is not None:
            return value
    return None


def types_of(schemas: list[Json], document: Json) -> list[str]:
    """The names by which a text may call what the schemas describe, in the notation of the data files."""
    kind = first(schemas, "type", document)
    if kind == "array":
        items = [schema["items"] for schema in schemas if "items" in schema]
        bounds = "1..*" if first(schemas, "minItems", document) else "*"
        return [f"{name} [{bounds}]" for name in types_of(items, document)]
    if kind == "string":
        plain = ["DateTime"] if first(schemas, "format", document) == "date-time" else ["string"]
        return [*shape_of(schemas, document).names, *plain]
    names = shape_of(schemas, document).names
    return names or [{"number": "float", None: "Any"}.get(kind, kind)]


def attribute_differences(file: str, document: Json, types: dict[str, dict[str, str]]) -> Iterator[str]:
    """Attributes that only the text or only the contract has, or whose types differ."""
    schemas = document["components"]["schemas"]
    for name, attributes in types.items():
        pointer = f"{file}#/components/schemas/{name}"
        if name not in schemas:
            yield f"{pointer}: the specification has this type"
            continue
        members = shape_of([schemas[name]], document).members
        for missing in attributes.keys() - members.keys():
            yield f"{pointer}: the specification has the attribute {missing}"
        for extra in members.keys() - attributes.keys():
            yield f"{pointer}/properties/{extra}: the specification does not have this attribute"
        for attribute in attributes.keys() & members.keys():
            found = types_of(members[attribute], document)
            if attributes[attribute] not in found:
                yield f"{pointer}/properties/{attribute}: is {found[0]}, the specification says {attributes[attribute]}"


def unspecified_types(file: str, document: Json, types: dict[str, dict[str, str]], resource: str) -> Iterator[str]:
    """Types that a resource reaches and that the text does not have."""
    waiting, seen = [resource], set[str]()
    while waiting:
        name = waiting.pop()
        schema = document["components"]["schemas"][name]
        if name in seen or "enum" in schema:
            continue
        seen.add(name)
        for schemas in shape_of([schema], document).members.values():
            items = [member["items"] for member in schemas if "items" in member]
            waiting += shape_of(items or schemas, document).names[:1]
    known = {*types, *(f"{resource}_Attributes",), "Revenue"}
    yield from (
        f"{file}#/components/schemas/{name}: the specification does not have this type" for name in seen - known
    )


@dataclass
class Written:
    """Which members each type must have where it is written; a merge patch asks nothing of single objects."""

    file: str
    document: Json
    types: dict[str, dict[str, str]]
    mandatory: dict[str, set[str]]
    merging: bool = False

    def differences(self, schema: str, resource: str) -> Iterator[str]:
        """Places under the schema where a type requires other members than the specification says."""
        yield from self._object(
            [{"$ref": f"#/components/schemas/{schema}"}], resource, f"/{schema}", self.merging, set()
        )

    def _object(self, schemas: list[Json], kind: str, path: str, free: bool, seen: set[str]) -> Iterator[str]:
        object_type = shape_of(schemas, self.document)
        key = f"{kind} {sorted(set(object_type.names))}"
        if key in seen:
            return
        seen.add(key)
        wanted = set() if free else self.mandatory.get(kind, set())
        if object_type.required != wanted:
            yield f"{self.file}#{path}: {kind} requires {sorted(object_type.required)}, the rule is {sorted(wanted)}"
        for name, member in object_type.members.items():
            inner, _, many = self.types[kind].get(name, "string").partition(" ")
            if inner not in self.types or (kind, name) == ("Authorization", "approver"):
                continue
            read_only = any(schema.get("readOnly") for schema in member)
            if many and not read_only:
                merged = free and any("x-merge-key" in schema for schema in member)
                items = [schema["items"] for schema in member]
                yield from self._object(items, inner, f"{path}/{name}", merged, seen)
            elif not read_only:
                yield from self._object(member, inner, f"{path}/{name}", free, seen)


def sendable(document: Json, schema: str) -> tuple[set[str], set[str]]:
    """The members of a request schema that may be sent, and those that may not."""
    members = shape_of([{"$ref": f"#/components/schemas/{schema}"}], document).members
    forbidden = {name for name, schemas in members.items() if any(part.get("readOnly") for part in schemas)}
    return members.keys() - forbidden - META.keys(), forbidden


def lifecycle_differences(file: str, document: Json, machines: dict[str, Json]) -> Iterator[str]:
    """x-lifecycle tables that are not the state machine, or name states that the enum has not."""
    for name, machine in machines.items():
        schema = document["components"]["schemas"][name]
        pointer = f"{file}#/components/schemas/{name}/x-lifecycle"
        if schema.get("x-lifecycle") != machine:
            yield f"{pointer}: is not the state machine of the specification"
        table = schema.get("x-lifecycle", {"initial": None, "transitions": {}})
        states = {table["initial"], *table["transitions"], *(s for row in table["transitions"].values() for s in row)}
        if states != set(schema["enum"]):
            yield f"{pointer}: has other states than the enum: {sorted(states ^ set(schema['enum']), key=str)}"


MACHINES: dict[str, dict[str, Json]] = {
    "tmf699": {
        "SalesLeadStateType": {
            "initial": "acknowledged",
            "transitions": {
                "acknowledged": ["inProgress", "cancelled"],
                "inProgress": ["pending", "accepted", "rejected"],
                "pending": ["inProgress", "rejected"],
            },
        }
    },
    "tmf648": {
        "QuoteStateType": {
            "initial": "inProgress",
            "transitions": {
                "inProgress": ["pending", "approved", "cancelled"],
                "pending": ["inProgress", "cancelled"],
                "approved": ["accepted", "rejected"],
            },
        },
        "QuoteItemStateType": {
            "initial": "inProgress",
            "transitions": {"inProgress": ["pending", "approved"], "pending": ["inProgress"], "approved": ["rejected"]},
        },
    },
}
ENUMERATIONS = {
    "SalesLeadPriorityType": ["low", "medium", "high"],
    "ProductStatusType": [
        "created", "pendingActive", "cancelled", "active", "pendingTerminate", "terminated", "suspended", "aborted"
    ],
}  # fmt: skip


@pytest.fixture(params=FILES)
def api(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def document(api: str) -> Json:
    return bundle(OPENAPI / FILES[api])


def written(api: str, document: Json, schema: str, **more: set[str]) -> list[str]:
    rules = RULES[api]
    mandatory = {name: set(members) for name, members in rules["mandatoryIn"].items()}
    merging = schema == "MergePatch"
    every = Written(FILES[api], document, specified(api), {**mandatory, **more}, merging)
    return list(every.differences(f"{rules['resource']}_{schema}", rules["resource"]))


def test_every_attribute_of_the_text_is_in_the_contract_and_no_other(api: str, document: Json) -> None:
    assert list(attribute_differences(FILES[api], document, specified(api))) == []


def test_a_resource_reaches_no_type_that_the_text_has_not(api: str, document: Json) -> None:
    assert list(unspecified_types(FILES[api], document, specified(api), RULES[api]["resource"])) == []


def test_every_sub_resource_requires_at_creation_what_the_text_says(api: str, document: Json) -> None:
    assert written(api, document, "Create", **{RULES[api]["resource"]: set(RULES[api]["mandatory"])}) == []


UPDATE = {
    "RelatedParty": {"@referredType"},
    "SalesLead": {"name", "status", "statusChangeDate", "@type"},
    "Quote": {"quoteItem", "state", "version", "@type"},
    "QuoteItem": {"id", "state"},
}


def test_a_patched_document_keeps_what_the_server_owes_and_the_rules_of_its_parts(api: str, document: Json) -> None:
    assert written(api, document, "Update", **UPDATE) == []


def test_a_merge_patch_asks_nothing_of_single_objects_and_of_whole_arrays_what_an_update_does(
    api: str, document: Json
) -> None:
    assert written(api, document, "MergePatch", **UPDATE) == []


def test_what_may_be_sent_at_creation_is_what_the_table_says(api: str, document: Json) -> None:
    rules = RULES[api]
    assert sendable(document, f"{rules['resource']}_Create") == (
        {*rules["mandatory"], *rules["optional"]},
        set(rules["forbidden"]),
    )


@pytest.mark.parametrize("schema", ["Update", "MergePatch"])
def test_what_may_be_patched_is_what_the_table_says(api: str, document: Json, schema: str) -> None:
    rules = RULES[api]
    assert sendable(document, f"{rules['resource']}_{schema}") == (set(rules["patchable"]), set(rules["fixed"]))


def test_items_of_a_new_quote_have_no_state_price_or_authorization() -> None:
    _, forbidden = sendable(bundle(OPENAPI / FILES["tmf648"]), "QuoteItem_Create")
    assert forbidden == {"state", "quoteItemPrice", "quoteItemAuthorization"}


def test_the_lifecycles_are_the_state_machines(api: str, document: Json) -> None:
    assert list(lifecycle_differences(FILES[api], document, MACHINES[api])) == []


def test_the_enumerations_have_their_values(document: Json) -> None:
    schemas = document["components"]["schemas"]
    assert {name: schemas[name]["enum"] for name in ENUMERATIONS.keys() & schemas.keys()} == {
        name: values for name, values in ENUMERATIONS.items() if name in schemas
    }


# Each check finds what it is there for --------------------------------------------------------------------------------


def broken(api: str, change: Callable[[Json], object]) -> Json:
    document = deepcopy(bundle(OPENAPI / FILES[api]))
    change(document["components"]["schemas"])
    return document


def differences(change: Callable[[Json], object]) -> list[str]:
    return list(attribute_differences("quote.yaml", broken("tmf648", change), specified("tmf648")))


def test_a_missing_attribute_is_found() -> None:
    assert differences(lambda schemas: schemas["Note"]["properties"].pop("author")) == [
        "quote.yaml#/components/schemas/Note: the specification has the attribute author"
    ]


def test_a_missing_type_is_found() -> None:
    assert differences(lambda schemas: schemas.pop("Quantity")) == [
        "quote.yaml#/components/schemas/Quantity: the specification has this type"
    ]


def test_an_invented_attribute_is_found() -> None:
    assert differences(lambda schemas: schemas["Note"]["properties"].update(colour={"type": "string"})) == [
        "quote.yaml#/components/schemas/Note/properties/colour: the specification does not have this attribute"
    ]


def test_another_type_is_found() -> None:
    assert differences(lambda schemas: schemas["Note"]["properties"].update(date={"type": "string"})) == [
        "quote.yaml#/components/schemas/Note/properties/date: is string, the specification says DateTime"
    ]


def test_an_invented_type_is_found() -> None:
    document = broken("tmf648", lambda schemas: None)
    types = {name: attributes for name, attributes in specified("tmf648").items() if name != "Quantity"}
    assert list(unspecified_types("quote.yaml", document, types, "Quote")) == [
        "quote.yaml#/components/schemas/Quantity: the specification does not have this type"
    ]


def test_a_forgotten_mandatory_member_is_found() -> None:
    document = broken("tmf648", lambda schemas: schemas["QuotePrice_Create"].pop("required"))
    assert written("tmf648", document, "Create", Quote={"quoteItem"}) == [
        "tmf648-quote-v4.yaml#/Quote_Create/quoteTotalPrice: QuotePrice requires [], the rule is ['priceType']"
    ]


def test_a_forgotten_variant_deep_inside_is_found() -> None:
    document = broken("tmf648", lambda schemas: schemas["ProductPrice_Create"]["properties"].pop("billingAccount"))
    assert written("tmf648", document, "Update", **UPDATE) == [
        "tmf648-quote-v4.yaml#/Quote_Update/quoteItem/product/productPrice/billingAccount: "
        "BillingAccountRef requires [], the rule is ['id']"
    ]


def test_another_lifecycle_is_found() -> None:
    def close(schemas: Json) -> None:
        schemas["QuoteStateType"]["x-lifecycle"]["transitions"]["approved"] = ["accepted"]

    assert list(lifecycle_differences("quote.yaml", broken("tmf648", close), MACHINES["tmf648"])) == [
        "quote.yaml#/components/schemas/QuoteStateType/x-lifecycle: is not the state machine of the specification",
        "quote.yaml#/components/schemas/QuoteStateType/x-lifecycle: has other states than the enum: ['rejected']",
    ]
