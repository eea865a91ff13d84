"""The third contract's own rules: its lifecycle, the date that a state sets, and what only its module says."""

from __future__ import annotations

import itertools

import pytest
from tests.api import Api, current_time, refusal
from tests.http.conftest import Services
from tests.http.resources import TICKET

ALLOWED = {"open": {"held", "resolved"}, "held": {"open"}, "resolved": {"open", "closed"}}
WAY_TO = {"open": [], "held": ["held"], "resolved": ["resolved"], "closed": ["resolved", "closed"]}


@pytest.fixture
def tickets(services: Services) -> Api:
    return services.of(TICKET, "memory")


@pytest.mark.parametrize(("now", "wanted"), [*itertools.product(WAY_TO, WAY_TO)])
def test_the_status_follows_the_state_machine_of_its_contract(tickets: Api, now: str, wanted: str) -> None:
    ticket = tickets.create("/ticket", TICKET.minimal)
    for step in WAY_TO[now]:
        ticket = tickets.changed(TICKET.at(ticket), {"status": step})

    answer = tickets.patch(TICKET.at(ticket), {"status": wanted})

    if wanted == now or wanted in ALLOWED.get(now, ()):
        assert answer.json()["status"] == wanted
    else:
        refusal(answer, 409, "forbiddenTransition")


def test_a_state_sets_the_date_that_its_contract_names(tickets: Api) -> None:
    ticket = tickets.create("/ticket", TICKET.minimal)
    before = current_time()

    resolved = tickets.changed(TICKET.at(ticket), {"status": "resolved"})

    assert resolved["resolutionDate"] >= before >= ticket["reportedDate"]
    assert "resolutionDate" not in tickets.changed(TICKET.at(ticket), {"status": "open"})


def test_its_module_refuses_at_creation_and_in_a_patch(tickets: Api) -> None:
    ticket = tickets.create("/ticket", TICKET.minimal)
    said = "/description: is required when severity is critical"

    assert refusal(tickets.post("/ticket", {"severity": "critical"}), 400, "invalidBody") == said
    answer = tickets.patch(TICKET.at(ticket), {"severity": "critical"})
    assert said in refusal(answer, 409, "patchResultRefused")


def test_its_module_leaves_something_open_in_a_final_state(tickets: Api) -> None:
    ticket = tickets.create("/ticket", TICKET.minimal)
    for step in WAY_TO["closed"]:
        ticket = tickets.changed(TICKET.at(ticket), {"status": step})

    assert tickets.changed(TICKET.at(ticket), {"note": [{"text": "x"}]})["note"] == [{"text": "x", "id": "1"}]
    refusal(tickets.patch(TICKET.at(ticket), {"reporter": "x"}), 409, "finalState")
