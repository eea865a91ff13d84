"""Numbers that a process counts for itself and publishes in memory that all workers share.

Guarantee: counting is an addition in a list of this process, without lock or system call. The shared memory is
anonymous: it needs no file, so it works with a read-only root file system. What a dead worker has counted stays in the
totals, because its successor takes over its row.
"""

from __future__ import annotations

import math
import mmap
from array import array
from collections.abc import Sequence

UNKNOWN = math.nan


class Numbers:
    """The counters of this process (`own`) and a board of gauges, which belong to no process in particular.

    Reserve all positions first, then `share` in the process that forks the workers, then `take_row` in each worker.
    """

    def __init__(self) -> None:
        self.own: list[float] = []
        self.board: memoryview[float] = memoryview(array("d"))
        self._gauges = 0
        self._table: memoryview[float] | None = None
        self._row: int | None = None
        self._rows = 0

    def reserve(self, count: int = 1) -> int:
        """Return the first of `count` new positions in `own`."""
        self.own.extend([0.0] * count)
        return len(self.own) - count

    def reserve_gauges(self, count: int = 1) -> int:
        """Return the first of `count` new positions on the board."""
        self._gauges += count
        return self._gauges - count

    def share(self, rows: int) -> None:
        """Allocate the memory for so many processes."""
        table = memoryview(mmap.mmap(-1, max(1, (rows * len(self.own) + self._gauges) * 8))).cast("d")
        self._rows = rows
        self._table = table[: rows * len(self.own)]
        self.board = table[rows * len(self.own) :][: self._gauges]
        self.board[:] = memoryview(array("d", [UNKNOWN] * self._gauges))

    def take_row(self, row: int | None) -> None:
        """Publish in this row, and go on counting from what it has; None: publish nowhere."""
        self._row = row
        if row is not None and self._table is not None:
            self.own[:] = self._read(self._table, row)

    def publish(self) -> None:
        """Write the counters of this process into its row."""
        if self._table is not None and self._row is not None:
            width = len(self.own)
            self._table[self._row * width : (self._row + 1) * width] = memoryview(array("d", self.own))

    def totals(self) -> Sequence[float]:
        """The sums over all processes; those of other processes are as of their last `publish`."""
        self.publish()
        if self._table is None or self._row is None:
            return list(self.own)
        return [
            sum(column) for column in zip(*(self._read(self._table, row) for row in range(self._rows)), strict=True)
        ]

    def _read(self, table: memoryview[float], row: int) -> Sequence[float]:
        width = len(self.own)
        return table[row * width : (row + 1) * width].tolist()
