"""Declares HEAD on every path that has GET: the service answers it there, and gateways only route what is declared.

Guarantee: such a HEAD has the parameters, security and headers of its GET, and no body on success (RFC 9110, 9.3.2).
A path that declares HEAD itself stays as it is.
"""

from __future__ import annotations

from typing import Any

Document = dict[str, Any]


def with_head_operations(document: Document) -> Document:
    """A copy of a bundled contract with the HEAD operations; shares with it whatever stays the same."""
    paths = {path: _with_head(document, item) for path, item in document["paths"].items()}
    return {**document, "paths": paths}


def _with_head(document: Document, item: Document) -> Document:
    if "get" not in item or "head" in item:
        return item
    entries: Document = {}
    for name, entry in item.items():
        entries[name] = entry
        if name == "get":
            entries["head"] = _head_of(document, entry)
    return entries


def _head_of(document: Document, get: Document) -> Document:
    id = get["operationId"]
    return {
        **get,
        "operationId": f"head{id[0].upper()}{id[1:]}",
        "summary": f"{get.get('summary', id)}: headers only",
        "description": f"The headers of `{id}`, without the body.",
        "responses": {status: _without_body(document, status, each) for status, each in get["responses"].items()},
    }


def _without_body(document: Document, status: str, response: Document) -> Document:
    if not status.startswith("2"):
        return response
    while "$ref" in response:
        _, section, name = response["$ref"].removeprefix("#/").split("/")
        response = document["components"][section][name]
    return {key: value for key, value in response.items() if key not in {"content", "links"}}
