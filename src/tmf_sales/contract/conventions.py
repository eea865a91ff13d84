"""Completes a contract with what it may leave out when it follows TM Forum's conventions.

An author need not state what the names say: the operationIds of the usual paths, which schemas are resources, their
events, and the schema of a patched resource. What the contract states is never changed, except that its server becomes
a path and that the paths below /listener, which describe the receiver of events, are removed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from tmf_sales.contract.operations import BEYOND_HUB, EVENT, HUB_VERBS, LISTENER, RESOURCE_VERBS, Verb

HUB = "hub"
RECEIVER = "/listener/"
EVENTS = ("create", "attributeValueChange", "stateChange", "delete")
"""The events of a resource whose schema its name tells: `OrderCreateEvent` for the creation of an `Order`."""


def base_path_of(document: Mapping[str, Any]) -> str:
    """The path of the first server, without a slash at its end; empty when the contract has none."""
    try:
        url = document["servers"][0]["url"]
    except (LookupError, TypeError):
        return ""
    return urlsplit(url).path.rstrip("/") if isinstance(url, str) else ""


def complete(document: dict[str, Any]) -> None:
    """Complete a bundled contract in place; leave a document alone that has not the form of a contract."""
    paths, components = document.get("paths"), document.get("components")
    schemas = components.get("schemas") if isinstance(components, dict) else None
    if not isinstance(paths, dict) or not isinstance(schemas, dict):
        return
    if base_path := base_path_of(document):
        document["servers"] = [{**document["servers"][0], "url": base_path}]
    for path in [path for path in paths if str(path).startswith(RECEIVER)]:
        del paths[path]
    for path, method, operation in _operations(paths):
        if "operationId" not in operation and (id := usual_operation_id(path, method, schemas)):
            operation["operationId"] = id
    ids = {operation.get("operationId") for _, _, operation in _operations(paths)}
    for name, schema in schemas.items():
        if isinstance(schema, dict) and name not in (LISTENER, EVENT) and ids & _ids_of(name):
            _complete_resource(name, schema, schemas, is_patched=f"patch{name}" in ids)


def _operations(paths: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in paths.items():
        for method, operation in item.items() if isinstance(item, dict) else ():
            if method in {verb.method for verb in RESOURCE_VERBS} and isinstance(operation, dict):
                yield str(path), method, operation


def usual_operation_id(path: str, method: str, schemas: Mapping[str, Any]) -> str | None:
    """The operationId for a path like /order or /order/{id}; None when no schema has the name of the path."""
    collection, *below = path.strip("/").split("/")
    if len(below) > 1 or any(not step.startswith("{") for step in below):
        return None
    verbs: tuple[Verb, ...] = HUB_VERBS if collection == HUB else RESOURCE_VERBS
    name = LISTENER if collection == HUB else collection[:1].upper() + collection[1:]
    found = (verb for verb in verbs if (verb.method, verb.on_collection) == (method, not below))
    verb = next(found, None)
    return verb.operation_id(name) if verb and (name == LISTENER or name in schemas) else None


def _ids_of(resource: str) -> set[str]:
    return {verb.operation_id(resource) for verb in RESOURCE_VERBS} - BEYOND_HUB.keys()


def _complete_resource(name: str, schema: dict[str, Any], schemas: Mapping[str, Any], *, is_patched: bool) -> None:
    if "x-events" not in schema:
        types = {event: f"{name}{event[0].upper()}{event[1:]}Event" for event in EVENTS}
        schema["x-events"] = {event: type for event, type in types.items() if type in schemas}
    if is_patched and "x-update" not in schema:
        schema["x-update"] = f"{name}_Update" if f"{name}_Update" in schemas else name
