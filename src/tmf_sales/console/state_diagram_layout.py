"""Lays out a state diagram: states in rows by their distance from the initial one, with as few crossings as possible.

Pure geometry in pixels, always the same for the same transitions; the only SVG in it is the path of an arrow. Libraries
for layered layouts need Graphviz or a browser to render the page, and contracts can be added at run time.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

BOX_HEIGHT, ROW_GAP, COLUMN_GAP, MARGIN = 38, 76, 40, 16
START_SPACE = 34  # above the first row, for the start dot
LETTER, PADDING = 8.1, 30
PORT_GAP = 22
ARROW_HEAD = 7
TRIED_ORDERS = 5_000
Transitions = Mapping[str, Sequence[str]]
Orders = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Box:
    """A state; x and y are its centre."""

    state: str
    x: float
    y: float
    width: float
    is_initial: bool
    is_final: bool

    @property
    def left(self) -> float:
        return self.x - self.width / 2

    @property
    def right(self) -> float:
        return self.x + self.width / 2

    @property
    def top(self) -> float:
        return self.y - BOX_HEIGHT / 2

    @property
    def bottom(self) -> float:
        return self.y + BOX_HEIGHT / 2


@dataclass(frozen=True, slots=True)
class Arrow:
    """A transition; `path` is the d attribute of an SVG path that ends where the arrow head begins."""

    source: str
    target: str
    path: str


@dataclass(frozen=True, slots=True)
class Diagram:
    width: float
    height: float
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]


def lay_out(states: Sequence[str], initial: str, transitions: Transitions) -> Diagram:
    rows = order_of_rows(rows_by_distance(states, initial, transitions), transitions)
    inner = max(map(row_width, rows))
    centres = centres_of(rows, transitions, inner)
    boxes = {
        state: Box(
            state=state,
            x=MARGIN + centres[state],
            y=MARGIN + START_SPACE + BOX_HEIGHT / 2 + number * (BOX_HEIGHT + ROW_GAP),
            width=box_width(state),
            is_initial=state == initial,
            is_final=not transitions.get(state),
        )
        for number, row in enumerate(rows)
        for state in row
    }
    width = 2 * MARGIN + inner + PORT_GAP * _long_ways(rows, transitions)
    height = 2 * MARGIN + START_SPACE + len(rows) * BOX_HEIGHT + (len(rows) - 1) * ROW_GAP
    return Diagram(width, height, tuple(boxes.values()), tuple(_arrows(rows, boxes, transitions, MARGIN + inner)))


def centres_of(rows: Orders, transitions: Transitions, inner: float) -> dict[str, float]:
    """Place each state below the middle of its predecessors, as far as the other boxes of its row leave room."""
    centres: dict[str, float] = {}
    for row in rows:
        wanted, placed, left = [], [], 0.0
        for state in row:
            above = [
                centres[source] for source, targets in transitions.items() if state in targets and source in centres
            ]
            wanted.append(sum(above) / len(above) if above else inner / 2)
            placed.append(max(wanted[-1], left + box_width(state) / 2))
            left = placed[-1] + box_width(state) / 2 + COLUMN_GAP
        shift = sum(want - place for want, place in zip(wanted, placed, strict=True)) / len(row)
        shift = min(shift, inner - (left - COLUMN_GAP))
        shift = max(shift, box_width(row[0]) / 2 - placed[0])
        centres |= {state: place + shift for state, place in zip(row, placed, strict=True)}
    return centres


def row_width(row: Sequence[str]) -> float:
    return sum(map(box_width, row)) + COLUMN_GAP * (len(row) - 1)


def box_width(state: str) -> float:
    return math.ceil(len(state) * LETTER + PADDING)


def rows_by_distance(states: Sequence[str], initial: str, transitions: Transitions) -> Orders:
    """Group states by the number of steps from the initial one; unreachable states come last."""
    rows: list[tuple[str, ...]] = [(initial,)]
    seen = {initial}
    while rows[-1]:
        reached = [target for state in rows[-1] for target in transitions.get(state, ()) if target not in seen]
        rows.append(tuple(dict.fromkeys(reached)))
        seen.update(reached)
    never = tuple(state for state in states if state not in seen)
    return tuple(row for row in (*rows, never) if row)


def order_of_rows(rows: Orders, transitions: Transitions) -> Orders:
    """Find the most readable order within each row; with too many orders to try them all, row by row."""
    if math.prod(math.factorial(len(row)) for row in rows) <= TRIED_ORDERS:
        return min(itertools.product(*map(itertools.permutations, rows)), key=lambda each: disorder(each, transitions))
    normalized = rows
    for number, row in enumerate(rows):
        tries = itertools.islice(itertools.permutations(row), TRIED_ORDERS)
        choices = [(*normalized[:number], order, *normalized[number + 1 :]) for order in tries]
        normalized = min(choices, key=lambda each: disorder(each, transitions))
    return normalized


def disorder(rows: Orders, transitions: Transitions) -> float:
    """Rate an order: crossings weigh most, then arrows within a row that pass another box, then sideways distance."""
    place = {
        state: (number, index - (len(row) - 1) / 2)
        for number, row in enumerate(rows)
        for index, state in enumerate(row)
    }
    ways = [(place[source], place[target]) for source, targets in transitions.items() for target in targets]
    upright = [sorted(way) for way in ways if way[0][0] != way[1][0]]
    crossings = sum(
        (one[0][1] - other[0][1]) * (one[1][1] - other[1][1]) < 0
        for one, other in itertools.combinations(upright, 2)
        if one[0][0] == other[0][0] and one[1][0] == other[1][0]
    )
    passing = sum(abs(start[1] - end[1]) - 1 for start, end in ways if start[0] == end[0])
    return 100 * crossings + 30 * passing + sum(abs(start[1] - end[1]) for start, end in ways)


def _long_ways(rows: Orders, transitions: Transitions) -> int:
    """Count the arrows that span more than one row, and therefore run beside the boxes."""
    row_of = {state: number for number, row in enumerate(rows) for state in row}
    return sum(abs(row_of[source] - row_of[target]) > 1 for source, target in _pairs(transitions))


def _pairs(transitions: Transitions) -> Iterable[tuple[str, str]]:
    return ((source, target) for source, targets in transitions.items() for target in targets if source != target)


def _arrows(rows: Orders, boxes: Mapping[str, Box], transitions: Transitions, edge: float) -> Iterable[Arrow]:
    row_of = {state: number for number, row in enumerate(rows) for state in row}
    pairs = list(_pairs(transitions))
    upright = [pair for pair in pairs if abs(row_of[pair[0]] - row_of[pair[1]]) == 1]
    column = edge
    for source, target in pairs:
        start, end = boxes[source], boxes[target]
        if (source, target) in upright:
            path = _upright(start, end, _port(start, end, upright, boxes), _port(end, start, upright, boxes))
        elif row_of[source] == row_of[target]:
            path = _sideways(start, end, rows[row_of[source]], both_ways=(target, source) in pairs)
        else:
            column += PORT_GAP
            path = _around(start, end, column)
        yield Arrow(source, target, path)


def _port(box: Box, other: Box, upright: Sequence[tuple[str, str]], boxes: Mapping[str, Box]) -> dict[str, float]:
    """The points, by "out" and "in", where arrows between the two touch the side of `box` that faces `other`.

    The arrows of a side are spread over it in the order of their other ends, so that they do not cross.
    """
    ends = []
    for source, target in upright:
        if box.state in (source, target):
            far = boxes[target if box.state == source else source]
            if (far.y > box.y) == (other.y > box.y):
                downwards = boxes[source].y < boxes[target].y
                ends.append((far.x, downwards, far.state, "out" if box.state == source else "in"))
    ends.sort()
    gap = min(PORT_GAP, (box.width - PADDING) / max(len(ends) - 1, 1))
    first = box.x - gap * (len(ends) - 1) / 2
    return {way: first + gap * index for index, (_, _, state, way) in enumerate(ends) if state == other.state}


def _upright(start: Box, end: Box, leave: Mapping[str, float], reach: Mapping[str, float]) -> str:
    down = end.y > start.y
    y1, y2 = (start.bottom, end.top - ARROW_HEAD) if down else (start.top, end.bottom + ARROW_HEAD)
    x1, x2, middle = leave["out"], reach["in"], (y1 + y2) / 2
    return f"M{x1:.1f} {y1:.1f}C{x1:.1f} {middle:.1f} {x2:.1f} {middle:.1f} {x2:.1f} {y2:.1f}"


def _sideways(start: Box, end: Box, row: Sequence[str], *, both_ways: bool) -> str:
    rightwards = end.x > start.x
    if abs(row.index(start.state) - row.index(end.state)) == 1:
        y = start.y + (8 if rightwards else -8) * both_ways
        x1, x2 = (start.right, end.left - ARROW_HEAD) if rightwards else (start.left, end.right + ARROW_HEAD)
        return f"M{x1:.1f} {y:.1f}H{x2:.1f}"
    depth = start.bottom + ROW_GAP * 0.6
    x1, x2 = (start.right - 10, end.left + 10) if rightwards else (start.left + 10, end.right - 10)
    y2 = end.bottom + ARROW_HEAD
    return f"M{x1:.1f} {start.bottom:.1f}C{x1:.1f} {depth:.1f} {x2:.1f} {depth:.1f} {x2:.1f} {y2:.1f}"


def _around(start: Box, end: Box, column: float) -> str:
    """The path of an arrow across several rows: out to the right, along a track of its own, and back."""
    step = 8 if end.y > start.y else -8
    return (
        f"M{start.right:.1f} {start.y:.1f}H{column - 8:.1f}q8 0 8 {step}V{end.y - step:.1f}"
        f"q0 {step} -8 {step}H{end.right + ARROW_HEAD:.1f}"
    )
