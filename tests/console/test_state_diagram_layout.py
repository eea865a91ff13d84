"""How a state machine is laid out: rows by distance, boxes apart, arrows that leave and reach the right sides."""

from __future__ import annotations

import itertools
import re

import pytest

from tmf_sales.console.lifecycles import lifecycles_of
from tmf_sales.console.state_diagram_layout import (
    ARROW_HEAD,
    COLUMN_GAP,
    Diagram,
    Transitions,
    lay_out,
    order_of_rows,
    rows_by_distance,
)

LEAD = {
    "acknowledged": ["inProgress", "cancelled"],
    "inProgress": ["pending", "accepted", "rejected"],
    "pending": ["inProgress", "rejected"],
}
REOPENED = {"open": ["working"], "working": ["solved"], "solved": ["closed", "working"], "closed": ["open"]}
RING = {"a": ["b", "c", "d"], "b": ["d"], "c": ["b"], "d": ["b", "c"]}
WIDE = {"start": [f"s{number}" for number in range(9)], "s0": ["end"], "s8": ["end"]}
MACHINES = {"lead": LEAD, "reopened": REOPENED, "ring": RING, "wide": WIDE}


def drawn(transitions: Transitions) -> Diagram:
    states = dict.fromkeys(itertools.chain(transitions, *transitions.values()))
    return lay_out(list(states), next(iter(transitions)), transitions)


def test_states_stand_in_rows_by_their_distance_from_the_initial_one() -> None:
    rows = rows_by_distance(["acknowledged"], "acknowledged", LEAD)

    assert rows == (("acknowledged",), ("inProgress", "cancelled"), ("pending", "accepted", "rejected"))


def test_a_state_that_is_never_reached_stands_in_the_last_row() -> None:
    assert rows_by_distance(["a", "b", "lost"], "a", {"a": ["b"]}) == (("a",), ("b",), ("lost",))


def test_states_with_an_arrow_between_them_are_neighbours_in_their_row() -> None:
    last = order_of_rows(rows_by_distance([], "acknowledged", LEAD), LEAD)[-1]

    assert abs(last.index("pending") - last.index("rejected")) == 1


@pytest.mark.parametrize("name", MACHINES)
def test_boxes_never_touch_and_are_inside_the_drawing(name: str) -> None:
    diagram = drawn(MACHINES[name])

    for box in diagram.boxes:
        assert box.left >= 0
        assert box.right <= diagram.width
        assert box.bottom <= diagram.height
    for one, other in itertools.combinations(diagram.boxes, 2):
        if one.y == other.y:
            assert max(one.left, other.left) - min(one.right, other.right) >= COLUMN_GAP - 0.01


@pytest.mark.parametrize("name", MACHINES)
def test_an_arrow_starts_at_its_source_and_ends_before_its_target(name: str) -> None:
    diagram = drawn(MACHINES[name])
    boxes = {box.state: box for box in diagram.boxes}

    for arrow in diagram.arrows:
        x, y = map(float, re.findall(r"-?[\d.]+", arrow.path)[:2])
        source = boxes[arrow.source]
        assert source.left - 0.1 <= x <= source.right + 0.1
        assert source.top - 0.1 <= y <= source.bottom + 0.1
        assert len(arrow.path) > 10
    assert len(diagram.arrows) == sum(map(len, MACHINES[name].values()))


def test_arrows_to_and_fro_do_not_lie_on_each_other() -> None:
    paths = {(arrow.source, arrow.target): arrow.path for arrow in drawn(LEAD).arrows}
    there, back = paths["inProgress", "pending"], paths["pending", "inProgress"]

    starts = [float(re.findall(r"[\d.]+", path)[0]) for path in (there, back)]
    ends = [float(re.findall(r"[\d.]+", path)[-2]) for path in (there, back)]

    assert starts[0] - ends[1] > ARROW_HEAD
    assert ends[0] - starts[1] > ARROW_HEAD


def test_an_arrow_over_several_rows_runs_beside_the_boxes() -> None:
    diagram = drawn(REOPENED)
    back = next(arrow for arrow in diagram.arrows if (arrow.source, arrow.target) == ("closed", "open"))
    delivery = float(re.findall(r"H([\d.]+)", back.path)[0])

    assert delivery > max(box.right for box in diagram.boxes)
    assert delivery < diagram.width


def test_the_same_machine_is_always_drawn_the_same() -> None:
    assert drawn(WIDE) == drawn(WIDE)


def test_initial_and_final_states_are_marked() -> None:
    diagram = drawn(LEAD)

    assert [box.state for box in diagram.boxes if box.is_initial] == ["acknowledged"]
    assert sorted(box.state for box in diagram.boxes if box.is_final) == ["accepted", "cancelled", "rejected"]


def test_a_lifecycle_is_named_after_what_has_it() -> None:
    schema = {"enum": ["a", "b"], "x-lifecycle": {"initial": "a", "transitions": {"a": ["b"]}}}
    names = ("QuoteItemStateType", "TicketStatus", "Phase")

    drawings = lifecycles_of({"components": {"schemas": dict.fromkeys(names, schema) | {"Other": {}}}})

    assert [drawing.heading for drawing in drawings] == ["Quote item", "Ticket", "Phase"]
