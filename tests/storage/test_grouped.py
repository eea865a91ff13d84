"""Small pieces of work are done in groups, each with its own result."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from tmf_sales.storage.grouped import Gathered, Grouped


class Squares:
    """Squares numbers; holds each group until `go` is set, and fails for a group with a negative number."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.go = asyncio.Event()

    async def of(self, group: Sequence[int]) -> Sequence[int]:
        self.groups.append(list(group))
        await self.go.wait()
        if min(group) < 0:
            raise ValueError("negative")
        return [each * each for each in group]


async def begun(grouped: Gathered[int, int] | Grouped[int, int], *pieces: int) -> list[asyncio.Task[int]]:
    """Begin these pieces, and return when each of them has been handed over."""
    tasks = [asyncio.create_task(grouped.done(piece)) for piece in pieces]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


@pytest.mark.parametrize(("most", "groups"), [(10, [[1], [2, 3, 4]]), (2, [[1], [2, 3], [4]])])
async def test_what_arrives_while_a_group_is_under_way_is_done_together_next_up_to_the_most(
    most: int, groups: list[list[int]]
) -> None:
    squares = Squares()
    grouped = Grouped(squares.of, most)

    first = await begun(grouped, 1)
    others = await begun(grouped, 2, 3, 4)
    squares.go.set()

    assert await asyncio.gather(*first, *others) == [1, 4, 9, 16]
    assert squares.groups == groups


async def test_each_piece_of_a_group_that_fails_gets_the_error_and_the_next_group_is_done() -> None:
    squares = Squares()
    grouped = Grouped(squares.of, most=2)

    first = await begun(grouped, 1)
    failing = await begun(grouped, -2, 3)
    squares.go.set()

    assert await asyncio.gather(*first) == [1]
    for task in failing:
        with pytest.raises(ValueError, match="negative"):
            await task
    assert await grouped.done(5) == 25


@pytest.mark.parametrize("fails", [False, True])
async def test_a_piece_that_nobody_waits_for_any_more_disturbs_no_other(fails: bool) -> None:
    squares = Squares()
    grouped = Grouped(squares.of, most=10)

    first = await begun(grouped, 1)
    left, kept = await begun(grouped, 2, -3 if fails else 3)
    left.cancel()
    squares.go.set()

    assert await asyncio.gather(*first) == [1]
    if fails:
        with pytest.raises(ValueError, match="negative"):
            await kept
    else:
        assert await kept == 9
    with pytest.raises(asyncio.CancelledError):
        await left


@pytest.mark.parametrize(("most", "groups"), [(10, [[1], [2, 3, 4], [5]]), (2, [[1], [2, 3], [4], [5]])])
async def test_what_arrives_at_the_same_time_is_done_together_while_others_are_under_way(
    most: int, groups: list[list[int]]
) -> None:
    squares = Squares()
    gathered = Gathered(squares.of, most)

    tasks = await begun(gathered, 1, 2, 3, 4)
    tasks += await begun(gathered, 5)
    assert squares.groups == groups
    squares.go.set()

    assert await asyncio.gather(*tasks) == [1, 4, 9, 16, 25]


async def test_a_piece_is_done_at_once_and_alone_when_nothing_is_under_way() -> None:
    squares = Squares()
    squares.go.set()
    gathered = Gathered(squares.of, most=10)

    for piece in (1, 2):
        await gathered.done(piece)
        with pytest.raises(ValueError, match="negative"):
            await gathered.done(-piece)

    assert squares.groups == [[1], [-1], [2], [-2]]


async def test_a_group_that_fails_disturbs_no_other() -> None:
    squares = Squares()
    gathered = Gathered(squares.of, most=10)

    first = await begun(gathered, 1)
    failing = await begun(gathered, -2, 3)
    others = await begun(gathered, 4)
    squares.go.set()

    for task in failing:
        with pytest.raises(ValueError, match="negative"):
            await task
    assert await asyncio.gather(*first, *others) == [1, 16]


async def test_a_piece_that_is_given_up_before_its_group_begins_is_not_done() -> None:
    squares = Squares()
    gathered = Gathered(squares.of, most=10)
    first, given_up, kept = (asyncio.create_task(gathered.done(piece)) for piece in (1, 2, 3))
    asyncio.get_running_loop().call_soon(given_up.cancel)
    asyncio.get_running_loop().call_soon(squares.go.set)

    assert (await first, await kept) == (1, 9)
    assert squares.groups == [[1], [3]]
    assert given_up.cancelled()
