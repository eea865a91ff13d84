"""The contracts' schemas in one piece take exactly what they take as written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from tests.contract.test_contracts import draft4
from tests.reference_stack.oracle_requests import mutated, sample

from tmf_sales.contract.all_of import flattened
from tmf_sales.contract.bundling import bundle

OPENAPI = Path(__file__).parents[2] / "openapi"
SAMPLES = {
    "tmf648-quote-v4": ("tmf648-quote-resource", "tmf648-create-request", "tmf648-mergepatch-request"),
    "tmf699-sales-v4": ("tmf699-salesLead-resource", "tmf699-create-request", "tmf699-mergepatch-request"),
}


@pytest.mark.parametrize("api", SAMPLES)
def test_a_schema_in_one_piece_takes_what_it_takes_as_written(api: str) -> None:
    written = draft4(bundle(OPENAPI / f"{api}.yaml"))["components"]["schemas"]
    values = [value for name in SAMPLES[api] for _, value in mutated(sample(name))]
    verdicts: dict[bool, int] = {True: 0, False: 0}

    for name in written:
        as_written, in_one_piece = (takes(schemas, name) for schemas in (written, flattened(written)))
        for value in values:
            verdict = as_written.is_valid(value)
            assert in_one_piece.is_valid(value) is verdict, (name, value)
            verdicts[verdict] += 1

    assert min(verdicts.values()) > 1_000


def test_a_violation_in_a_deeply_nested_type_is_reported_once() -> None:
    """Else each level reports it for the type and for the one that it extends: 40 levels took 3 GB and 38 seconds."""
    schemas = flattened(draft4(bundle(OPENAPI / "tmf648-quote-v4.yaml"))["components"]["schemas"])
    item: dict[str, Any] = {"id": "1", "action": "add", "quantity": "many", "state": "inProgress"}
    for _ in range(30):
        item = {"id": "1", "action": "add", "state": "inProgress", "quoteItem": [item]}

    for name in ("QuoteItem_Create", "QuoteItem_Update"):
        assert [error.kind.name for error in takes(schemas, name).iter_errors(item)] == ["type"]


def takes(schemas: dict[str, Any], name: str) -> jsonschema_rs.Draft4Validator:
    schema = {"components": {"schemas": schemas}, "$ref": f"#/components/schemas/{name}"}
    return jsonschema_rs.Draft4Validator(schema, validate_formats=True)
