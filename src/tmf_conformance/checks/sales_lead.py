"""The checks that only TMF699 has: the rules of a sales lead beyond those of any resource."""

from __future__ import annotations

import time
from typing import Any

from tmf_conformance.check import Check, Checks, belonging_to
from tmf_conformance.checks.create import posted
from tmf_conformance.checks.merge_patch import expect_read
from tmf_conformance.comparison import missing
from tmf_conformance.outcome import NotRun
from tmf_conformance.profile import Feature
from tmf_conformance.session import Session
from tmf_conformance.source import advice, mandatory

CREATE = "Create sales lead"
CLOCK_TICK = 1.1  # seconds after which a server that keeps whole seconds writes another one
SAMPLE = 'Here\'s an example of a request for creating a sales lead resource. … Response 201 … "@type": "SalesLead", … '


def checks() -> Checks:
    name = mandatory(CREATE, "Mandatory Attributes Rule name")
    yield Check("lead-needs-name", "a lead without name is rejected", name, needs_a_name)
    optional = mandatory(
        CREATE, "Mandatory Attributes Rule name … Non-Mandatory Attributes Rule category channel creationDate"
    )
    yield Check("lead-name-suffices", "a lead with nothing but a name is created", optional, name_suffices)
    allowed = mandatory(CREATE, "Non-Mandatory Attributes Rule relatedParty salesOpportunity status statusChangeDate")
    yield Check("lead-creation-date", "creationDate may be sent", optional, takes_creation_date)
    yield Check("lead-status", "status may be sent", allowed, takes_status)
    changed = mandatory("Field descriptions", "A date time (DateTime). Date and time of the last update.")
    yield Check("lead-status-date", "statusChangeDate is set by the server", changed, sets_status_date)
    moves = Check("lead-status-date-moves", "a change of status sets statusChangeDate", changed, moves_status_date)
    yield from belonging_to(Feature.PATCH, [moves])
    reason = advice(CREATE, 'the printed response has "statusChangeReason": "Lead created"')
    yield Check("lead-status-reason", "statusChangeReason is set by the server", reason, sets_status_reason)
    note = mandatory(
        "Field descriptions",
        "A string. Identifier of the note within its containing entity (may or may not be globally unique, depending "
        "on provider implementation).",
    )
    yield Check("lead-note-id", "a note gets an id", note, numbers_notes)
    priority = mandatory(
        "Field descriptions", "A sales lead priority type (SalesLeadPriorityType). Urgency of working this salesLead."
    )
    yield Check("lead-priority-values", "an unknown priority is rejected", priority, rejects_priority)
    money = mandatory(
        "Field descriptions", "Currency (ISO4217 norm uses 3 letters to define the currency). value A float."
    )
    yield Check("lead-revenue-number", "estimatedRevenue.value is a number", money, rejects_text_as_amount)
    ours = advice("TMF630, creating resources", "the id of a resource is given by the server")
    yield Check("lead-id-from-server", "an id that is sent is not used", ours, gives_the_id)
    final = advice("Lifecycle", "a lead in a final status cannot be changed")
    yield Check("lead-final-stays", "a final lead cannot be changed", final, final_stays)


def needs_a_name(session: Session) -> None:
    body = session.minimal()
    del body["name"]
    response = session.post_variant(body)
    response.expect(response.is_rejection, "a rejection (4xx): name is mandatory")


def name_suffices(session: Session) -> None:
    session.post_variant({"name": session.new_text()}).expect_success()


def takes_creation_date(session: Session) -> None:
    date = {"creationDate": "2019-01-19T12:27:59.123Z"}
    response = session.post_variant(session.minimal(**date))
    response.expect(
        response.is_success and not missing(date, response.object()), "a lead with the creationDate that was sent"
    )


def takes_status(session: Session) -> None:
    response = session.post_variant(session.minimal(status="inProgress"))
    response.expect(
        response.is_success and response.object().get("status") == "inProgress", "a lead that is inProgress"
    )


def sets_status_date(session: Session) -> None:
    response = posted(session)
    response.expect(bool(response.object().get("statusChangeDate")), "the response has statusChangeDate")


def moves_status_date(session: Session) -> None:
    before, after = status_dates(session, wait=0)
    if before == after:  # a server may keep whole seconds, or be so quick that a millisecond has not passed
        before, after = status_dates(session, wait=CLOCK_TICK)
    expect_read(session, bool(after) and after != before, f"statusChangeDate differs from {before}")


def status_dates(session: Session, *, wait: float) -> tuple[Any, Any]:
    """The statusChangeDate of a new lead, and after a change of its status that comes `wait` seconds later."""
    id = session.created(statusChangeDate="2019-01-25T15:53:29.961Z")
    before = session.read(id).get("statusChangeDate")
    time.sleep(wait)
    session.must_change(id, {"status": "inProgress"})
    return before, session.read(id).get("statusChangeDate")


def sets_status_reason(session: Session) -> None:
    response = posted(session)
    response.expect(bool(response.object().get("statusChangeReason")), "the response has statusChangeReason")


def numbers_notes(session: Session) -> None:
    response = session.post_variant(session.minimal(note=[{"text": "one"}, {"text": "two"}]))
    response.expect_success()
    notes = response.object().get("note")
    ids = [note.get("id") for note in notes if isinstance(note, dict)] if isinstance(notes, list) else []
    response.expect(len(set(map(str, ids))) == 2 and all(ids), "each of the two notes has an id of its own")


def rejects_priority(session: Session) -> None:
    session.stored(priority="low")
    response = session.post_variant(session.minimal(priority="whenever"))
    response.expect(response.is_rejection, "a rejection (4xx): priority is low, medium or high")


def rejects_text_as_amount(session: Session) -> None:
    session.stored(estimatedRevenue={"unit": "EUR", "value": 1})
    response = session.post_variant(session.minimal(estimatedRevenue={"unit": "EUR", "value": "much"}))
    response.expect(response.is_rejection, "a rejection (4xx): the value is a number")


def gives_the_id(session: Session) -> None:
    """The creation must be rejected, or get an id from the server."""
    id = session.new_text()
    response = session.post_variant(session.minimal(id=id))
    other = response.is_success and response.object().get("id") != id
    response.expect(response.is_rejection or other, f"a rejection (4xx), or another id than {id}")


def final_stays(session: Session) -> None:
    """Check that the same patch has an effect in the initial state; otherwise the check proves nothing."""
    open_id, text = session.created(), session.new_text()
    session.must_change(open_id, {"description": text})
    if session.read(open_id).get("description") != text:
        raise NotRun("a patch of description has no effect in any state", session.last)
    id, text = session.in_state("cancelled"), session.new_text()
    session.patch(id, {"description": text})
    expect_read(session, session.read(id).get("description") != text, "description is what it was before")
