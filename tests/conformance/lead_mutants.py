"""For each check that only TMF699 has, a server that it alone finds wrong."""

from __future__ import annotations

from tests.conformance.mutant import Call, Document, Memory, Mutant, Reply
from tests.conformance.mutations import (
    answer,
    body_becomes,
    both,
    drop,
    edited,
    has,
    ignores_at_creation,
    in_state,
    lacks,
    only,
    pretends_as,
    put,
    refused,
    request,
)

from tmf_conformance.api import Api

SENT = "2019-01-25T15:53:29.961Z"


def lead(api: Api) -> dict[str, Mutant]:
    def named(body: Document) -> Document:
        return body | {"name": "A name"}

    def without_status(body: Document) -> Document:
        return {name: value for name, value in body.items() if name != "status"}

    def without_name(call: Call, memory: Memory) -> bool:
        return bool(call.document) and "name" not in call.document

    def one_id(document: Document) -> None:
        for note in document.get("note", ()):
            note["id"] = "1"

    def two_notes(call: Call, memory: Memory) -> bool:
        return len(call.document.get("note", ())) == 2

    def date_stays(call: Call, reply: Reply, memory: Memory) -> None:
        if call.what == "POST list" and call.document.get("statusChangeDate") == SENT:
            memory.marked.add(str(reply.body.get("id")))
        if call.what == "GET one" and call.id in memory.marked:
            reply.edit(lambda document: document.update(statusChangeDate=SENT))

    described = both(only("description"), in_state("cancelled"))
    cold = body_becomes(lambda body: body | {"priority": "low"})
    little = body_becomes(lambda body: body | {"estimatedRevenue": {"unit": "EUR", "value": 1}})
    sent: list[str] = []
    return {
        "lead-needs-name": request("POST list", body_becomes(named), without_name),
        "lead-name-suffices": request("POST list", refused(400), only("name")),
        "lead-creation-date": answer("POST list", put("creationDate", "2001-02-03T04:05:06.000Z"), has("creationDate")),
        "lead-status": request(
            "POST list", body_becomes(without_status), both(has("status", "inProgress"), lacks("rating"))
        ),
        "lead-status-date": answer("POST list", drop("statusChangeDate"), lacks("statusChangeDate")),
        "lead-status-date-moves": Mutant(after=date_stays),
        "lead-status-reason": answer("POST list", drop("statusChangeReason"), lacks("statusChangeReason")),
        "lead-note-id": answer("POST list", edited(one_id), two_notes),
        "lead-priority-values": request("POST list", cold, has("priority", "whenever")),
        "lead-revenue-number": request(
            "POST list", little, has("estimatedRevenue", {"unit": "EUR", "value": "much"})
        ),
        "lead-id-from-server": ignores_at_creation(
            lambda body: sent.append(body.pop("id")), lambda document: document.update(id=sent[-1]), has("id")
        ),
        "lead-final-stays": pretends_as(lambda call: call.document, described),
    }  # fmt: skip
