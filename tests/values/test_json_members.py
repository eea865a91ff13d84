"""Members read from the JSON text of an object: never another value than parsing all of it gives."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmf_sales.values.json_members import read_members

# Texts made of what JSON is made of, so that a cut meets commas, braces and quotation marks within strings.
ODD = st.text(alphabet=st.sampled_from(list('{}[]:,"\\ax')), max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | ODD,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ODD, inner, max_size=3),
    max_leaves=12,
)
OBJECTS = st.dictionaries(ODD, VALUES, max_size=8)


def test_members_before_and_after_all_inner_objects_are_read_without_the_others() -> None:
    text = orjson.dumps({"id": "1", "state": "a", "list": [1, "x"], "item": [{"state": "b"}], "due": None, "end": "e"})

    assert read_members(text, frozenset({"state", "end"})) == {
        "id": "1",
        "state": "a",
        "list": [1, "x"],
        "due": None,
        "end": "e",
    }


@pytest.mark.parametrize("name", ["item", "between"])
def test_an_object_with_a_wanted_member_between_inner_objects_is_parsed(name: str) -> None:
    whole = {"id": "1", "item": [{"a": 1}], "between": 2, "other": {}, "last": 3}

    assert read_members(orjson.dumps(whole), frozenset({"id", name})) == whole


def test_an_inner_member_of_the_same_name_does_not_count() -> None:
    whole = {"id": "1", "item": {"name": "inner"}, "last": 3}

    assert "name" not in read_members(orjson.dumps(whole), frozenset({"name"}))


@pytest.mark.parametrize(
    "whole",
    [
        {},
        {"a": 1},
        {"a": {}},
        {"a": {"b": 1}, "c": 2},
        {"a": ["x,", {"b": 1}], "c": ["}", "y,"], "d": 3},
        {"a": "},", ":": ":", "b": ":", "c": 1},
        {"a": "{", "b": 1, "c": {}, "d": "}"},
        {'a"': '\\"', "b": {"c": '\\",'}, "d": '\\",'},
    ],
)
def test_braces_commas_and_quotation_marks_in_strings_do_not_matter(whole: dict[str, Any]) -> None:
    read_as_the_whole_says(whole, ["a", "b", "c", "d"])


@given(OBJECTS, st.lists(ODD, max_size=3))
def test_a_part_has_the_wanted_members_of_the_whole(whole: dict[str, Any], others: list[str]) -> None:
    read_as_the_whole_says(whole, [*whole, *others])


def read_as_the_whole_says(whole: dict[str, Any], names: list[str]) -> None:
    text = orjson.dumps(whole)
    for name in names:
        part = read_members(text, frozenset({name}))
        assert (name in part) == (name in whole)
        assert {each: orjson.dumps(value) for each, value in part.items()}.items() <= {
            each: orjson.dumps(value) for each, value in whole.items()
        }.items()
