"""The contracts are valid, complete and true to themselves; each fault is reported in one line.

Every check yields lines of file, JSON pointer and rule, and is shown here to fail on a contract that breaks its rule.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator

from tmf_sales.contract.bundling import bundle
from tmf_sales.contract.yaml_source import load_yaml

OPENAPI = Path(__file__).parent.parent.parent / "openapi"
COMMON = OPENAPI / "tmf-common-v4.yaml"
CONTRACTS = [OPENAPI / "tmf699-sales-v4.yaml", OPENAPI / "tmf648-quote-v4.yaml"]
METHODS = {"get", "head", "post", "patch", "delete"}
SAFE = 2**53 - 1
LINE = 130

Json = dict[str, Any]
Check = Callable[[str, Json], Iterator[str]]


def event_types(schema: Json) -> list[str]:
    """The types in x-events."""
    stated = schema.get("x-events", {}).values()
    return [each if isinstance(each, str) else each["event"] for each in stated]


def nodes(node: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    """Every node of a document with its JSON pointer."""
    yield pointer, node
    entries = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for step, entry in entries:
        yield from nodes(entry, f"{pointer}/{str(step).replace('~', '~0').replace('/', '~1')}")


def resolve(document: Json, node: Json) -> Json:
    while "$ref" in node:
        target: Any = document
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        node = target
    return node


def reading_schemas(document: Json) -> Iterator[tuple[str, Json]]:
    """The schemas that describe what the server answers, with their pointers."""
    for name, schema in document["components"]["schemas"].items():
        if "_" not in name or name.endswith("_Attributes"):
            yield f"/components/schemas/{name}", schema


def operations(document: Json) -> Iterator[tuple[str, Json]]:
    for path, item in document["paths"].items():
        for method in METHODS & item.keys():
            yield f"/paths/{path.replace('/', '~1')}/{method}", item[method]


def broken_openapi(file: str, document: Json, base_uri: str = "") -> Iterator[str]:
    for error in OpenAPIV30SpecValidator(document, base_uri=base_uri).iter_errors():
        pointer = "".join(f"/{str(step).replace('/', '~1')}" for step in error.absolute_path)
        yield f"{file}#{pointer}: is not OpenAPI 3.0: {error.message.partition(chr(10))[0][:100]}"


def draft4(node: Any) -> Any:
    """A schema as JSON Schema draft 4: a nullable type also takes null."""
    if isinstance(node, list):
        return [draft4(entry) for entry in node]
    if not isinstance(node, dict):
        return node
    plain = {name: draft4(value) for name, value in node.items()}
    if plain.get("nullable") is True:
        plain["type"] = [plain["type"], "null"]
    return plain


def misfits(document: Json, schema: Json, value: Any) -> list[str]:
    components = {"schemas": document["components"]["schemas"]}
    validator = jsonschema_rs.Draft4Validator(
        draft4({"allOf": [schema], "components": components}), validate_formats=True
    )
    return [
        f"{''.join(f'/{step}' for step in error.instance_path)} {error.kind.name}"
        for error in validator.iter_errors(value)
    ]


def false_examples(file: str, document: Json) -> Iterator[str]:
    """Bodies without an example, and examples (of parameters and headers too) that break their own schema."""
    for pointer, node in nodes(document):
        if not isinstance(node, dict) or not isinstance(node.get("schema"), dict) or "/examples/" in pointer:
            continue
        is_body = "/content/" in pointer
        examples = {name: resolve(document, entry)["value"] for name, entry in node.get("examples", {}).items()}
        if "example" in node:
            examples["example"] = node["example"]
        if is_body and not node.get("examples"):
            yield f"{file}#{pointer}: has no named example"
        for name, value in examples.items():
            for misfit in misfits(document, node["schema"], value):
                yield f"{file}#{pointer}/examples/{name}: does not fit its schema at {misfit}"


def thin_examples(file: str, document: Json) -> Iterator[str]:
    """Examples of whole answers that lack what the server owes."""
    for pointer, operation in operations(document):
        if not operation["operationId"].startswith(("create", "retrieve", "patch")):
            continue
        for status in {"200", "201"} & operation["responses"].keys():
            body = resolve(document, operation["responses"][status])["content"]["application/json"]
            full = resolve(document, body["schema"]).get("x-full")
            for name, entry in body["examples"].items() if full else ():
                schema = {"$ref": f"#/components/schemas/{full}"}
                for misfit in misfits(document, schema, resolve(document, entry)["value"]):
                    yield f"{file}#{pointer}/responses/{status}: the example {name} is not a {full} at {misfit}"


def unreachable_components(file: str, document: Json) -> Iterator[str]:
    """Components that no operation leads to, by $ref or by the names in x-update, x-full and x-events."""
    waiting: list[Any] = [document["paths"], document.get("security", [])]
    seen = {f"/components/securitySchemes/{name}" for _, node in nodes(document) for name in _schemes(node)}
    while waiting:
        for _, node in nodes(waiting.pop()):
            for reference in _references(node) - seen if isinstance(node, dict) else ():
                seen.add(reference)
                waiting.append(resolve(document, {"$ref": f"#{reference}"}))
    for section, entries in document["components"].items():
        for name in entries:
            if f"/components/{section}/{name}" not in seen:
                yield f"{file}#/components/{section}/{name}: no operation reaches it"


def _schemes(node: Any) -> set[str]:
    requirements = node.get("security", []) if isinstance(node, dict) else []
    return {name for requirement in requirements for name in requirement}


def _references(node: Json) -> set[str]:
    named = [node[key] for key in ("x-update", "x-full") if key in node]
    named += event_types(node)
    reference = {node["$ref"].removeprefix("#")} if isinstance(node.get("$ref"), str) else set()
    return reference | {f"/components/schemas/{name}" for name in named}


def undescribed_attributes(file: str, document: Json) -> Iterator[str]:
    """Attributes of reading types that no short line describes, and operations that do not say what they are."""
    for start, schema in reading_schemas(document):
        for pointer, node in nodes(schema, start):
            if not re.search(r"/properties/[^/]+$", pointer) or "$ref" in node:
                continue
            if not 0 < len(node.get("description", "")) <= LINE:
                yield f"{file}#{pointer}: needs a description of one short line"
    for pointer, operation in operations(document):
        for member in {"operationId", "tags", "summary", "description"} - operation.keys():
            yield f"{file}#{pointer}: has no {member}"


def missing_bounds(file: str, document: Json) -> Iterator[str]:
    """Integers beyond +-(2^53-1), and texts and arrays of reading types that may grow without bound."""
    for pointer, node in nodes(document):
        if not isinstance(node, dict) or node.get("type") != "integer" or "/examples/" in pointer:
            continue
        if not -SAFE <= node.get("minimum", -SAFE - 1) <= node.get("maximum", SAFE + 1) <= SAFE:
            yield f"{file}#{pointer}: an integer is not within +-(2^53-1)"
    for start, schema in reading_schemas(document):
        for pointer, node in nodes(schema, start):
            kind = node.get("type") if isinstance(node, dict) else None
            if kind == "array" and "maxItems" not in node:
                yield f"{file}#{pointer}: an array has no maxItems"
            if (
                kind == "string"
                and not {"maxLength", "enum", "format", "pattern"} & node.keys()
                and not {"Error", "Problem"} & {*pointer.split("/")}
            ):
                yield f"{file}#{pointer}: a text has no maxLength"


def incomplete_answers(file: str, document: Json) -> Iterator[str]:
    """Answers that are not a success without the Error body, and 201s without Location, ETag or links."""
    error = {"$ref": "#/components/schemas/Error"}
    for pointer, operation in operations(document):
        for status, entry in operation["responses"].items():
            answer = resolve(document, entry)
            body = answer.get("content", {}).get("application/json", {})
            if status >= "400" and body.get("schema") != error:
                yield f"{file}#{pointer}/responses/{status}: is no Error in application/json"
            for header in _headers_owed(operation["operationId"], status) - answer.get("headers", {}).keys():
                yield f"{file}#{pointer}/responses/{status}: has no header {header}"
            if status == "201" and not answer.get("links"):
                yield f"{file}#{pointer}/responses/201: has no links to what can be done next"


UNPAGED = {"listListener", "listListenerAttempt", "listEventMatch"}


def _headers_owed(operation: str, status: str) -> set[str]:
    owed = {
        "201": {"Location"},
        "401": {"WWW-Authenticate"},
        "405": {"Allow"},
        "429": {"Retry-After"},
        "503": {"Retry-After"},
    }
    headers = set(owed.get(status, ()))
    if operation.startswith("patch") and status == "415":
        headers.add("Accept-Patch")
    if operation.startswith(("list", "head")) and status in {"200", "206"} and operation not in UNPAGED:
        headers |= {"X-Total-Count", "X-Result-Count", "Link"}
    if (operation[:5], status) in {
        ("creat", "201"),
        ("retri", "200"),
        ("patch", "200"),
    } and "Listener" not in operation:
        headers.add("ETag")
    return headers


def undocumented_extensions(file: str, document: Json) -> Iterator[str]:
    """Extensions that the top of the common file does not explain."""
    comments = [
        line for line in COMMON.read_text("utf-8").partition("openapi:")[0].splitlines() if line.startswith("#")
    ]
    explained = set(re.findall(r"x-[a-z-]+", "\n".join(comments)))
    for pointer, node in nodes(document):
        for name in node if isinstance(node, dict) and "/headers" not in pointer else ():
            if str(name).startswith("x-") and name not in explained:
                yield f"{file}#{pointer}/{name}: is not explained in {COMMON.name}"


def lost_paths(file: str, document: Json) -> Iterator[str]:
    """Members that an extension names and that its type does not have, and event types that are not their schema's."""
    for pointer, schema in reading_schemas(document):
        for entry in schema.get("x-index", ()):
            for path in [entry] if isinstance(entry, str) else entry:
                if not _has(document, schema, path.lstrip("-").split(".")):
                    yield f"{file}#{pointer}/x-index: there is no {path}"
        for member in [*schema.get("x-ordered", ()), *filter(None, [schema.get("x-versioned")])]:
            if not _has(document, schema, [member]):
                yield f"{file}#{pointer}: an extension names {member}, which is no member"
        for event in event_types(schema):
            if document["components"]["schemas"][event]["properties"]["eventType"]["enum"] != [event]:
                yield f"{file}#/components/schemas/{event}/properties/eventType: is not {event}"


