"""Merge patches: every example of RFC 7386, and the lists whose elements a key identifies."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from tmf_sales.errors import InvalidPatch
from tmf_sales.patch.merge_patch import Keyed, apply_merge_patch

SAMPLES = Path(__file__).parents[1] / "samples"

ITEMS: dict[str, Keyed] = {}
ITEMS["item"] = Keyed("id", ITEMS)

# RFC 7386, appendix A: original, patch, result.
RFC_7386 = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]


def sample(name: str) -> Any:
    return json.loads((SAMPLES / name).read_text())


@pytest.mark.parametrize(("original", "patch", "result"), RFC_7386)
def test_the_examples_of_rfc_7386_hold_for_a_member(original: Any, patch: Any, result: Any) -> None:
    assert apply_merge_patch({"member": original}, {"member": patch}) == {"member": result}


@pytest.mark.parametrize(
    ("original", "patch", "result"), [row for row in RFC_7386 if type(row[0]) is type(row[1]) is dict]
)
def test_the_examples_of_rfc_7386_hold_for_a_document(original: Any, patch: Any, result: Any) -> None:
    assert apply_merge_patch(original, patch) == result


def test_the_example_of_rfc_7386_that_replaces_by_null_removes_a_member() -> None:
    assert apply_merge_patch({"member": {"a": "foo"}}, {"member": None}) == {}


def test_the_narrative_example_of_rfc_7386() -> None:
    original = {
        "title": "Goodbye!",
        "author": {"givenName": "John", "familyName": "Doe"},
        "tags": ["example", "sample"],
        "content": "This will be unchanged",
    }
    patch = {"title": "Hello!", "phoneNumber": "+01-123-456-7890", "author": {"familyName": None}, "tags": ["example"]}

    assert apply_merge_patch(original, patch) == {
        "title": "Hello!",
        "author": {"givenName": "John"},
        "tags": ["example"],
        "content": "This will be unchanged",
        "phoneNumber": "+01-123-456-7890",
    }


@pytest.mark.parametrize("patch", [None, 1, "text", [], True])
def test_a_patch_that_would_turn_the_resource_into_something_else_is_refused(patch: Any) -> None:
    with pytest.raises(InvalidPatch, match="expected an object"):
        apply_merge_patch({"a": 1}, patch)


def test_the_list_is_the_new_list_but_known_elements_are_merged() -> None:
    stored = {"item": [{"id": "1", "a": 1, "b": 1}, {"id": "2", "a": 2}, {"id": "3"}]}
    patch = {"item": [{"id": "2", "b": {"c": 2, "d": None}}, {"id": "1", "a": None}, {"id": "4", "a": None}]}

    assert apply_merge_patch(stored, patch, ITEMS) == {
        "item": [{"id": "2", "a": 2, "b": {"c": 2}}, {"id": "1", "b": 1}, {"id": "4"}]
    }


def test_lists_inside_known_elements_are_merged_by_their_keys_too() -> None:
    stored = {"item": [{"id": "1", "item": [{"id": "1.1", "a": 1}, {"id": "1.2"}], "tags": ["x"]}]}
    patch = {"item": [{"id": "1", "item": [{"id": "1.1", "b": 2}], "tags": ["y"]}]}

    assert apply_merge_patch(stored, patch, ITEMS) == {
        "item": [{"id": "1", "item": [{"id": "1.1", "a": 1, "b": 2}], "tags": ["y"]}]
    }


def test_keyed_lists_are_found_inside_objects() -> None:
    keys = {"box": Keyed(None, ITEMS)}

    merged = apply_merge_patch({"box": {"item": [{"id": "1", "a": 1}]}}, {"box": {"item": [{"id": "1", "b": 2}]}}, keys)

    assert merged == {"box": {"item": [{"id": "1", "a": 1, "b": 2}]}}


@pytest.mark.parametrize("stored", [{}, {"item": None}, {"item": "text"}, {"item": {}}, {"item": [7, {"id": 7}, {}]}])
def test_elements_are_new_where_nothing_with_their_key_was_stored(stored: dict[str, Any]) -> None:
    elements = [{"id": "7"}, {"id": 7}, {}, 7, None, "7"]

    assert apply_merge_patch(stored, {"item": elements}, ITEMS) == {"item": elements}


@pytest.mark.parametrize("value", [None, "text", {"id": "1"}])
def test_what_is_no_list_replaces_a_keyed_list_as_it_would_any_other(value: Any) -> None:
    merged = apply_merge_patch({"item": [{"id": "1"}]}, {"item": value}, ITEMS)

    assert merged == ({} if value is None else {"item": value})


def test_the_inputs_are_neither_changed_nor_shared() -> None:
    stored = {"item": [{"id": "1", "a": {"b": 1}}], "kept": {"c": [1]}}
    patch = {"item": [{"id": "1", "a": {"b": None}}, {"id": "2", "d": [1]}], "new": {"e": [1]}}
    inputs = copy.deepcopy((stored, patch))

    merged = apply_merge_patch(stored, patch, ITEMS)
    merged["kept"]["c"].append(2)
    merged["new"]["e"].append(2)
    merged["item"][1]["d"].append(2)

    assert (stored, patch) == inputs


def test_the_printed_merge_patch_gives_the_quantities_of_its_items_and_keeps_what_it_leaves_out() -> None:
    stored = sample("tmf648-create-response.json")

    merged = apply_merge_patch(stored, sample("tmf648-mergepatch-request.json"), {"quoteItem": Keyed("id", {})})

    assert [item["quantity"] for item in merged["quoteItem"]] == [12, 12, 1]
    assert merged["quoteItem"][0]["productOffering"] == stored["quoteItem"][0]["productOffering"]
    assert merged["relatedParty"][0] == {
        "name": "Louise Pontus",
        "role": "Buyer Contact",
        "@referredType": "Individual",
    }
    assert merged["note"] == stored["note"]


def test_the_printed_merge_patch_of_a_lead_changes_two_members() -> None:
    stored = sample("tmf699-create-response.json")
    patch = sample("tmf699-mergepatch-request.json")

    assert apply_merge_patch(stored, patch) == {**stored, **patch}
