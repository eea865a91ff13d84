"""The rules that API gateways publish for importing OpenAPI documents, each with a check.

Sources, in our own words: Amazon API Gateway Developer Guide, "Important notes" (OpenAPI) and "Quotas"; Azure API
Management, "API import restrictions and known issues"; Google Cloud API Gateway, "OpenAPI feature limitations"; Akamai,
"API Definitions"; Kong, openapi2kong. Guarantee: a check yields one line for each place that breaks its rule.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from tmf_sales.publishing.flat_schemas import named
from tmf_sales.publishing.gateway_profile import METHODS
from tmf_sales.publishing.recursion import reachable, references_in

Document = dict[str, Any]
Check = Callable[[Document], Iterator[str]]

PLAIN_SEGMENT = re.compile(r"[A-Za-z0-9_.,:-]+|\{[^{}]+\}")


@dataclass(frozen=True, slots=True)
class Rule:
    """A published rule; `broken_by` yields the places where a document breaks it."""

    gateway: str
    text: str
    broken_by: Check


def operations(document: Document) -> Iterator[tuple[str, Document, list[Document]]]:
    """Each operation: its place, itself, and its parameters with those of its path."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                parameters = [*item.get("parameters", []), *item[method].get("parameters", [])]
                yield f"{method} {path}", item[method], parameters


def schema_nodes(document: Document) -> Iterator[tuple[str, Document]]:
    """Each schema with its place: the named ones and all nested in them."""
    waiting = [*document.get("components", {}).get("schemas", {}).items()]
    while waiting:
        place, schema = waiting.pop()
        yield place, schema
        waiting += [(f"{place}.{member}", entry) for member, entry in schema.get("properties", {}).items()]
        waiting += [(f"{place}[]", schema[key]) for key in ("items", "not") if isinstance(schema.get(key), dict)]
        waiting += [(place, part) for key in ("allOf", "anyOf", "oneOf") for part in schema.get(key, [])]


def contents(document: Document) -> Iterator[tuple[str, Document]]:
    """Each media type of a body, with its place; skips requests and responses that are only a $ref."""
    for place, operation, _ in operations(document):
        for name, message in {"request": operation.get("requestBody", {}), **operation["responses"]}.items():
            for entry in message.get("content", {}).values():
                yield f"{place} {name}", entry


def no_keyword(*keywords: str) -> Check:
    def broken_by(document: Document) -> Iterator[str]:
        for place, schema in schema_nodes(document):
            yield from (f"{place}: {keyword}" for keyword in keywords if keyword in schema)

    return broken_by


def no_format(*formats: str) -> Check:
    def broken_by(document: Document) -> Iterator[str]:
        yield from (f"{place}: {schema['format']}" for place, schema in schema_nodes(document)
                    if schema.get("format") in formats)  # fmt: skip

    return broken_by


def no_component_but_schemas(document: Document) -> Iterator[str]:
    yield from (f"components/{section}" for section in document.get("components", {}) if section != "schemas")


def no_part_of_an_operation(*parts: str) -> Check:
    def broken_by(document: Document) -> Iterator[str]:
        for place, operation, _ in operations(document):
            yield from (f"{place}: {part}" for part in parts if part in operation)

    return broken_by


def no_part_of_a_parameter(*parts: str) -> Check:
    def broken_by(document: Document) -> Iterator[str]:
        for place, _, parameters in operations(document):
            for parameter in parameters:
                yield from (f"{place} {parameter.get('name')}: {part}" for part in parts if part in parameter)

    return broken_by


def plain_paths(document: Document) -> Iterator[str]:
    for path in document["paths"]:
        if not all(PLAIN_SEGMENT.fullmatch(segment) for segment in path.strip("/").split("/")):
            yield path


def plain_model_names(document: Document) -> Iterator[str]:
    yield from (name for name in document["components"]["schemas"] if not re.fullmatch("[A-Za-z0-9]+", name))


def references_inside(document: Document) -> Iterator[str]:
    yield from (each for each in sorted(set(_references(document))) if not each.startswith("#/"))


def answers_written_out(document: Document) -> Iterator[str]:
    for place, operation, _ in operations(document):
        yield from (f"{place} {status}" for status, answer in operation["responses"].items() if "$ref" in answer)


def answers_are_no_primitives(document: Document) -> Iterator[str]:
    for place, entry in contents(document):
        schema = entry["schema"]
        while (name := named(schema)) is not None:
            schema = document["components"]["schemas"][name]
        if schema.get("type") in {"string", "number", "integer", "boolean"}:
            yield place


def keys_are_the_only_security(document: Document) -> Iterator[str]:
    schemes = document.get("components", {}).get("securitySchemes", {})
    yield from (name for name, scheme in schemes.items() if scheme.get("type") != "apiKey")


def parameters_are_single_values(document: Document) -> Iterator[str]:
    for place, _, parameters in operations(document):
        for parameter in parameters:
            if parameter.get("schema", {}).get("type") in {"object", "array"}:
                yield f"{place} {parameter['name']}"


def no_larger_than(megabytes: int) -> Check:
    def broken_by(document: Document) -> Iterator[str]:
        size = len(orjson.dumps(document))
        if size > megabytes * 1024 * 1024:
            yield f"{size} bytes"

    return broken_by


def no_recursion(document: Document) -> Iterator[str]:
    schemas = document["components"]["schemas"]
    yield from (name for name in schemas if name in reachable(schemas, references_in(schemas[name])))


