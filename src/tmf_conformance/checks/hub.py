"""The hub (the chapters "Register listener" and "Unregister listener").

The specifications print both 201 and 204 for a registration, so both pass; a 204 has no body for further checks.
"""

from __future__ import annotations

from tmf_conformance.api import Api, Document
from tmf_conformance.check import Check, Checks
from tmf_conformance.http.links import encoded, path_of
from tmf_conformance.http.response import Response
from tmf_conformance.outcome import NotRun, NotSupported
from tmf_conformance.session import NOWHERE, Session, id_of
from tmf_conformance.source import advice

REGISTERED = "TMF630, notifications"


def checks(api: Api) -> Checks:
    says = api.sources
    yield Check("hub-register", "a registration returns 201 or 204", says["hub register"], registers)
    yield Check("hub-register-body", "the response is the registration", says["hub body"], returns_the_listener)
    yield Check("hub-register-query", "a registration keeps its query", says["hub body"], keeps_the_query)
    yield Check("hub-location", "Location names the registration", says["hub location"], has_location)
    yield Check(
        "hub-several", "a second listener is accepted or rejected with 409", says["hub several"], accepts_several
    )
    yield Check(
        "hub-without-callback", "a registration without callback is rejected", says["hub refuse"], needs_callback
    )
    yield Check("hub-unregister-204", "unregistering a listener returns 204", says["hub remove"], unregisters)
    yield Check("hub-unknown-404", "unregistering an unknown listener returns 404", says["hub unknown"], unknown_is_404)
    yield Check("hub-again-404", "unregistering a listener again returns 404", says["hub unknown"], gone_is_404)
    same = advice(REGISTERED, "registering the same callback and query again returns 409")
    yield Check("hub-duplicate-409", "the same registration again returns 409", same, duplicate_is_409)
    query = advice(REGISTERED, "an invalid query returns 400")
    yield Check("hub-wrong-query-400", "an invalid query returns 400", query, wrong_query_is_400)
    wrong = advice(REGISTERED, "a callback that is not a URL returns 400")
    yield Check("hub-wrong-callback-400", "a callback that is not a URL returns 400", wrong, wrong_callback_is_400)
    one = advice(REGISTERED, "GET /hub/{id} returns the registration")
    yield Check("hub-retrieve", "a registration can be read", one, can_be_read)
    every = advice(REGISTERED, "GET /hub lists the registrations")
    yield Check("hub-list", "registrations are listed", every, are_listed)


def registration(session: Session, **members: str) -> Document:
    """A registration with a new callback: at the run's receiver if there is one, else at a host that never exists."""
    start = session.listener.callback if session.listener else NOWHERE
    return {"callback": f"{start}/{session.new_text()}"} | members


def registered(session: Session, body: Document | None = None) -> tuple[str, Response]:
    """Create a subscription; return its id and the response. A server that allows only one must have none before."""
    response = session.hub(body or registration(session))
    if not response.is_success:
        raise NotRun("no listener could be registered", response.interaction)
    id = id_of(response)
    if id is None:
        raise NotSupported("the response to a registration has no id (204)", response.interaction)
    return id, response


def remove(session: Session, id: str) -> Response:
    return session.send("DELETE", f"/hub/{encoded(id)}")


def registers(session: Session) -> None:
    response = session.hub(registration(session))
    if response.is_rejection and session.listener is None:
        raise NotRun(
            "the server rejects a callback that cannot be reached; use --listen and --callback-url",
            response.interaction,
        )
    response.expect_status(201, 204)
    if (id := id_of(response)) is not None:
        remove(session, id)


def returns_the_listener(session: Session) -> None:
    body = registration(session)
    id, response = registered(session, body)
    remove(session, id)
    expect_body(response)
    right = response.object().get("id") == id and response.object().get("callback") == body["callback"]
    response.expect(right, "the response has the id and the callback of the listener")


def expect_body(response: Response) -> None:
    if response.is_empty:
        raise NotSupported("the response to a registration has no body", response.interaction)


def keeps_the_query(session: Session) -> None:
    body = registration(session, query=f"eventType={session.api.event('Create')}")
    id, response = registered(session, body)
    remove(session, id)
    expect_body(response)
    response.expect(response.object().get("query") == body["query"], "the response has the query")


def has_location(session: Session) -> None:
    id, response = registered(session)
    remove(session, id)
    path = path_of(response.headers.get("location"))
    response.expect(path.endswith(f"/hub/{encoded(id)}"), f"the header Location ends with /hub/{encoded(id)}")


def accepts_several(session: Session) -> None:
    id, _ = registered(session)
    second = session.hub(registration(session, query=f"eventType={session.api.event('Delete')}"))
    remove(session, id)
    if second.is_success and (other := id_of(second)) is not None:
        remove(session, other)
    second.expect(
        second.is_success or second.status == 409, "a status of success (2xx), or 409 when the server supports only one"
    )


def needs_callback(session: Session) -> None:
    response = session.hub({"query": f"eventType={session.api.event('Create')}"})
    response.expect(response.is_rejection, "a rejection (4xx)")


def unregisters(session: Session) -> None:
    remove(session, registered(session)[0]).expect_status(204)


def unknown_is_404(session: Session) -> None:
    remove(session, f"{session.mark}-unknown").expect_status(404)


def gone_is_404(session: Session) -> None:
    id, _ = registered(session)
    first = remove(session, id)
    if not first.is_success:
        raise NotRun("the listener could not be unregistered", first.interaction)
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
    response = session.send("GET", f"/hub/{encoded(id)}")
    remove(session, id)
    if response.is_unsupported:
        raise NotSupported("the server does not show a registration", response.interaction)
    response.expect(response.is_success and response.object().get("callback") == body["callback"], "the registration")


def are_listed(session: Session) -> None:
    body = registration(session)
    id, _ = registered(session, body)
    response = session.send("GET", "/hub")
    remove(session, id)
    if response.is_unsupported:
        raise NotSupported("the server does not list registrations", response.interaction)
    response.expect(any(each.get("id") == id for each in response.objects()), "an array with the registration")
