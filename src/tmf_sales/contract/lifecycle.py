"""The state machine of a resource, or of the elements of one of its lists, as a table read from the contract.

`x-lifecycle` gives the initial state and the transitions, `x-set-on` the dates that entering a state sets, and
`x-remove-on` the members that it removes. What is not in the table is rejected, naming the current state, the wanted
one and the allowed ones; to stay is no transition.
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
    to the member that gets the current time when that state is entered. `remove_on`: the same for the member that is
    removed, as it belongs to the state before.
    """

    initial: str
    transitions: Mapping[str, Sequence[str]]
    set_on: Mapping[str, str] = field(default_factory=dict)
    remove_on: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_contract(cls, schema: Mapping[str, Any]) -> Lifecycle:
        """Read the schema of the states, with `x-lifecycle`, `x-set-on` and `x-remove-on`."""
        table = schema["x-lifecycle"]
        return cls(table["initial"], table["transitions"], schema.get("x-set-on", {}), schema.get("x-remove-on", {}))

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
        return _of_state(self.set_on, state)

    def members_removed_on_entering(self, state: str) -> tuple[str, ...]:
        """The members that a transition to `state` removes, unless the same request sends them."""
        return _of_state(self.remove_on, state)


def _of_state(table: Mapping[str, str], state: str) -> tuple[str, ...]:
    return tuple(table[entered] for entered in (ANY, state) if entered in table)