def names_of_parameters_are_unique(document: Document) -> Iterator[str]:
    for place, _, parameters in operations(document):
        names = [each.get("name", "").lower() for each in parameters if each.get("in") in {"path", "query"}]
        yield from (f"{place} {name}" for name in sorted(set(names)) if names.count(name) > 1)


def path_parameters_are_in_the_path(document: Document) -> Iterator[str]:
    for place, _, parameters in operations(document):
        declared = {each["name"] for each in parameters if each.get("in") == "path"}
        if declared != set(re.findall(r"\{([^{}]+)\}", place)):
            yield place


def bodies_have_names(document: Document) -> Iterator[str]:
    yield from (place for place, entry in contents(document) if named(entry["schema"]) is None)


def one_media_type(document: Document) -> Iterator[str]:
    for place, operation, _ in operations(document):
        for name, message in {"request": operation.get("requestBody", {}), **operation["responses"]}.items():
            if len(message.get("content", {})) > 1:
                yield f"{place} {name}"


def ids_are_unique(document: Document) -> Iterator[str]:
    ids = [operation.get("operationId", "") for _, operation, _ in operations(document)]
    for (place, _, _), id in zip(operations(document), ids, strict=True):
        if not id:
            yield f"{place}: none"
        elif [each.lower() for each in ids].count(id.lower()) > 1:
            yield f"{place}: {id}"


def ids_are_short(document: Document) -> Iterator[str]:
    yield from (place for place, operation, _ in operations(document) if len(operation.get("operationId", "")) > 76)


def one_server(document: Document) -> Iterator[str]:
    if len(document.get("servers", [])) != 1:
        yield "servers"
    for path, item in document["paths"].items():
        yield from (f"{path}: {part}" for part in ("servers", "trace") if part in item)


def no_extensions(document: Document) -> Iterator[str]:
    yield from sorted(set(_extensions(document)))


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


def _extensions(document: Document) -> Iterator[str]:
    for place, schema in [*schema_nodes(document), *((place, each) for place, each, _ in operations(document))]:
        yield from (f"{place}: {key}" for key in schema if key.startswith("x-"))


AWS, AZURE, KONG = "Amazon API Gateway", "Azure API Management", "Kong"
GOOGLE, AKAMAI = "Google Cloud API Gateway", "Akamai API Gateway"

RULES: tuple[Rule, ...] = (
    Rule(AWS, "Segments of a path are letters, digits and _ - . , : or one parameter each.", plain_paths),
    Rule(AWS, "Names of models are letters and digits.", plain_model_names),
    Rule(AWS, "A $ref does not leave the file.", references_inside),
    Rule(AWS, "An answer is written out, not a $ref.", answers_written_out),
    Rule(AWS, "The body of a response is not a primitive type.", answers_are_no_primitives),
    Rule(AWS, "Models have no additionalProperties, anyOf or oneOf.",
         no_keyword("additionalProperties", "anyOf", "oneOf")),
    Rule(AWS, "Models have no discriminator.", no_keyword("discriminator")),
    Rule(AWS, "Models have no readOnly.", no_keyword("readOnly", "writeOnly")),
    Rule(AWS, "Models have no example.", no_keyword("example")),
    Rule(AWS, "Models are JSON Schema draft 4: no nullable, xml, deprecated.",
         no_keyword("nullable", "xml", "deprecated")),
    Rule(AWS, "Bounds are inclusive.", no_keyword("exclusiveMinimum", "exclusiveMaximum")),
    Rule(AWS, "Numbers have no format int32, int64 or decimal.", no_format("int32", "int64", "decimal")),
    Rule(AWS, "Of a parameter name, place, type, description and being required are read: it is one value.",
         parameters_are_single_values),
    Rule(AWS, "A security scheme is an API key.", keys_are_the_only_security),
    Rule(AWS, "The document has at most 6 MB.", no_larger_than(6)),
    Rule(AZURE, "A $ref does not leave the file.", references_inside),
    Rule(AZURE, "No type contains itself.", no_recursion),
    Rule(AZURE, "Path and query parameters of an operation have names of their own.", names_of_parameters_are_unique),
    Rule(AZURE, "A path parameter is in the path, and the other way round.", path_parameters_are_in_the_path),
    Rule(AZURE, "The schema of a body is a named one.", bodies_have_names),
    Rule(AZURE, "Of the components only schemas are read.", no_component_but_schemas),
    Rule(AZURE, "Operations have no callbacks, security, servers or externalDocs.",
         no_part_of_an_operation("callbacks", "security", "servers", "externalDocs")),
    Rule(AZURE, "Parameters have no style, explode, allowReserved or allowEmptyValue.",
         no_part_of_a_parameter("style", "explode", "allowReserved", "allowEmptyValue")),
    Rule(AZURE, "There is one server, and none at a path.", one_server),
    Rule(AZURE, "operationIds have at most 76 characters.", ids_are_short),
    Rule(AZURE, "Extensions are dropped, so nothing may depend on one.", no_extensions),
    Rule(AZURE, "The document has at most 4 MB.", no_larger_than(4)),
    Rule(KONG, "Every operation has an operationId of its own, whatever the case: it names the route.", ids_are_unique),
    Rule(GOOGLE, "Schemas have no nullable, anyOf or oneOf.", no_keyword("nullable", "anyOf", "oneOf")),
    Rule(GOOGLE, "Every operation has an operationId of its own.", ids_are_unique),
    Rule(GOOGLE, "A body has one media type.", one_media_type),
    Rule(AKAMAI, "Schemas have no nullable.", no_keyword("nullable")),
    Rule(AKAMAI, "Parameters have no style.", no_part_of_a_parameter("style")),
)  # fmt: skip
