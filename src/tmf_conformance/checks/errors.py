"""Invalid requests: which status and which body they return (TMF630; RFC 9110)."""

from __future__ import annotations

from tmf_conformance.api import Api
from tmf_conformance.check import Check, Checks
from tmf_conformance.http.response import Response
from tmf_conformance.outcome import NotRun, NotSupported
from tmf_conformance.session import MERGE, Session
from tmf_conformance.source import advice

ERRORS = "TMF630, errors"


def checks(api: Api) -> Checks:
    body = advice(ERRORS, "an error has a body with code and reason")
    yield Check("error-has-body", "an error has code and reason", body, has_code_and_reason)
    text = advice(ERRORS, "the members of an error are strings, its code and status, too")
    yield Check("error-body-types", "code, reason, message and status are strings", text, members_are_texts)
    json = advice(ERRORS, "an error is application/json")
    yield Check("error-is-json", "an error is application/json", json, is_json)
    malformed = advice("TMF630, status codes", "a body that is not JSON returns 400")
    yield Check("error-malformed-body-400", "a body that is not JSON returns 400", malformed, malformed_is_400)
    other = advice("RFC 9110, 15.5.16", "an unsupported media type returns 415")
    yield Check("error-media-type-415", "a body of another media type returns 415", other, other_type_is_415)
    array = advice("TMF630, status codes", "a body that does not fit its types returns 400")
    yield Check("error-array-body-400", "an array instead of a resource returns 400", array, array_is_400)
    method = advice("RFC 9110, 15.5.6", "a method that the resource does not have returns 405")
    yield Check("error-method-405", "POST on one resource returns 405", method, other_method_is_405)
    allow = advice("RFC 9110, 15.5.6", "a 405 has the header Allow, which lists the supported methods")
    yield Check("error-method-allow", "a 405 has the header Allow", allow, names_the_methods)
    route = advice("TMF630, status codes", "an unknown path returns 404")
    yield Check("error-route-404", "an unknown path returns 404", route, unknown_path_is_404)
    accept = advice("RFC 9110, 15.5.7", "a response in no acceptable media type is a 406")
    yield Check("error-accept-406", "an Accept without JSON returns 406", accept, other_form_is_406)
    match = advice("RFC 9110, 13.1.1", "If-Match with an outdated ETag returns 412")
    yield Check("etag-if-match-412", "If-Match protects against lost changes", match, lost_change_is_412)
    none = advice("RFC 9110, 13.1.2", "If-None-Match with the current ETag returns 304")
    yield Check("etag-if-none-match-304", "If-None-Match saves the transfer", none, unchanged_is_304)


def an_error(session: Session) -> Response:
    response = session.get(f"{session.mark}-unknown")
    if response.is_success:
        raise NotRun("the server returns success for an unknown id", response.interaction)
    return response


def has_code_and_reason(session: Session) -> None:
    response = an_error(session)
    absent = [name for name in ("code", "reason") if name not in response.object()]
    response.expect(not absent, f"a JSON object with code and reason; absent: {', '.join(absent)}")


def members_are_texts(session: Session) -> None:
    response = an_error(session)
    body = response.value if isinstance(response.value, dict) else {}
    names = [name for name in ("code", "reason", "message", "status") if not isinstance(body.get(name, ""), str)]
    response.expect(not names, f"each member of the error is a string; others: {', '.join(names)}")


def is_json(session: Session) -> None:
    response = an_error(session)
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    response.expect(kind == "application/json", "Content-Type is application/json")


def malformed_is_400(session: Session) -> None:
    session.send("POST", session.api.path, raw='{"description": ').expect_status(400)


def other_type_is_415(session: Session) -> None:
    response = session.send("POST", session.api.path, raw="<resource/>", headers={"Content-Type": "application/xml"})
    response.expect_status(415)


def array_is_400(session: Session) -> None:
    session.post([session.minimal()]).expect_status(400)


def other_method_is_405(session: Session) -> None:
    session.send("POST", session.resource_path(session.created()), session.minimal()).expect_status(405)


def names_the_methods(session: Session) -> None:
    response = session.send("PUT", session.api.path, session.minimal())
    if response.status != 405:
        raise NotRun("PUT on the list does not return 405", response.interaction)
    allowed = {name.strip().upper() for name in response.headers.get("allow", "").split(",")}
    response.expect({"GET", "POST"} <= allowed, "the header Allow, with GET and POST in it")


def unknown_path_is_404(session: Session) -> None:
    session.send("GET", f"/{session.mark}").expect_status(404)


def other_form_is_406(session: Session) -> None:
    id = session.created()
    session.send("GET", session.resource_path(id), headers={"Accept": "application/xml"}).expect_status(406)


def tagged(session: Session) -> tuple[str, str]:
    """A new resource and its ETag."""
    id = session.created()
    response = session.get(id)
    tag = response.headers.get("etag")
    if not tag:
        raise NotSupported("the server gives no ETag", response.interaction)
    return id, tag


def lost_change_is_412(session: Session) -> None:
    id, tag = tagged(session)
    session.must_change(id, {"description": "Somebody else was here first"})
    headers = {"Content-Type": MERGE, "If-Match": tag}
    outdated = session.send("PATCH", session.resource_path(id), {"description": "I did not see it"}, headers=headers)
    outdated.expect_status(412)


def unchanged_is_304(session: Session) -> None:
    id, tag = tagged(session)
    session.send("GET", session.resource_path(id), headers={"If-None-Match": tag}).expect_status(304)
