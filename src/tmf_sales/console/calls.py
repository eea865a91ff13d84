"""Writes the operations of a contract as curl commands for a shell, from the contract's own examples."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote as percent_encoded

METHODS = ("get", "head", "post", "put", "patch", "delete")
Node = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    method: str
    path: str
    summary: str
    about: str
    curl: str


def calls_of(document: Node, base: str) -> Iterator[Call]:
    """One call for each operation, in the contract's order; `base` is the API's URL without a slash at its end."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                operation = item[method]
                parameters = [resolved(document, each) for each in (*_listed(item), *_listed(operation))]
                yield Call(
                    method=method.upper(),
                    path=path,
                    summary=operation.get("summary", operation.get("operationId", "")),
                    about=operation.get("description", "").strip(),
                    curl=_curl(method, base + _filled(document, path, parameters), _body(document, operation)),
                )


def resolved(document: Node, node: Node) -> Node:
    """The node, with local $refs resolved."""
    while "$ref" in node:
        found: Any = document
        for step in node["$ref"].removeprefix("#/").split("/"):
            found = found[step.replace("~1", "/").replace("~0", "~")]
        node = found
    return node


def _listed(node: Node) -> list[Node]:
    return list(node.get("parameters", []))


def _filled(document: Node, path: str, parameters: list[Node]) -> str:
    for parameter in parameters:
        shown = [resolved(document, each).get("value") for each in parameter.get("examples", {}).values()]
        for value in [parameter.get("example"), *shown]:
            if parameter["in"] == "path" and value is not None:
                path = path.replace(f"{{{parameter['name']}}}", percent_encoded(str(value), safe=""))
    return path


def _body(document: Node, operation: Node) -> tuple[str, Any] | None:
    """The media type and the first example of the first body that has one."""
    content = resolved(document, operation.get("requestBody", {})).get("content", {})
    for media_type, entry in content.items():
        for example in entry.get("examples", {}).values():
            return media_type, resolved(document, example)["value"]
    return None


def _curl(method: str, url: str, body: tuple[str, Any] | None) -> str:
    how = {"get": "", "head": " -I"}.get(method, f" -X {method.upper()}")
    if body is None:
        return f"curl{how} {shlex.quote(url)}"
    media_type, value = body
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return f"curl{how} {shlex.quote(url)} \\\n  -H 'Content-Type: {media_type}' \\\n  -d {shlex.quote(text)}"
