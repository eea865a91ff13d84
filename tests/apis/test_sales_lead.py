"""TMF699: what may change on a sales lead, in which state."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tmf_sales.apis.sales_lead import SalesLeadRules
from tmf_sales.contract.loader import Contract
from tmf_sales.engine.documents import DocumentBuilder, Patch
from tmf_sales.errors import FinalState, ForbiddenTransition

ROOT = Path(__file__).parents[2]
NOW = "2026-03-04T05:06:07.890Z"
LATER = "2026-03-05T00:00:00.000Z"
FINAL = ["accepted", "rejected", "cancelled"]


@pytest.fixture(scope="module")
def builder() -> DocumentBuilder:
    return DocumentBuilder(Contract(ROOT / "openapi" / "tmf699-sales-v4.yaml").resources["salesLead"], SalesLeadRules())


def lead(builder: DocumentBuilder, **members: Any) -> dict[str, Any]:
    body = {"name": "Lead", **members}
    builder.normalize_body(body, lambda: NOW)
    return builder.new(body, "1", NOW)


def patched(builder: DocumentBuilder, before: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    return builder.patched(before, Patch(patch, "application/merge-patch+json", "http://host/1", LATER)).document


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
    builder: DocumentBuilder, status: str, patch: dict[str, Any]
) -> None:
    name = next(iter(patch))

    assert patched(builder, lead(builder, status=status), patch)[name]


@pytest.mark.parametrize("status", FINAL)
def test_a_final_lead_takes_nothing_else(builder: DocumentBuilder, status: str) -> None:
    before = lead(builder, status=status)

    with pytest.raises(FinalState, match=r"/description, /rating: cannot change while status is") as refusal:
        patched(builder, before, {"description": "x", "rating": "hot", "note": [{"text": "x"}]})

    assert "open in it: note, relatedParty, salesOpportunity" in refusal.value.message


@pytest.mark.parametrize("status", ["acknowledged", "inProgress", "pending"])
def test_a_lead_that_is_not_final_takes_everything(builder: DocumentBuilder, status: str) -> None:
    assert patched(builder, lead(builder, status=status), {"description": "x"})["description"] == "x"


def test_members_sent_as_they_are_stored_do_not_count(builder: DocumentBuilder) -> None:
    before = lead(builder, status="accepted", description="x")

    assert patched(builder, before, {"description": "x", "status": "accepted", "note": [{"text": "y"}]})["note"]


def test_a_final_status_is_refused_by_the_lifecycle(builder: DocumentBuilder) -> None:
    with pytest.raises(ForbiddenTransition, match="nothing, it is final"):
        patched(builder, lead(builder, status="rejected"), {"status": "inProgress"})


def test_a_change_of_status_is_dated_unless_the_date_is_sent(builder: DocumentBuilder) -> None:
    sent = "2026-01-01T00:00:00.000Z"

    assert patched(builder, lead(builder), {"status": "inProgress"})["statusChangeDate"] == LATER
    assert (
        patched(builder, lead(builder), {"status": "inProgress", "statusChangeDate": sent})["statusChangeDate"] == sent
    )
    assert patched(builder, lead(builder), {"description": "x"})["statusChangeDate"] == NOW


def test_the_printed_patch_asks_for_information_once_sales_works_on_the_lead(builder: DocumentBuilder) -> None:
    patch = json.loads((ROOT / "tests" / "samples" / "tmf699-mergepatch-request.json").read_text())

    assert patched(builder, lead(builder, status="inProgress"), patch)["status"] == "pending"
    with pytest.raises(ForbiddenTransition, match="cannot change from acknowledged to 'pending'"):
        patched(builder, lead(builder), patch)
