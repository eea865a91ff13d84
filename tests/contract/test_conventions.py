"""A contract that follows TM Forum's conventions needs no extension; what it leaves out is completed at start."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from tests.service import start_service

from tmf_sales.contract.conventions import base_path_of, complete, usual_operation_id
from tmf_sales.contract.files import contracts_folder
from tmf_sales.contract.loader import Contract, load_contracts
from tmf_sales.contract.yaml_source import BrokenContract

PLAIN = Path(__file__).with_name("plain")
FILE = PLAIN / "tmf622-productOrdering-v4.yaml"
DOCUMENT: dict[str, Any] = yaml.safe_load(FILE.read_text())
OPERATIONS = ["list", "create", "retrieve", "patch", "delete"]
ITEM = {"id": "1", "action": "add"}
ORDER = "#/components/schemas/ProductOrder"

Edit = Callable[[dict[str, Any]], object]


def loaded(tmp_path: Path, edit: Edit) -> Contract:
    document = copy.deepcopy(DOCUMENT)
    edit(document)
    (tmp_path / FILE.name).write_text(yaml.safe_dump(document, sort_keys=False))
    [contract] = load_contracts(tmp_path)
    return contract


def without_operation_ids(document: dict[str, Any]) -> None:
    for item in document["paths"].values():
        for operation in item.values():
            del operation["operationId"]


def with_references(document: dict[str, Any]) -> None:
    """Everything that may be a component is one, and the resource is put together with allOf, oneOf and nullable."""
    post, components = document["paths"]["/productOrder"]["post"], document["components"]
    components["requestBodies"] = {"Order": post["requestBody"]}
    components["responses"] = {"Order": post["responses"]["201"]}
    components["parameters"] = {"Id": document["paths"]["/productOrder/{id}"]["get"]["parameters"][0]}
    post["requestBody"] = {"$ref": "#/components/requestBodies/Order"}
    post["responses"]["201"] = {"$ref": "#/components/responses/Order"}
    for operation in document["paths"]["/productOrder/{id}"].values():
        operation["parameters"] = [{"$ref": "#/components/parameters/Id"}]
    choice = {"oneOf": [{"$ref": "#/components/schemas/RelatedParty"}, {"type": "string"}], "nullable": True}
    whole = components["schemas"]["ProductOrder"]
    components["schemas"]["ProductOrder"] = {"allOf": [whole, {"type": "object", "properties": {"payer": choice}}]}


def with_inline_schemas(document: dict[str, Any]) -> None:
    post = document["paths"]["/productOrder"]["post"]
    body = {"type": "object", "properties": {"category": {"type": "string"}}}
    post["requestBody"]["content"] = {"application/json": {"schema": body}}


@pytest.mark.parametrize("edit", [lambda _: None, without_operation_ids, with_references, with_inline_schemas])
def test_a_contract_in_the_style_of_published_ones_is_read(tmp_path: Path, edit: Edit) -> None:
    contract = loaded(tmp_path, edit)

    hub = ["registerListener", "unregisterListener"]
    assert [*contract.operations] == [*(f"{verb}ProductOrder" for verb in OPERATIONS), *hub]
    assert contract.base_path == contract.document["servers"][0]["url"] == "/tmf-api/productOrderingManagement/v4"
    order = contract.resources["productOrder"]
    assert order.events == {"create": "ProductOrderCreateEvent"}
    assert order.fixed_members >= {"id", "href"}
    assert contract.operations["createProductOrder"].bodies.keys() == {"application/json"}


def test_what_the_contract_states_stays(tmp_path: Path) -> None:
    def state(document: dict[str, Any]) -> None:
        schema = document["components"]["schemas"]["ProductOrder"]
        schema["x-events"], schema["x-update"] = {"delete": "Gone"}, "ProductOrder"
        document["paths"]["/productOrder/{id}"]["get"]["operationId"] = "retrieveProductOrder"

    schema = loaded(tmp_path, state).document["components"]["schemas"]["ProductOrder"]

    assert (schema["x-events"], schema["x-update"]) == ({"delete": "Gone"}, "ProductOrder")


def test_without_a_schema_for_updates_a_patched_resource_follows_its_own(tmp_path: Path) -> None:
    def rename(document: dict[str, Any]) -> None:
        schemas, patch = document["components"]["schemas"], document["paths"]["/productOrder/{id}"]["patch"]
        schemas["Changes"] = schemas.pop("ProductOrder_Update")
        patch["requestBody"]["content"] = {"application/json": {"schema": {"$ref": "#/components/schemas/Changes"}}}

    assert loaded(tmp_path, rename).document["components"]["schemas"]["ProductOrder"]["x-update"] == "ProductOrder"


@pytest.mark.parametrize(
    ("path", "method", "expected"),
    [
        ("/order", "get", "listOrder"),
        ("/order", "head", "headOrder"),
        ("/order/{id}", "get", "retrieveOrder"),
        ("/hub", "get", "listListener"),
        ("/hub/{id}", "delete", "unregisterListener"),
        ("/order/{id}/item", "get", None),
        ("/order/item", "get", None),
        ("/order", "patch", None),
        ("/other", "get", None),
    ],
)
def test_the_usual_paths_have_the_usual_operations(path: str, method: str, expected: str | None) -> None:
    assert usual_operation_id(path, method, {"Order": {}}) == expected


@pytest.mark.parametrize(
    ("servers", "expected"),
    [
        ([{"url": "/tmf-api/x/v4"}], "/tmf-api/x/v4"),
        ([{"url": "https://host:8443/tmf-api/x/v4/"}], "/tmf-api/x/v4"),
        ([{"url": 3}], ""),
        ([], ""),
        (None, ""),
    ],
)
def test_the_base_path_is_the_path_of_the_first_server(servers: Any, expected: str) -> None:
    assert base_path_of({"servers": servers}) == expected


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"paths": [], "components": {}},
        {"paths": {"/order": None}, "components": {"schemas": {"Order": None}}},
        {"paths": {}, "components": {"schemas": {}}},
    ],
)
def test_what_has_not_the_form_of_a_contract_is_left_to_the_lint(document: dict[str, Any]) -> None:
    before = copy.deepcopy(document)

    complete(document)

    assert document == before


def renamed_parameter(document: dict[str, Any]) -> None:
    document["paths"]["/productOrder/{orderId}"] = document["paths"].pop("/productOrder/{id}")


def set_schema(**changes: Any) -> Edit:
    return lambda document: document["components"]["schemas"]["ProductOrder"]["properties"].update(changes)


def set_operation(**changes: Any) -> Edit:
    return lambda document: document["paths"]["/productOrder"]["post"].update(changes)


def body(content: dict[str, Any]) -> Edit:
    return set_operation(requestBody={"content": content})


UNSUPPORTED: dict[str, tuple[Edit, str]] = {
    "Swagger 2.0": (
        lambda document: document.update(swagger=document.pop("openapi") and "2.0"),
        "#/openapi: expected OpenAPI 3.0, such as 3.0.3; this is OpenAPI 2.0",
    ),
    "OpenAPI 3.1": (lambda document: document.update(openapi="3.1.0"), "this is OpenAPI 3.1.0"),
    "a path that is a reference": (
        lambda document: document["paths"].update({"/order": {"$ref": "#/components/x"}}),
        "#/paths/~1order/$ref: a path cannot be a reference; write its operations here",
    ),
    "variables in the server": (
        lambda document: document.update(servers=[{"url": "/{name}/v4"}]),
        "#/servers/0/url: expected a path of two steps or more, such as /tmf-api/name/v4",
    ),
    "a reference into a schema": (
        set_schema(party={"$ref": "#/components/schemas/RelatedParty/properties/name"}),
        "/RelatedParty/properties/name is not a schema; expected #/components/schemas/ and a name",
    ),
    "an id of another name": (
        renamed_parameter,
        "retrieveProductOrder needs the path parameter id; expected a path such as /resource/{id}",
    ),
    "a body of another media type": (
        body({"text/json": {"schema": {"$ref": ORDER}}}),
        "content/text~1json: createProductOrder cannot read this; expected application/json",
    ),
    "a body without schema": (
        body({"application/json": {}}),
        "#/paths/~1productOrder/post/requestBody/content/application~1json: has no schema",
    ),
    "an operation of nothing": (
        set_operation(operationId="createOrder"),
        "post/operationId: createOrder is an operation of Order, and components/schemas has no Order",
    ),
    "an unknown operation": (
        set_operation(operationId="placeOrder"),
        "the service cannot handle the operation placeOrder; expected list, head, create, retrieve, patch, delete and",
    ),
    "an operation without a name": (
        lambda document: document["paths"].update({"/a/b": {"get": {"responses": {}}}}),
        "#/paths/~1a~1b/get: has no operationId; expected list, head, create,",
    ),
}


@pytest.mark.parametrize(("edit", "expected"), UNSUPPORTED.values(), ids=UNSUPPORTED.keys())
def test_what_is_not_supported_is_reported_with_its_place_and_what_is_expected(
    tmp_path: Path, edit: Edit, expected: str
) -> None:
    with pytest.raises(BrokenContract) as broken:
        loaded(tmp_path, edit)

    assert expected in str(broken.value)


def test_faults_of_every_kind_are_reported_in_one_start(tmp_path: Path) -> None:
    def break_it(document: dict[str, Any]) -> None:
        body({"text/json": {"schema": {"$ref": "#/components/schemas/Nothing"}}})(document)
        set_schema(x={"type": "strin"})(document)
        document["components"]["schemas"]["ProductOrder"]["x-index"] = ["nope"]
        document["paths"]["/a/b"] = {"get": {"responses": {}}}

    with pytest.raises(BrokenContract) as broken:
        loaded(tmp_path, break_it)

    said = str(broken.value)
    for fault in (
        "a reference to nothing",
        "'strin' is not known",
        "has no operationId",
        "nope is not a path of",
        "text~1",
    ):
        assert fault in said
    assert "form of a contract" not in said


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    log = tmp_path_factory.mktemp("plain") / "log"
    with (
        start_service(log, "--store", "memory:", "--contracts", str(PLAIN)) as service,
        httpx.Client(base_url=f"{service.url}/tmf-api/productOrderingManagement/v4") as client,
    ):
        yield client


def test_a_contract_without_extensions_is_served(api: httpx.Client) -> None:
    order = api.post("/productOrder", json={"productOrderItem": [ITEM], "priority": None}).raise_for_status().json()
    changed = api.patch(f"/productOrder/{order['id']}", json={"category": "x", "state": "completed"})

    assert changed.json() == {**order, "category": "x", "state": "completed"}
    assert [each["id"] for each in api.get("/productOrder", params={"category": "x"}).json()] == [order["id"]]
    assert api.post("/hub", json={"callback": "http://127.0.0.1:9/"}).status_code == 201
    assert api.delete(f"/productOrder/{order['id']}").status_code == 204
    assert api.post("/listener/productOrderCreateEvent", json={}).status_code == 404


def test_no_request_sets_an_id_whether_or_not_the_contract_forbids_it(api: httpx.Client) -> None:
    sent = api.post("/productOrder", json={"id": "1", "href": "x", "productOrderItem": [ITEM]})
    order = api.post("/productOrder", json={"productOrderItem": [ITEM]}).json()
    patched = [api.patch(f"/productOrder/{order['id']}", json={name: "x"}).json() for name in ("id", "href")]

    assert (sent.status_code, sent.json()["message"]) == (400, "/id: may not be sent; /href: may not be sent")
    assert [answer["message"] for answer in patched] == ["/id: cannot be changed", "/href: cannot be changed"]
    assert api.get(f"/productOrder/{order['id']}").json() == order


def test_the_shipped_contracts_need_no_completion() -> None:
    for contract in load_contracts(contracts_folder()):
        document = copy.deepcopy(contract.document)
        complete(document)
        assert document == yaml.safe_load(yaml.safe_dump(contract.document))
        assert all("x-events" in document["components"]["schemas"][each.name] for each in contract.resources.values())
