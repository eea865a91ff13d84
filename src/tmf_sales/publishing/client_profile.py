"""Rewrites a contract for code generators, so that they turn it into types without warnings.

Guarantee: the profile describes every response of the contract, and every request it describes is valid by the
contract. It flattens allOf, because some generators only follow its first part. A body has one media type, for patches
that of merge patches, and at most one example. An operation has one type for all its successes. A type with `type` does
not declare `@type`, because both would get the same name in a class; `@type` then is an additional member. No two
components have the same name, whatever their kinds, because generators make one type of each. Members that clients must
not send are omitted.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tmf_sales.publishing.examples import first_example, trimmed, with_ends
from tmf_sales.publishing.flat_schemas import FlatSchemas, Schema, named, reference_to
from tmf_sales.publishing.gateway_profile import plain_name, preferred_media_type
from tmf_sales.publishing.recursion import reachable, references_in

Document = dict[str, Any]


def client_profile(bundle: Document) -> Document:
    """Build the profile of a bundled contract; does not change the bundle."""
    flat = FlatSchemas(bundle["components"]["schemas"])
    document = _Profile(bundle, flat).document()
    for operation in _operations(document):
        _unite_successes(document, operation, flat.all)
    used = reachable(flat.all, (name for name in references_in(document) if name in flat.all))
    schemas = {name: _as_a_class(schema) for name, schema in flat.all.items() if name in used}
    document["components"]["schemas"] = schemas = with_ends(schemas)
    for body in _bodies(document):
        if "example" in body:
            body["example"] = trimmed(body["example"], body["schema"], schemas)
    return _with_unique_names(document)


class _Profile:
    """Copies a bundle with flat schemas, one media type for each body and one example for each body."""

    def __init__(self, bundle: Document, flat: FlatSchemas) -> None:
        self._bundle = bundle
        self._flat = flat

    def document(self) -> Document:
        components = {**self._bundle["components"], "schemas": {}}
        components.pop("examples", None)
        document: Document = self._copy({**self._bundle, "components": components})
        return document

    def _copy(self, node: Any) -> Any:
        if isinstance(node, list):
            return [self._copy(value) for value in node]
        if not isinstance(node, dict):
            return node
        return {key: self._entry(key, value) for key, value in node.items() if key != "examples"}

    def _entry(self, key: str, value: Any) -> Any:
        if key == "schema":
            return self._flat.node(value)
        if key == "content":
            media_type = preferred_media_type(value)
            return {media_type: {**self._copy(value[media_type]), **first_example(self._bundle, value[media_type])}}
        return self._copy(value)


def _operations(document: Document) -> Iterator[Document]:
    for item in document["paths"].values():
        yield from (operation for method, operation in item.items() if method != "parameters")


def _bodies(node: Any) -> Iterator[Document]:
    """The one media type of each body in the document, callbacks included."""
    if isinstance(node, list):
        for value in node:
            yield from _bodies(value)
    elif isinstance(node, dict):
        yield from node.get("content", {}).values()
        for key, value in node.items():
            if key not in {"content", "example", "schemas"}:
                yield from _bodies(value)


def _unite_successes(document: Document, operation: Document, schemas: dict[str, Schema]) -> None:
    """Give all successes of an operation the type that requires most; it then only requires what all of them have."""
    bodies = [
        body
        for status, response in operation["responses"].items()
        if status.startswith("2")
        for body in _resolved(document, response).get("content", {}).values()
    ]
    names = [name for body in bodies if (name := named(body["schema"])) is not None]
    members = [schemas[name].get("properties", {}).keys() for name in names]
    if len(set(names)) < 2 or any(each != members[0] for each in members):
        return
    requirements = [schemas[name].get("required", []) for name in names]
    strictest = max(names, key=lambda name: len(schemas[name].get("required", [])))
    shared = [member for member in requirements[0] if all(member in each for each in requirements)]
    united = {key: value for key, value in schemas[strictest].items() if key != "required"}
    schemas[strictest] = {**united, **({"required": shared} if shared else {})}
    for body in bodies:
        body["schema"] = reference_to(strictest)


def _resolved(document: Document, node: Document) -> Document:
    while "$ref" in node:
        _, section, name = node["$ref"].removeprefix("#/").split("/")
        node = document["components"][section][name]
    return node


def _with_unique_names(document: Document) -> Document:
    """Add its kind to the name of each component that has the name of a schema or of an earlier component."""
    taken = {plain_name(name).lower() for name in document["components"]["schemas"]}
    renamed: dict[str, str] = {}
    components: Document = {}
    for kind, entries in document["components"].items():
        components[kind] = {}
        for name, entry in entries.items():
            unique = name
            if kind != "schemas":
                while plain_name(unique).lower() in taken:
                    unique += f"{kind[0].upper()}{kind[1:]}"
                taken.add(plain_name(unique).lower())
            if unique != name:
                renamed[f"#/components/{kind}/{name}"] = f"#/components/{kind}/{unique}"
            components[kind][unique] = entry
    united: Document = _with_references({**document, "components": components}, renamed)
    return united


def _with_references(node: Any, renamed: dict[str, str]) -> Any:
    if isinstance(node, list):
        return [_with_references(value, renamed) for value in node]
    if not isinstance(node, dict):
        return node
    if isinstance(reference := node.get("$ref"), str):
        return {**node, "$ref": renamed.get(reference, reference)}
    return {key: _with_references(value, renamed) for key, value in node.items()}


def _as_a_class(schema: Schema) -> Schema:
    """Remove the members that may not be sent, and `@type` where it would get the same name as `type`."""
    plain = dict(schema)
    if "properties" in plain:
        members = {name: entry for name, entry in plain["properties"].items() if entry.get("readOnly") is not True}
        kept = {name: entry for name, entry in members.items() if name != "@type" or "type" not in members}
        plain["properties"] = {name: _as_a_class(entry) for name, entry in kept.items()}
    return plain
