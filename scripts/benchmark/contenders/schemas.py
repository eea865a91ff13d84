"""Writes the contract and its schemas to files, for contenders that use none of our code."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import orjson
from scripts.benchmark.contenders.packages import BUILD

from tmf_sales.contract.files import contracts_folder
from tmf_sales.contract.loader import load_contracts
from tmf_sales.contract.schemas import Reading, _as_draft4

SCHEMAS = BUILD / "schemas"
BASE_PATH = "/tmf-api/quoteManagement/v4"


def write_schemas() -> None:
    SCHEMAS.mkdir(parents=True, exist_ok=True)
    contract = next(each for each in load_contracts(contracts_folder()) if each.base_path == BASE_PATH)
    wanted = {"create": ("Quote_Create", True), "merge": ("Quote_MergePatch", False), "update": ("Quote_Update", False)}
    for name, (top, creating) in wanted.items():
        plain = {
            each: _as_draft4(schema, Reading(creating))
            for each, schema in contract.document["components"]["schemas"].items()
        }
        root = {"components": {"schemas": plain}, "allOf": [{"$ref": f"#/components/schemas/{top}"}]}
        (SCHEMAS / f"{name}.json").write_bytes(orjson.dumps(root))
    (SCHEMAS / "contract.json").write_bytes(orjson.dumps(_refusing_read_only(contract.document)))


def _refusing_read_only(document: Mapping[str, Any]) -> dict[str, Any]:
    """Give members that a creation must not send the schema `not: {}`, because frameworks ignore readOnly."""
    refusing = copy.deepcopy(dict(document))
    for name, schema in refusing["components"]["schemas"].items():
        for member, rules in schema.get("properties", {}).items():
            if name.endswith("_Create") and rules.get("readOnly"):
                schema["properties"][member] = {"not": {}}
    return refusing
