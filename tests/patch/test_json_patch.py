"""JSON Patch: every example of RFC 6902, what is malformed, what does not apply, and the bounds."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tmf_sales.errors import BodyTooLarge, InvalidPatch, PatchDoesNotApply, PatchResultRefused
from tmf_sales.patch.json_patch import MAX_DEPTH, MAX_OPERATIONS, apply_json_patch, depth_of, survey

# RFC 6902, appendix A: the document, the patch, the result.
RFC_6902: dict[str, tuple[Any, Any, Any]] = {
    "A.1 adding an object member": (
        {"foo": "bar"},
        [{"op": "add", "path": "/baz", "value": "qux"}],
        {"baz": "qux", "foo": "bar"},
    ),
    "A.2 adding an array element": (
        {"foo": ["bar", "baz"]},
        [{"op": "add", "path": "/foo/1", "value": "qux"}],
        {"foo": ["bar", "qux", "baz"]},
    ),
    "A.3 removing an object member": (
        {"baz": "qux", "foo": "bar"},
        [{"op": "remove", "path": "/baz"}],
        {"foo": "bar"},
    ),
    "A.4 removing an array element": (
        {"foo": ["bar", "qux", "baz"]},
        [{"op": "remove", "path": "/foo/1"}],
        {"foo": ["bar", "baz"]},
    ),
    "A.5 replacing a value": (
        {"baz": "qux", "foo": "bar"},
        [{"op": "replace", "path": "/baz", "value": "boo"}],
        {"baz": "boo", "foo": "bar"},
    ),
    "A.6 moving a value": (
        {"foo": {"bar": "baz", "waldo": "fred"}, "qux": {"corge": "grault"}},
        [{"op": "move", "from": "/foo/waldo", "path": "/qux/thud"}],
        {"foo": {"bar": "baz"}, "qux": {"corge": "grault", "thud": "fred"}},
    ),
    "A.7 moving an array element": (
        {"foo": ["all", "grass", "cows", "eat"]},
        [{"op": "move", "from": "/foo/1", "path": "/foo/3"}],
        {"foo": ["all", "cows", "eat", "grass"]},
    ),
    "A.8 testing a value: success": (
        {"baz": "qux", "foo": ["a", 2, "c"]},
        [{"op": "test", "path": "/baz", "value": "qux"}, {"op": "test", "path": "/foo/1", "value": 2}],
        {"baz": "qux", "foo": ["a", 2, "c"]},
    ),
    "A.10 adding a nested member object": (
        {"foo": "bar"},
        [{"op": "add", "path": "/child", "value": {"grandchild": {}}}],
        {"foo": "bar", "child": {"grandchild": {}}},
    ),
    "A.11 ignoring unrecognized elements": (
        {"foo": "bar"},
        [{"op": "add", "path": "/baz", "value": "qux", "xyz": 123}],
        {"foo": "bar", "baz": "qux"},
    ),
    "A.14 ~ escape ordering": (
        {"/": 9, "~1": 10},
        [{"op": "test", "path": "/~01", "value": 10}],
        {"/": 9, "~1": 10},
    ),
    "A.16 adding an array value": (
        {"foo": ["bar"]},
        [{"op": "add", "path": "/foo/-", "value": ["abc", "def"]}],
        {"foo": ["bar", ["abc", "def"]]},
    ),
}


@pytest.mark.parametrize("name", RFC_6902)
def test_the_examples_of_rfc_6902_give_their_results(name: str) -> None:
    document, patch, result = copy.deepcopy(RFC_6902[name])

    assert apply_json_patch(document, patch) == result
    assert (document, patch) == RFC_6902[name][:2]  # the inputs are as they were


def test_rfc_6902_a9_a_failing_test_is_an_error() -> None:
    with pytest.raises(PatchDoesNotApply, match=r"operation 0 \(test '/baz'\): test failed: the current value differs"):
        apply_json_patch({"baz": "qux"}, [{"op": "test", "path": "/baz", "value": "bar"}])


def test_rfc_6902_a12_nothing_is_added_to_a_target_that_does_not_exist() -> None:
    with pytest.raises(PatchDoesNotApply, match=r"operation 0 \(add '/baz/bat'\): nothing is at /baz"):
        apply_json_patch({"foo": "bar"}, [{"op": "add", "path": "/baz/bat", "value": "qux"}])


def test_rfc_6902_a13_an_operation_without_one_op_is_malformed() -> None:
    """The example has "op" twice, which no parsed body holds; what is left of it is an operation without a value."""
    with pytest.raises(InvalidPatch):
        apply_json_patch({}, [{"path": "/baz", "value": "qux"}])


def test_rfc_6902_a15_text_and_number_are_never_equal() -> None:
    with pytest.raises(PatchDoesNotApply):
        apply_json_patch({"/": 9, "~1": 10}, [{"op": "test", "path": "/~01", "value": "10"}])


@pytest.mark.parametrize(
    ("document", "operation", "result"),
    [
        ({"a": 1}, {"op": "copy", "from": "/a", "path": "/b"}, {"a": 1, "b": 1}),
        ({"a": [1, 2]}, {"op": "copy", "from": "/a/0", "path": "/a/1"}, {"a": [1, 1, 2]}),
        ({"a": {"b": 1}}, {"op": "copy", "from": "", "path": "/a/c"}, {"a": {"b": 1, "c": {"a": {"b": 1}}}}),
        ({"a": {"b": 1}}, {"op": "move", "from": "/a", "path": ""}, {"b": 1}),
        ({"a": {"b": 1}}, {"op": "move", "from": "/a/b", "path": "/a"}, {"a": 1}),
        ({"a": [1, 2]}, {"op": "move", "from": "/a/0", "path": "/a/-"}, {"a": [2, 1]}),
        ({"a": [1, 2]}, {"op": "add", "path": "/a/2", "value": 3}, {"a": [1, 2, 3]}),
        ({"a": 1}, {"op": "replace", "path": "", "value": {"b": 2}}, {"b": 2}),
        ({"": {"": 1}}, {"op": "replace", "path": "//", "value": 2}, {"": {"": 2}}),
        ({"a": {"0": 1}}, {"op": "remove", "path": "/a/0"}, {"a": {}}),
        ({"a": {"-": 1}}, {"op": "replace", "path": "/a/-", "value": 2}, {"a": {"-": 2}}),
        ({"what?": 1}, {"op": "remove", "path": "/what?"}, {}),
        ({"a": {"b": [1, 2.0]}}, {"op": "test", "path": "/a", "value": {"b": [1.0, 2]}}, {"a": {"b": [1, 2.0]}}),
    ],
)
def test_operations_at_the_edges_of_rfc_6902(document: Any, operation: Any, result: Any) -> None:
    assert apply_json_patch(document, [operation]) == result


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": ""},
        {"op": "remove", "path": "/b"},
        {"op": "remove", "path": "/a/2"},
        {"op": "remove", "path": "/a/-"},
        {"op": "remove", "path": "/text/0"},
        {"op": "replace", "path": "/b", "value": 1},
        {"op": "replace", "path": "/a/-", "value": 1},
        {"op": "replace", "path": "/a/01", "value": 1},
        {"op": "replace", "path": "/a/+1", "value": 1},
        {"op": "replace", "path": "/a/-1", "value": 1},
        {"op": "replace", "path": "/a/1\n", "value": 1},
        {"op": "replace", "path": "/a/" + "9" * 900, "value": 1},
        {"op": "add", "path": "/a/3", "value": 1},
        {"op": "add", "path": "/a/x", "value": 1},
        {"op": "add", "path": "/text/0", "value": 1},
        {"op": "test", "path": "/text/0", "value": "t"},
        {"op": "test", "path": "/b", "value": None},
        {"op": "test", "path": "/one", "value": True},
        {"op": "copy", "from": "/text/0", "path": "/b"},
        {"op": "copy", "from": "/b", "path": "/a/0"},
        {"op": "move", "from": "", "path": ""},
        {"op": "move", "from": "/b", "path": "/c"},
    ],
)
def test_an_operation_that_does_not_fit_is_named_and_nothing_is_changed(operation: Any) -> None:
    document = {"a": [1, 2], "text": "text", "one": 1, "o": {"p": {}}}
    stored = copy.deepcopy(document)

    with pytest.raises(PatchDoesNotApply) as refusal:
        apply_json_patch(document, [{"op": "add", "path": "/new", "value": 1}, operation])

    assert refusal.value.message.startswith(f"operation 1 ({operation['op']} ")
    assert document == stored


@pytest.mark.parametrize(
    ("operations", "message"),
    [
        ({"op": "remove", "path": "/a"}, "the body: expected a list of operations"),
        ("text", "the body: expected a list of operations"),
        (None, "the body: expected a list of operations"),
        ([{"op": "remove", "path": "/a"}, "text"], "operation 1: expected an object"),
        ([{"op": "merge", "path": "/a"}], "operation 0: expected op to be one of add, remove, replace"),
        ([{"op": ["add"], "path": "/a"}], "operation 0: expected op to be one of add, remove, replace"),
        ([{"op": "add", "path": "/a"}], "operation 0 (add): expected a value"),
        ([{"op": "test", "path": "/a"}], "operation 0 (test): expected a value"),
        ([{"op": "remove"}], "operation 0 (remove): expected path to be text"),
        ([{"op": "remove", "path": ["a"]}], "operation 0 (remove): expected path to be text"),
        ([{"op": "move", "path": "/a"}], "operation 0 (move): expected from to be text"),
        ([{"op": "copy", "path": "/a", "from": 1}], "operation 0 (copy): expected from to be text"),
        ([{"op": "remove", "path": "a"}], "operation 0 (remove): path 'a': expected a JSON pointer"),
        ([{"op": "remove", "path": "/a~2"}], "operation 0 (remove): path '/a~2': expected ~0 or ~1 after ~"),
        ([{"op": "remove", "path": "/a~"}], "operation 0 (remove): path '/a~': expected ~0 or ~1 after ~"),
        ([{"op": "remove", "path": "/" + "a" * 1000}], "expected at most 1000 characters"),
        ([{"op": "remove", "path": "/a"}] * (MAX_OPERATIONS + 1), "the body: expected at most 1000 operations"),
    ],
)
def test_a_malformed_patch_is_refused_naming_the_operation(operations: Any, message: str) -> None:
    with pytest.raises(InvalidPatch) as refusal:
        apply_json_patch({"a": 1}, operations)

    assert message in refusal.value.message


ITEMS: dict[str, Any] = {"item": [{"id": "1", "note": [{"id": "3"}]}, {"id": "2", "part": {}}], "o": {"p": {}}}


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("/item/0", "/item/0/part"),
        ("/item/0", "/item/0/nothing/at/all"),
        ("/item", "/item/-"),
        ("/nothing", "/nothing/here"),
        ("", "/a"),
        ("$", "/a"),
        ("/o", "$.o.p.q"),
        ("$.o", "/o/p"),
        ("$.o", "$['o']['p']"),
        ("/item/0", "item[?(@.id=='1')].part"),
        ("/item/0", "item[*].part"),
        ("/item/0", "item[0].nothing.here"),
        ("item[?(@.id=='2')]", "/item/1/part/x"),
        ("item[-1]", "item[1].part.x"),
        ("/item/0", "/item/part?id=1"),
        ("/item/0", "/item/part/deeper?item.id=1"),
        ("/item?id=2", "/item/part/x?id=2"),
        ("/item?id=2", "/item/1/part"),
        ("/item", "/item/part?id=2"),
    ],
)
def test_a_value_cannot_be_moved_into_itself_however_its_place_is_written(source: str, path: str) -> None:
    stored = copy.deepcopy(ITEMS)

    with pytest.raises(InvalidPatch, match=r"a value cannot be moved into itself \(RFC 6902, 4.4\)"):
        apply_json_patch(stored, [{"op": "move", "from": source, "path": path}])

    assert stored == ITEMS


@pytest.mark.parametrize(
    ("source", "path", "result"),
    [
        ("/item/0/note", "/item/1/note", {"id": "2", "part": {}, "note": [{"id": "3"}]}),
        ("/item/0/note", "item[?(@.id=='2')].part.note", {"id": "2", "part": {"note": [{"id": "3"}]}}),
        ("/item/0/note", "/item/notes?id=2", {"id": "2", "part": {}, "notes": [{"id": "3"}]}),
        ("/item/0/note/0", "/item/note?id=2", {"id": "2", "part": {}, "note": {"id": "3"}}),
        ("/item/1/part", "/item/note/text?note.id=3", {"id": "2"}),
        ("/o", "/item/1/part", {"id": "2", "part": {"p": {}}}),
    ],
)
def test_a_value_moves_to_any_other_place(source: str, path: str, result: Any) -> None:
    moved = apply_json_patch(ITEMS, [{"op": "move", "from": source, "path": path}])

    assert moved["item"][1] == result


def test_a_target_that_is_gone_with_the_value_is_no_place() -> None:
    with pytest.raises(PatchDoesNotApply, match="nothing matches the path"):
        apply_json_patch(ITEMS, [{"op": "move", "from": "item[0].note", "path": "item[?(@.note)].moved"}])


def test_a_malformed_operation_is_found_before_any_is_tried() -> None:
    with pytest.raises(InvalidPatch):
        apply_json_patch({}, [{"op": "remove", "path": "/missing"}, {"op": "unknown", "path": ""}])


@pytest.mark.parametrize("value", [None, 1, "text", [], True])
def test_a_patch_that_would_turn_the_resource_into_something_else_is_refused(value: Any) -> None:
    with pytest.raises(PatchResultRefused, match="expected an object"):
        apply_json_patch({"a": 1}, [{"op": "replace", "path": "", "value": value}])


def test_as_many_operations_as_allowed_are_applied() -> None:
    operations = [{"op": "add", "path": "/list/-", "value": n} for n in range(MAX_OPERATIONS)]

    assert apply_json_patch({"list": []}, operations) == {"list": list(range(MAX_OPERATIONS))}


def test_the_values_of_a_patch_are_not_shared_with_its_result() -> None:
    patch: list[dict[str, Any]] = [{"op": "add", "path": "/a", "value": []}, {"op": "add", "path": "/a/-", "value": 1}]

    assert apply_json_patch({}, patch) == {"a": [1]}
    assert patch[0]["value"] == []


def test_nested_copies_that_double_the_document_are_refused_before_they_do_harm() -> None:
    bomb = [{"op": "copy", "from": "/list", "path": "/list/-"}] * 60

    with pytest.raises(BodyTooLarge):
        apply_json_patch({"list": ["0123456789"] * 100}, bomb)


def test_values_that_add_up_to_too_much_are_refused_before_they_are_added() -> None:
    operations = [{"op": "add", "path": f"/{n}", "value": "x" * 1024 * 1024} for n in range(5)]

    with pytest.raises(BodyTooLarge, match="more than 4194304 bytes"):
        apply_json_patch({}, operations)


def test_containers_are_counted_as_in_a_body_before_they_are_copied() -> None:
    bomb = [{"op": "copy", "from": "/a", "path": "/a/-"}] * 19

    with pytest.raises(BodyTooLarge, match="more than 100000 objects and lists"):
        apply_json_patch({"a": [[]]}, bomb)


def test_brackets_in_texts_are_no_containers() -> None:
    value = ["[{" * 60_000]

    assert apply_json_patch({}, [{"op": "add", "path": "/a", "value": value}]) == {"a": value}


def test_a_patch_may_add_as_many_containers_as_a_body() -> None:
    value: list[Any] = [[] for _ in range(49_999)]
    operations = [{"op": "add", "path": f"/{name}", "value": value} for name in "ab"]

    assert len(apply_json_patch({}, operations)["b"]) == 49_999
    with pytest.raises(BodyTooLarge):
        apply_json_patch({}, [*operations, {"op": "add", "path": "/c", "value": []}])


@pytest.mark.parametrize(
    ("operations", "work"),
    [
        ([], 100),
        ([{"op": "add", "path": "/a", "value": 1}] * 9, 100),
        ([{"op": "remove", "path": "/a?b=1"}], 200),
        ([{"op": "remove", "path": "$.a"}, {"op": "move", "from": "$.a", "path": "/a"}], 300),
        ([{"op": "copy", "from": "/a", "path": "/a/-"}] * 3, 800),
        ([{"op": "copy", "from": "/a", "path": "/a/-"}] * 60, 100 << 20),
        (["text", {"op": "add"}], 100),
    ],
)
def test_the_work_of_a_patch_grows_with_its_queries_and_copies(operations: Any, work: int) -> None:
    assert survey(operations).work(100) == work


def deep(levels: int) -> Any:
    value: Any = {}
    for _ in range(levels - 1):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    "operations",
    [
        [{"op": "add", "path": "/a", "value": deep(MAX_DEPTH)}],
        [{"op": "add", "path": "/a", "value": deep(400)}],
        [{"op": "copy", "from": "", "path": "/a" * 9}] * 9,
        [{"op": "move", "from": f"/{n}", "path": f"/{n + 1}" + "/a" * 60} for n in range(40)],
        [{"op": "move", "from": f"/{n}", "path": f"/{n + 1}" + "/a" * 60} for n in range(40)]
        + [{"op": "copy", "from": "", "path": "/b"}],
    ],
)
def test_a_result_that_is_too_deep_is_refused_however_it_comes_about(operations: Any) -> None:
    document = {**deep(9), **{str(n): deep(60) for n in range(41)}}
    document["a"] = deep(9)

    with pytest.raises(PatchResultRefused, match="at most 64 objects and lists inside each other"):
        apply_json_patch(document, operations)


def test_a_test_of_a_value_that_is_too_deep_is_rejected() -> None:
    """As too deep, or as a failed test where the Python in use compares without recursion; nothing is returned."""
    document = {str(n): deep(60) for n in range(41)}
    moves = [{"op": "move", "from": f"/{n}", "path": f"/{n + 1}" + "/a" * 60} for n in range(40)]

    with pytest.raises((PatchResultRefused, PatchDoesNotApply)):
        apply_json_patch(document, [*moves, {"op": "test", "path": "", "value": 1}])


def test_a_result_as_deep_as_allowed_is_made() -> None:
    document = apply_json_patch({}, [{"op": "add", "path": "/a", "value": deep(MAX_DEPTH - 1)}])

    assert depth_of(document) == MAX_DEPTH


@pytest.mark.parametrize(
    ("value", "depth"), [(1, 0), ("text", 0), ({}, 1), ([[]], 2), ({"a": [1, {"b": 1}], "c": 1}, 3)]
)
def test_depth_counts_objects_and_lists(value: Any, depth: int) -> None:
    assert depth_of(value) == depth


def test_a_name_that_no_body_may_have_can_still_be_removed_and_moved_away() -> None:
    stored = {"$old": {"x": 1}, ".older": 2}

    assert apply_json_patch(
        stored, [{"op": "remove", "path": "/.older"}, {"op": "replace", "path": "/$old/x", "value": 2}]
    ) == {"$old": {"x": 2}}
    assert apply_json_patch(stored, [{"op": "move", "from": "/$old", "path": "/new"}])["new"] == {"x": 1}
