"""What is read of a contract, and which ones are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.contract import small_contract

from tmf_sales.contract.bundling import bundle
from tmf_sales.contract.files import contract_files
from tmf_sales.contract.loader import Contract, load_contracts
from tmf_sales.contract.yaml_source import BrokenContract, load_yaml


@pytest.fixture
def contract(tmp_path: Path) -> Contract:
    return small_contract.contract(tmp_path)


def test_an_api_is_known_by_the_first_word_of_its_file(contract: Contract) -> None:
    assert (contract.name, contract.title, contract.version) == ("tmf999", "Orders", "1")
    assert contract.base_path == "/tmf-api/ordering/v4"


def test_operations_are_known_by_their_ids(contract: Contract) -> None:
    patch = contract.operations["patchOrder"]

    assert contract.operations.keys() == {"createOrder", "listOrder", "retrieveOrder", "patchOrder"}
    assert (patch.method, patch.path, patch.creates) == ("patch", "/order/{id}", False)
    assert patch.bodies.keys() == {"application/merge-patch+json"}
    assert [parameter["name"] for parameter in patch.parameters] == ["id"]
    assert patch.statuses == {"200"}
    assert contract.operations["createOrder"].creates


def test_an_operation_needs_the_scopes_of_all_its_alternatives(tmp_path: Path) -> None:
    document = small_contract.document()
    assert small_contract.contract(tmp_path, document).scopes_of("listOrder") == set()
    document["security"] = [{"token": ["orders:read"]}, {"key": []}]
    document["paths"]["/order"]["post"]["security"] = [{"token": ["a", "b"]}, {"other": ["c"]}]

    contract = small_contract.contract(tmp_path, document)

    assert contract.scopes_of("listOrder") == {"orders:read"}
    assert contract.scopes_of("createOrder") == {"a", "b", "c"}


def test_a_resource_is_what_tells_of_events(contract: Contract) -> None:
    (order,) = contract.resources.values()

    assert (order.kind, order.name, order.path, order.version_member) == ("tmf999/order", "Order", "/order", "version")
    assert order.fixed_members == {"id", "href", "date"}
    assert order.patch_types == ("application/merge-patch+json",)
    assert order.href("http://host", "7") == "http://host/tmf-api/ordering/v4/order/7"
    assert order.domain == "ordering"
    assert [index.paths for index in order.indexes] == [
        ((("name",), False),),
        ((("state",), False), (("date",), True)),
    ]
    assert {("line",), ("line", "line"), ("box", "line"), ("reminders",)} <= order.stored_kind().lists


def test_a_resource_need_not_be_patched(tmp_path: Path) -> None:
    document = small_contract.document()
    del document["paths"]["/order/{id}"]["patch"]

    assert small_contract.contract(tmp_path, document).resources["order"].patch_types == ()


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/order", ("GET", "HEAD", "POST")),
        ("/order/", ("GET", "HEAD", "POST")),
        ("/order/7", ("GET", "HEAD", "PATCH")),
        ("/order/7/8", ()),
        ("/other", ()),
    ],
)
def test_methods_of_a_path(contract: Contract, path: str, methods: tuple[str, ...]) -> None:
    assert contract.methods_at(path) == methods


def test_a_path_without_get_has_no_head(tmp_path: Path) -> None:
    document = small_contract.document()
    del document["paths"]["/order"]["get"]

    assert small_contract.contract(tmp_path, document).methods_at("/order") == ("POST",)


def test_pointers_are_followed_to_their_end(contract: Contract) -> None:
    contract.document["components"]["parameters"]["A/b~c"] = {"$ref": "#/components/parameters/Id"}

    assert contract.resolve({"$ref": "#/components/parameters/A~1b~0c"})["name"] == "id"
    assert contract.resolve({"name": "x"}) == {"name": "x"}


def without_id() -> dict[str, Any]:
    document = small_contract.document()
    document["paths"]["/order"]["get"]["operationId"] = ""
    return document


def with_an_id_twice() -> dict[str, Any]:
    document = small_contract.document()
    document["paths"]["/order/{id}"]["get"]["operationId"] = "listOrder"
    return document


def without_operations() -> dict[str, Any]:
    return {**small_contract.document(), "paths": {}}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (without_id(), "tmf999-order-v4.yaml#/paths/~1order/get: has no operationId; expected list, head, create, "),
        (with_an_id_twice(), "#/paths/~1order~1{id}/get: operationId listOrder is there twice"),
        (
            without_operations(),
            "#/components/schemas/Order: needs an operation; expected one of listOrder, headOrder, createOrder, "
            "retrieveOrder, patchOrder, deleteOrder",
        ),
    ],
)
def test_a_contract_that_cannot_be_served_is_refused(tmp_path: Path, document: dict[str, Any], said: str) -> None:
    with pytest.raises(BrokenContract) as refused:
        small_contract.contract(tmp_path, document)

    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"), [("[", "is not YAML"), ("- a", "is not a mapping"), ("", "is not a mapping")]
)
def test_a_file_that_is_no_contract_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(text)

    with pytest.raises(BrokenContract, match=said):
        load_yaml(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"a: 1", "x.json#: is not JSON: "),
        (b"\xff", "x.json#: is not JSON: "),
        (b"[" * 100_000, "x.json#: is not JSON: "),
        (b"[]", "x.json#: is not a mapping"),
        (b'{"a": {"b": 1, "c": 2, "b": 3}}', "x.json#: has an object in which 'b' is there twice"),
    ],
)
def test_a_json_file_that_is_no_contract_is_rejected(tmp_path: Path, text: bytes, said: str) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(text)

    with pytest.raises(BrokenContract) as rejected:
        load_yaml(path)

    assert str(rejected.value).startswith(said)


def test_a_json_file_may_have_tabs_and_escapes(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text('{\n\t"a": "\\ud83d\\ude00\\/"\n}')

    assert load_yaml(path) == {"a": "😀/"}


def test_dates_stay_the_texts_that_their_author_wrote(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("a: 2019-05-06\nb: 2019-05-06T12:45:12Z\n")

    assert load_yaml(path) == {"a": "2019-05-06", "b": "2019-05-06T12:45:12Z"}


def test_a_folder_without_contracts_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tmf-common-v4.yaml").write_text("openapi: 3.0.3")

    with pytest.raises(BrokenContract, match="has no contract"):
        load_contracts(tmp_path)


def test_contracts_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("tmf2-b.yaml", "tmf-common-v4.yaml", "tmf1-a.yaml"):
        (tmp_path / name).write_text("")

    assert [path.name for path in contract_files(tmp_path)] == ["tmf1-a.yaml", "tmf2-b.yaml"]


SHARED = """
components:
  schemas:
    Tree:
      properties:
        next: {$ref: '#/components/schemas/Tree'}
        leaf: {$ref: 'x-common-v4.yaml#/components/schemas/Leaf'}
    Leaf: {type: string}
  responses:
    Gone: {description: gone, content: {application/json: {schema: {$ref: '#/components/schemas/Leaf'}}}}
