"""Reads the state machine of a resource, or of the elements of a list, from the contract and checks transitions.

`x-lifecycle` gives the initial state and the transitions, `x-set-on` the dates to set on entering a state, and
`x-remove-on` the members to remove. Other transitions are rejected with the current, the requested and the allowed
states. Keeping the state is not a transition.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tmf_sales.errors import ForbiddenTransition

ANY = "any"


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """One state machine. `transitions`: the allowed next states of each state that is not final.

    `set_on`: the member that gets the current time on entering a state, by state or `any`. `remove_on`: likewise, the
    member that is removed because it belongs to the previous state.
    """

    initial: str
    transitions: Mapping[str, Sequence[str]]
    set_on: Mapping[str, str] = field(default_factory=dict)
    remove_on: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_contract(cls, schema: Mapping[str, Any]) -> Lifecycle:
        """Read `x-lifecycle`, `x-set-on` and `x-remove-on` from the schema of the state member."""
        table = schema["x-lifecycle"]
        return cls(table["initial"], table["transitions"], schema.get("x-set-on", {}), schema.get("x-remove-on", {}))

    def states(self) -> Sequence[str]:
        """All states, the initial one first, in the order in which the contract names them."""
        named = (self.initial, *self.transitions, *(each for allowed in self.transitions.values() for each in allowed))
        return tuple(dict.fromkeys(named))

    def is_final(self, state: str) -> bool:
        return not self.allowed(state)

    def allowed(self, state: str) -> Sequence[str]:
        return self.transitions.get(state, ())

    def reject_forbidden(self, pointer: str, before: str, after: str | None) -> None:
        """Raises ForbiddenTransition, also when the state was removed (None). `pointer`: the place of the state."""
        if after != before and after not in self.allowed(before):
            raise ForbiddenTransition(pointer, before, after or "nothing", self.allowed(before))

    def dates_set_on_entering(self, state: str) -> tuple[str, ...]:
        """The members that get the current time on entering `state`, at creation or by a transition."""
        return _of_state(self.set_on, state)

    def members_removed_on_entering(self, state: str) -> tuple[str, ...]:
        """The members that a transition to `state` removes, unless the same request sends them."""
        return _of_state(self.remove_on, state)


def _of_state(table: Mapping[str, str], state: str) -> tuple[str, ...]:
    return tuple(table[entered] for entered in (ANY, state) if entered in table)
