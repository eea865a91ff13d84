"""The arithmetic of `make bench`."""

from __future__ import annotations

from pathlib import Path

import pytest
from scripts.benchmark import report
from scripts.benchmark.comparison import OWN, Unequal, comparable, refuse_unequal
from scripts.benchmark.contenders.quotes_in_a_dict import merge
from scripts.benchmark.figures import (
    FASTAPI,
    FLOOR,
    GET,
    MB,
    MEMORY,
    POST,
    SQLITE,
    Doubled,
    Results,
    Sample,
    Standing,
    Target,
    excess,
    growth,
    middle_standing,
    targets,
)


def sample(cpu: float, requests: int = 100) -> Sample:
    return Sample(requests, 2.0, cpu, 1.0, 9.0)


def results(*turns: dict[str, float], **cpu_of_get: float) -> Results:
    """Of one turn, or of several; the names of contenders are short."""
    names = {"memory": MEMORY, "sqlite": SQLITE, "floor": FLOOR, "fastapi": FASTAPI}
    measured = [{(names[name], GET): sample(cpu) for name, cpu in turn.items()} for turn in (turns or (cpu_of_get,))]
    return Results(measured, {name: Standing(0.5, 100 * MB) for name, _ in measured[0]})


def titled(found: Results, title: str) -> Target:
    return next(target for target in targets(found) if target.title == title)


def test_the_figure_is_the_median_of_the_turns() -> None:
    costs = ((9, 2), (50, 8), (7, 4))

    figures = Results([{(FLOOR, GET): sample(cpu, requests)} for cpu, requests in costs], {}).figures(FLOOR, GET)

    assert figures is not None
    assert figures.cpu == 9
    assert figures.rate == 2
    assert middle_standing([Standing(1, 7), Standing(4, 3), Standing(2, 5)]) == Standing(2, 5)


def test_twice_the_time_is_half_the_speed() -> None:
    assert results(memory=40, floor=20).ratio(GET, MEMORY, FLOOR) == 0.5


def test_a_turn_on_a_slow_machine_changes_no_ratio() -> None:
    turns = [{"memory": 40.0, "floor": 20.0}, {"memory": 400.0, "floor": 200.0}, {"memory": 48.0, "floor": 24.0}]

    assert results(*turns).ratio(GET, MEMORY, FLOOR) == 0.5


def test_what_was_not_measured_has_no_ratio_and_meets_nothing() -> None:
    found = results(memory=40)

    assert found.ratio(GET, MEMORY, FLOOR) is None
    assert titled(found, "GET by id, memory, of the floor").met is None


@pytest.mark.parametrize(("memory", "met"), [(100, True), (101, False)])
def test_a_target_is_met_at_its_bound(memory: float, met: bool) -> None:
    assert titled(results(memory=memory, floor=60), "GET by id, memory, of the floor").met is met


def test_some_targets_are_not_to_be_exceeded() -> None:
    found = Results([], {SQLITE: Standing(1.5, 70 * MB)})

    assert titled(found, "start, SQLite").met is False
    assert titled(found, "resident memory of a worker, SQLite").met is True


@pytest.mark.parametrize(("memory", "met"), [(160, True), (161, False)])
def test_a_cost_is_met_up_to_its_bound(memory: float, met: bool) -> None:
    turns = [{(MEMORY, POST): sample(memory), (FLOOR, POST): sample(100)}]

    assert titled(Results(turns, {}), "POST, tmf-sales, memory, cost of floor").met is met
    assert titled(Results([], {}), "POST, tmf-sales, memory, cost of floor").met is None


def test_two_workers_are_compared_by_their_rates() -> None:
    found = Results([], {}, {POST: Doubled(1000, 950, 300), GET: Doubled(100, 190, 5)})

    assert titled(found, "durable writes of two workers, of one (rate)").measured == 0.95
    assert titled(found, "longest wait of a writer with two").measured == 0.3
    assert titled(found, "GET by id, two workers, of one (rate, 4 cores)").measured == 1.9
    assert titled(found, "list of 20, two workers, of one (rate, 4 cores)").met is None


def test_growth_is_the_greatest_cost_by_the_first() -> None:
    assert growth([2, 9, 5]) == 4.5
    assert growth([2, 1, 0.5]) == 0.5


def test_only_what_costs_more_than_the_tolerance_is_too_much() -> None:
    assert excess({"a": 100, "b": 100}, {"a": 105, "b": 106, "new": 9}, 0.05) == ["b"]


def test_contenders_must_answer_the_same() -> None:
    refuse_unequal({"one": {GET: 1}, "other": {GET: 1}})
    with pytest.raises(Unequal):
        refuse_unequal({"one": {GET: 1}, "other": {GET: 2}})


def test_what_each_server_makes_itself_is_not_compared() -> None:
    one = {"id": "1", "href": "http://a/1", "quoteDate": "2026-01-01T00:00:00Z", "note": [{"id": "1"}]}
    other = {"id": "2", "href": "http://b/2", "quoteDate": "2027-01-01T00:00:00Z", "note": [{"id": "1"}]}

    assert comparable(one, OWN) == comparable(other, OWN)
    assert comparable("2026-01-01T00:00:00.000Z") == comparable("2026-01-01T01:00:00+01:00")
    assert comparable({"note": [{"id": "1"}]}, OWN) != comparable({"note": [{"id": "2"}]}, OWN)


def test_the_contenders_merge_as_the_rfc_says() -> None:
    stored = {"a": {"b": 1, "c": 2}, "d": [1]}

    assert merge(stored, {"a": {"b": None, "e": 3}, "d": [2]}) == {"a": {"c": 2, "e": 3}, "d": [2]}
    assert stored == {"a": {"b": 1, "c": 2}, "d": [1]}


def test_tables_stand_between_their_markers(tmp_path: Path) -> None:
    file = tmp_path / "speed.md"
    file.write_text("before\n<!-- bench: made by `make bench` -->\nold\n<!-- end of bench -->\nafter\n")

    report.put(file, "bench", "make bench", list(report.cost_table(results(memory=40, floor=20))))

    text = file.read_text()
    assert "| tmf-sales, memory | 40 (0.50) |" in text
    assert "old" not in text
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    with pytest.raises(ValueError, match="no place for growth"):
        report.put(file, "growth", "scripts/bench growth", [])
