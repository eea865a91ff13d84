"""The order of the ids in memory is that of sorting them all."""

from __future__ import annotations

from random import Random

import pytest

from tmf_sales.storage.id_order import BLOCK, IdOrder


@pytest.mark.parametrize("count", [0, 1, BLOCK, 5 * BLOCK])
def test_pages_are_those_of_the_sorted_ids(count: int) -> None:
    random, order, known = Random(630), IdOrder(), set[str]()
    for _ in range(count):
        id = f"{random.getrandbits(64):016x}"
        order.add(id)
        known.add(id)

    ids = sorted(known)

    assert order.page(0, count + 1) == ids
    assert order.page(count // 2, 20) == ids[count // 2 : count // 2 + 20]
    assert order.page(count, 20) == []


def test_ids_that_come_in_order_stay_in_order() -> None:
    order, ids = IdOrder(), [f"{number:06}" for number in range(4 * BLOCK)]
    for id in ids:
        order.add(id)

    assert order.page(0, len(ids)) == ids
    assert order.page(3 * BLOCK + 7, 2) == ids[3 * BLOCK + 7 : 3 * BLOCK + 9]


def test_ids_that_are_removed_are_gone_and_may_come_again() -> None:
    random, order = Random(699), IdOrder()
    ids = [f"{number:06}" for number in range(4 * BLOCK)]
    for id in ids:
        order.add(id)
    removed = random.sample(ids, len(ids) // 2)
    for id in removed:
        order.remove(id)
    left = sorted(set(ids) - set(removed))
    assert order.page(0, len(ids)) == left

    for id in left:
        order.remove(id)
    assert order.page(0, 1) == []

    for id in reversed(removed):
        order.add(id)
    assert order.page(0, len(ids)) == sorted(removed)


def test_a_walk_goes_on_behind_an_id_that_need_not_be_there() -> None:
    order = IdOrder()
    for id in ("b", "d", "f"):
        order.add(id)

    assert order.after("", 2) == ["b", "d"]
    assert order.after("b", 9) == ["d", "f"]
    assert order.after("c", 1) == ["d"]
    assert order.after("f", 1) == []
