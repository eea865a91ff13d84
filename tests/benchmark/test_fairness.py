"""What `make bench` promises: equal contenders, nobody's file touched, and an end that says whether targets are met."""

from __future__ import annotations

import contextlib
import gc
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from scripts.benchmark import __main__ as bench
from scripts.benchmark import instructions
from scripts.benchmark import round as rounds
from scripts.benchmark.comparison import Unequal, refuse_unequal, reject_other_pages
from scripts.benchmark.contenders import packages, quotes_in_a_dict
from scripts.benchmark.contenders.packages import Missing
from scripts.benchmark.driver import new_store
from scripts.benchmark.figures import FLOOR, GET, MB, MEMORY, Results, Sample, Standing
from scripts.benchmark.growing import CREATE, Comparison, all_flat, verdicts
from scripts.benchmark.processes import NotStarted
from scripts.benchmark.traffic import PER_EXTERNAL_ID, QUOTES, STORED, bad_requests, creations, sent

STANDING = Standing(0.5, 70 * MB)


def sample(cpu: float) -> Sample:
    return Sample(100, 2.0, cpu, 1.0, 9.0)


def found(memory: float) -> Results:
    return Results([{(MEMORY, GET): sample(memory), (FLOOR, GET): sample(60)}], {MEMORY: STANDING, FLOOR: STANDING})


@pytest.mark.parametrize(("memory", "code"), [(100, 0), (101, 1)])
def test_the_bench_fails_when_a_target_is_missed(monkeypatch: pytest.MonkeyPatch, memory: float, code: int) -> None:
    monkeypatch.setattr(bench, "write_schemas", lambda: None)
    monkeypatch.setattr(bench, "available", lambda _: [])
    monkeypatch.setattr(bench, "measure", lambda *_: found(memory))
    monkeypatch.setattr("sys.argv", ["bench", "--only", "memory", "floor"])

    assert bench.main() == code


def test_a_contender_that_does_not_start_is_left_out_but_never_the_service(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @contextlib.contextmanager
    def broken(_: object) -> Iterator[None]:
        raise NotStarted("it does not start: no port")
        yield

    monkeypatch.setattr(rounds, "started", broken)

    assert list(rounds.available([FLOOR])) == []
    assert "without floor: it does not start" in capsys.readouterr().err
    with pytest.raises(NotStarted):
        list(rounds.available([MEMORY]))


@pytest.mark.parametrize("version", ["v18.19.0", ""])
def test_a_node_that_is_too_old_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: str) -> None:
    node = tmp_path / "node"
    node.write_text(f"#!/bin/sh\necho {version}\n")
    node.chmod(0o755)
    (tmp_path / "npm").symlink_to(node)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    with pytest.raises(Missing, match="needed is 20 or later"):
        packages.refuse_old_node()


async def test_contenders_in_python_collect_garbage_as_seldom_as_the_service() -> None:
    before = gc.get_threshold()
    try:
        async with quotes_in_a_dict.lifespan(None):
            assert gc.get_threshold() == (50_000, 20, 100)
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


def test_bad_requests_are_the_sample_with_one_fault_each() -> None:
    bad = bad_requests()

    assert len(bad) == 7
    assert {request.path.partition("?")[0] for request in bad.values()} == {QUOTES}
    assert len({request.body for request in bad.values()}) == 7


def test_contenders_that_refuse_differently_are_unequal_and_only_the_difference_is_shown() -> None:
    one, other = {"bad": 400, GET: [200, {"note": [{"text": "a"}]}]}, {"bad": 422, GET: [200, {"note": []}]}

    with pytest.raises(Unequal, match=r"^bad: at all other answers 422, but one 400$"):
        refuse_unequal({"one": one, "other": other})
    with pytest.raises(Unequal, match=r"^GET by id: at /1/note other answers \[\], but one "):
        refuse_unequal({"one": one, "other": {**other, "bad": 400}})


def test_the_filtered_list_finds_a_whole_page_of_what_is_stored() -> None:
    [request] = sent("filtered list of 20, fields", [])
    wanted = request.path.partition("externalId=")[2].partition("&")[0]
    stored = [json.loads(each.body)["externalId"] for each in creations()]

    assert len(stored) == STORED
    assert stored.count(wanted) == PER_EXTERNAL_ID == 20


def test_a_page_of_another_length_is_not_counted() -> None:
    reject_other_pages(json.dumps([{}] * 20).encode())
    with pytest.raises(RuntimeError, match="expected a page of 20, found 0"):
        reject_other_pages(b"[]")


def test_counts_of_another_python_are_reported_and_not_compared(capsys: pytest.CaptureFixture[str]) -> None:
    assert instructions.compare({GET: 7}, {"python": "3.0.0", "thousands": {GET: 1}}) == instructions.NOT_COMPARED
    assert "GET by id: 7 thousand instructions" in capsys.readouterr().out


def test_a_profile_has_a_store_of_its_own() -> None:
    with new_store("sqlite") as one, new_store("sqlite") as other:
        assert one != other
        file = Path(one.removeprefix("sqlite:"))
        assert file.parent.is_dir()
        assert not file.exists()
    assert not file.parent.exists()


def test_growth_is_reported_for_each_item_and_a_bump_in_between_counts() -> None:
    turns = [{("1", CREATE): sample(10), ("2", CREATE): sample(50), ("3", CREATE): sample(10)}]
    bump = Comparison({"1": 1, "2": 1, "3": 1}, Results(turns, {}))
    items = Comparison({"1": 1, "2": 10}, Results(turns, {}))

    assert bump.grown(CREATE) == 5
    assert not all_flat([bump])
    assert "not flat" in next(verdicts(bump))
    assert items.grown(CREATE) == 0.5
    assert "for each item, flat" in next(verdicts(items))
