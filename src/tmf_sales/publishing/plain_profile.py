"""Rewrites a bundled contract so that it passes the default rules of OpenAPI linters and declares all that is served.

Guarantee: every operation, type and response stays. HEAD is declared on every path with GET. Schemas that only the
service uses, which `x-update` and `x-full` name, are omitted. An OpenID Connect scheme has no list of scopes, because
linters look for them in `flows`, which it cannot have; its scopes are those that `oauth2` lists for the same
operation.
"""

from __future__ import annotations

from typing import Any

from tmf_sales.publishing.flat_schemas import Schema
from tmf_sales.publishing.head_operations import with_head_operations
from tmf_sales.publishing.recursion import reachable, references_in

Document = dict[str, Any]

ONLY_FOR_THE_SERVICE = {"x-update", "x-full"}


def plain_profile(bundle: Document) -> Document:
    """Build the profile of a bundled contract; does not change the bundle."""
    document = _with_listed_scopes(with_head_operations(bundle))
    return {**document, "components": _without_unnamed_schemas(document)}


def _without_unnamed_schemas(document: Document) -> Document:
    components: Document = document["components"]
    schemas: dict[str, Schema] = components.get("schemas", {})
    elsewhere = {**document, "components": {**components, "schemas": {}}}
    named = reachable(schemas, (name for name in references_in(elsewhere) if name in schemas))
    unused = {name for schema in schemas.values() for key in ONLY_FOR_THE_SERVICE if (name := schema.get(key))} - named
    # What only these refer to goes with them; any other schema stays, so that linters still report it.
    gone = reachable(schemas, iter(unused)) - named
    kept = {
        name: {key: value for key, value in schema.items() if key not in ONLY_FOR_THE_SERVICE}
        for name, schema in schemas.items()
        if name not in gone
    }
    return {**components, "schemas": kept}


def _with_listed_scopes(document: Document) -> Document:
    schemes = document["components"].get("securitySchemes", {})
    providers = {name for name, scheme in schemes.items() if scheme.get("type") == "openIdConnect"}

    def listed(node: Document) -> Document:
        if "security" not in node:
            return node
        return {**node, "security": [_without_scopes(each, providers) for each in node["security"]]}

    paths = {
        path: {method: entry if method == "parameters" else listed(entry) for method, entry in item.items()}
        for path, item in document["paths"].items()
    }
    return listed({**document, "paths": paths})


def _without_scopes(requirement: Document, schemes: set[str]) -> Document:
    return {name: [] if name in schemes else scopes for name, scopes in requirement.items()}
