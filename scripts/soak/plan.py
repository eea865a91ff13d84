"""What is restarted when: everything at the start and at the end, and all the time the processes that are not measured.

The first service and the first delivery worker live through the middle of the run: a process whose memory is measured
cannot be restarted meanwhile. The second ones, and each member of the replica set, restart again and again.
"""

from __future__ import annotations

from dataclasses import dataclass

WARM_UP = 0.2
"""The share of the time after that the first measurement is taken."""
SHORTEST_STEP, LONGEST_STEP = 5.0, 30.0
STEPS = 60
"""How many restarts there are at least in a run that is not short."""

SAMPLED = ("service one", "deliver one")
MEASURED = ("restart service one", "restart the workers of service one", "restart deliver one")
CYCLE = (
    "restart service two",
    "stop a secondary",
    "restart deliver two",
    "kill a secondary",
    "stop the primary",
    "reload everything",
    "kill the primary",
)


@dataclass(frozen=True, slots=True)
class Plan:
    """The length of a step and when the measured part begins and ends, in seconds from the start."""

    seconds: float

    @property
    def step(self) -> float:
        return min(max(self.seconds / STEPS, SHORTEST_STEP), LONGEST_STEP)

    @property
    def measured_from(self) -> float:
        return max(self.seconds * WARM_UP, len(MEASURED) * self.step)

    @property
    def measured_until(self) -> float:
        return self.seconds - len(MEASURED) * self.step