"""
USES = """
paths: {/a: {get: {responses: {'410': {$ref: 'x-common-v4.yaml#/components/responses/Gone'}}}}}
components:
  schemas:
    Own: {allOf: [{$ref: 'x-common-v4.yaml#/components/schemas/Tree'}, {$ref: '#/components/schemas/Other'}]}
    Other: {properties: {$ref: {type: string}}}
"""


def test_shared_components_are_copied_in_with_all_that_they_refer_to(tmp_path: Path) -> None:
    (tmp_path / "x-common-v4.yaml").write_text(SHARED)
    (tmp_path / "x.yaml").write_text(USES)

    document = bundle(tmp_path / "x.yaml")

    schemas = document["components"]["schemas"]
    assert document["paths"]["/a"]["get"]["responses"]["410"] == {"$ref": "#/components/responses/Gone"}
    assert document["components"]["responses"]["Gone"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/Leaf"
    }
    assert schemas["Own"]["allOf"] == [{"$ref": "#/components/schemas/Tree"}, {"$ref": "#/components/schemas/Other"}]
    assert schemas["Tree"]["properties"]["next"] == {"$ref": "#/components/schemas/Tree"}
    assert schemas["Tree"]["properties"]["leaf"] == {"$ref": "#/components/schemas/Leaf"}
    assert schemas["Leaf"] == {"type": "string"}
    # A member may be called $ref: its value is no text.
    assert schemas["Other"] == {"properties": {"$ref": {"type": "string"}}}


def test_a_component_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "x-common-v4.yaml").write_text(SHARED)
    (tmp_path / "x.yaml").write_text("paths: {$ref: 'x-common-v4.yaml#/components/schemas/Nothing'}")

    with pytest.raises(BrokenContract, match=r"x.yaml#/components/schemas/Nothing: is not in x-common-v4.yaml"):
        bundle(tmp_path / "x.yaml")
