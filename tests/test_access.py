"""What a caller's grants come to: what it sees of documents and queries, and what it may change."""

from __future__ import annotations

from typing import Any

import pytest

from tmf_sales.access import FULL_ACCESS, NO_ACCESS, Access, Grant, blind, restored, without
from tmf_sales.errors import Conflict, Forbidden
from tmf_sales.storage.conditions import (
    EVERYTHING,
    And,
    Compare,
    Condition,
    Element,
    Exists,
    Not,
    Operator,
    Or,
    Query,
    Regex,
    Sort,
)
from tmf_sales.storage.evaluate import matches

SECRET = frozenset({"secret"})


def equals(member: str, value: str) -> Compare:
    return Compare((member,), Operator.EQ, value)


MINE = equals("owner", "me")
OPEN = equals("state", "open")


def test_full_access_leaves_everything_as_it_is() -> None:
    query, document = Query(MINE), {"id": "1", "secret": 1}

    assert FULL_ACCESS.restricted(query) is query
    assert FULL_ACCESS.shown(document) is document
    assert FULL_ACCESS.sees(document, is_current=False)
    assert not FULL_ACCESS.hides


def test_no_access_sees_nothing() -> None:
    assert not NO_ACCESS.sees({})
    assert NO_ACCESS.hidden_in({"a": 1}) == frozenset()
    assert not matches(NO_ACCESS.restricted(Query()).where, {})


def test_a_query_finds_only_what_there_is_for_the_caller() -> None:
    access = Access((Grant(own=MINE, states=OPEN),))

    where = access.restricted(Query(equals("name", "x"))).where

    assert matches(where, {"owner": "me", "state": "open", "name": "x"})
    for other in ({"owner": "you"}, {"state": "closed"}, {"name": "y"}):
        assert not matches(where, {"owner": "me", "state": "open", "name": "x", **other})


def test_several_rows_are_each_for_themselves() -> None:
    access = Access((Grant(own=MINE, hidden=SECRET), Grant(states=OPEN, all_versions=False)))
    mine, opened = {"owner": "me", "secret": 1}, {"owner": "you", "state": "open", "secret": 1}
    asked = access.restricted(Query(Exists(("secret",)), fields=frozenset({"id"})))

    assert access.shown(mine) == {"owner": "me"}
    assert access.shown(opened) == opened
    assert access.hidden_in({}) == SECRET
    assert not access.sees(opened, is_current=False)
    assert not matches(asked.where, mine)
    assert matches(asked.where, opened)
    assert asked.fields is None


def test_one_row_lets_the_store_read_less() -> None:
    assert Access((Grant(hidden=SECRET),)).restricted(Query(fields=frozenset({"id"}))).fields == frozenset({"id"})


def test_a_hidden_member_orders_nothing() -> None:
    access = Access((Grant(hidden=SECRET),))

    assert access.restricted(Query(sort=(Sort(("secret", "a")), Sort(("b",))))).sort == (Sort(("b",)),)


@pytest.mark.parametrize(
    "condition",
    [
        Compare(("secret", "a"), Operator.EQ, "x"),
        Compare(("b", "secret"), Operator.EQ, "x"),
        Regex(("secret", "a"), "x"),
        Exists(("secret",)),
        Element(("secret",), EVERYTHING),
        Element(("list",), equals("secret", "x")),
        And((equals("name", "n"), Exists(("secret",)))),
        Or((Exists(("secret",)),)),
        Not(Not(Exists(("secret",)))),
    ],
)
def test_a_condition_on_a_hidden_member_is_one_on_a_missing_one(condition: Condition) -> None:
    document = {"name": "n", "secret": {"a": "x"}, "b": {"secret": "x"}, "list": [{"secret": "x"}]}

    assert not matches(blind(condition, SECRET), document)
    assert matches(blind(Not(condition), SECRET), document)
    assert matches(blind(condition, SECRET), document) == matches(condition, without(document, SECRET))


def test_what_is_found_is_found_by_what_is_seen() -> None:
    access = Access((Grant(hidden=SECRET, all_versions=False),))

    assert FULL_ACCESS.finds(Exists(("secret",)), {"secret": 1})
    assert not access.finds(Exists(("secret",)), {"secret": 1})
    assert access.finds(EVERYTHING, {})
    assert not access.finds(EVERYTHING, {}, is_current=False)


def test_hidden_members_are_hidden_wherever_they_stand() -> None:
    assert without({"a": [{"secret": 1, "b": [[{"secret": 2}]]}], "secret": 3}, SECRET) == {"a": [{"b": [[{}]]}]}


