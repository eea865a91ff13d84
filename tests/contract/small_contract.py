"""A small contract with all that the engine reads: lifecycles, defaults, keys, lists in lists, a type in itself."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import yaml

from tmf_sales.contract.loader import Contract

INSTANT = {"type": "string", "format": "date-time"}
TEXT = {"type": "string"}
EVENTS = ("create", "delete", "stateChange", "attributeValueChange")


def ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


SCHEMAS: dict[str, Any] = {
    "Order": {
        "allOf": [ref("Order_Attributes")],
        "required": ["id", "href"],
        "x-versioned": "version",
        "x-events": {what: f"Order{what.capitalize()}Event" for what in EVENTS},
        "x-update": "Order_Update",
        "x-full": "Order_Full",
        "x-index": ["name", ["state", "-date"]],
    },
    "Order_Attributes": {
        "type": "object",
        "properties": {
            "id": TEXT,
            "href": TEXT,
            "name": TEXT,
            "version": {"type": "string", "x-default": "1"},
            "date": {**INSTANT, "x-default": "$now"},
            "wanted": INSTANT,
            "expected": {**INSTANT, "x-default": "$wanted"},
            "reminders": {"type": "array", "items": INSTANT},
            "state": ref("OrderState"),
            "stateDate": INSTANT,
            "doneDate": INSTANT,
            "valid": {"allOf": [ref("Period")], "description": "When it is."},
            "line": {"type": "array", "x-merge-key": "id", "items": ref("Line")},
            "note": {"type": "array", "items": ref("Note")},
            "contact": {"type": "object", "properties": {"preferred": {"type": "boolean", "x-lenient": "booleanText"}}},
            "box": ref("Box"),
            "amount": {"type": "integer"},
            "anything": {},
            "@schemaLocation": TEXT,
        },
    },
    "Order_Create": {"allOf": [ref("Order_Attributes")], "required": ["name"]},
    "Order_Update": {
        "allOf": [ref("Order_Attributes")],
        "required": ["name", "state"],
        "properties": {
            "id": {**TEXT, "readOnly": True},
            "href": {**TEXT, "readOnly": True},
            "date": {**INSTANT, "readOnly": True},
        },
    },
    "Order_Full": {"allOf": [ref("Order")], "required": ["id", "href", "state"]},
    "OrderState": {
        "type": "string",
        "enum": ["open", "waiting", "done"],
        "x-lifecycle": {"initial": "open", "transitions": {"open": ["waiting", "done"], "waiting": ["open"]}},
        "x-set-on": {"any": "stateDate", "done": "doneDate"},
    },
    "Line": {
        "type": "object",
        "properties": {
            "id": {"type": "string", "x-default": "$nextNumber"},
            "quantity": {"type": "integer", "x-default": 1},
            "state": ref("LineState"),
            "doneDate": INSTANT,
            "line": {"type": "array", "x-merge-key": "id", "items": ref("Line")},
            "valid": ref("Period"),
        },
    },
    "LineState": {
        "type": "string",
        "enum": ["open", "done"],
        "x-lifecycle": {"initial": "open", "transitions": {"open": ["done"]}},
        "x-set-on": {"done": "doneDate"},
    },
    "Note": {
        "type": "object",
        "properties": {"id": {"type": "string", "x-default": "$nextNumber"}, "text": TEXT, "@schemaLocation": TEXT},
    },
    "Period": {
        "type": "object",
        "x-ordered": ["from", "to"],
        "properties": {name: {**INSTANT, "x-lenient": "emptyAsMissing"} for name in ("from", "to")},
    },
    "Box": {"type": "object", "properties": {"line": {"type": "array", "x-merge-key": "id", "items": ref("Line")}}},
}


def document(**schemas: Any) -> dict[str, Any]:
    """The contract's document; schemas that are given take the place of its own."""
    body = {"content": {"application/json": {"schema": ref("Order_Create")}}}
    patch = {"content": {"application/merge-patch+json": {"schema": ref("Order_Attributes")}}}
    answers = {"200": {"description": "x"}}
    return copy.deepcopy(
        {
            "openapi": "3.0.3",
            "info": {"title": "Orders", "version": "1"},
            "servers": [{"url": "/tmf-api/ordering/v4"}],
            "paths": {
                "/order": {
                    "post": {
                        "operationId": "createOrder",
                        "requestBody": body,
                        "responses": {"201": {"description": "x"}},
                    },
                    "get": {"operationId": "listOrder", "responses": answers},
                },
                "/order/{id}": {
                    "parameters": [{"$ref": "#/components/parameters/Id"}],
                    "get": {"operationId": "retrieveOrder", "responses": answers},
                    "patch": {"operationId": "patchOrder", "requestBody": patch, "responses": answers},
                },
            },
            "components": {
                "parameters": {"Id": {"name": "id", "in": "path", "required": True, "schema": TEXT}},
                "schemas": {**SCHEMAS, **schemas},
            },
        }
    )


def contract(folder: Path, changed: dict[str, Any] | None = None) -> Contract:
    """The contract, read from a file as any other; `changed` is another document than its own."""
    path = folder / "tmf999-order-v4.yaml"
    path.write_text(yaml.safe_dump(changed or document(), sort_keys=False))
    return Contract(path)