def _has(document: Json, schema: Json, path: list[str]) -> bool:
    schema = resolve(document, schema)
    if "items" in schema:
        return _has(document, schema["items"], path)
    parts = [resolve(document, part) for part in schema.get("allOf", [])]
    if not path:
        return "properties" not in schema and all(_has(document, part, []) for part in parts)
    member = schema.get("properties", {}).get(path[0])
    return bool(member and _has(document, member, path[1:])) or any(_has(document, part, path) for part in parts)


CHECKS: list[Check] = [
    broken_openapi,
    false_examples,
    thin_examples,
    unreachable_components,
    undescribed_attributes,
    missing_bounds,
    incomplete_answers,
    undocumented_extensions,
    lost_paths,
]


@pytest.mark.parametrize("path", [COMMON, *CONTRACTS], ids=lambda path: path.name)
def test_every_file_is_valid_openapi(path: Path) -> None:
    assert list(broken_openapi(path.name, load_yaml(path), path.as_uri())) == []


@pytest.mark.parametrize("path", CONTRACTS, ids=lambda path: path.name)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_contract_keeps_the_rule(check: Check, path: Path) -> None:
    assert list(check(path.name, bundle(path))) == []


def test_nothing_in_the_common_file_is_unused() -> None:
    bundles = [bundle(path)["components"] for path in CONTRACTS]
    for section, entries in load_yaml(COMMON)["components"].items():
        own = {name for name, entry in entries.items() if "$ref" not in entry}  # others are earlier names of these
        unused = own - {name for components in bundles for name in components.get(section, ())}
        assert unused == set(), section


