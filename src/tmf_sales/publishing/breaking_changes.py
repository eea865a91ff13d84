"""Lists what a new contract breaks for clients of an older one.

Guarantee: one line for each removed path, operation, parameter, media type, response and member, each changed type,
each new requirement, each value that requests may no longer have and each that responses may now have, which includes
bounds, patterns and formats.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tmf_sales.publishing.flat_schemas import FlatSchemas, Schema, named
from tmf_sales.publishing.gateway_profile import METHODS

Document = dict[str, Any]


def breaking_changes(old: Document, new: Document) -> list[str]:
    """Compare two bundled contracts; one line for each breaking change."""
    return list(dict.fromkeys(_Comparison(old, new).lines()))


def newest_version(changelog: str) -> tuple[int, int, int]:
    """The version of the topmost heading of a changelog. Raises ValueError when there is none."""
    found = re.search(r"^## (\d+)\.(\d+)\.(\d+)\b", changelog, re.MULTILINE)
    if found is None:
        raise ValueError("the changelog has no version")
    major, minor, patch = map(int, found.groups())
    return major, minor, patch


class _Comparison:
    def __init__(self, old: Document, new: Document) -> None:
        self._old, self._new = old, new
        self._old_types = FlatSchemas(old["components"]["schemas"])
        self._new_types = FlatSchemas(new["components"]["schemas"])
        self._compared: set[tuple[str, str, bool]] = set()

    def lines(self) -> Iterator[str]:
        for path, item in self._old["paths"].items():
            for method in (method for method in METHODS if method in item):
                place = f"{method.upper()} {path}"
                present = self._new["paths"].get(path, {}).get(method)
                if present is None:
                    yield f"{place}: is gone"
                else:
                    yield from self._operation(place, (item, item[method]), (self._new["paths"][path], present))

    def _operation(self, place: str, old: tuple[Document, Document], new: tuple[Document, Document]) -> Iterator[str]:
        (old_path, before), (new_path, after) = old, new
        if before["operationId"] != after["operationId"]:
            yield f"{place}: operationId {before['operationId']} is now {after['operationId']}"
        yield from self._parameters(
            place, _parameters(self._old, old_path, before), _parameters(self._new, new_path, after)
        )
        old_body, new_body = (
            _resolved(document, each.get("requestBody", {}))
            for document, each in ((self._old, before), (self._new, after))
        )
        if new_body.get("required") and not old_body.get("required"):
            yield f"{place}: now needs a body"
        yield from self._contents(f"{place} body", old_body, new_body, request=True)
        for status, answer in before["responses"].items():
            if status not in after["responses"]:
                yield f"{place}: no longer answers {status}"
                continue
            old_answer = _resolved(self._old, answer)
            new_answer = _resolved(self._new, after["responses"][status])
            for header in old_answer.get("headers", {}).keys() - new_answer.get("headers", {}).keys():
                yield f"{place} {status}: the header {header} is gone"
            yield from self._contents(f"{place} {status}", old_answer, new_answer, request=False)

    def _parameters(self, place: str, old: Mapping[str, Document], new: Mapping[str, Document]) -> Iterator[str]:
        for name, parameter in old.items():
            if name not in new:
                yield f"{place}: the parameter {name} is gone"
            else:
                schemas = parameter["schema"], new[name]["schema"]
                yield from self._schemas(f"{place} {name}", *schemas, request=True)
        for name, parameter in new.items():
            if parameter.get("required") and not old.get(name, {}).get("required"):
                yield f"{place}: the parameter {name} is now required"

    def _contents(self, place: str, old: Document, new: Document, *, request: bool) -> Iterator[str]:
        for media_type, content in old.get("content", {}).items():
            if media_type not in new.get("content", {}):
                yield f"{place}: {media_type} is gone"
            else:
                schemas = content["schema"], new["content"][media_type]["schema"]
                yield from self._schemas(place, *schemas, request=request)

    def _schemas(self, place: str, old: Schema, new: Schema, *, request: bool) -> Iterator[str]:
        pair = (repr(old), repr(new), request)
        if "$ref" in old and pair in self._compared:
            return
        self._compared.add(pair)
        before, after = _flat(self._old_types, old), _flat(self._new_types, new)
        if request and before.get("readOnly"):  # no client could send it, whatever the type below it was
            return
        if before.get("type") != after.get("type"):
            yield f"{place}: {before.get('type', 'any')} is now {after.get('type', 'any')}"
            return
        yield from self._demands(place, before, after, request=request)
        yield from _bounds(place, before, after, request=request)
        for member, entry in before.get("properties", {}).items():
            if member not in after.get("properties", {}):
                yield f"{place}: {member} is gone"
            else:
                yield from self._schemas(f"{place} {member}", entry, after["properties"][member], request=request)
        if "items" in before and "items" in after:
            yield from self._schemas(place, before["items"], after["items"], request=request)

    def _demands(self, place: str, before: Schema, after: Schema, *, request: bool) -> Iterator[str]:
        """Compare what requests must satisfy, or what responses may contain."""
        old_required, new_required = set(before.get("required", ())), set(after.get("required", ()))
        if request:
            yield from (f"{place}: {name} is now required" for name in sorted(new_required - old_required))
        else:
            yield from (f"{place}: {name} is no longer always there" for name in sorted(old_required - new_required))
        if bool(before.get("nullable")) != bool(after.get("nullable")) and request != bool(after.get("nullable")):
            yield f"{place}: null is {'now answered' if after.get('nullable') else 'no longer taken'}"
        if request and after.get("readOnly") and not before.get("readOnly"):
            yield f"{place}: may no longer be sent"
        old_values, new_values = before.get("enum"), after.get("enum")
        if request and new_values is not None and new_values != old_values:
            gone = [value for value in old_values or () if value not in new_values]
            if old_values is None or gone:
                yield f"{place}: no longer takes {', '.join(map(str, gone)) or 'any value'}"
        if not request and old_values is not None and new_values != old_values:
            added = [value for value in new_values or () if value not in old_values]
            if new_values is None or added:
                yield f"{place}: may now be {', '.join(map(str, added)) or 'any value'}"


UPPER = ("maximum", "maxLength", "maxItems", "maxProperties")
LOWER = ("minimum", "minLength", "minItems", "minProperties")
RULES = ("pattern", "format", "multipleOf", "uniqueItems", "exclusiveMinimum", "exclusiveMaximum")
OWN_FORMATS = "tmf630-"  # they say what to generate, and no client checks them


def _bounds(place: str, before: Schema, after: Schema, *, request: bool) -> Iterator[str]:
    """Compare the limits on values: tighter ones reject requests, looser ones change what responses have.

    Any other pattern counts, as nothing compares what two patterns match.
    """
    narrow, wide = (before, after) if request else (after, before)
    for name in (*UPPER, *LOWER):
        inside, outside = narrow.get(name), wide.get(name)
        if outside is None or inside == outside:
            continue
        if inside is None or (outside < inside) == (name in UPPER):
            yield f"{place}: {name} {_said(before.get(name))} is now {_said(after.get(name))}"
    for name in RULES:
        stated = wide.get(name)
        if stated and stated != narrow.get(name) and not str(stated).startswith(OWN_FORMATS):
            yield f"{place}: {name} {_said(before.get(name))} is now {_said(after.get(name))}"
    if wide.get("additionalProperties") is False and narrow.get("additionalProperties") is not False:
        yield f"{place}: further members are {'no longer taken' if request else 'now answered'}"


def _said(value: Any) -> Any:
    return "none" if value is None else value


def _flat(types: FlatSchemas, schema: Schema) -> Schema:
    flat = types.node(schema)
    name = named(flat)
    return {**types.all[name], **({"readOnly": True} if schema.get("readOnly") else {})} if name else flat


def _parameters(document: Document, path: Document, operation: Document) -> dict[str, Document]:
    stated = [_resolved(document, each) for each in [*path.get("parameters", []), *operation.get("parameters", [])]]
    return {f"{each['name']} in {each['in']}": each for each in stated}


def _resolved(document: Document, node: Document) -> Document:
    while "$ref" in node:
        _, section, name = node["$ref"].removeprefix("#/").split("/")
        node = document["components"][section][name]
    return node
