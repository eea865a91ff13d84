"""The state machine of a resource, or of the elements of one of its lists, as a table read from the contract.

`x-lifecycle` gives the initial state and the transitions, `x-set-on` the dates that entering a state sets. Promise:
what is not in the table is refused, naming the current state, the wanted one and the allowed ones; to stay is no
transition.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tmf_sales.errors import ForbiddenTransition

ANY = "any"


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """`transitions`: from each state that is not final, the states that it may become. `set_on`: a state, or `any`,
    to the member that gets the current time when that state is entered.
    """

    initial: str
    transitions: Mapping[str, Sequence[str]]
    set_on: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_contract(cls, table: Mapping[str, Any], set_on: Mapping[str, str]) -> Lifecycle:
        """Read `x-lifecycle` and `x-set-on` as the contract has them."""
        return cls(table["initial"], table["transitions"], set_on)

    def is_final(self, state: str) -> bool:
        return not self.allowed(state)

    def allowed(self, state: str) -> Sequence[str]:
        return self.transitions.get(state, ())

    def reject_forbidden(self, pointer: str, before: str, after: str | None) -> None:
        """Raises ForbiddenTransition, also when the state was taken away (None); `pointer` is the state's place."""
        if after != before and after not in self.allowed(before):
            raise ForbiddenTransition(pointer, before, after or "nothing", self.allowed(before))

    def dates_set_on_entering(self, state: str) -> tuple[str, ...]:
        """The members that get the current time when `state` is entered, at creation or by a transition."""
        return tuple(self.set_on[entered] for entered in (ANY, state) if entered in self.set_on)
