"""Deletion (the chapters "Delete ...")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tmf_conformance.check import Check, Checks, NotRun, advice

if TYPE_CHECKING:
    from tmf_conformance.api import Api
    from tmf_conformance.session import Session

UNKNOWN = "a resource that does not exist is answered with 404"


def checks(api: Api) -> Checks:
    says = api.sources
    yield Check("delete-answers-204", "a deleted resource is answered with 204", says["delete"], answers_204)
    yield Check("delete-removes", "a deleted resource can no longer be read", says["delete contents"], removes)
    yield Check("delete-leaves-list", "a deleted resource leaves the list", says["delete contents"], leaves_the_list)
    again = advice("TMF630, status codes", UNKNOWN)
    yield Check("delete-again-404", "deleting it again is answered with 404", again, again_is_404)
    yield Check("delete-unknown-404", "deleting an unknown id is answered with 404", again, unknown_is_404)


def deleted(session: Session, **members: str) -> str:
    id = session.created(**members)
    answer = session.delete(id)
    if not answer.is_success:
        raise NotRun("the resource could not be deleted", answer.exchange)
    return id


def answers_204(session: Session) -> None:
    session.delete(session.created()).expect_status(204)


def removes(session: Session) -> None:
    answer = session.get(deleted(session))
    answer.expect(answer.status in (404, 410), "status 404 or 410")


def leaves_the_list(session: Session) -> None:
    text = session.new_text()
    id = deleted(session, **{session.api.text: text})
    answer = session.search({session.api.text: text})
    if not answer.is_success or not isinstance(answer.value, list):
        raise NotRun("the list could not be had", answer.exchange)
    answer.expect(all(each.get("id") != id for each in answer.objects()), f"a list without the id {id}")


def again_is_404(session: Session) -> None:
    session.delete(deleted(session)).expect_status(404)


def unknown_is_404(session: Session) -> None:
    session.delete(f"{session.mark}-unknown").expect_status(404)
