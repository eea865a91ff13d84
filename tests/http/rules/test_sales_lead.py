"""The rules of a sales lead (TMF699: mandatory attributes, default values, patchable attributes, state machine)."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from tests.api import JSON_PATCH, MERGE_PATCH, Api, Document, current_time, refusal
from tests.http.conftest import Services

STATUSES = ("acknowledged", "inProgress", "pending", "accepted", "rejected", "cancelled")
ALLOWED = {
    "acknowledged": {"inProgress", "cancelled"},
    "inProgress": {"pending", "accepted", "rejected"},
    "pending": {"inProgress", "rejected"},
}
FINAL = ("accepted", "rejected", "cancelled")
LEAD = {"name": "Campaign 17 salesLead 7852"}


@pytest.fixture(scope="session")
def store() -> str:
    """These rules are the same on every store."""
    return "sqlite"


def lead_in(leads: Api, status: str, **members: Any) -> Document:
    return leads.create("/salesLead", {**LEAD, "status": status, **members})


def at(lead: Document) -> str:
    return f"/salesLead/{lead['id']}"


def test_only_the_name_is_mandatory_and_the_rest_has_defaults(leads: Api) -> None:
    lead = leads.create("/salesLead", LEAD)

    assert lead == {
        "id": lead["id"],
        "href": f"{leads.root}/salesLead/{lead['id']}",
        **LEAD,
        "status": "acknowledged",
        "statusChangeReason": "Lead created",
        "creationDate": lead["creationDate"],
        "statusChangeDate": lead["creationDate"],
        "@type": "SalesLead",
    }


@pytest.mark.parametrize("status", STATUSES)
def test_a_lead_may_be_created_in_any_status(leads: Api, status: str) -> None:
    assert lead_in(leads, status)["status"] == status


def test_dates_and_reason_that_are_sent_stand(leads: Api) -> None:
    sent = {
        "creationDate": "2019-01-19T12:27:59.123Z",
        "statusChangeDate": "2019-01-25T15:53:29.961Z",
        "statusChangeReason": "Seen at the fair",
    }

    assert sent.items() <= leads.create("/salesLead", {**LEAD, **sent}).items()


def test_the_server_alone_gives_id_and_href(leads: Api) -> None:
    message = refusal(leads.post("/salesLead", {**LEAD, "id": "7", "href": "http://x"}), 400, "invalidBody")

    assert "/id: may not be sent" in message
    assert "/href: may not be sent" in message


def test_notes_without_an_id_get_the_next_free_number(leads: Api) -> None:
    lead = leads.create("/salesLead", {**LEAD, "note": [{"text": "a"}, {"id": "7", "text": "b"}, {"text": "c"}, {}]})

    assert [note["id"] for note in lead["note"]] == ["8", "7", "9", "10"]


def test_contact_medium_is_an_unknown_attribute_of_a_lead(leads: Api) -> None:
    contact = [{"preferred": "false", "validFor": {"endDateTime": ""}}]

    assert leads.create("/salesLead", {**LEAD, "contactMedium": contact})["contactMedium"] == contact


@pytest.mark.parametrize("member", ["category", "channel", "marketSegment", "marketingCampaign", "product"])
def test_a_reference_needs_an_id(leads: Api, member: str) -> None:
    message = refusal(leads.post("/salesLead", {**LEAD, member: {"name": "x"}}), 400, "invalidBody")

    assert message == f"/{member}/id: is required"


def test_a_party_needs_its_id_and_class(leads: Api) -> None:
    message = refusal(leads.post("/salesLead", {**LEAD, "relatedParty": [{"name": "x"}]}), 400, "invalidBody")

    assert "/relatedParty/0/id: is required" in message
    assert "/relatedParty/0/@referredType: is required" in message


@pytest.mark.parametrize(
    ("revenue", "place"),
    [
        ({"unit": "EUR", "value": -1}, "/estimatedRevenue/value: "),
        ({"unit": "eur", "value": 1}, "/estimatedRevenue/unit: "),
        ({"unit": "EURO", "value": 1}, "/estimatedRevenue/unit: "),
        ({"unit": "EUR\n", "value": 1}, "/estimatedRevenue/unit: "),
        ({"value": "1"}, "/estimatedRevenue/value: "),
        ({"value": True}, "/estimatedRevenue/value: "),
    ],
)
def test_money_is_a_number_that_is_not_negative_in_a_currency(leads: Api, revenue: Document, place: str) -> None:
    answer = leads.post("/salesLead", {**LEAD, "estimatedRevenue": revenue})

    assert refusal(answer, 400, "invalidBody").startswith(place)


@pytest.mark.parametrize("revenue", [{}, {"unit": "EUR"}, {"value": 0}, {"unit": "JPY", "value": 1.5}])
def test_money_need_not_be_complete(leads: Api, revenue: Document) -> None:
    assert leads.create("/salesLead", {**LEAD, "estimatedRevenue": revenue})["estimatedRevenue"] == revenue


@pytest.mark.parametrize("preferred", ["yes", "True", "", 1, {}])
def test_only_the_printed_texts_are_read_as_a_boolean(leads: Api, preferred: Any) -> None:
    answer = leads.post("/salesLead", {**LEAD, "prospectContact": [{"preferred": preferred}]})

    assert refusal(answer, 400, "invalidBody").startswith("/prospectContact/0/preferred: ")


def test_printed_texts_are_understood_in_a_patch_too(leads: Api) -> None:
    lead = leads.create("/salesLead", LEAD)

    changed = leads.changed(at(lead), {"prospectContact": [{"preferred": "true", "validFor": {"endDateTime": ""}}]})

    assert changed["prospectContact"] == [{"preferred": True, "validFor": {}}]


@pytest.mark.parametrize("media_type", [JSON_PATCH, "application/json-patch-query+json"])
def test_printed_texts_are_understood_in_operations_too(leads: Api, media_type: str) -> None:
    lead = leads.create("/salesLead", {**LEAD, "prospectContact": [{"preferred": False, "validFor": {}}]})
    patch = [
        {"op": "replace", "path": "/prospectContact/0/preferred", "value": "true"},
        {"op": "add", "path": "/prospectContact/0/validFor/endDateTime", "value": ""},
    ]

    changed = leads.changed(at(lead), patch, as_type=media_type)

    assert changed["prospectContact"] == [{"preferred": True, "validFor": {}}]
    wrong = [{**patch[0], "value": "yes"}]
    assert "/preferred: " in refusal(leads.patch(at(lead), wrong, as_type=media_type), 409, "patchResultRefused")


@pytest.mark.parametrize(("now", "wanted"), [*itertools.product(STATUSES, STATUSES)])
def test_the_status_follows_the_state_machine(leads: Api, now: str, wanted: str) -> None:
    lead = lead_in(leads, now)

    answer = leads.patch(at(lead), {"status": wanted})

    if wanted == now or wanted in ALLOWED.get(now, ()):
        assert answer.json()["status"] == wanted
    else:
        message = refusal(answer, 409, "forbiddenTransition")
        start, _, allowed = message.partition("; allowed: ")
        assert start == f"/status: cannot change from {now} to '{wanted}'"
        assert set(allowed.split(", ")) == ALLOWED.get(now, {"nothing", "it is final"})


def test_a_change_of_status_is_dated(leads: Api) -> None:
    lead = lead_in(leads, "acknowledged", statusChangeDate="2019-01-01T00:00:00Z")
    before = current_time()

    changed = leads.changed(at(lead), {"status": "inProgress"})

    assert changed["statusChangeDate"] >= before >= lead["creationDate"] > "2019-01-01T00:00:00.000Z"


def test_a_change_of_status_may_be_dated_by_who_changes_it(leads: Api) -> None:
    lead = lead_in(leads, "acknowledged")

    changed = leads.changed(at(lead), {"status": "inProgress", "statusChangeDate": "2020-01-01T00:00:00Z"})

    assert changed["statusChangeDate"] == "2020-01-01T00:00:00.000Z"


def test_the_same_status_again_is_no_change(leads: Api) -> None:
    lead = lead_in(leads, "accepted")

    assert leads.changed(at(lead), {"status": "accepted", "name": lead["name"]}) == lead


@pytest.mark.parametrize("status", FINAL)
def test_a_final_lead_is_still_talked_about(leads: Api, status: str) -> None:
    lead = lead_in(leads, status)
    patch = {
        "note": [{"text": "well done"}],
        "relatedParty": [{"name": "Saul Goodman", "@referredType": "individual"}],
        "salesOpportunity": {"id": "7894325"},
    }

    changed = leads.changed(at(lead), patch)

    assert changed["note"] == [{"text": "well done", "id": "1"}]
    assert changed["salesOpportunity"] == {"id": "7894325"}


@pytest.mark.parametrize("status", FINAL)
@pytest.mark.parametrize("patch", [{"rating": "hot"}, {"colour": "blue"}, {"statusChangeReason": "x"}, {"name": "x"}])
def test_nothing_else_of_a_final_lead_changes(leads: Api, status: str, patch: Document) -> None:
    lead = lead_in(leads, status)

    message = refusal(leads.patch(at(lead), patch), 409, "finalState")

    assert message.startswith(f"/{next(iter(patch))}: cannot change while status is {status}; open in it: ")
    assert leads.get(at(lead)).json() == lead


@pytest.mark.parametrize("as_type", [MERGE_PATCH, JSON_PATCH])
def test_a_change_of_status_without_a_reason_removes_the_old_one(leads: Api, as_type: str) -> None:
    lead = leads.create("/salesLead", LEAD)
    patches = {MERGE_PATCH: {"status": "cancelled"}, JSON_PATCH: [replaced("status", "cancelled")]}

    changed = leads.changed(at(lead), patches[as_type], as_type=as_type)

    assert lead["statusChangeReason"] == "Lead created"
    assert "statusChangeReason" not in changed


@pytest.mark.parametrize("reason", ["Lead created", "No budget"])
@pytest.mark.parametrize("as_type", [MERGE_PATCH, JSON_PATCH])
def test_a_reason_that_is_sent_with_the_status_stands(leads: Api, reason: str, as_type: str) -> None:
    """Also the one that is there already."""
    lead = leads.create("/salesLead", LEAD)
    members = {"status": "cancelled", "statusChangeReason": reason}
    patches = {MERGE_PATCH: members, JSON_PATCH: [replaced(name, value) for name, value in members.items()]}

    assert members.items() <= leads.changed(at(lead), patches[as_type], as_type=as_type).items()


def test_the_reason_stays_as_long_as_the_status_does(leads: Api) -> None:
    lead = leads.create("/salesLead", LEAD)

    changed = leads.changed(at(lead), {"status": lead["status"], "rating": "hot"})

    assert changed == {**lead, "rating": "hot"}


def replaced(name: str, value: str) -> Document:
    return {"op": "replace", "path": f"/{name}", "value": value}


def test_the_creation_date_cannot_be_changed(leads: Api) -> None:
    lead = leads.create("/salesLead", {**LEAD, "creationDate": "2019-01-01T00:00:00Z"})

    # The same instant in another form is the same value.
    assert leads.changed(at(lead), {"creationDate": "2019-01-01T01:00:00+01:00"}) == lead
    refusal(leads.patch(at(lead), {"creationDate": "2019-01-01T00:00:01Z"}), 400, "notPatchable")


def test_a_party_in_a_patch_needs_its_class_and_an_id_or_a_name(leads: Api) -> None:
    lead = leads.create("/salesLead", LEAD)

    message = refusal(leads.patch(at(lead), {"relatedParty": [{"role": "x"}]}), 400, "invalidBody")

    assert "/relatedParty/0/@referredType: is required" in message
    assert "must have id or name" in message


def test_a_reference_cannot_lose_its_id(leads: Api) -> None:
    lead = leads.create("/salesLead", {**LEAD, "channel": {"id": "1", "name": "www.orange.fr"}})

    answer = leads.patch(at(lead), {"channel": {"id": None}})

    assert refusal(answer, 409, "patchResultRefused") == "/channel/id: is required"


def test_strictly_unknown_attributes_are_refused_by_name(services: Services) -> None:
    strict = services.api(services.on("memory", "--strict"), "/tmf-api/sales/v4")
    body = {**LEAD, "contactMedium": [], "channel": {"id": "1", "colour": 2}, "note": [{"colour": 1}]}

    message = refusal(strict.post("/salesLead", body), 400, "invalidBody")

    for place in ("/contactMedium", "/channel/colour", "/note/0/colour"):
        assert f"{place}: is not known to the contract" in message


def test_strictly_an_extension_says_where_its_schema_is(services: Services) -> None:
    strict = services.api(services.on("memory", "--strict"), "/tmf-api/sales/v4")
    body = {**LEAD, "colour": "blue", "@type": "PaintLead", "@schemaLocation": "https://host/paint.json"}

    lead = strict.create("/salesLead", body)

    assert strict.changed(at(lead), {"colour": "red", "@schemaLocation": "https://host/2.json"})["colour"] == "red"
    refusal(strict.patch(at(lead), {"colour": "red"}), 400, "invalidBody")


def test_strictly_the_misprints_of_the_samples_are_refused(services: Services) -> None:
    strict = services.api(services.on("memory", "--strict"), "/tmf-api/sales/v4")
    body = {**LEAD, "prospectContact": [{"preferred": "false", "validFor": {"endDateTime": ""}}]}

    message = refusal(strict.post("/salesLead", body), 400, "invalidBody")

    assert "/prospectContact/0/preferred: " in message
    assert "/prospectContact/0/validFor/endDateTime: " in message


def test_strictly_a_filter_on_an_unknown_attribute_is_refused(services: Services) -> None:
    strict = services.api(services.on("memory", "--strict"), "/tmf-api/sales/v4")

    assert "colour" in refusal(strict.get("/salesLead", colour="blue"), 400, "invalidFilter")
