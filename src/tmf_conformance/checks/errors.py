"""Requests that are wrong: what is answered to them, and with which body (TMF630; RFC 9110)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tmf_conformance.check import Check, Checks, NotRun, NotSupported, advice

if TYPE_CHECKING:
    from tmf_conformance.api import Api
    from tmf_conformance.interaction import Answer
    from tmf_conformance.session import Session

ERRORS = "TMF630, errors"


def checks(api: Api) -> Checks:
    body = advice(ERRORS, "an error has a body with code and reason")
    yield Check("error-has-body", "an error has code and reason", body, has_code_and_reason)
    text = advice(ERRORS, "the code of an error is a text, and so is its status")
    yield Check("error-body-types", "code, reason, message and status are texts", text, members_are_texts)
    json = advice(ERRORS, "an error is application/json")
    yield Check("error-is-json", "an error is application/json", json, is_json)
    malformed = advice("TMF630, status codes", "a body that is not JSON is answered with 400")
    yield Check("error-malformed-body-400", "a body that is no JSON is answered with 400", malformed, malformed_is_400)
    other = advice("RFC 9110, 15.5.16", "a media type that the server does not take is answered with 415")
    yield Check("error-media-type-415", "a body of another media type is answered with 415", other, other_type_is_415)
    array = advice("TMF630, status codes", "a body that breaks the rules of its types is answered with 400")
    yield Check("error-array-body-400", "an array instead of a resource is answered with 400", array, array_is_400)
    method = advice("RFC 9110, 15.5.6", "a method that the resource does not have is answered with 405")
    yield Check("error-method-405", "POST on one resource is answered with 405", method, other_method_is_405)
    allow = advice("RFC 9110, 15.5.6", "405 comes with the header Allow, which lists the methods that there are")
    yield Check("error-method-allow", "405 comes with Allow", allow, methods_are_told)
    route = advice("TMF630, status codes", "what is not there is answered with 404")
    yield Check("error-route-404", "an unknown path is answered with 404", route, unknown_path_is_404)
    accept = advice("RFC 9110, 15.5.7", "what cannot be had in an acceptable form is answered with 406")
    yield Check("error-accept-406", "an Accept without JSON is answered with 406", accept, other_form_is_406)
    match = advice("RFC 9110, 13.1.1", "If-Match with another ETag than the current one is answered with 412")
    yield Check("etag-if-match-412", "If-Match protects against lost changes", match, lost_change_is_412)
    none = advice("RFC 9110, 13.1.2", "If-None-Match with the current ETag is answered with 304")
    yield Check("etag-if-none-match-304", "If-None-Match spares an answer", none, unchanged_is_304)


def an_error(session: Session) -> Answer:
    answer = session.get(f"{session.mark}-unknown")
    if answer.is_success:
        raise NotRun("the server does not refuse what does not exist", answer.exchange)
    return answer


def has_code_and_reason(session: Session) -> None:
    answer = an_error(session)
    absent = [name for name in ("code", "reason") if name not in answer.object()]
    answer.expect(not absent, f"a JSON object with code and reason; absent: {', '.join(absent)}")


def members_are_texts(session: Session) -> None:
    answer = an_error(session)
    body = answer.value if isinstance(answer.value, dict) else {}
    names = [name for name in ("code", "reason", "message", "status") if not isinstance(body.get(name, ""), str)]
    answer.expect(not names, f"each member of the error is a text; not so: {', '.join(names)}")


def is_json(session: Session) -> None:
    answer = an_error(session)
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    answer.expect(kind == "application/json", "Content-Type is application/json")


def malformed_is_400(session: Session) -> None:
    session.send("POST", session.api.path, raw='{"description": ').expect_status(400)


def other_type_is_415(session: Session) -> None:
    answer = session.send("POST", session.api.path, raw="<resource/>", headers={"Content-Type": "application/xml"})
    answer.expect_status(415)


def array_is_400(session: Session) -> None:
    session.post([session.minimal()]).expect_status(400)


def other_method_is_405(session: Session) -> None:
    session.send("POST", session.at(session.created()), session.minimal()).expect_status(405)


def methods_are_told(session: Session) -> None:
    answer = session.send("PUT", session.api.path, session.minimal())
    if answer.status != 405:
        raise NotRun("PUT on the list is not answered with 405", answer.exchange)
    allowed = {name.strip().upper() for name in answer.headers.get("allow", "").split(",")}
    answer.expect({"GET", "POST"} <= allowed, "the header Allow, with GET and POST in it")


def unknown_path_is_404(session: Session) -> None:
    session.send("GET", f"/{session.mark}").expect_status(404)


def other_form_is_406(session: Session) -> None:
    id = session.created()
    session.send("GET", session.at(id), headers={"Accept": "application/xml"}).expect_status(406)


def tagged(session: Session) -> tuple[str, str]:
    """A new resource and its ETag."""
    id = session.created()
    answer = session.get(id)
    tag = answer.headers.get("etag")
    if not tag:
        raise NotSupported("the server gives no ETag", answer.exchange)
    return id, tag


def lost_change_is_412(session: Session) -> None:
    id, tag = tagged(session)
    session.must_change(id, {"description": "Somebody else was here first"})
    headers = {"Content-Type": "application/merge-patch+json", "If-Match": tag}
    session.send("PATCH", session.at(id), {"description": "I did not see it"}, headers=headers).expect_status(412)


def unchanged_is_304(session: Session) -> None:
    id, tag = tagged(session)
    session.send("GET", session.at(id), headers={"If-None-Match": tag}).expect_status(304)
