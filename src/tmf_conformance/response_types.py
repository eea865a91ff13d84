"""Validates responses leniently against the types of a contract, to accept every response the specification allows.

It checks types of values, date-times and enumerations. It ignores lengths, patterns, required members and unknown
members, and treats null as missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema_rs
import yaml

from tmf_conformance.contract_files import contract_path

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_KEPT = ("type", "enum", "items", "properties", "allOf", "anyOf", "oneOf", "$ref", "additionalProperties")
SHARED = "tmf-common-v4.yaml"


class ResponseTypes:
    """The schemas of one contract, and the ones that all contracts share."""

    def __init__(self, contract: Path) -> None:
        beside = contract.parent / SHARED
        schemas: dict[str, Any] = {}
        for path in (beside if beside.is_file() else contract_path(SHARED), contract):
            document = yaml.load(path.read_bytes(), _LOADER)  # noqa: S506 - a safe loader
            schemas |= document["components"]["schemas"]
        self._schemas = {name: lenient(schema) for name, schema in schemas.items()}
        self._validators: dict[str, Any] = {}

    def violations(self, type: str, document: Mapping[str, Any]) -> list[str]:
        """The violations of the type, one sentence each; at most five."""
        if type not in self._validators:
            root = {"$ref": f"#/components/schemas/{type}", "components": {"schemas": self._schemas}}
            self._validators[type] = jsonschema_rs.Draft202012Validator(root, validate_formats=True)
        errors = self._validators[type].iter_errors(without_nulls(document))
        return [f"{pointer(error)}: {str(error.message)[:200]}" for error, _ in zip(errors, range(5), strict=False)]


def pointer(error: Any) -> str:
    return "/" + "/".join(map(str, error.instance_path))


def lenient(schema: Any) -> Any:
    """Convert an OpenAPI 3.0 schema to JSON Schema; keep only the keywords about types of values."""
    if not isinstance(schema, dict):
        return schema
    kept = {name: schema[name] for name in _KEPT if name in schema}
    if schema.get("format") == "date-time":
        kept["format"] = "date-time"
    return dict(_translated(kept))


def _translated(schema: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in schema.items():
        match name:
            case "$ref":
                yield name, f"#{value.partition('#')[2]}"
            case "properties":
                yield name, {member: lenient(each) for member, each in value.items()}
            case "allOf" | "anyOf" | "oneOf":
                yield name, [lenient(each) for each in value]
            case "items" | "additionalProperties":
                yield name, lenient(value)
            case _:
                yield name, value


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_nulls(each) for name, each in value.items() if each is not None}
    return [without_nulls(each) for each in value] if isinstance(value, list) else value
