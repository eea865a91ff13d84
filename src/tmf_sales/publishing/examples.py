"""Gives profiles the examples that mock servers answer with, and that end where a type contains itself.

A mock server without examples makes values from the types; in a type that contains itself it does not come to an end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tmf_sales.publishing.flat_schemas import Schema, named
from tmf_sales.publishing.recursion import reachable, references_in

Document = dict[str, Any]


def first_example(bundle: Document, content: Document) -> Document:
    """The first named example of a body as its only `example`; empty if it has none."""
    for entry in content.get("examples", {}).values():
        while "$ref" in entry:
            _, section, name = entry["$ref"].removeprefix("#/").split("/")
            entry = bundle["components"][section][name]
        return {"example": entry["value"]}
    return {}


def trimmed(value: Any, schema: Schema, schemas: Mapping[str, Schema]) -> Any:
    """An example without the members that its type does not declare."""
    while (name := named(schema)) is not None:
        schema = schemas[name]
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        return [trimmed(element, schema["items"], schemas) for element in value]
    if isinstance(value, dict) and (members := schema.get("properties")):
        return {key: trimmed(entry, members[key], schemas) for key, entry in value.items() if key in members}
    return value


def with_ends(schemas: Mapping[str, Schema]) -> dict[str, Schema]:
    """The schemas; a list through which a type leads back to itself gets an empty list as its example."""
    below = {name: reachable(schemas, references_in(schema)) for name, schema in schemas.items()}
    ended: dict[str, Schema] = {}
    for name, schema in schemas.items():
        members = {
            member: {**entry, "example": []} if _leads_back(name, entry, below) else entry
            for member, entry in schema.get("properties", {}).items()
        }
        ended[name] = {**schema, "properties": members} if members else schema
    return ended


def _leads_back(name: str, entry: Schema, below: Mapping[str, set[str]]) -> bool:
    element = named(entry.get("items", {}))
    return element is not None and not entry.get("minItems") and (element == name or name in below[element])
