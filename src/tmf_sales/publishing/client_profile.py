"""The contract in the form that code generators turn into types without a warning: every type says all of its members.

Promise: it describes what the contract answers, and what can be sent by it the contract describes. allOf is written
out, for some generators follow only its first part; a body has one media type, a patch that of merge patches; where a
type has `type`, `@type` is left to the members that any object may have besides: both would be one name in a class.
Members that may not be sent, examples, and null in an enum (`nullable` says it) are left out.
"""

from __future__ import annotations

from typing import Any

from tmf_sales.publishing.flat_schemas import FlatSchemas, Schema
from tmf_sales.publishing.gateway_profile import preferred_media_type
from tmf_sales.publishing.recursion import reachable, references_in

Document = dict[str, Any]


def client_profile(bundle: Document) -> Document:
    """The profile of a contract whose references all point into it; the bundle stays as it is."""
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
    """The schema without what would give two members one name, or an enum a value without one."""
    plain = dict(schema)
    if plain.get("nullable") is True and "enum" in plain:
        plain["enum"] = [value for value in plain["enum"] if value is not None]
    if "properties" in plain:
        members = {name: entry for name, entry in plain["properties"].items() if entry.get("readOnly") is not True}
        kept = {name: entry for name, entry in members.items() if name != "@type" or "type" not in members}
        plain["properties"] = {name: _as_a_class(entry) for name, entry in kept.items()}
    return plain