def test_both_contracts_have_the_same_operations_on_listeners() -> None:
    hubs = [{path: set(item) for path, item in bundle(path)["paths"].items() if "hub" in path} for path in CONTRACTS]
    further = {f"/hub/{{id}}/{name}": {"parameters", "post"} for name in ("test", "replay", "enable", "secret")}
    assert hubs[0] == hubs[1]
    assert hubs[0] == {
        "/hub": {"parameters", "get", "post"},
        "/hub/{id}": {"parameters", "get", "delete"},
        "/hub/{id}/attempt": {"parameters", "get"},
        **further,
    }


HARMLESS = {"If-Match": "*", "If-None-Match": '"0"', "X-Correlation-ID": "4d7f0b9e"}


@pytest.mark.parametrize("path", CONTRACTS, ids=lambda path: path.name)
def test_no_optional_parameter_has_an_example_that_changes_the_answer(path: Path) -> None:
    """Pages to try an API send the examples of all parameters."""
    document = bundle(path)
    for _, operation in operations(document):
        for parameter in (resolve(document, each) for each in operation.get("parameters", [])):
            if not parameter.get("required"):
                assert parameter.get("example") == HARMLESS.get(parameter["name"]), parameter["name"]
                assert "examples" not in parameter


@pytest.mark.parametrize("path", CONTRACTS, ids=lambda path: path.name)
def test_every_event_type_has_a_callback(path: Path) -> None:
    document = bundle(path)
    raised = {name for schema in document["components"]["schemas"].values() for name in event_types(schema)}
    called = {name[0].upper() + name[1:] for name in document["paths"]["/hub"]["post"]["callbacks"]}
    assert called == raised


