"""Flattens `allOf`: rewrites each schema that extends others as one schema, without redundant rules.

The flattened schemas accept exactly the same values as the originals (JSON Schema draft 4). Without this, a member that
a subtype redefines is checked by both types, and in recursive types each level doubles the reports of a violation.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

Schema = dict[str, Any]

PREFIX = "#/components/schemas/"
MERGED = {"type", "properties", "required", "allOf", "anyOf"}
NOTHING_FITS: Schema = {"not": {}}
ABOUT_OTHER_KEYWORDS = {"additionalProperties", "additionalItems"}
SILENT = {"description", "title"}


def flattened(schemas: Mapping[str, Schema]) -> dict[str, Schema]:
    """Flatten each named schema (JSON Schema draft 4) where the result accepts the same values."""
    narrowing = _Flattening(schemas)
    return {name: narrowing.in_one_piece(name) for name in schemas}


class _Flattening:
    def __init__(self, schemas: Mapping[str, Schema]) -> None:
        self._schemas = schemas

    def in_one_piece(self, name: str) -> Schema:
        """Merge a schema with all the schemas it extends; returns it unchanged when it is not a plain object type."""
        parts = self._parts(self._schemas[name])
        if parts is None or len(parts) == 1 or sum("anyOf" in part for part in parts) > 1:
            return self._schemas[name]
        whole: Schema = {}
        for part in parts:
            whole |= {keyword: part[keyword] for keyword in ("type", "anyOf") if keyword in part}
        required = list(dict.fromkeys(member for part in parts for member in part.get("required", ())))
        if required:
            whole["required"] = required
        members = dict.fromkeys(member for part in parts for member in part.get("properties", {}))
        whole["properties"] = {member: self._member(member, parts) for member in members}
        return whole

    def _parts(self, schema: Schema) -> list[Schema] | None:
        """The schema and all the schemas it extends, as a list; None when it is not a plain object type."""
        own = {keyword: value for keyword, value in schema.items() if keyword not in SILENT}
        if not own.keys() <= MERGED or own.get("type", "object") != "object":
            return None
        parts = []
        for extended in own.pop("allOf", ()):
            name = _named(extended)
            inherited = self._parts(self._schemas[name]) if name else None
            if inherited is None:
                return None
            parts += inherited
        return [*parts, own]

    def _member(self, member: str, parts: list[Schema]) -> Schema:
        rules = [part["properties"][member] for part in parts if member in part.get("properties", {})]
        return functools.reduce(self._both, rules)

    def _both(self, one: Schema, other: Schema) -> Schema:
        """Combine two schemas: the stricter one, else one with the keywords of both, else an allOf."""
        if self._implies(one, other):
            return one
        if self._implies(other, one):
            return other
        merged = {**_rules(one), **_rules(other)}
        if _named(one) or _named(other) or not merged.keys().isdisjoint(ABOUT_OTHER_KEYWORDS):
            return {"allOf": [one, other]}
        for keyword in _rules(one).keys() & _rules(other).keys():
            if keyword == "items":
                merged[keyword] = self._both(one[keyword], other[keyword])
            elif one[keyword] != other[keyword]:
                return {"allOf": [one, other]}
        return merged

    def _implies(self, narrow: Schema, wide: Schema) -> bool:
        """Whether every value that the first accepts is accepted by the second; False when that is not obvious."""
        one, other = _named(narrow), _named(wide)
        if narrow == NOTHING_FITS or (one and other and other in self._extended_by(one)):
            return True
        narrow, wide = _rules(narrow), _rules(wide)
        if one or other or not wide.keys().isdisjoint(ABOUT_OTHER_KEYWORDS):
            return narrow == wide
        return all(
            keyword in narrow
            and (narrow[keyword] == rule or (keyword == "items" and self._implies(narrow[keyword], rule)))
            for keyword, rule in wide.items()
        )

    def _extended_by(self, name: str) -> set[str]:
        """The names of the schema itself and of all the schemas it extends."""
        extended = filter(None, map(_named, self._schemas[name].get("allOf", ())))
        return {name}.union(*map(self._extended_by, extended))


def _named(schema: Schema) -> str | None:
    """The name of the schema that this one refers to, when it is only a $ref, alone or with a description."""
    if "$ref" in schema:
        return str(schema["$ref"]).removeprefix(PREFIX)
    rules = _rules(schema)
    parts = rules.get("allOf", ())
    return _named(parts[0]) if rules.keys() == {"allOf"} and len(parts) == 1 else None


def _rules(schema: Schema) -> Schema:
    return {keyword: rule for keyword, rule in schema.items() if keyword not in SILENT}
