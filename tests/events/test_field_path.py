"""The paths of an event's fieldPath: taken apart as they were put together, and hidden where a member on them is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tmf_sales.access import Access, Grant
from tmf_sales.events.envelope import EventContext, EventFactory, EventTypes
from tmf_sales.events.field_path import listed, literal, read, step, without
from tmf_sales.events.visibility import seen_event

TYPES = EventTypes("Made", "Gone", "StateChange", "ValueChange")
ANNOUNCER = EventFactory(TYPES, "ticket", "support", items={"task": "state"})
OCCASION = EventContext("2026-01-01T00:00:00.000Z", "c", lambda: "e")

awkward = st.text(st.sampled_from("ab',.[]\\()?@= \n"), max_size=6)


@given(st.lists(st.tuples(awkward, awkward), min_size=1, max_size=5))
def test_paths_are_read_as_they_were_listed_whatever_names_and_ids_are_in_them(parts: list[tuple[str, str]]) -> None:
    paths = [f"task[?(@.id=={literal(id)})].{step(name)}" for id, name in parts] + [step(name) for _, name in parts]

    assert read(listed(paths)) == paths


@given(awkward, awkward, awkward)
def test_a_path_is_hidden_by_each_name_on_it_and_by_nothing_in_its_ids(id: str, name: str, inner: str) -> None:
    path = f"task[?(@.id=={literal(id)})].{step(name)}.{step(inner)}"

    for hidden in ("task", name, inner):
        assert without([path], frozenset({hidden})) == []
    assert without([path], frozenset({id, "id", "other", "@"}) - {"task", name, inner}) == [path]


def changed(before: Mapping[str, Any], after: Mapping[str, Any], hidden: str) -> list[str | None]:
    """The field paths of what a listener gets whose owner does not see `hidden`."""
    seen = Access((Grant(hidden=frozenset({hidden})),))
    events = ANNOUNCER.changed({"id": "1", **before}, {"id": "1", **after}, OCCASION)
    got = [seen_event("task", event, lambda _: seen) for event in events]
    return [event["fieldPath"] for event in got if event is not None]


def test_the_states_of_hidden_elements_are_no_event() -> None:
    before, after = ({"task": [{"id": "secret, A", "state": state}], "note": state} for state in ("open", "done"))

    assert changed(before, after, "task") == ["note"]
    assert changed(before, after, "note") == ["task[?(@.id=='secret, A')].state"]


@pytest.mark.parametrize("other", ["it's", "a,b", "a.b", "[", "", "\\"])
def test_an_odd_name_beside_a_hidden_one_hides_as_any_other(other: str) -> None:
    before = {other: 1, "secret": 1, "z'": 1}
    after = {other: 2, "secret": 2, "z'": 2}

    (path,) = changed(before, after, "secret")

    assert path is not None
    assert sorted(read(path)) == sorted([step(other), r"['z\'']"])
    assert changed({other: 1}, {other: 2}, other) == []
