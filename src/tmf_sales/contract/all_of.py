"""Schemas that extend others by `allOf`, written as one schema each, without what a narrower rule implies anyway.

Promise: the narrowed schemas accept exactly what the given ones accept. A type that narrows a member of the type it
extends is otherwise checked by both, and of types nested in themselves each level doubles the report of a violation.
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
    """The same named schemas (JSON Schema draft 4) in one piece each, wherever that says the same."""
    narrowing = _Flattening(schemas)
    return {name: narrowing.in_one_piece(name) for name in schemas}


class _Flattening:
    def __init__(self, schemas: Mapping[str, Schema]) -> None:
        self._schemas = schemas

    def in_one_piece(self, name: str) -> Schema:
        """One schema with the members of all that this one extends; itself when it is no mere object type."""
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
        """What holds of an object besides: the schema and all that it extends. None: it is no mere object type."""
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
        """What fits both: the narrower one, one with the keywords of both, or where neither goes, an allOf."""
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
        """Whether whatever fits the first also fits the second; False when that is not plain to see."""
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
        """The schema itself and all that it extends."""
        extended = filter(None, map(_named, self._schemas[name].get("allOf", ())))
        return {name}.union(*map(self._extended_by, extended))


def _named(schema: Schema) -> str | None:
    """The name of the schema that this one only stands for: a $ref, alone or with another description."""
    if "$ref" in schema:
        return str(schema["$ref"]).removeprefix(PREFIX)
    rules = _rules(schema)
    parts = rules.get("allOf", ())
    return _named(parts[0]) if rules.keys() == {"allOf"} and len(parts) == 1 else None


def _rules(schema: Schema) -> Schema:
    return {keyword: rule for keyword, rule in schema.items() if keyword not in SILENT}