def test_the_notice_carries_the_copyright_that_the_specifications_ask_for() -> None:
    notice = (OPENAPI.parent / "NOTICE").read_text("utf-8")
    assert "Copyright © TM Forum 2019. All Rights Reserved." in notice


# Each check finds what it is there for --------------------------------------------------------------------------------


def set_at(pointer: str, value: Any) -> Callable[[Json], None]:
    """A change that puts a value at a pointer, or takes the member away when the value is None."""

    def change(document: Json) -> None:
        *steps, last = pointer.split("/")[1:]
        node: Any = document
        for step in steps:
            node = node[step.replace("~1", "/")]
        if value is None:
            del node[last]
        else:
            node[last] = value

    return change


LEAD = "/components/schemas/SalesLead_Attributes/properties"
BROKEN: list[tuple[Check, str, Any, str]] = [
    (broken_openapi, "/info/title", None, '#/info: is not OpenAPI 3.0: "title" is a required property'),
    (
        false_examples,
        "/components/examples/SalesLeadToCreate/value/name",
        5,
        "#/paths/~1salesLead/post/requestBody/content/application~1json/examples/advertisingLink: "
        "does not fit its schema at /name type",
    ),
    (
        false_examples,
        "/components/responses/SalesLeadPage/content/application~1json/examples",
        {},
        "#/components/responses/SalesLeadPage/content/application~1json: has no named example",
    ),
    (
        thin_examples,
        "/components/examples/SalesLeadPending/value/status",
        None,
        "#/paths/~1salesLead~1{id}/patch/responses/200: the example pending is not a SalesLead_Full at  required",
    ),
    (
        unreachable_components,
        "/components/schemas/Orphan",
        {"type": "object"},
        "#/components/schemas/Orphan: no operation reaches it",
    ),
    (
        undescribed_attributes,
        f"{LEAD}/rating/description",
        None,
        f"#{LEAD}/rating: needs a description of one short line",
    ),
    (undescribed_attributes, "/paths/~1salesLead/get/summary", None, "#/paths/~1salesLead/get: has no summary"),
    (
        missing_bounds,
        "/components/parameters/Limit/schema/maximum",
        None,
        "#/components/parameters/Limit/schema: an integer is not within +-(2^53-1)",
    ),
    (missing_bounds, f"{LEAD}/note/maxItems", None, f"#{LEAD}/note: an array has no maxItems"),
    (missing_bounds, f"{LEAD}/rating/maxLength", None, f"#{LEAD}/rating: a text has no maxLength"),
    (
        incomplete_answers,
        "/paths/~1salesLead/post/responses/400",
        {"description": "Bad."},
        "#/paths/~1salesLead/post/responses/400: is no Error in application/json",
    ),
    (
        incomplete_answers,
        "/paths/~1salesLead/post/responses/201/links",
        None,
        "#/paths/~1salesLead/post/responses/201: has no links to what can be done next",
    ),
    (
        incomplete_answers,
        "/paths/~1salesLead/post/responses/201/headers/ETag",
        None,
        "#/paths/~1salesLead/post/responses/201: has no header ETag",
    ),
    (
        undocumented_extensions,
        f"{LEAD}/rating/x-colour",
        "red",
        f"#{LEAD}/rating/x-colour: is not explained in tmf-common-v4.yaml",
    ),
    (
        lost_paths,
        "/components/schemas/SalesLead/x-index",
        [["status", "-relatedParty.colour"]],
        "#/components/schemas/SalesLead/x-index: there is no -relatedParty.colour",
    ),
    (
        lost_paths,
        "/components/schemas/TimePeriod/x-ordered",
        ["startDateTime", "end"],
        "#/components/schemas/TimePeriod: an extension names end, which is no member",
    ),
    (
        lost_paths,
        "/components/schemas/SalesLeadDeleteEvent/properties/eventType/enum",
        ["Deleted"],
        "#/components/schemas/SalesLeadDeleteEvent/properties/eventType: is not SalesLeadDeleteEvent",
    ),
]


@pytest.mark.parametrize(
    ("check", "pointer", "value", "line"), BROKEN, ids=lambda v: getattr(v, "__name__", str(v))[-40:]
)
def test_a_broken_contract_is_reported_in_one_line(check: Check, pointer: str, value: Any, line: str) -> None:
    document = deepcopy(bundle(CONTRACTS[0]))
    set_at(pointer, value)(document)

    found = list(check("lead.yaml", document))

    assert f"lead.yaml{line}" in found
    assert all("\n" not in each for each in found)


def test_every_check_is_shown_to_fail() -> None:
    assert {check for check, *_ in BROKEN} == set(CHECKS)
