"""Rewrites a contract for code generators, so that they turn it into types without warnings.

Guarantee: the profile describes every response of the contract, and every request it describes is valid by the
contract. It flattens allOf, because some generators only follow its first part. A body has one media type, for patches
that of merge patches. A type with `type` does not declare `@type`, because both would get the same name in a class;
`@type` then is an additional member. Members that clients must not send, examples, and null in an enum (`nullable`
says it) are omitted.
"""

from __future__ import annotations

from typing import Any

from tmf_sales.publishing.flat_schemas import FlatSchemas, Schema
from tmf_sales.publishing.gateway_profile import preferred_media_type
from tmf_sales.publishing.recursion import reachable, references_in

Document = dict[str, Any]


def client_profile(bundle: Document) -> Document:
    """Build the profile of a bundled contract; does not change the bundle."""
    flat = FlatSchemas(bundle["components"]["schemas"])
    document: Document = _with_flat_schemas({**bundle, "components": {**bundle["components"], "schemas": {}}}, flat)
    used = reachable(flat.all, (name for name in references_in(document) if name in flat.all))
    document["components"]["schemas"] = {name: _as_a_class(schema) for name, schema in flat.all.items() if name in used}
    return document


def _with_flat_schemas(node: Any, flat: FlatSchemas) -> Any:
    if isinstance(node, list):
        return [_with_flat_schemas(value, flat) for value in node]
    if not isinstance(node, dict):
        return node
    plain: Document = {}
    for key, value in node.items():
        if key == "schema":
            plain[key] = flat.node(value)
        elif key == "content":
            media_type = preferred_media_type(value)
            plain[key] = {media_type: _with_flat_schemas(value[media_type], flat)}
        elif key != "examples":
            plain[key] = _with_flat_schemas(value, flat)
    return plain


def _as_a_class(schema: Schema) -> Schema:
    """Remove everything that would give two members the same name, or an enum a value without a name."""
    plain = dict(schema)
    if plain.get("nullable") is True and "enum" in plain:
        plain["enum"] = [value for value in plain["enum"] if value is not None]
    if "properties" in plain:
        members = {name: entry for name, entry in plain["properties"].items() if entry.get("readOnly") is not True}
        kept = {name: entry for name, entry in members.items() if name != "@type" or "type" not in members}
        plain["properties"] = {name: _as_a_class(entry) for name, entry in kept.items()}
    return plain
