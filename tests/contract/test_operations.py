"""Every operation is optional: what a contract has is served, and what it leaves out is answered 405."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from tests.contract import small_contract
from tests.service import start_service

from tmf_sales.app.composition import compose
from tmf_sales.configuration.settings import Settings
from tmf_sales.contract.files import contracts_folder
from tmf_sales.contract.loader import Contract
from tmf_sales.contract.operations import (
    BEYOND_HUB,
    EVENT_VERBS,
    HUB_VERBS,
    RESOURCE_VERBS,
    known_operations,
    operation_ids,
)
from tmf_sales.contract.yaml_source import BrokenContract

Document = dict[str, Any]
TICKET = Path(__file__).with_name("ticket") / "tmf621-ticket-v4.yaml"
SERVE = (sys.executable, "-m", "tests.contract.ticket.serve")


def with_operations(*wanted: str) -> Document:
    """The small contract with these operations alone, by their ids."""
    document = small_contract.document()
    document["components"]["schemas"].pop("Error", None)
    document["paths"]["/order/{id}"]["delete"] = {
        "operationId": "deleteOrder",
        "responses": {"204": {"description": "x"}},
    }
    for path, item in list(document["paths"].items()):
        for method, operation in list(item.items()):
            if isinstance(operation, dict) and operation["operationId"] not in wanted:
                del item[method]
        if not item.keys() - {"parameters"}:
            del document["paths"][path]
    return document


def served(folder: Path, document: Document) -> Path:
    folder.mkdir()
    (folder / "tmf999-order-v4.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
    return folder


@pytest.mark.parametrize("id", ["listOrder", "createOrder", "retrieveOrder", "patchOrder", "deleteOrder"])
def test_one_operation_is_enough_for_a_resource(tmp_path: Path, id: str) -> None:
    contract = small_contract.contract(tmp_path, with_operations(id))

    assert contract.resources["order"].path == "/order"
    assert contract.operations.keys() == {id}


def test_a_resource_without_patch_needs_no_schema_of_what_a_patch_makes(tmp_path: Path) -> None:
    document = with_operations("createOrder", "retrieveOrder")
    del document["components"]["schemas"]["Order"]["x-update"]

    assert small_contract.contract(tmp_path, document).resources["order"].patch_types == ()


def test_a_task_resource_is_created_and_read_and_nothing_else(tmp_path: Path) -> None:
    folder = served(tmp_path / "contracts", with_operations("createOrder", "listOrder", "retrieveOrder"))
    for beside in (TICKET, contracts_folder() / "tmf-common-v4.yaml"):
        shutil.copy(beside, folder)
    service = start_service(
        tmp_path / "log", "--store", "memory:", "--port", "0", "--contracts", str(folder), command=SERVE
    )
    try:
        with httpx.Client(base_url=f"{service.url}/tmf-api/ordering/v4") as client:
            made = client.post("/order", json={"name": "x"})
            read = client.get(f"/order/{made.json()['id']}")
            patched = client.patch(f"/order/{made.json()['id']}", json={"name": "y"})
            deleted = client.delete(f"/order/{made.json()['id']}")
            hub = client.post("/hub", json={"callback": "http://127.0.0.1:1"})
    finally:
        service.stop()

    assert (made.status_code, read.status_code) == (201, 200)
    assert read.json() == made.json()
    assert "accept-patch" not in read.headers
    assert (patched.status_code, deleted.status_code, hub.status_code) == (405, 405, 404)
    assert patched.headers["allow"] == "GET, HEAD"


def test_an_operation_that_is_none_of_the_engines_has_no_handler(tmp_path: Path) -> None:
    document = with_operations("createOrder")
    document["paths"]["/order"]["post"]["operationId"] = "makeOrder"
    document["paths"]["/order"]["get"] = {"operationId": "listOrder", "responses": {"200": {"description": "x"}}}

    with pytest.raises(BrokenContract, match="the service cannot handle the operation makeOrder"):
        compose(Settings(store="memory:"), contracts=served(tmp_path / "contracts", document), rules={})


def test_every_operation_of_the_table_has_a_handler(tmp_path: Path) -> None:
    contract: Contract = small_contract.contract(tmp_path)

    assert operation_ids("Order") == {verb.name: f"{verb.name}Order" for verb in RESOURCE_VERBS}
    assert known_operations(["Order"]).keys() == {
        *operation_ids("Order").values(),
        *(f"{verb.name}Listener" for verb in HUB_VERBS),
        *(f"{verb.name}Event" for verb in EVENT_VERBS),
        *BEYOND_HUB,
    }
    assert contract.operations.keys() <= known_operations(["Order"]).keys()
