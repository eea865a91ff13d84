"""From a body or a patch to the document to store: every step that refuses, and what each leaves behind."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from tests.contract import small_contract

from tmf_sales.contract.leniency import Mode
from tmf_sales.engine.documents import BuiltDocument, DocumentBuilder, Patch
from tmf_sales.engine.hooks import Rules
from tmf_sales.errors import (
    FinalState,
    ForbiddenTransition,
    InvalidBody,
    InvalidPatch,
    NotPatchable,
    PatchDoesNotApply,
    PatchResultRefused,
    TmfError,
)
from tmf_sales.storage.records import Document
from tmf_sales.values.messages import Violation

NOW = "2026-01-01T00:00:00.000Z"
LATER = "2026-02-01T00:00:00.000Z"
HREF = "http://host/order/7"
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
STORED: Document = {
    "id": "7",
    "name": "x",
    "state": "open",
    "stateDate": NOW,
    "date": NOW,
    "version": "1",
    "amount": 1,
    "line": [{"id": "1", "state": "open", "quantity": 2, "line": [{"id": "1", "state": "open", "quantity": 1}]}],
}


class OrderRules(Rules):
    """Rules that leave a trace of each hook."""

    def check_body(self, document: Document) -> list[Violation]:
        return [Violation("/amount", "is too much")] if document.get("amount") == 99 else []

    def on_create(self, document: Document, now: str) -> None:
        document["created"] = now

    def editable_members(self, state: str, final: bool) -> frozenset[str] | None:
        return frozenset({"note"}) if final else None

    def on_patch(self, before: Document, after: Document, now: str) -> None:
        after["patched"] = now

    def after_transition(self, before: Document, after: Document, now: str) -> None:
        after["settled"] = after["state"]


@pytest.fixture
def builder(tmp_path: Path) -> DocumentBuilder:
    return DocumentBuilder(small_contract.contract(tmp_path).resources["order"], OrderRules())


def patched(builder: DocumentBuilder, patch: Any, media_type: str = MERGE, stored: Document = STORED) -> BuiltDocument:
    before = copy.deepcopy(stored)
    sent = copy.deepcopy(patch)
    try:
        return builder.patched(before, Patch(patch, media_type, HREF, LATER))
    finally:
        assert before == stored
        assert patch == sent


def test_a_body_is_settled_or_refused(builder: DocumentBuilder) -> None:
    body = {"date": "2019-05-06T02:00:00+02:00"}

    builder.normalize_body(body, lambda: NOW)

    assert body == {"date": "2019-05-06T00:00:00.000Z"}
    with pytest.raises(InvalidBody):
        builder.normalize_body({"date": "never"}, lambda: NOW)


def test_a_new_document_has_its_id_first_and_its_defaults(builder: DocumentBuilder) -> None:
    document = builder.new({"name": "x"}, "7", NOW)

    assert next(iter(document.items())) == ("id", "7")
    assert document == {"id": "7", "name": "x", "version": "1", "date": NOW, "state": "open", "created": NOW}


def test_a_further_version_has_its_number(builder: DocumentBuilder) -> None:
    assert builder.new({"name": "x", "version": "1"}, "7", NOW, "2")["version"] == "2"


def test_a_new_document_that_breaks_a_rule_is_refused(builder: DocumentBuilder) -> None:
    with pytest.raises(InvalidBody, match="/amount: is too much"):
        builder.new({"name": "x", "amount": 99}, "7", NOW)


def test_a_patch_changes_and_the_rules_complete(builder: DocumentBuilder) -> None:
    built = patched(builder, {"name": "y", "amount": None})

    changed = {name: value for name, value in STORED.items() if name != "amount"}
    assert built.document == {**changed, "name": "y", "patched": LATER, "settled": "open"}
    assert built.server_set == {"patched", "settled"}


@pytest.mark.parametrize("patch", [{}, {"amount": 1}, {"id": "7", "href": HREF}, {"state": "open"}, {"colour": None}])
def test_a_patch_that_changes_nothing_is_the_stored_document_itself(builder: DocumentBuilder, patch: Document) -> None:
    before = copy.deepcopy(STORED)

    built = builder.patched(before, Patch(patch, MERGE, HREF, LATER))

    assert built.document is before
    assert built.server_set == frozenset()


def test_a_json_patch_works_on_what_get_shows(builder: DocumentBuilder) -> None:
    operations = [
        {"op": "test", "path": "/href", "value": HREF},
        {"op": "copy", "from": "/href", "path": "/name"},
    ]

    built = patched(builder, operations, JSON_PATCH)

    assert built.document["name"] == HREF
    assert "href" not in built.document


def test_a_list_as_plain_json_is_a_json_patch(builder: DocumentBuilder) -> None:
    operations = [{"op": "replace", "path": "/name", "value": "y"}]

    assert patched(builder, operations, "application/json").document["name"] == "y"
    assert patched(builder, {"name": "y"}, "application/json").document["name"] == "y"


def test_keyed_lists_are_merged_at_any_depth(builder: DocumentBuilder) -> None:
    built = patched(builder, {"line": [{"id": "1", "line": [{"id": "1", "quantity": 5}, {}]}]})

    assert built.document["line"] == [
        {
            "id": "1",
            "state": "open",
            "quantity": 2,
            "line": [
                {"id": "1", "state": "open", "quantity": 5},
                {"quantity": 1, "state": "open", "id": "2"},
            ],
        }
    ]


def test_keyed_lists_in_an_object_are_merged_too(builder: DocumentBuilder) -> None:
    stored = {**STORED, "box": {"line": [{"id": "1", "quantity": 3, "state": "open"}]}}

    built = patched(builder, {"box": {"line": [{"id": "1", "state": "done"}]}}, stored=stored)

    assert built.document["box"]["line"] == [{"id": "1", "quantity": 3, "state": "done", "doneDate": LATER}]


def test_entering_a_state_sets_its_dates(builder: DocumentBuilder) -> None:
    built = patched(builder, {"state": "done", "line": [{"id": "1", "state": "done"}]})

    assert (built.document["stateDate"], built.document["doneDate"]) == (LATER, LATER)
    assert built.document["line"][0]["doneDate"] == LATER
    assert {"stateDate", "doneDate"} <= built.server_set


def test_a_date_that_was_sent_stands_even_if_it_is_the_stored_one(builder: DocumentBuilder) -> None:
    built = patched(builder, {"state": "done", "stateDate": NOW, "doneDate": "2020-01-01T00:00:00Z"})

    assert (built.document["stateDate"], built.document["doneDate"]) == (NOW, "2020-01-01T00:00:00.000Z")


@pytest.mark.parametrize(
    ("patch", "media_type", "error", "said"),
    [
        ({"id": "8", "date": LATER}, MERGE, NotPatchable, "/date: cannot be changed; /id: cannot be changed"),
        ({"href": None}, MERGE, NotPatchable, "/href: cannot be changed"),
        ([{"op": "remove", "path": "/id"}], JSON_PATCH, NotPatchable, "/id: cannot be changed"),
        ({"name": None}, MERGE, PatchResultRefused, "/name: is required"),
        ({"amount": "x"}, MERGE, PatchResultRefused, "/amount: expected an integer"),
        ({"wanted": "never"}, MERGE, InvalidBody, "/wanted: "),
        ({"valid": {"from": LATER, "to": NOW}}, MERGE, InvalidBody, "/valid/to: must not be before from"),
        (
            [{"op": "add", "path": "/valid", "value": {"from": LATER, "to": NOW}}],
            JSON_PATCH,
            PatchResultRefused,
            "/valid/to",
        ),
        (
            [{"op": "add", "path": "/wanted", "value": "2026-01-01T12:30:60Z"}],
            JSON_PATCH,
            PatchResultRefused,
            "/wanted: text '2026-01-01T12:30:60Z' is not a date-time",
        ),
        ({"amount": 99}, MERGE, PatchResultRefused, "/amount: is too much"),
        ({"state": None}, MERGE, PatchResultRefused, "/state: is required"),
        ({"line": [{"id": "1", "state": None}]}, MERGE, ForbiddenTransition, "/line/0/state: cannot change from open"),
        ({"line": [{"id": "1"}, {"state": "nowhere"}]}, MERGE, PatchResultRefused, "/line/1/state: expected one of"),
        ([{"op": "test", "path": "/name", "value": "y"}], JSON_PATCH, PatchDoesNotApply, ""),
        ([{"op": "jump"}], JSON_PATCH, InvalidPatch, ""),
    ],
)
def test_what_refuses_a_patch(
    builder: DocumentBuilder, patch: Any, media_type: str, error: type[TmfError], said: str
) -> None:
    with pytest.raises(error) as refused:
        patched(builder, patch, media_type)

    assert said in refused.value.message


def test_a_period_that_a_merge_patch_turns_round_is_a_fault_of_the_result(builder: DocumentBuilder) -> None:
    stored = {**STORED, "valid": {"from": LATER}}

    with pytest.raises(PatchResultRefused, match="/valid/to: must not be before from"):
        patched(builder, {"valid": {"to": NOW}}, stored=stored)


def test_strict_mode_rejects_what_a_patch_brings_and_the_contract_does_not_know(tmp_path: Path) -> None:
    builder = DocumentBuilder(small_contract.contract(tmp_path).resources["order"], OrderRules(), mode=Mode.STRICT)
    stored = {**STORED, "unknown": 1}

    with pytest.raises(InvalidBody, match="/colour: is not known to the contract"):
        patched(builder, [{"op": "add", "path": "/colour", "value": "red"}], JSON_PATCH, stored)
    assert patched(builder, [{"op": "add", "path": "/name", "value": "y"}], JSON_PATCH, stored).document["name"] == "y"


def with_reason(folder: Path) -> DocumentBuilder:
    """The builder of a contract in which a state takes a reason along, and a note has the type of its text."""
    schemas = copy.deepcopy(small_contract.SCHEMAS)
    schemas["OrderState"]["x-remove-on"] = {"any": "reason", "done": "anything"}
    schemas["Order_Attributes"]["properties"]["reason"] = {"type": "string"}
    schemas["Note"]["properties"]["kind"] = {"type": "string", "x-default": "$typeOf.text"}
    return DocumentBuilder(
        small_contract.contract(folder, small_contract.document(**schemas)).resources["order"], Rules()
    )


@pytest.mark.parametrize(
    ("patch", "media_type", "left"),
    [
        ({"state": "waiting"}, MERGE, {"anything": 1}),
        ({"state": "done"}, MERGE, {}),
        ({"state": "done", "reason": "old"}, MERGE, {"reason": "old"}),
        ({"state": "waiting", "reason": "new"}, MERGE, {"reason": "new", "anything": 1}),
        ({"name": "y"}, MERGE, {"reason": "old", "anything": 1}),
        ([{"op": "replace", "path": "/state", "value": "done"}], JSON_PATCH, {}),
        (
            [
                {"op": "replace", "path": "/reason", "value": "old"},
                {"op": "add", "path": "$.anything", "value": 1},
                {"op": "replace", "path": "/state", "value": "done"},
            ],
            JSON_PATCH,
            {"reason": "old", "anything": 1},
        ),
        (
            [
                {"op": "test", "path": "/reason", "value": "old"},
                {"op": "replace", "path": "/state", "value": "done"},
            ],
            JSON_PATCH,
            {},
        ),
    ],
)
def test_entering_a_state_removes_what_belonged_to_the_last_one(
    tmp_path: Path, patch: Any, media_type: str, left: Document
) -> None:
    built = patched(with_reason(tmp_path), patch, media_type, {**STORED, "reason": "old", "anything": 1})

    assert {name: built.document[name] for name in ("reason", "anything") if name in built.document} == left


@pytest.mark.parametrize(("note", "kind"), [({"text": "x"}, "string"), ({"text": None}, None), ({}, None)])
def test_a_default_may_be_the_type_of_another_member(tmp_path: Path, note: Document, kind: str | None) -> None:
    document = with_reason(tmp_path).new({"name": "x", "note": [note]}, "7", NOW)

    assert document["note"][0].get("kind") == kind


def test_the_same_instant_in_another_form_is_no_change(builder: DocumentBuilder) -> None:
    operations = [{"op": "replace", "path": "/date", "value": "2026-01-01T01:00:00+01:00"}]

    assert patched(builder, operations, JSON_PATCH).document == STORED


def test_a_final_state_closes_all_but_what_the_rules_leave_open(builder: DocumentBuilder) -> None:
    final = {**STORED, "state": "done"}

    assert patched(builder, {"note": [{"text": "x"}], "name": "x"}, stored=final).document["note"]
    with pytest.raises(FinalState, match="/amount, /name: cannot change while state is done; open in it: note"):
        patched(builder, {"name": "y", "amount": 2, "state": "open"}, stored=final)
    with pytest.raises(ForbiddenTransition):
        patched(builder, {"state": "open"}, stored=final)


def test_a_resource_without_lifecycle_is_always_open(tmp_path: Path) -> None:
    schemas = copy.deepcopy(small_contract.SCHEMAS)
    for name in ("Order_Attributes", "Line"):
        del schemas[name]["properties"]["state"]
    schemas["Order_Update"]["required"] = ["name"]
    schemas["Order"]["x-index"] = ["name"]
    resource = small_contract.contract(tmp_path, small_contract.document(**schemas)).resources["order"]
    stored = {"id": "7", "name": "x", "date": NOW}

    assert patched(DocumentBuilder(resource, Rules()), {"name": "y"}, stored=stored).document == {**stored, "name": "y"}


def test_rules_that_cannot_cope_with_a_refused_body_are_silent(tmp_path: Path) -> None:
    class Confused(Rules):
        def check_body(self, document: Document) -> list[Violation]:
            raise TypeError

    builder = DocumentBuilder(small_contract.contract(tmp_path).resources["order"], Confused())

    assert builder.broken_rules({"name": "x"}, NOW) == []
