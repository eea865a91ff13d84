"""Does small pieces of work in groups, so that they share the fixed cost of a call.

`Grouped` does together next what arrives while a group is under way, `Gathered` what then arrives at the same time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

S = TypeVar("S")
T = TypeVar("T")


class Grouped(Generic[S, T]):
    """`do` takes a group and returns a result for each piece, in order. One group is under way at a time.

    The first piece does not wait for others, so a group costs no time and saves the fixed cost of each call.
    """

    def __init__(self, do: Callable[[Sequence[S]], Awaitable[Sequence[T]]], most: int) -> None:
        """`most`: pieces in a group."""
        self._do = do
        self._most = most
        self._waiting: list[tuple[S, asyncio.Future[T]]] = []
        self._task: asyncio.Task[None] | None = None

    async def done(self, piece: S) -> T:
        """Do it with others and return its result; raises what `do` raises for its group."""
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((piece, answer))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())
        return await answer

    async def _work(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            await _do_group(self._do, group)


class Gathered(Generic[S, T]):
    """`do` takes a group and returns a result for each piece, in order. A group has the pieces of one turn of the loop.

    A piece that arrives while nothing is under way is done alone and at once, so that it waits for no turn. Several
    groups may be under way, so no piece waits for an earlier group, and a slow one delays only its own pieces.
    """

    def __init__(self, do: Callable[[Sequence[S]], Awaitable[Sequence[T]]], most: int) -> None:
        """`most`: pieces in a group."""
        self._do = do
        self._most = most
        self._is_alone = False
        self._waiting: list[tuple[S, asyncio.Future[T]]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def done(self, piece: S) -> T:
        """Do it, with others if there are any, and return its result; raises what `do` raises for its group."""
        if not self._is_alone and not self._tasks and not self._waiting:
            return await self._alone(piece)
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._begin)
        self._waiting.append((piece, answer))
        return await answer

    async def _alone(self, piece: S) -> T:
        self._is_alone = True
        try:
            [result] = await self._do([piece])
        finally:
            self._is_alone = False
        return result

    def _begin(self) -> None:
        waiting = [each for each in self._waiting if not each[1].cancelled()]
        self._waiting = []
        for begin in range(0, len(waiting), self._most):
            task = asyncio.create_task(_do_group(self._do, waiting[begin : begin + self._most]))
            self._tasks.add(task)  # the loop itself keeps only weak references to tasks
            task.add_done_callback(self._tasks.discard)


async def _do_group(
    do: Callable[[Sequence[S]], Awaitable[Sequence[T]]], group: Sequence[tuple[S, asyncio.Future[T]]]
) -> None:
    try:
        results = await do([piece for piece, _ in group])
    except Exception as error:  # noqa: BLE001  each caller of `done` gets the error
        for _, answer in group:
            if not answer.cancelled():
                answer.set_exception(error)
    else:
        for (_, answer), result in zip(group, results, strict=True):
            if not answer.cancelled():
                answer.set_result(result)
