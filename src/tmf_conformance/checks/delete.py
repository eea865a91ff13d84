"""Deletion (the chapters "Delete ...")."""

from __future__ import annotations

from tmf_conformance.api import Api
from tmf_conformance.check import Check, Checks
from tmf_conformance.outcome import NotRun
from tmf_conformance.session import Session
from tmf_conformance.source import advice

UNKNOWN = "a resource that does not exist returns 404"


def checks(api: Api) -> Checks:
    says = api.sources
    yield Check("delete-answers-204", "deleting a resource returns 204", says["delete"], answers_204)
    yield Check("delete-removes", "a deleted resource can no longer be read", says["delete contents"], removes)
    yield Check("delete-leaves-list", "a deleted resource leaves the list", says["delete contents"], leaves_the_list)
    again = advice("TMF630, status codes", UNKNOWN)
    yield Check("delete-again-404", "deleting it again returns 404", again, again_is_404)
    yield Check("delete-unknown-404", "deleting an unknown id returns 404", again, unknown_is_404)


def deleted(session: Session) -> str:
    id = session.created()
    response = session.delete(id)
    if not response.is_success:
        raise NotRun("the resource could not be deleted", response.interaction)
    return id


def answers_204(session: Session) -> None:
    session.delete(session.created()).expect_status(204)


def removes(session: Session) -> None:
    response = session.get(deleted(session))
    response.expect(response.status in (404, 410), "status 404 or 410")


def leaves_the_list(session: Session) -> None:
    """Require the resource in the list first; a list that never contained it proves nothing."""
    text = session.new_text()
    id = session.created(**{session.api.text: text})
    if all(each.get("id") != id for each in session.found({session.api.text: text})):
        raise NotRun("the resource is not in the list before it is deleted", session.last)
    deletion = session.delete(id)
    if not deletion.is_success:
        raise NotRun("the resource could not be deleted", deletion.interaction)
    response = session.search({session.api.text: text})
    if not response.is_success or not isinstance(response.value, list):
        raise NotRun("the list could not be read", response.interaction)
    response.expect(all(each.get("id") != id for each in response.objects()), f"a list without the id {id}")


def again_is_404(session: Session) -> None:
    session.delete(deleted(session)).expect_status(404)


def unknown_is_404(session: Session) -> None:
    session.delete(f"{session.mark}-unknown").expect_status(404)
