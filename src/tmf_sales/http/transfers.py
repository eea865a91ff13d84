"""Limits the bodies that are being received or sent at a time.

Guarantee: slow clients cannot keep others out. When there is no room for a new transfer, one below the minimum rate is
aborted.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from tmf_sales.errors import Unavailable

GRACE = 1.0  # seconds before a transfer can count as slow
LEAST_RATE = 4096  # bytes per second, on average


class Transfer:
    """One body being transferred: the room it takes, and how many of its bytes have moved."""

    __slots__ = ("_end", "_give_up", "moved", "room", "since")

    def __init__(self, room: int, give_up: Callable[[], None], end: Callable[[Transfer], None], since: float) -> None:
        self.room = room
        self.moved = 0
        self.since = since
        self._give_up = give_up
        self._end = end

    def end(self) -> None:
        self._end(self)

    def give_up(self) -> None:
        self.end()
        self._give_up()

    def is_slow(self, now: float) -> bool:
        elapsed = now - self.since
        return elapsed > GRACE and self.moved < LEAST_RATE * elapsed


class Transfers:
    """The transfers that share a limited room."""

    def __init__(self, room: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._room = room
        self._clock = clock
        self._taken = 0
        self._under_way: dict[Transfer, None] = {}

    def begin(self, room: int, give_up: Callable[[], None]) -> Transfer:
        """Begin a transfer; raise Unavailable when there is no room and no other transfer is slow.

        `give_up` aborts this transfer later, should it be slow when another one needs room. A transfer larger than the
        whole room may run alone.
        """
        now = self._clock()
        if self._taken and self._taken + room > self._room:
            self._make_room(room, now)
        transfer = Transfer(room, give_up, self._end, now)
        self._taken += room
        self._under_way[transfer] = None
        return transfer

    def _make_room(self, room: int, now: float) -> None:
        for transfer in [each for each in self._under_way if each.is_slow(now)]:
            transfer.give_up()
            if self._taken + room <= self._room:
                return
        if self._taken:
            raise Unavailable("Too many large bodies at the same time", headers={"Connection": "close"})

    def _end(self, transfer: Transfer) -> None:
        if transfer in self._under_way:
            del self._under_way[transfer]
            self._taken -= transfer.room
