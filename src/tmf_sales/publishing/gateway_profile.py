"""Rewrites a contract for API gateways: removes or simplifies everything that they reject or misread.

Guarantee: the profile accepts every request and response that the contract accepts, except JSON Patch, whose media
types it omits. WIDER lists what it accepts beyond the contract. The service behind the gateway still validates against
the contract.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tmf_sales.publishing.examples import first_example
from tmf_sales.publishing.flat_schemas import CannotFlatten, FlatSchemas, Schema, named, reference_to
from tmf_sales.publishing.recursion import DEPTH, reachable, references_in, without_recursion

Document = dict[str, Any]

METHODS = ("get", "head", "post", "put", "patch", "delete", "options")
PREFERRED_MEDIA_TYPES = ("application/merge-patch+json", "application/json")
COMMON_FORMATS = {"date-time", "date", "uri", "byte"}
UNKNOWN_KEYWORDS = {"nullable", "readOnly", "example", "additionalProperties"}
KEPT_OF_AN_OPERATION = ("operationId", "tags", "summary", "description")
KEPT_OF_A_PARAMETER = ("name", "in", "required", "description")

WIDER: Mapping[str, str] = {
    "nullable": "a member that null removes has no type, only the bounds of its type: any other type passes too",
    "alternatives": "where the contract asks for one of several members, none of them is asked for",
    "recursion": f"inside the {DEPTH}rd level of a type that contains itself, any object passes",
    "readOnly": "a member that may not be sent is checked like any other",
    "unknown members": "members that the contract does not know are accepted everywhere",
    "formats": "integers and query languages have no format; bounds and patterns stay",
    "criteria": "filters by attribute are not declared; a gateway has to pass undeclared query parameters on",
    "security": "no security is declared; the service checks the Authorization header itself",
}


def gateway_profile(bundle: Document) -> Document:
    """Build the profile of a bundled contract; does not change the bundle."""
    return _Profile(bundle).document()


class _Profile:
    def __init__(self, bundle: Document) -> None:
        self._bundle = bundle
        self._flat = FlatSchemas(bundle["components"]["schemas"])
        self._bodies: dict[str, Schema] = {}

    def document(self) -> Document:
        paths = {path: self._path(item) for path, item in self._bundle["paths"].items()}
        return {
            "openapi": self._bundle["openapi"],
            "info": self._bundle["info"],
            "servers": self._bundle["servers"],
            **({"tags": self._bundle["tags"]} if "tags" in self._bundle else {}),
            "security": [],
            "paths": _with_plain_names(paths),
            "components": {"schemas": self._schemas(paths)},
        }

    def _schemas(self, paths: Document) -> dict[str, Schema]:
        unrolled = without_recursion({**self._flat.all, **self._bodies})
        used = reachable(unrolled, references_in(paths))
        plain: dict[str, Schema] = {}
        for name in (name for name in unrolled if name in used):
            if plain_name(name) in plain:
                raise CannotFlatten(f"two schemas would be named {plain_name(name)}")
            plain[plain_name(name)] = _with_plain_names(_as_gateways_read(unrolled[name]))
        return plain

    def _path(self, item: Document) -> Document:
        shared = item.get("parameters", [])
        return {method: self._operation(item[method], shared) for method in METHODS if method in item}

    def _operation(self, operation: Document, shared: list[Document]) -> Document:
        name = operation["operationId"]
        parameters = [self._resolved(each) for each in [*shared, *operation.get("parameters", [])]]
        plain: Document = {key: operation[key] for key in KEPT_OF_AN_OPERATION if key in operation}
        plain["parameters"] = [self._parameter(each) for each in parameters if _is_one_value(each)]
        if "requestBody" in operation:
            body = self._resolved(operation["requestBody"])
            plain["requestBody"] = {
                "required": body.get("required", False),
                "content": self._content(body["content"], f"{name}Request"),
            }
        plain["responses"] = {
            status: self._response_text(self._resolved(answer), f"{name}{status}")
            for status, answer in operation["responses"].items()
        }
        return plain

    def _parameter(self, parameter: Document) -> Document:
        plain = {key: parameter[key] for key in KEPT_OF_A_PARAMETER if key in parameter}
        return {**plain, "schema": _as_gateways_read(self._flat.node(parameter["schema"]))}

    def _response_text(self, answer: Document, name: str) -> Document:
        plain: Document = {"description": answer["description"]}
        if "headers" in answer:
            plain["headers"] = {header: self._header(self._resolved(h)) for header, h in answer["headers"].items()}
        if "content" in answer:
            plain["content"] = self._content(answer["content"], name)
        return plain

    def _header(self, header: Document) -> Document:
        described = {"description": header["description"]} if "description" in header else {}
        return {**described, "schema": _as_gateways_read(self._flat.node(header["schema"]))}

    def _content(self, content: Document, name: str) -> Document:
        """Keep one media type, with a named schema (importers make a model of each) and an example (for mocks)."""
        media_type = preferred_media_type(content)
        example = first_example(self._bundle, content[media_type])
        schema = self._flat.node(content[media_type]["schema"])
        if named(schema) is None:
            name = name[0].upper() + name[1:]
            self._bodies[name] = schema
            schema = reference_to(name)
        return {media_type: {"schema": schema, **example}}

    def _resolved(self, node: Document) -> Document:
        while "$ref" in node:
            _, section, name = node["$ref"].removeprefix("#/").split("/")
            node = self._bundle["components"][section][name]
        return node


def preferred_media_type(content: Mapping[str, Any]) -> str:
    """Choose the media type of a body that importers and generators support best."""
    return next((each for each in PREFERRED_MEDIA_TYPES if each in content), next(iter(content)))


def plain_name(name: str) -> str:
    """Reduce a name to letters and digits: SalesLead_Create becomes SalesLeadCreate."""
    return re.sub(r"[^A-Za-z0-9]", "", name)


def _is_one_value(parameter: Document) -> bool:
    return parameter["schema"].get("type") not in {"object", "array"}


def _with_plain_names(node: Any) -> Any:
    if isinstance(node, list):
        return [_with_plain_names(value) for value in node]
    if not isinstance(node, dict):
        return node
    if name := named(node):
        return reference_to(plain_name(name))
    return {key: _with_plain_names(value) for key, value in node.items()}


def _as_gateways_read(schema: Schema) -> Schema:
    """Remove the keywords that gateways do not know; a schema that was nullable still accepts null."""
    plain = {key: value for key, value in schema.items() if key not in UNKNOWN_KEYWORDS}
    if schema.get("nullable") is True:
        del plain["type"]
        if "enum" in plain and None not in plain["enum"]:
            plain["enum"] = [*plain["enum"], None]
    if plain.get("format") not in COMMON_FORMATS:
        plain.pop("format", None)
    if "properties" in plain:
        plain["properties"] = {member: _as_gateways_read(entry) for member, entry in plain["properties"].items()}
    if "items" in plain:
        plain["items"] = _as_gateways_read(plain["items"])
    return plain
