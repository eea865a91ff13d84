"""Flattens schemas: removes allOf, anyOf, oneOf and not, for importers that do not support them.

Guarantee: the flat form accepts everything that the schema accepts. A member that several parts describe is described
once, with the strictest bounds. Of alternatives, only the requirements that all of them share remain.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Schema = dict[str, Any]

PREFIX = "#/components/schemas/"
ANNOTATIONS = {"description", "title", "readOnly", "writeOnly", "example", "default", "deprecated", "externalDocs"}
NARROWER: Mapping[str, Callable[[Any, Any], Any]] = {
    "maxLength": min,
    "maxItems": min,
    "maximum": min,
    "maxProperties": min,
    "minLength": max,
    "minItems": max,
    "minimum": max,
    "minProperties": max,
    "required": lambda first, second: [*first, *(name for name in second if name not in first)],
    "enum": lambda first, second: [value for value in first if value in second],
}


class CannotFlatten(ValueError):
    """Raised when two parts of a schema contradict each other, or would need the same name."""


def named(schema: Mapping[str, Any]) -> str | None:
    """The name of the schema that a $ref points at; None without $ref."""
    reference = schema.get("$ref")
    return reference.removeprefix(PREFIX) if isinstance(reference, str) else None


def reference_to(name: str) -> Schema:
    return {"$ref": PREFIX + name}


class FlatSchemas:
    """The named schemas of a contract in their flat form; merging may add names to `all`."""

    def __init__(self, schemas: Mapping[str, Schema]) -> None:
        self._sources = schemas
        self.all: dict[str, Schema] = {}
        self._pairs: dict[tuple[str, str], str] = {}
        for name in schemas:
            self._flat(name)

    def node(self, schema: Schema) -> Schema:
        """The flat form of any schema: a $ref when the schema only refers to a named one."""
        name = named(schema) or self._sole_reference(schema)
        return reference_to(name) if name else self._inline(schema)

    def _flat(self, name: str) -> Schema:
        if name not in self.all:
            self.all[name] = self._inline(self._sources[name])
        return self.all[name]

    def _sole_reference(self, schema: Schema) -> str | None:
        """The only type that the schema refers to, if it adds nothing but annotations to it."""
        parts = schema.get("allOf", [])
        others = {key for key in schema if key != "allOf" and key not in ANNOTATIONS and not key.startswith("x-")}
        return named(parts[0]) if len(parts) == 1 and not others else None

    def _inline(self, schema: Schema) -> Schema:
        flat: Schema = {}
        for part in schema.get("allOf", []):
            name = named(part)
            flat = self._merged(flat, self._flat(name) if name else self._inline(part))
        flat = self._merged(flat, self._own_part(schema))
        for alternatives in (schema.get("anyOf"), schema.get("oneOf")):
            if alternatives:
                flat = self._merged(flat, self._shared_conditions(alternatives))
        if schema.get("nullable") is True and "type" in flat:
            flat["nullable"] = True
        return flat

    def _own_part(self, schema: Schema) -> Schema:
        own: Schema = {}
        for key, value in schema.items():
            if key == "properties":
                own[key] = {member: self.node(entry) for member, entry in value.items()}
            elif key in {"items", "additionalProperties"} and isinstance(value, dict):
                own[key] = self.node(value)
            elif key not in {"allOf", "anyOf", "oneOf", "not", "discriminator"} and not key.startswith("x-"):
                own[key] = value
        return own

    def _shared_conditions(self, alternatives: list[Schema]) -> Schema:
        asked = [set(self._inline(each).get("required", ())) for each in alternatives]
        return {"required": sorted(set.intersection(*asked))} if set.intersection(*asked) else {}

    def _merged(self, first: Schema, second: Schema) -> Schema:
        """Combine two schemas: the stricter bound counts; for other keywords the second schema counts."""
        merged = {**first, **second}
        for key in first.keys() & second.keys():
            if key == "type":
                merged[key] = _narrower_type(first[key], second[key])
            elif key == "properties":
                merged[key] = self._merged_members(first[key], second[key])
            elif key == "items":
                merged[key] = self._both(first[key], second[key])
            elif key in NARROWER:
                merged[key] = NARROWER[key](first[key], second[key])
        merged.pop("nullable", None)
        if "type" in merged and _takes_null(first) and _takes_null(second):
            merged["nullable"] = True
        return merged

    def _merged_members(self, first: dict[str, Schema], second: dict[str, Schema]) -> dict[str, Schema]:
        both = {name: self._both(first[name], second[name]) for name in first if name in second}
        return {**first, **second, **both}

    def _both(self, first: Schema, second: Schema) -> Schema:
        """A schema that satisfies both schemas of one member."""
        one, other = named(first), named(second)
        if one and other:
            return reference_to(self._both_named(one, other))
        if one and second.keys() <= ANNOTATIONS:
            return first
        if other and first.keys() <= ANNOTATIONS:
            return second
        return self._merged(self._flat(one) if one else first, self._flat(other) if other else second)

    def _both_named(self, one: str, other: str) -> str:
        if one in self._ancestry(other):
            return other
        if other in self._ancestry(one):
            return one
        pair = (one, other)
        if pair not in self._pairs:
            self._pairs[pair] = name = self._name_of(one, other)
            self.all[name] = {}  # ends the recursion when the pair refers to itself
            self.all[name] = self._merged(self._flat(one), self._flat(other))
        return self._pairs[pair]

    def _name_of(self, one: str, other: str) -> str:
        """Name a merged schema: CategoryRef (which extends EntityRef) and EntityRef_Create give CategoryRef_Create."""
        extended, _, variant = other.rpartition("_")
        name = f"{one}_{variant}"
        if extended in self._ancestry(one) and name not in self._sources and name not in self.all:
            return name
        return f"{one}And{other}"

    def _ancestry(self, name: str) -> set[str]:
        """The schema itself and all schemas that it extends."""
        found = {name}
        for part in self._sources.get(name, {}).get("allOf", []):
            if parent := named(part):
                found |= self._ancestry(parent)
        return found


def _takes_null(schema: Schema) -> bool:
    return "type" not in schema or schema.get("nullable") is True


def _narrower_type(first: str, second: str) -> str:
    if {first, second} == {"integer", "number"}:
        return "integer"
    if first != second:
        raise CannotFlatten(f"{first} and {second} at once")
    return second