@pytest.mark.parametrize(
    ("stored", "seen", "whole"),
    [
        ({"a": 1, "secret": 2}, {"a": 3}, {"a": 3, "secret": 2}),
        ({"a": {"secret": 2}}, {"a": {"b": 1}}, {"a": {"b": 1, "secret": 2}}),
        ({"a": 1}, {"a": {"b": [1]}}, {"a": {"b": [1]}}),
        ([{"id": "1", "secret": 1}, {"id": "2", "secret": 2}], [{"id": "2"}], [{"id": "2", "secret": 2}]),
        ([{"id": "1", "secret": 1}], [{"id": "3"}, {"id": "1"}], [{"id": "3"}, {"id": "1", "secret": 1}]),
        ([{"secret": 1}, {"secret": 2}], [{}, {"a": 1}], [{"secret": 1}, {"a": 1, "secret": 2}]),
        ([{"id": "1", "secret": 1}, {"id": "1"}], [{"id": "1"}], [{"id": "1"}]),
        ([{"secret": 1}], [{}, {}], [{}, {}]),
        ([], [1, [2]], [1, [2]]),
    ],
)
def test_what_was_hidden_is_put_back_where_it_was(stored: Any, seen: Any, whole: Any) -> None:
    assert restored(stored, seen, SECRET) == whole


def test_a_hidden_member_cannot_be_sent() -> None:
    with pytest.raises(Forbidden, match="secret"):
        restored({"a": [{}]}, {"a": [{"secret": 1}]}, SECRET)


def test_a_resource_is_created_only_for_the_caller_and_where_it_may_start() -> None:
    access = Access((Grant(own=MINE, starts_in=frozenset({"open"}), hidden=SECRET),))
    mine = {"owner": "me", "state": "open"}

    access.reject_creation(mine, mine, "state")
    access.reject_creation(mine, {"owner": "me"}, "")
    for body, created in (({}, {**mine, "owner": "you"}), ({}, {**mine, "state": "closed"}), ({"secret": 1}, mine)):
        with pytest.raises(Forbidden):
            access.reject_creation(body, created, "state")
    FULL_ACCESS.reject_creation({}, {}, "state")


def test_members_that_no_row_lets_change_are_refused() -> None:
    access = Access((Grant(own=MINE, changes=frozenset({"a"})), Grant(states=OPEN, all_versions=False)))
    mine, both = {"owner": "me"}, {"owner": "me", "state": "open"}

    access.reject_changes(mine, mine, {"a"})
    access.reject_changes(both, both, {"a", "b"})
    with pytest.raises(Forbidden, match="/b: "):
        access.reject_changes(mine, mine, {"a", "b"})
    with pytest.raises(Forbidden, match="/b: "):
        access.reject_changes(both, both, {"b"}, is_current=False)


def test_nobody_gives_away_what_is_his() -> None:
    access = Access((Grant(own=MINE),))

    with pytest.raises(Forbidden, match="no longer"):
        access.reject_changes({"owner": "me"}, {"owner": "you"}, {"owner"})


def test_transitions_that_no_row_lets_make_are_refused() -> None:
    access = Access((Grant(transitions=frozenset({("a", "b")})),))

    access.reject_transition({"state": "a"}, "state", "b")
    access.reject_transition({"state": "a"}, "state", "a")
    access.reject_transition({}, "", None)
    FULL_ACCESS.reject_transition({"state": "a"}, "state", "c")
    with pytest.raises(Forbidden, match="from a to c"):
        access.reject_transition({"state": "a"}, "state", "c")


def test_who_sees_only_the_current_version_may_only_go_higher() -> None:
    access = Access((Grant(all_versions=False),))

    access.reject_number_among_hidden("version", is_higher=True)
    FULL_ACCESS.reject_number_among_hidden("version", is_higher=False)
    with pytest.raises(Conflict):
        access.reject_number_among_hidden("version", is_higher=False)


def test_members_that_may_not_be_changed_are_named_in_plain_characters_and_few() -> None:
    access = Access((Grant(changes=frozenset({"x"})),))

    with pytest.raises(Forbidden) as refused:
        access.reject_changes({}, {}, {"\n\u202e", "a" * 1000, *(f"b{number:02}" for number in range(40))})

    assert refused.value.message.startswith(f"/\\n\\u202e, /{'a' * 60}..., /b00, ")
    assert refused.value.message.endswith(", /b17, and 22 more: the caller may not change this")
