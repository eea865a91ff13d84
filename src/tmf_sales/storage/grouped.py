"""Does small pieces of work in groups: what arrives while a group is under way is done together next."""

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
            try:
                results = await self._do([piece for piece, _ in group])
            except Exception as error:  # noqa: BLE001  each caller of `done` gets the error
                for _, answer in group:
                    if not answer.cancelled():
                        answer.set_exception(error)
            else:
                for (_, answer), result in zip(group, results, strict=True):
                    if not answer.cancelled():
                        answer.set_result(result)
