"""Whether a schema of a contract implies one of a profile of it: each rule there must be one here.

It shares nothing with the code that makes the profile, and proves for all values what examples only show for some.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

SAME = {"pattern", "format", "additionalProperties", "minProperties", "maxProperties"}
ANNOTATIONS = {"description", "title", "default", "properties", "items", "$ref", "nullable", "example"}
UPPER_BOUNDS = {"maxLength", "maxItems", "maximum"}
LOWER_BOUNDS = {"minLength", "minItems", "minimum"}


class Implication:
    """Compares schemas of a contract (in one file) with schemas of its profile."""

    def __init__(self, contract: Json, profile: Json) -> None:
        self._contract = contract["components"]["schemas"]
        self._profile = profile["components"]["schemas"]
        self._compared: set[tuple[tuple[str, ...], str]] = set()

    def gaps(self, conjunction: list[Json], profiled: Json, place: str) -> Iterator[str]:
        """Rules of the profile that the schemas of the contract, all of which hold, do not have."""
        conjunction = list({repr(schema): schema for schema in conjunction}.values())
        if "$ref" in profiled:
            known = (tuple(sorted(repr(schema) for schema in conjunction)), profiled["$ref"])
            if known in self._compared:
                return
            self._compared.add(known)
            profiled = self._profile[profiled["$ref"].rpartition("/")[2]]
        parts = [part for schema in conjunction for part in self._parts(schema)]
        null_passes = all(self._takes_null(schema) for schema in conjunction) and not profiled.get("nullable")
        for keyword, rule in profiled.items():
            if keyword not in ANNOTATIONS and not self._has(parts, keyword, rule, null_passes):
                yield f"{place}: {keyword} {rule!r}"
        for member, entry in profiled.get("properties", {}).items():
            said = [part["properties"][member] for part in parts if member in part.get("properties", {})]
            yield from self.gaps(said, entry, f"{place}/{member}")
        if "items" in profiled:
            said = [part["items"] for part in parts if "items" in part]
            yield from self.gaps(said, profiled["items"], f"{place}/-")

    def _parts(self, schema: Json) -> Iterator[Json]:
        """The schema and all that it is made of, so that every one of them holds."""
        if "$ref" in schema:
            yield from self._parts(self._named(schema))
            return
        yield schema
        for part in schema.get("allOf", []):
            yield from self._parts(part)

    def _takes_null(self, schema: Json) -> bool:
        if "$ref" in schema:
            return self._takes_null(self._named(schema))
        if "nullable" in schema:
            return bool(schema["nullable"])
        return "type" not in schema and all(self._takes_null(part) for part in schema.get("allOf", []))

    def _named(self, schema: Json) -> Json:
        found = self._contract[schema["$ref"].rpartition("/")[2]]
        assert isinstance(found, dict)
        return found

    def _has(self, parts: list[Json], keyword: str, rule: Any, null_passes: bool) -> bool:
        said = [part[keyword] for part in parts if keyword in part]
        if keyword == "type":
            return not null_passes and (rule in said or (rule == "number" and "integer" in said))
        if keyword == "required":
            return set(rule) <= {name for names in said for name in names}
        if keyword == "enum":
            return any(set(values) - {None} <= set(rule) for values in said) and (not null_passes or None in rule)
        if keyword in UPPER_BOUNDS:
            return bool(said) and min(said) <= rule
        if keyword in LOWER_BOUNDS:
            return bool(said) and max(said) >= rule
        return keyword in SAME and rule in said
