"""The state machines: the contracts have the tables of the specifications, and nothing outside them is allowed."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import NamedTuple

import pytest

from tmf_sales.contract.lifecycle import Lifecycle
from tmf_sales.contract.loader import Contract
from tmf_sales.errors import ForbiddenTransition

CONTRACTS = Path(__file__).parents[2] / "openapi"


class Machine(NamedTuple):
    """A state machine as the diagram of the specification draws it."""

    file: str
    schema: str
    initial: str
    states: str
    transitions: set[tuple[str, str]]


MACHINES = [
    Machine(
        "tmf699-sales-v4.yaml",
        "SalesLead",
        "acknowledged",
        "acknowledged inProgress pending accepted rejected cancelled",
        {
            ("acknowledged", "inProgress"),
            ("acknowledged", "cancelled"),
            ("inProgress", "pending"),
            ("inProgress", "accepted"),
            ("inProgress", "rejected"),
            ("pending", "inProgress"),
            ("pending", "rejected"),
        },
    ),
    Machine(
        "tmf648-quote-v4.yaml",
        "Quote",
        "inProgress",
        "inProgress pending approved accepted rejected cancelled",
        {
            ("inProgress", "pending"),
            ("inProgress", "approved"),
            ("inProgress", "cancelled"),
            ("pending", "inProgress"),
            ("pending", "cancelled"),
            ("approved", "accepted"),
            ("approved", "rejected"),
        },
    ),
    Machine(
        "tmf648-quote-v4.yaml",
        "QuoteItem",
        "inProgress",
        "inProgress pending approved rejected",
        {
            ("inProgress", "pending"),
            ("inProgress", "approved"),
            ("pending", "inProgress"),
            ("approved", "rejected"),
        },
    ),
]

TABLE = [
    (machine, before, after)
    for machine in MACHINES
    for before, after in itertools.product(machine.states.split(), repeat=2)
]


def lifecycle_of(machine: Machine) -> Lifecycle:
    object_type = Contract(CONTRACTS / machine.file).object_types.named(machine.schema)
    member = object_type.lifecycle_member
    assert member is not None
    assert member.lifecycle is not None
    return member.lifecycle


@pytest.fixture(scope="module")
def lifecycles() -> dict[str, Lifecycle]:
    return {machine.schema: lifecycle_of(machine) for machine in MACHINES}


@pytest.mark.parametrize(("machine", "before", "after"), TABLE, ids=lambda value: getattr(value, "schema", value))
def test_only_what_the_diagram_draws_is_a_transition(
    lifecycles: dict[str, Lifecycle], machine: Machine, before: str, after: str
) -> None:
    lifecycle = lifecycles[machine.schema]
    allowed = [wanted for wanted in machine.states.split() if (before, wanted) in machine.transitions]

    if before == after or after in allowed:
        lifecycle.reject_forbidden("/state", before, after)
        return
    with pytest.raises(ForbiddenTransition) as refusal:
        lifecycle.reject_forbidden("/state", before, after)

    message = refusal.value.message
    assert message.startswith(f"/state: cannot change from {before} to '{after}'; allowed: ")
    assert set(message.partition("allowed: ")[2].split(", ")) == set(allowed or ["nothing", "it is final"])


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.schema)
def test_a_machine_starts_and_ends_where_the_diagram_says(lifecycles: dict[str, Lifecycle], machine: Machine) -> None:
    lifecycle = lifecycles[machine.schema]
    final = {state for state in machine.states.split() if not any(state == left for left, _ in machine.transitions)}

    assert lifecycle.initial == machine.initial
    assert {state for state in machine.states.split() if lifecycle.is_final(state)} == final


def test_a_state_cannot_be_taken_away() -> None:
    with pytest.raises(ForbiddenTransition, match="cannot change from open to 'nothing'; allowed: closed"):
        Lifecycle("open", {"open": ["closed"]}).reject_forbidden("/state", "open", None)


def test_entering_a_state_sets_the_dates_of_any_state_and_its_own() -> None:
    table = {"initial": "open", "transitions": {"open": ["closed"]}}
    set_on, remove_on = {"any": "changed", "closed": "closingDate"}, {"closed": "openedBy"}
    lifecycle = Lifecycle.from_contract({"x-lifecycle": table, "x-set-on": set_on, "x-remove-on": remove_on})

    assert lifecycle.dates_set_on_entering("open") == ("changed",)
    assert lifecycle.dates_set_on_entering("closed") == ("changed", "closingDate")
    assert lifecycle.members_removed_on_entering("closed") == ("openedBy",)
    assert lifecycle.members_removed_on_entering("open") == ()
    assert Lifecycle("open", {}).dates_set_on_entering("open") == ()
