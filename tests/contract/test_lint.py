"""A contract that cannot be served is refused at start in one line: the file, the JSON pointer, and the rule."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from tests.contract import small_contract

from tmf_sales.app.composition import compose
from tmf_sales.cli import main
from tmf_sales.configuration.settings import Settings
from tmf_sales.contract.files import contracts_folder
from tmf_sales.contract.loader import load_contracts
from tmf_sales.contract.yaml_source import BrokenContract
from tmf_sales.values.json_values import own_copy

Edit = Callable[[dict[str, Any]], object]
ORDER = "/components/schemas/Order_Attributes/properties"


def schema(name: str, **changes: Any) -> Edit:
    return lambda document: document["components"]["schemas"][name].update(changes)


def member(name: str, **changes: Any) -> Edit:
    return lambda document: document["components"]["schemas"]["Order_Attributes"]["properties"][name].update(changes)


def lifecycle(initial: str = "open", **transitions: Any) -> Edit:
    return schema("OrderState", **{"x-lifecycle": {"initial": initial, "transitions": transitions}})


def operation(method: str, path: str = "/order/{id}", **changes: Any) -> Edit:
    return lambda document: document["paths"][path][method].update(changes)


def without(name: str) -> Edit:
    return lambda document: document.pop(name)


def extends_itself(document: dict[str, Any]) -> None:
    document["components"]["schemas"]["Order_Full"]["allOf"].append(small_contract.ref("Order_Full"))


def extends_another_first(document: dict[str, Any]) -> None:
    document["components"]["schemas"]["Order"]["allOf"].insert(0, {"properties": {"more": {"type": "string"}}})
    member("date", **{"x-default": "$nowish"})(document)


EVENTS = small_contract.SCHEMAS["Order"]["x-events"]
BROKEN: dict[str, tuple[Edit, str]] = {
    "a first state that is none": (
        lifecycle("nope"),
        "#/components/schemas/OrderState/x-lifecycle/initial: 'nope' is not a state; expected done, open, waiting",
    ),
    "a transition to a state that is none": (
        lifecycle(open=["bogus"]),
        "#/components/schemas/OrderState/x-lifecycle/transitions/open: 'bogus' is not a state",
    ),
    "a transition from a state that is none": (
        lifecycle(bogus=["open"]),
        "#/components/schemas/OrderState/x-lifecycle/transitions/bogus: 'bogus' is not a state",
    ),
    "a transition that is no list": (lifecycle(open="bogus"), "x-lifecycle/transitions/open: 'bogus' is not a state"),
    "a lifecycle without transitions": (
        schema("OrderState", **{"x-lifecycle": {"initial": "open"}}),
        "#/components/schemas/OrderState/x-lifecycle: expected initial, and transitions from",
    ),
    "a lifecycle without states": (
        lambda document: document["components"]["schemas"]["OrderState"].pop("enum"),
        "#/components/schemas/OrderState: a lifecycle needs the enum of its states beside it",
    ),
    "a date for a state that is none": (
        schema("OrderState", **{"x-set-on": {"opened": "stateDate"}}),
        "#/components/schemas/OrderState/x-set-on: 'opened' is not a state",
    ),
    "a date that is no member": (
        schema("OrderState", **{"x-set-on": {"any": "statDate"}}),
        f"#{ORDER}/state: x-set-on for any names statDate, which is not a member of Order",
    ),
    "a removal in a state that is none": (
        schema("OrderState", **{"x-remove-on": {"opened": "stateDate"}}),
        "#/components/schemas/OrderState/x-remove-on: 'opened' is not a state",
    ),
    "a removal of what is no member": (
        schema("OrderState", **{"x-remove-on": {"any": "reason"}}),
        f"#{ORDER}/state: x-remove-on for any names reason, which is not a member of Order",
    ),
    "a default by the type of what is no member": (
        member("name", **{"x-default": "$typeOf.anythin"}),
        f"#{ORDER}/name/x-default: $typeOf.anythin is neither $now, $nextNumber nor a member of Order",
    ),
    "a default that nobody knows": (
        member("date", **{"x-default": "$nowish"}),
        f"#{ORDER}/date/x-default: $nowish is neither $now, $nextNumber nor a member of Order",
    ),
    "a default of another type": (
        member("amount", **{"x-default": "1"}),
        f"{ORDER}/amount/x-default: '1' is not integer",
    ),
    "a boolean default for a number": (member("amount", **{"x-default": True}), "x-default: True is not integer"),
    "a default that is not among the states": (
        schema("Note", properties={"kind": {"type": "string", "enum": ["a"], "x-default": "b"}}),
        "#/components/schemas/Note/properties/kind/x-default: 'b' is not one of a",
    ),
    "a misprint that nobody knows": (
        member("name", **{"x-lenient": "boolText"}),
        f"#{ORDER}/name/x-lenient: 'boolText' is not known; "
        "expected booleanText, emptyAsMissing, missingId, optionalMember, readOnlyMember",
    ),
    "a leniency for what may be sent anyway": (
        member("name", **{"x-lenient": "readOnlyMember"}),
        f"#{ORDER}/name/x-lenient: readOnlyMember is for a member with readOnly: true",
    ),
    "a leniency for what is not required": (
        member("name", **{"x-lenient": "optionalMember"}),
        f"#{ORDER}/name/x-lenient: optionalMember is for a member that required beside it names",
    ),
    "a leniency that no contract has": (
        lambda document: document.update({"x-lenient": ["nullAsMissing", "booleanText"]}),
        "#/x-lenient/1: 'booleanText' is not known; "
        "expected emptyObjectAsMissing, missingContentType, nullAsMissing, wholeNumber",
    ),
    "leniencies that are no list": (
        lambda document: document.update({"x-lenient": "nullAsMissing"}),
        "#/x-lenient: expected a list of emptyObjectAsMissing, missingContentType, nullAsMissing, wholeNumber",
    ),
    "a misprint of another type": (
        member("name", **{"x-lenient": "booleanText"}),
        f"#{ORDER}/name/x-lenient: booleanText is for boolean, and this is string",
    ),
    "a misprint of another type in a type without a name": (
        lambda document: document["components"]["schemas"]["Order_Attributes"]["properties"]["contact"]["properties"][
            "preferred"
        ].update({"x-lenient": "emptyAsMissing"}),
        f"#{ORDER}/contact/properties/preferred/x-lenient: emptyAsMissing is for string, and this is boolean",
    ),
    "a fault in the second of two types that are extended": (
        extends_another_first,
        f"#{ORDER}/date/x-default: $nowish is neither $now, $nextNumber nor a member of Order",
    ),
    "a reference that is no pointer": (
        schema("Note", properties={"order": {"$ref": "#Order"}}),
        "#/components/schemas/Note/properties/order/$ref: #Order is a reference to nothing",
    ),
    "a reference through what is no object": (
        schema("Note", properties={"order": {"$ref": "#/components/schemas/OrderState/enum/0/x"}}),
        "/order/$ref: #/components/schemas/OrderState/enum/0/x is a reference to nothing",
    ),
    "an order of what is no member": (
        schema("Period", **{"x-ordered": ["frm", "to"]}),
        "#/components/schemas/Period/x-ordered: frm is not a date-time member",
    ),
    "a key that is no member": (
        member("line", **{"x-merge-key": "idd"}),
        f"#{ORDER}/line/x-merge-key: idd is not a member of the elements of a list",
    ),
    "an unknown sort of personal data": (
        member("line", **{"x-personal": "secret"}),
        f"#{ORDER}/line/x-personal: 'secret' is unknown; expected party or data",
    ),
    "a party without an id": (
        member("name", **{"x-personal": "party"}),
        f"#{ORDER}/name/x-personal: party is for objects with an id, and this is string",
    ),
    "a misspelt extension": (
        member("line", **{"x-merg-key": "id"}),
        f"#{ORDER}/line/x-merg-key: is not known; expected x-default, x-events, ",
    ),
    "a misspelt keyword": (member("name", maxLenght=5), f"#{ORDER}/name/maxLenght: is not known; OpenAPI 3.0 has no"),
    "an unknown format": (
        member("date", format="datetime"),
        f"#{ORDER}/date/format: 'datetime' is not known; expected",
    ),
    "an unknown type": (member("name", type="objekt"), f"#{ORDER}/name/type: 'objekt' is not known; expected array, "),
    "a pattern that is none": (member("name", pattern="("), f"#{ORDER}/name/pattern: '(' is no pattern of JSON Schema"),
    "a limit that is no number": (member("name", maxLength="5"), f"#{ORDER}/name/maxLength: '5' is no maxLength of"),
    "a reference to nothing": (
        member("line", items=small_contract.ref("Lin")),
        f"#{ORDER}/line/items/$ref: #/components/schemas/Lin is a reference to nothing",
    ),
    "a reference to nothing beside schemas": (
        lambda document: document["paths"]["/order/{id}"].update(parameters=[{"$ref": "#/components/parameters/I"}]),
        "#/paths/~1order~1{id}/parameters/0/$ref: #/components/parameters/I is a reference to nothing",
    ),
    "members that are a list": (schema("Note", properties=["id"]), "Note/properties: expected a mapping from names"),
    "a schema that is a text": (schema("Note", properties={"id": "string"}), "Note/properties/id: expected a schema"),
    "a version that is no member": (
        schema("Order", **{"x-versioned": "versio"}),
        "#/components/schemas/Order/x-versioned: versio is not a member of Order",
    ),
    "an update that is no schema": (schema("Order", **{"x-update": "X"}), "/Order/x-update: names no schema"),
    "a whole that is no schema": (schema("Order", **{"x-full": "X"}), "/Order/x-full: names no schema"),
    "an index on what is no member": (
        schema("Order", **{"x-index": ["name", ["state", "-line.valid.fro"]]}),
        "#/components/schemas/Order/x-index/1: -line.valid.fro is not a path of Order",
    ),
    "a compound index through a list": (
        schema("Order", **{"x-index": ["line.id", ["state", "line.id"]]}),
        "#/components/schemas/Order/x-index/1: line.id goes through a list, which a compound index cannot hold",
    ),
    "a compound index over two members that may be lists": (
        schema("Order", **{"x-index": [["anything", "name", "-anything.more"]]}),
        "#/components/schemas/Order/x-index/0: anything and -anything.more may both hold lists",
    ),
    "more indexes than a store keeps": (
        schema("Order", **{"x-index": ["name"] * 61}),
        "#/components/schemas/Order/x-index: has 61 indexes; at most 60 can be kept",
    ),
    "an unknown event": (
        schema("Order", **{"x-events": {**EVENTS, "created": "X"}}),
        "#/components/schemas/Order/x-events/created: is not known; expected attributeValueChange, create, ",
    ),
    "an event without a type": (
        schema("Order", **{"x-events": {**EVENTS, "create": None}}),
        "#/components/schemas/Order/x-events/create: expected the type of the event",
    ),
    "events that are no mapping": (
        schema("Order", **{"x-events": ["create"]}),
        "#/components/schemas/Order/x-events: expected a mapping from attributeValueChange, create, ",
    ),
    "information required without states": (
        schema("Order", **{"x-events": {"informationRequired": "X"}}),
        "#/components/schemas/Order/x-events/informationRequired: expected event, its type, and states",
    ),
    "information required in a state that is none": (
        schema("Order", **{"x-events": {"informationRequired": {"event": "X", "states": ["waiting", "lost"]}}}),
        "#/components/schemas/Order/x-events/informationRequired/states: expected a list of states from done, open, ",
    ),
    "a success that is never answered": (
        operation("get", responses={"200": {"description": "x"}, "299": {"description": "x"}}),
        "#/paths/~1order~1{id}/get/responses/299: retrieveOrder never answers this; expected 200",
    ),
    "a success that is missing": (
        operation("post", "/order", responses={"400": {"description": "x"}}),
        "#/paths/~1order/post/responses: lacks 201, which createOrder answers",
    ),
    "an operation of another method": (
        operation("get", operationId="deleteOrder"),
        "#/paths/~1order~1{id}/get: deleteOrder is a delete",
    ),
    "a body that the engine cannot read": (
        operation("patch", requestBody={"content": {"text/csv; header=present": {"schema": {}}}}),
        "/patch/requestBody/content/text~1csv; header=present: patchOrder cannot read this; expected "
        "application/merge-patch+json or application/json or application/json-patch+json",
    ),
    "a body where the engine reads none": (
        operation("get", requestBody={"content": {"application/json": {"schema": {}}}}),
        "/get/requestBody/content/application~1json: retrieveOrder cannot read this; expected no body",
    ),
    "a patched resource without the schema of what a patch makes": (
        schema("Order", **{"x-update": "Nothing"}),
        "#/components/schemas/Order/x-update: names no schema",
    ),
    "no paths": (without("paths"), "#/paths: is missing, or is not a mapping"),
    "no title": (lambda document: document["info"].pop("title"), "#/info/title: is missing, or is not a text"),
    "no schemas": (
        lambda document: document["components"].pop("schemas"),
        "#/components/schemas: is missing, or is not a mapping",
    ),
    "no server": (without("servers"), "#/servers/0/url: expected a path of two steps or more"),
    "a type that extends itself": (extends_itself, "#: has not the form of a contract: RecursionError"),
    "a path that is a list": (
        lambda document: document["paths"].update({"/order": []}),
        "#: has not the form of a contract: AttributeError",
    ),
}


def refusal(folder: Path) -> str:
    with pytest.raises(BrokenContract) as refused:
        load_contracts(folder)
    said = str(refused.value)
    assert "\n" not in said
    assert len(said) < 400
    return said


@pytest.mark.parametrize(("edit", "reported"), BROKEN.values(), ids=BROKEN.keys())
def test_a_fault_is_reported_with_file_place_and_rule(tmp_path: Path, edit: Edit, reported: str) -> None:
    document = own_copy(small_contract.document())  # of which no part stands at two places
    edit(document)
    (tmp_path / "tmf999-order-v4.yaml").write_text(yaml.safe_dump(document, sort_keys=False))

    said = refusal(tmp_path)

    assert said.startswith("tmf999-order-v4.yaml#")
    assert reported in said


def test_all_faults_of_all_contracts_are_reported_at_once(tmp_path: Path) -> None:
    document = own_copy(small_contract.document())
    document["components"]["schemas"]["Order"]["x-versioned"] = "nothing"
    document["components"]["schemas"]["Order"]["x-events"]["created"] = "X"
    (tmp_path / "tmf999-order-v4.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
    document = own_copy(small_contract.document())
    document["servers"] = [{"url": "/tmf-api/other/v4"}]
    document["paths"]["/order"]["get"]["operationId"] = ""
    document["paths"]["/order"]["post"]["operationId"] = "retrieveOrder"
    (tmp_path / "tmf998-other-v4.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
    (tmp_path / "tmf997-last-v4.yaml").write_text("[")

    with pytest.raises(BrokenContract) as refused:
        load_contracts(tmp_path)

    assert str(refused.value).startswith("tmf997-last-v4.yaml#: is not YAML")
    (tmp_path / "tmf997-last-v4.yaml").unlink()
    with pytest.raises(BrokenContract) as refused:
        load_contracts(tmp_path)
    assert str(refused.value).splitlines() == [
        "tmf998-other-v4.yaml#/paths/~1order/get: has no operationId; expected list, head, create, retrieve, patch, "
        "delete and the name of a schema, such as createOrder, or listListener, registerListener, retrieveListener, "
        "unregisterListener for a hub",
        "tmf998-other-v4.yaml#/paths/~1order~1{id}/get: operationId retrieveOrder is there twice",
        "tmf998-other-v4.yaml#/paths/~1order/post: retrieveOrder is a get",
        "tmf999-order-v4.yaml#/components/schemas/Order/x-events/created: is not known; expected attributeValueChange, "
        "create, delete, informationRequired, stateChange",
        "tmf999-order-v4.yaml#/components/schemas/Order/x-versioned: nothing is not a member of Order",
    ]


def test_what_the_engine_does_not_use_may_be_there(tmp_path: Path) -> None:
    document = own_copy(small_contract.document(Note={"type": "object", "additionalProperties": True}))
    document["components"]["schemas"]["Order_Attributes"]["properties"]["reminders"]["x-default"] = []
    document["paths"]["/order"]["x-team"] = document["x-origin"] = {"name": "x"}

    assert small_contract.contract(tmp_path, document).document["x-origin"] == {"name": "x"}


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ("a:\n- b: 1\n  b: 2\n", "#/a/0/b: is there twice, again in line 3"),
        ("{1: a, 0x1: b}", "#: is there twice, again in line 1"),  # one key in two spellings
    ],
)
def test_a_key_that_is_there_twice_is_reported_wherever_it_is(tmp_path: Path, text: str, reported: str) -> None:
    (tmp_path / "tmf999-order-v4.yaml").write_text(text)

    assert refusal(tmp_path) == f"tmf999-order-v4.yaml{reported}"


def test_what_cannot_be_compiled_for_another_reason_is_reported_without_a_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tmf_sales.contract.loader.faults_of_compilation", lambda _: iter(()))
    document = small_contract.document(Note={"type": "object", "properties": {"text": {"pattern": "("}}})

    with pytest.raises(BrokenContract, match="#/components/schemas: cannot be compiled"):
        small_contract.contract(tmp_path, document)


def copied(folder: Path, file: str, written: str, instead: str) -> Path:
    """The contracts in a folder of their own, with one text of one of them changed."""
    shutil.copytree(contracts_folder(), folder / "openapi", ignore=shutil.ignore_patterns("released"))
    path = folder / "openapi" / file
    text = path.read_text()
    assert written in text
    path.write_text(text.replace(written, instead, 1))
    return folder / "openapi"


@pytest.mark.parametrize(
    ("file", "written", "instead", "reported"),
    [
        (
            "tmf-common-v4.yaml",
            "x-ordered: [startDateTime,",
            "x-ordered: [startDateTim,",
            "tmf-common-v4.yaml#/components/schemas/TimePeriod/x-ordered: startDateTim is not a date-time member",
        ),
        (
            "tmf-common-v4.yaml",
            "format: tmf630-sort,",
            "format: tmf630-sorty,",
            "tmf-common-v4.yaml#/components/parameters/Sort/schema/format: 'tmf630-sorty' is not known; expected ",
        ),
        (
            "tmf-common-v4.yaml",
            "    Money:\n",
            "    Money:\n      description: Also.\n",
            "tmf-common-v4.yaml#/components/schemas/Money/description: is there twice, again in line ",
        ),
        (
            "tmf699-sales-v4.yaml",
            "tmf-common-v4.yaml#",
            "tmf-comon-v4.yaml#",
            "tmf-comon-v4.yaml#: cannot be read: No such file or directory",
        ),
    ],
)
def test_a_fault_is_reported_in_the_file_that_has_it(
    tmp_path: Path, file: str, written: str, instead: str, reported: str
) -> None:
    assert refusal(copied(tmp_path, file, written, instead)).startswith(reported)


def test_a_service_does_not_start_on_a_broken_contract(tmp_path: Path) -> None:
    folder = copied(tmp_path, "tmf699-sales-v4.yaml", "initial: acknowledged", "initial: nope")

    with pytest.raises(BrokenContract, match="'nope' is not a state"):
        compose(Settings(store="memory:"), contracts=folder)


@pytest.mark.parametrize(
    ("file", "written", "instead", "reported"),
    [
        (
            "tmf699-sales-v4.yaml",
            "initial: acknowledged",
            "initial: nope",
            "tmf699-sales-v4.yaml#/components/schemas/SalesLeadStateType/x-lifecycle/initial: 'nope' is not a state",
        ),
        (
            "tmf-common-v4.yaml",
            "minLength: 1, maxLength: 300",
            "pattern: '('",
            "tmf-common-v4.yaml#/components/parameters/ListenerId/schema/pattern: '(' is no pattern",
        ),
    ],
)
def test_check_says_it_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, written: str, instead: str, reported: str
) -> None:
    folder = copied(tmp_path, file, written, instead)
    monkeypatch.setattr("tmf_sales.contract.files.contracts_folder", lambda: folder)

    result = CliRunner().invoke(main, ["check", "--store", "memory:"])

    assert result.exit_code == 1
    [bad] = [line for line in result.output.splitlines() if line.startswith("BAD")]
    assert bad.startswith(f"BAD  contract: {reported}")
