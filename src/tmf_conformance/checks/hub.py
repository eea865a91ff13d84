"""The hub (the chapters "Register listener" and "Unregister listener"). The texts print both 201 and 204 for a
registration, so either is right; with 204 there is nothing to look at further.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tmf_conformance.http.links import path_of
from tmf_conformance.check import Check, Checks, NotRun, NotSupported, advice
from tmf_conformance.session import NOWHERE, encoded, id_of

if TYPE_CHECKING:
    from tmf_conformance.api import Api
    from tmf_conformance.interaction import Answer, Document
    from tmf_conformance.session import Session

REGISTERED = "TMF630, notifications"


def checks(api: Api) -> Checks:
    says = api.sources
    yield Check("hub-register", "a registration is answered with 201 or 204", says["hub register"], registers)
    yield Check("hub-register-body", "a registration is answered with itself", says["hub body"], answers_the_listener)
    yield Check("hub-register-query", "a registration keeps its query", says["hub body"], keeps_the_query)
    yield Check("hub-location", "a registration is answered with Location", says["hub location"], has_location)
    yield Check("hub-several", "a second listener is taken or refused with 409", says["hub several"], takes_several)
    yield Check(
        "hub-without-callback", "a registration without callback is refused", says["hub refuse"], needs_callback
    )
    yield Check("hub-unregister-204", "an unregistered listener is answered with 204", says["hub remove"], unregisters)
    yield Check(
        "hub-unknown-404", "a listener that never was is answered with 404", says["hub unknown"], unknown_is_404
    )
    yield Check("hub-again-404", "a listener that is gone is answered with 404", says["hub unknown"], gone_is_404)
    same = advice(REGISTERED, "the same callback and query again is no second registration: 409")
    yield Check("hub-duplicate-409", "the same registration again is answered with 409", same, duplicate_is_409)
    query = advice(REGISTERED, "a query that cannot be read is answered with 400")
    yield Check("hub-wrong-query-400", "a query that is none is answered with 400", query, wrong_query_is_400)
    wrong = advice(REGISTERED, "a callback that is no URL is answered with 400")
    yield Check(
        "hub-wrong-callback-400", "a callback that is no URL is answered with 400", wrong, wrong_callback_is_400
    )
    one = advice(REGISTERED, "GET /hub/{id} answers the registration")
    yield Check("hub-retrieve", "a registration can be read", one, can_be_read)
    every = advice(REGISTERED, "GET /hub lists the registrations")
    yield Check("hub-list", "registrations are listed", every, are_listed)


def registration(session: Session, **members: str) -> Document:
    """A callback of its own: at the listener when there is one, else where nothing is ever delivered."""
    start = session.listener.callback if session.listener else NOWHERE
    return {"callback": f"{start}/{session.new_text()}"} | members


def registered(session: Session, body: Document | None = None) -> tuple[str, Answer]:
    """The id of a new listener. A server that takes only one has to have room for it."""
    answer = session.hub(body or registration(session))
    if not answer.is_success:
        raise NotRun("no listener could be registered", answer.exchange)
    id = id_of(answer)
    if id is None:
        raise NotSupported("the server registers without telling an id (204)", answer.exchange)
    return id, answer


def remove(session: Session, id: str) -> Answer:
    return session.send("DELETE", f"/hub/{encoded(id)}")


def registers(session: Session) -> None:
    answer = session.hub(registration(session))
    if answer.is_refused and session.listener is None:
        raise NotRun("the server refuses a callback that nobody answers: --listen and --callback-url", answer.exchange)
    answer.expect_status(201, 204)
    if (id := id_of(answer)) is not None:
        remove(session, id)


def answers_the_listener(session: Session) -> None:
    body = registration(session)
    id, answer = registered(session, body)
    remove(session, id)
    right = answer.object().get("id") == id and answer.object().get("callback") == body["callback"]
    answer.expect(right, "the answer has the id and the callback of the listener")


def keeps_the_query(session: Session) -> None:
    body = registration(session, query=f"eventType={session.api.event('Create')}")
    id, answer = registered(session, body)
    remove(session, id)
    answer.expect(answer.object().get("query") == body["query"], "the answer has the query")


def has_location(session: Session) -> None:
    id, answer = registered(session)
    remove(session, id)
    path = path_of(answer.headers.get("location"))
    answer.expect(path.endswith(f"/hub/{encoded(id)}"), f"the header Location ends with /hub/{encoded(id)}")


def takes_several(session: Session) -> None:
    id, _ = registered(session)
    second = session.hub(registration(session, query=f"eventType={session.api.event('Delete')}"))
    remove(session, id)
    if second.is_success and (other := id_of(second)) is not None:
        remove(session, other)
    second.expect(second.is_success or second.status == 409, "a status of success (2xx), or 409 where one is the most")


def needs_callback(session: Session) -> None:
    answer = session.hub({"query": f"eventType={session.api.event('Create')}"})
    answer.expect(answer.is_refused, "a refusal (4xx)")


def unregisters(session: Session) -> None:
    remove(session, registered(session)[0]).expect_status(204)


def unknown_is_404(session: Session) -> None:
    remove(session, f"{session.mark}-unknown").expect_status(404)


def gone_is_404(session: Session) -> None:
    id, _ = registered(session)
    first = remove(session, id)
    if not first.is_success:
        raise NotRun("the listener could not be unregistered", first.exchange)
    remove(session, id).expect_status(404)


def duplicate_is_409(session: Session) -> None:
    body = registration(session)
    id, _ = registered(session, body)
    again = session.hub(body)
    remove(session, id)
    if again.is_success and (other := id_of(again)) is not None:
        remove(session, other)
    again.expect_status(409)


def wrong_query_is_400(session: Session) -> None:
    session.hub(registration(session, query="eventTime.gt=yesterday")).expect_status(400)


def wrong_callback_is_400(session: Session) -> None:
    session.hub({"callback": "not a URL"}).expect_status(400)


def can_be_read(session: Session) -> None:
    body = registration(session)
    id, _ = registered(session, body)
    answer = session.send("GET", f"/hub/{encoded(id)}")
    remove(session, id)
    if answer.does_not_know:
        raise NotSupported("the server does not show a registration", answer.exchange)
    answer.expect(answer.is_success and answer.object().get("callback") == body["callback"], "the registration")


def are_listed(session: Session) -> None:
    body = registration(session)
    id, _ = registered(session, body)
    answer = session.send("GET", "/hub")
    remove(session, id)
    if answer.does_not_know:
        raise NotSupported("the server does not list registrations", answer.exchange)
    answer.expect(any(each.get("id") == id for each in answer.objects()), "an array with the registration")
