"""Numbers of several processes: any of them reads the right sum, also when one of them dies."""

from __future__ import annotations

import math
import multiprocessing
from multiprocessing.connection import Connection

import pytest

from tmf_sales.telemetry.numbers import Numbers


def numbers(rows: int = 2) -> tuple[Numbers, int, int]:
    """Numbers with one counter and one gauge, and their positions."""
    made = Numbers()
    counter, gauge = made.reserve(), made.reserve_gauges()
    made.share(rows)
    return made, counter, gauge


def test_a_process_alone_counts_for_itself() -> None:
    made, counter, _ = numbers(rows=1)
    made.own[counter] += 3

    assert made.totals()[counter] == 3


def test_a_gauge_is_unknown_until_it_is_set() -> None:
    made, _, gauge = numbers()

    assert math.isnan(made.board[gauge])


def count_in_a_row(made: Numbers, row: int | None, counter: int, gauge: int, done: Connection) -> None:
    made.take_row(row)
    made.own[counter] += 5
    made.publish()
    made.board[gauge] = 7.0
    done.send("done")


@pytest.mark.parametrize(("row", "expected"), [(1, 6), (None, 1)], ids=["with a row", "without a row"])
def test_what_another_process_publishes_is_in_the_totals(row: int | None, expected: int) -> None:
    made, counter, gauge = numbers()
    made.take_row(0)
    made.own[counter] += 1
    reads, writes = multiprocessing.Pipe(duplex=False)
    fork = multiprocessing.get_context("fork")

    child = fork.Process(target=count_in_a_row, args=(made, row, counter, gauge, writes))
    child.start()
    assert reads.recv() == "done"
    child.join()

    assert made.totals()[counter] == expected
    assert made.board[gauge] == 7.0


def test_the_successor_of_a_dead_process_counts_on_in_its_row() -> None:
    made, counter, _ = numbers()
    made.take_row(1)
    made.own[counter] += 2
    made.publish()
    made.own[counter] += 100  # dies before it publishes these

    made.take_row(1)
    made.own[counter] += 1

    assert made.totals()[counter] == 3
