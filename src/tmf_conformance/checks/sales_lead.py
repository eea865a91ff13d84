"""What only TMF699 has: the rules of a sales lead beyond those of any resource."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tmf_conformance.checks.create import posted
from tmf_conformance.checks.merge_patch import expect_read
from tmf_conformance.comparison import missing
from tmf_conformance.check import Check, Checks, advice, mandatory

if TYPE_CHECKING:
    from tmf_conformance.session import Session

CREATE = "Create sales lead"
SAMPLE = 'Here\'s an example of a request for creating a sales lead resource. … Response 201 … "@type": "SalesLead", … '


def checks() -> Checks:
    name = mandatory(CREATE, "Mandatory Attributes Rule name")
    yield Check("lead-needs-name", "a lead without name is refused", name, needs_a_name)
    optional = mandatory(
        CREATE, "Mandatory Attributes Rule name … Non-Mandatory Attributes Rule category channel creationDate"
    )
    yield Check("lead-name-suffices", "a lead with nothing but a name is created", optional, name_suffices)
    allowed = mandatory(CREATE, "Non-Mandatory Attributes Rule relatedParty salesOpportunity status statusChangeDate")
    yield Check("lead-creation-date", "creationDate may be sent", optional, takes_creation_date)
    yield Check("lead-status", "status may be sent", allowed, takes_status)
    changed = mandatory("Field descriptions", "A date time (DateTime). Date and time of the last update.")
    yield Check("lead-status-date", "statusChangeDate is set by the server", changed, sets_status_date)
    yield Check("lead-status-date-moves", "a change of status sets statusChangeDate", changed, moves_status_date)
    reason = advice(CREATE, 'the printed answer has "statusChangeReason": "Lead created"')
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
    yield Check("lead-priority-values", "a priority that is none is refused", priority, refuses_priority)
    money = mandatory(
        "Field descriptions", "Currency (ISO4217 norm uses 3 letters to define the currency). value A float."
    )
    yield Check("lead-revenue-number", "estimatedRevenue.value is a number", money, refuses_text_as_amount)
    ours = advice("TMF630, creating resources", "the id of a resource is given by the server")
    yield Check("lead-id-from-server", "an id that is sent is not taken", ours, gives_the_id)
    final = advice("Lifecycle", "a lead whose status is final no longer changes")
    yield Check("lead-final-stays", "a final lead is not updatable", final, final_stays)


def needs_a_name(session: Session) -> None:
    body = session.minimal()
    del body["name"]
    answer = session.post_special(body)
    answer.expect(answer.is_refused, "a refusal (4xx): name is mandatory")


def name_suffices(session: Session) -> None:
    session.post_special({"name": session.new_text()}).expect_success()


def takes_creation_date(session: Session) -> None:
    date = {"creationDate": "2019-01-19T12:27:59.123Z"}
    answer = session.post_special(session.minimal(**date))
    answer.expect(
        answer.is_success and not missing(date, answer.object()), "a lead with the creationDate that was sent"
    )


def takes_status(session: Session) -> None:
    answer = session.post_special(session.minimal(status="inProgress"))
    answer.expect(answer.is_success and answer.object().get("status") == "inProgress", "a lead that is inProgress")


def sets_status_date(session: Session) -> None:
    answer = posted(session)
    answer.expect(bool(answer.object().get("statusChangeDate")), "the answer has statusChangeDate")


def moves_status_date(session: Session) -> None:
    id = session.created(statusChangeDate="2019-01-25T15:53:29.961Z")
    before = session.read(id).get("statusChangeDate")
    session.must_change(id, {"status": "inProgress"})
    after = session.read(id).get("statusChangeDate")
    expect_read(session, bool(after) and after != before, f"statusChangeDate is another one than {before}")


def sets_status_reason(session: Session) -> None:
    answer = posted(session)
    answer.expect(bool(answer.object().get("statusChangeReason")), "the answer has statusChangeReason")


def numbers_notes(session: Session) -> None:
    answer = session.post_special(session.minimal(note=[{"text": "one"}, {"text": "two"}]))
    answer.expect_success()
    notes = answer.object().get("note")
    ids = [note.get("id") for note in notes if isinstance(note, dict)] if isinstance(notes, list) else []
    answer.expect(len(set(map(str, ids))) == 2 and all(ids), "each of the two notes has an id of its own")


def refuses_priority(session: Session) -> None:
    answer = session.post_special(session.minimal(priority="whenever"))
    answer.expect(answer.is_refused, "a refusal (4xx): priority is low, medium or high")


def refuses_text_as_amount(session: Session) -> None:
    answer = session.post_special(session.minimal(estimatedRevenue={"unit": "EUR", "value": "much"}))
    answer.expect(answer.is_refused, "a refusal (4xx): the value is a number")


def gives_the_id(session: Session) -> None:
    """Refused, or created with an id of the server's own."""
    id = session.new_text()
    answer = session.post_special(session.minimal(id=id))
    other = answer.is_success and answer.object().get("id") != id
    answer.expect(answer.is_refused or other, f"a refusal (4xx), or another id than {id}")


def final_stays(session: Session) -> None:
    id = session.in_state("cancelled")
    text = session.new_text()
    session.patch(id, {"description": text})
    expect_read(session, session.read(id).get("description") != text, "description is what it was before")
