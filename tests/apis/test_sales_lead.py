"""TMF699: what may change on a sales lead, in which state."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tmf_sales.apis.sales_lead import SalesLeadRules
from tmf_sales.contract.loader import Contract
from tmf_sales.engine.documents import Drafter
from tmf_sales.errors import FinalState, ForbiddenTransition

ROOT = Path(__file__).parents[2]
NOW = "2026-03-04T05:06:07.890Z"
LATER = "2026-03-05T00:00:00.000Z"
FINAL = ["accepted", "rejected", "cancelled"]


@pytest.fixture(scope="module")
def drafter() -> Drafter:
    return Drafter(Contract(ROOT / "openapi" / "tmf699-sales-v4.yaml").resources["salesLead"], SalesLeadRules())


def lead(drafter: Drafter, **members: Any) -> dict[str, Any]:
    body = {"name": "Lead", **members}
    drafter.settle_body(body)
    return drafter.new(body, "1", NOW)


def patched(drafter: Drafter, before: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    return drafter.patched(before, patch, "application/merge-patch+json", "http://host/1", LATER).document


@pytest.mark.parametrize("status", FINAL)
@pytest.mark.parametrize(
    "patch",
    [
        {"note": [{"text": "Called back"}]},
        {"relatedParty": [{"id": "1", "@referredType": "Individual"}]},
        {"salesOpportunity": {"id": "7"}},
    ],
    ids=lambda patch: next(iter(patch)),
)
def test_a_final_lead_still_takes_notes_people_and_its_opportunity(
    drafter: Drafter, status: str, patch: dict[str, Any]
) -> None:
    name = next(iter(patch))

    assert patched(drafter, lead(drafter, status=status), patch)[name]


@pytest.mark.parametrize("status", FINAL)
def test_a_final_lead_takes_nothing_else(drafter: Drafter, status: str) -> None:
    before = lead(drafter, status=status)

    with pytest.raises(FinalState, match=r"/description, /rating: cannot change while status is") as refusal:
        patched(drafter, before, {"description": "x", "rating": "hot", "note": [{"text": "x"}]})

    assert "open in it: note, relatedParty, salesOpportunity" in refusal.value.message


@pytest.mark.parametrize("status", ["acknowledged", "inProgress", "pending"])
def test_a_lead_that_is_not_final_takes_everything(drafter: Drafter, status: str) -> None:
    assert patched(drafter, lead(drafter, status=status), {"description": "x"})["description"] == "x"


def test_members_sent_as_they_are_stored_do_not_count(drafter: Drafter) -> None:
    before = lead(drafter, status="accepted", description="x")

    assert patched(drafter, before, {"description": "x", "status": "accepted", "note": [{"text": "y"}]})["note"]


def test_a_final_status_is_refused_by_the_lifecycle(drafter: Drafter) -> None:
    with pytest.raises(ForbiddenTransition, match="nothing, it is final"):
        patched(drafter, lead(drafter, status="rejected"), {"status": "inProgress"})


def test_a_change_of_status_is_dated_unless_the_date_is_sent(drafter: Drafter) -> None:
    sent = "2026-01-01T00:00:00.000Z"

    assert patched(drafter, lead(drafter), {"status": "inProgress"})["statusChangeDate"] == LATER
    assert (
        patched(drafter, lead(drafter), {"status": "inProgress", "statusChangeDate": sent})["statusChangeDate"] == sent
    )
    assert patched(drafter, lead(drafter), {"description": "x"})["statusChangeDate"] == NOW


def test_the_printed_patch_asks_for_information_once_sales_works_on_the_lead(drafter: Drafter) -> None:
    patch = json.loads((ROOT / "tests" / "samples" / "tmf699-mergepatch-request.json").read_text())

    assert patched(drafter, lead(drafter, status="inProgress"), patch)["status"] == "pending"
    with pytest.raises(ForbiddenTransition, match="cannot change from acknowledged to 'pending'"):
        patched(drafter, lead(drafter), patch)
