"""JSON Patch Query: pointers with a query, and JSONPath; which places they name, and what is refused."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from tmf_sales.errors import BodyTooLarge, InvalidPatch, PatchDoesNotApply
from tmf_sales.patch.json_patch import apply_json_patch

SAMPLES = Path(__file__).parents[1] / "samples"

BOX: dict[str, Any] = {
    "id": "box",
    "label": "old",
    "size": {"unit": "cm", "height": 3},
    "party": [
        {"id": "1", "name": "Ann", "role": "buyer", "@type": "Party"},
        {"id": "2", "name": "Bob", "role": "seller", "vip": True, "rank": 7, "seen": None},
        {"id": "3", "name": "Cyd", "role": "buyer", "rank": 7.5, "a&b": "x=y", "100%": "50% off"},
    ],
    "item": [
        {"id": "1", "note": [{"id": "1", "text": "a"}, {"id": "2", "text": "b"}], "item": [{"id": "1"}, {"id": "2"}]},
        {"id": "2", "note": [{"id": "1", "text": "c"}], "spec": {"tag": [{"name": "red"}, {"name": "blue"}]}},
    ],
    "grid": [[{"id": "1"}, {"id": "2"}], [{"id": "2"}]],
}


def marked(path: str) -> list[str]:
    """The pointers of all places where a replacement at `path` puts its mark."""
    patched = apply_json_patch(BOX, [{"op": "replace", "path": path, "value": "MARK"}])
    return list(find_marks(patched, ""))


def find_marks(value: Any, pointer: str) -> Any:
    if value == "MARK":
        yield pointer
    elif isinstance(value, dict | list):
        for step, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from find_marks(inner, f"{pointer}/{step}")


POINTER_QUERIES = {
    "/party/name?id=2": ["/party/1/name"],
    "/party/name?role=buyer": ["/party/0/name", "/party/2/name"],
    "/party/name?party.role=buyer": ["/party/0/name", "/party/2/name"],
    "/party/name?role=buyer&id=3": ["/party/2/name"],
    "/party/name?role=buyer&party.id=3": ["/party/2/name"],
    "/party/name?@type=Party": ["/party/0/name"],
    "/party/name?vip=true": ["/party/1/name"],
    "/party/name?rank=7": ["/party/1/name"],
    "/party/name?rank=7.50": ["/party/2/name"],
    "/party/name?seen=null": ["/party/1/name"],
    "/party/name?a%26b=x%3Dy": ["/party/2/name"],
    "/party/name?100%=50% off": ["/party/2/name"],
    "/party?id=2": ["/party/1"],
    "/party/1/name?id=2": ["/party/1/name"],
    "/party/1/name?party.id=2": ["/party/1/name"],
    "/label?id=box": ["/label"],
    "/size/height?size.unit=cm": ["/size/height"],
    "/item/note/text?id=1": ["/item/0/note/0/text", "/item/1/note/0/text"],
    "/item/note/text?note.id=1": ["/item/0/note/0/text", "/item/1/note/0/text"],
    "/item/note/text?item.note.id=2": ["/item/0/note/1/text"],
    "/item/note/text?item.id=1": ["/item/0/note/0/text", "/item/0/note/1/text"],
    "/item/note/text?item.id=1&id=1": ["/item/0/note/0/text"],
    "/item/note/text?item.id=1&note.id=1": ["/item/0/note/0/text"],
    "/item/note?item.id=2": ["/item/1/note"],
    "/item/note?item.id=1&note.id=2": ["/item/0/note/1"],
    "/item/item/id?item.id=1": ["/item/0/item/0/id", "/item/0/item/1/id"],
    "/item/item/id?item.item.id=2": ["/item/0/item/1/id"],
    "/item/spec?item.spec.tag.name=red": ["/item/1/spec"],
    "/item/spec?spec.tag.name=blue": ["/item/1/spec"],
    "/item/id?spec.tag.name=blue": ["/item/1/id"],
    "/item/id?note.text=b": ["/item/0/id"],
    "/grid/id?id=2": ["/grid/0/1/id", "/grid/1/0/id"],
    "/grid/0/1/id?id=2": ["/grid/0/1/id"],
}

JSONPATHS = {
    "party[?(@.id=='2')].name": ["/party/1/name"],
    "$.party[?(@.id=='2')].name": ["/party/1/name"],
    "$['party'][?@['id'] == \"2\"]['name']": ["/party/1/name"],
    "party[?(@.role=='buyer')].name": ["/party/0/name", "/party/2/name"],
    "party[?(@.role=='buyer' && @.id=='3')].name": ["/party/2/name"],
    "party[?(@.id=='2' || @.id=='3')].name": ["/party/1/name", "/party/2/name"],
    "party[?(!(@.role=='buyer'))].name": ["/party/1/name"],
    "party[?(@.role!='buyer')].name": ["/party/1/name"],
    "party[?(@.rank!=7)].name": ["/party/0/name", "/party/2/name"],
    "party[?(@.rank)].name": ["/party/1/name", "/party/2/name"],
    "party[?(!@.rank)].name": ["/party/0/name"],
    "party[?(@.rank==7.0)].name": ["/party/1/name"],
    "party[?(@.rank>7)].name": ["/party/2/name"],
    "party[?(@.rank>=7)].name": ["/party/1/name", "/party/2/name"],
    "party[?(@.rank<7.5)].name": ["/party/1/name"],
    "party[?(7.5>=@.rank)].name": ["/party/1/name", "/party/2/name"],
    "party[?('2'==@.id)].name": ["/party/1/name"],
    "party[?(@.name<'Bob')].name": ["/party/0/name"],
    "party[?(@.vip==true)].name": ["/party/1/name"],
    "party[?(@.id==2)].name": ["/party/1/name"],
    "party[?(@.@type=='Party')].name": ["/party/0/name"],
    "party[?(@.seen==null)].name": ["/party/1/name"],
    "party[?(@.id=='2')]": ["/party/1"],
    "party[0].name": ["/party/0/name"],
    "party[-1].name": ["/party/2/name"],
    "party[*].name": ["/party/0/name", "/party/1/name", "/party/2/name"],
    "item[?(@.note.text=='b')].id": ["/item/0/id"],
    "item[?(@.id=='1')].note[?(@.id=='2')].text": ["/item/0/note/1/text"],
    "$.label": ["/label"],
    "$['size'].unit": ["/size/unit"],
    "grid[0][1].id": ["/grid/0/1/id"],
}


@pytest.mark.parametrize("path", POINTER_QUERIES)
def test_a_pointer_with_a_query_names_every_place_that_meets_it(path: str) -> None:
    assert marked(path) == POINTER_QUERIES[path]


@pytest.mark.parametrize("path", JSONPATHS)
def test_jsonpath_names_every_place_that_meets_it(path: str) -> None:
    assert marked(path) == JSONPATHS[path]


@pytest.mark.parametrize(
    "path",
    [
        "/party/name?id=4",
        "/party/name?rank=true",
        "/party/name?vip=1",
        "/party/missing?id=2",
        "/party/name/first?id=2",
        "/missing/name?id=2",
        "/label?id=other",
        "/label?label.id=box",
        "/party/7/name?id=2",
        "/party/0/name?party.id=2",
        "/party/-?party.id=2",
        "party[?(@.id=='4')].name",
        "party[?(@.id==2.0)].name",
        "party[?(@.vip>false)].name",
        "party[?(@.seen<=null)].name",
        "party[?(@.vip==1)].name",
        "party[?(@.vip>0)].name",
        "party[?(@.rank>'7')].name",
        "party[?(@.rank==1e400)].name",
        "party[?(@.id=='2')].missing",
        "party[7].name",
        "party[-4].name",
        "$.party.name",
        "label[?(@.id=='2')]",
        "size[0]",
    ],
)
def test_a_query_that_nothing_meets_does_not_apply(path: str) -> None:
    with pytest.raises(PatchDoesNotApply, match="nothing matches the path"):
        marked(path)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/party/name?=2&id=2", "nothing is at"),
        ("/party/name?", "nothing is at"),
    ],
)
def test_a_question_mark_without_a_name_behind_it_is_part_of_a_plain_pointer(path: str, expected: str) -> None:
    with pytest.raises(PatchDoesNotApply, match=expected):
        marked(path)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/party/name?id=2&", "expected name=value conditions"),
        ("/party/name?id=2&role", "expected name=value conditions"),
        ("/party/name?party..id=2", "expected name=value conditions"),
        ("/par~ty/name?id=2", "expected ~0 or ~1"),
        ("$..name", "'..' at position 2 is not supported"),
        ("party['name','id']", "a list of selectors at position 6 is not supported"),
        ("party[0:2].name", "a slice at position 6 is not supported"),
        ("party[?(@.id=='2'", "the expression is not complete"),
        ("$.party | $.item", "'|' at position 9 is not supported"),
        ("party[?match(@.name, 'A.*')].name", "the function 'match' at position 8 is not supported"),
        ("party[?!(true)].name", "')' at position 14 is not supported"),
        ("party[?(@.name =~ /A.*/)].name", "expected ==, !="),
        ("party[?(@.name =~ /(/)].name", "expected ==, !="),
        ("party[?(@.name in ['Ann'])].name", "'in' at position 16 is not supported"),
        ("party[?(@.name == @.label)].name", "expected text, a number"),
        ("party[?(@.name == /a/)].name", "expected text, a number"),
        ("party[?($.name)].name", "expected member names only"),
        ("party[?(@.rank==007)].name", "the number '007' at position 17 is not supported"),
        ("party[?('a' == 'a')].name", "expected a member of the element"),
        ("party[?(@[0] == 'a')].name", "expected member names only"),
        ("party" + "[?@.a" * 160 + "]" * 160, "nesting deeper than 12"),
        ("party[" + "9" * 900 + "]", "at position 7 is not supported"),
        ("party[1e5]", "the index '1' at position 7 is not supported"),
        ("party[?(@.rank > 99999999999999.99)].name", "the number '99999999999999.99' cannot be kept exactly"),
    ],
)
def test_a_path_that_is_none_or_outside_the_subset_is_malformed(path: str, expected: str) -> None:
    with pytest.raises(InvalidPatch) as refusal:
        marked(path)

    assert "operation 0 (replace): path " in refusal.value.message
    assert expected in refusal.value.message


def test_both_spellings_and_plain_pointers_mix_in_one_patch() -> None:
    patched = apply_json_patch(
        BOX,
        [
            {"op": "test", "path": "/party/name?id=2", "value": "Bob"},
            {"op": "replace", "path": "/label", "value": "new"},
            {"op": "replace", "path": "party[?(@.id=='2')].name", "value": "Ben"},
            {"op": "replace", "path": "/party/role?name=Ben", "value": "broker"},
        ],
    )

    assert patched == {
        **BOX,
        "label": "new",
        "party": [BOX["party"][0], {**BOX["party"][1], "name": "Ben", "role": "broker"}, BOX["party"][2]],
    }


def test_remove_takes_away_every_match() -> None:
    patched = apply_json_patch(BOX, [{"op": "remove", "path": "/party?role=buyer"}])

    assert [party["id"] for party in patched["party"]] == ["2"]


def test_remove_takes_a_member_from_every_match() -> None:
    patched = apply_json_patch(BOX, [{"op": "remove", "path": "party[*].role"}])

    assert not any("role" in party for party in patched["party"])


@pytest.mark.parametrize("path", ["/party/phone?role=buyer", "party[?(@.role=='buyer')].phone"])
def test_add_gives_a_new_member_to_every_match(path: str) -> None:
    patched = apply_json_patch(BOX, [{"op": "add", "path": path, "value": ["1"]}])

    assert [party.get("phone") for party in patched["party"]] == [["1"], None, ["1"]]


def test_add_appends_to_the_list_of_every_match() -> None:
    patched = apply_json_patch(BOX, [{"op": "add", "path": "/item/note/-?item.id=1", "value": {"id": "9"}}])

    assert [note["id"] for note in patched["item"][0]["note"]] == ["1", "2", "9"]
    assert patched["item"][1] == BOX["item"][1]


@pytest.mark.parametrize("path", ["/party?role=buyer", "party[?(@.role=='buyer')]"])
def test_add_at_elements_inserts_before_each_as_an_index_would(path: str) -> None:
    patched = apply_json_patch(BOX, [{"op": "add", "path": path, "value": {"id": "9"}}])

    assert [party["id"] for party in patched["party"]] == ["9", "1", "2", "9", "3"]


def test_every_match_has_to_pass_a_test() -> None:
    apply_json_patch(BOX, [{"op": "test", "path": "/party/role?role=buyer", "value": "buyer"}])
    with pytest.raises(PatchDoesNotApply):
        apply_json_patch(BOX, [{"op": "test", "path": "party[*].role", "value": "buyer"}])


def test_copy_goes_from_one_place_to_every_match() -> None:
    patched = apply_json_patch(BOX, [{"op": "copy", "from": "/party/name?id=2", "path": "party[?(@.rank)].alias"}])

    assert [party.get("alias") for party in patched["party"]] == [None, "Bob", "Bob"]


def test_a_copy_into_its_own_list_is_the_same_for_every_match() -> None:
    patched = apply_json_patch(BOX, [{"op": "copy", "from": "/party/1", "path": "party[*]"}])

    assert [party["id"] for party in patched["party"]] == ["2", "1", "2", "2", "2", "3"]


def test_move_finds_its_target_in_the_document_without_the_value() -> None:
    patched = apply_json_patch(BOX, [{"op": "move", "from": "party[?(@.id=='1')]", "path": "/party/0?id=2"}])

    assert [party["id"] for party in patched["party"]] == ["1", "2", "3"]


def test_move_takes_an_element_to_the_end_of_its_list() -> None:
    patched = apply_json_patch(BOX, [{"op": "move", "from": "/party?id=1", "path": "/party/-"}])

    assert [party["id"] for party in patched["party"]] == ["2", "3", "1"]


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "copy", "from": "/party?role=buyer", "path": "/chosen"},
        {"op": "move", "from": "/party?role=buyer", "path": "/chosen"},
        {"op": "move", "from": "/label", "path": "party[*].label"},
    ],
)
def test_one_source_and_one_target_of_a_move_are_needed(operation: Any) -> None:
    with pytest.raises(PatchDoesNotApply, match=r"the path matches \d places, one is needed"):
        apply_json_patch(BOX, [operation])


def test_a_query_leaves_its_inputs_alone() -> None:
    before = copy.deepcopy(BOX)

    apply_json_patch(BOX, [{"op": "remove", "path": "party[*].name"}, {"op": "remove", "path": "/item?id=1"}])

    assert before == BOX


@pytest.mark.parametrize("path", ["/list/inner/a?list.b.c=1", "list[?(@.b.c==1)].inner[?(@.a==1)].a"])
def test_a_patch_whose_queries_look_at_too_much_is_refused(path: str) -> None:
    document = {"list": [{"b": [{"c": 0}] * 100, "inner": []}] * 100}

    with pytest.raises(BodyTooLarge, match="look at more than 300000 values"):
        apply_json_patch(
            document,
            [{"op": "test", "path": "/list/0/b/0/c", "value": 0}]
            + [
                {"op": "add", "path": "/list/-", "value": {"b": {"c": 1}, "inner": [{"a": 1}]}},
            ]
            + [{"op": "replace", "path": path, "value": 1}] * 100,
        )


def test_changes_count_for_more_than_looks() -> None:
    document = {"list": list(range(1000))}

    with pytest.raises(BodyTooLarge, match="look at more than 300000 values"):
        apply_json_patch(document, [{"op": "replace", "path": "list[*]", "value": 1}] * 30)


def test_more_jsonpath_than_is_quickly_read_is_malformed() -> None:
    operation = {"op": "replace", "path": "label" + "[?(@.a==1)]" * 50, "value": 1}

    with pytest.raises(InvalidPatch, match="at most 65536 characters of JSONPath"):
        apply_json_patch(BOX, [operation] * 130)


def test_a_query_on_values_added_many_times_counts_them_all() -> None:
    document = {"list": [{"id": n} for n in range(1000)]}

    with pytest.raises(BodyTooLarge):
        apply_json_patch(document, [{"op": "add", "path": "list[*].text", "value": "x" * 10_000}])


def test_the_printed_json_patch_gives_the_results_that_its_operations_say() -> None:
    stored = json.loads((SAMPLES / "tmf648-create-response.json").read_text())
    operations = json.loads((SAMPLES / "tmf648-jsonpatch-request.json").read_text())

    patched = apply_json_patch(stored, operations)

    assert [item["quantity"] for item in patched["quoteItem"]] == [10, 12, 12]
    assert patched["relatedParty"][0] == {**stored["relatedParty"][0], "name": "Louise Pontus"}
    assert patched["relatedParty"][1:] == stored["relatedParty"][1:]


def test_a_number_that_is_not_kept_exactly_equals_no_number_but_its_own_text() -> None:
    document = {"item": [{"id": 20, "n": "a"}, {"id": "19.999999999999999999", "n": "b"}]}

    for path in ("/item/n?id=19.999999999999999999", "item[?(@.id==19.999999999999999999)].n"):
        after = apply_json_patch(document, [{"op": "replace", "path": path, "value": "x"}])

        assert [item["n"] for item in after["item"]] == ["a", "x"]
