"""JSON Patch (RFC 6902) and JSON Patch Query.

"support of json/patch ... is optional", so features.py first finds out whether the server supports it.
"""

from __future__ import annotations

from typing import Any

from tmf_conformance.api import Api
from tmf_conformance.check import Check, Checks
from tmf_conformance.checks.merge_patch import expect_read
from tmf_conformance.comparison import missing
from tmf_conformance.http.response import Response
from tmf_conformance.outcome import NotRun, NotSupported
from tmf_conformance.session import Session
from tmf_conformance.source import advice

JSON_PATCH = "application/json-patch+json"
JSON_PATCH_QUERY = "application/json-patch-query+json"
Operations = list[dict[str, Any]]


def checks(api: Api) -> Checks:
    optional = api.sources["json patch"]
    yield Check("json-patch-replace", "JSON Patch: replace", optional, replaces)
    yield Check("json-patch-add", "JSON Patch: add to an array", optional, adds)
    yield Check("json-patch-remove", "JSON Patch: remove", optional, removes)
    yield Check("json-patch-copy", "JSON Patch: copy", optional, copies)
    yield Check("json-patch-move", "JSON Patch: move", optional, moves)
    yield Check("json-patch-test", "JSON Patch: a failing test rejects the patch", optional, tests)
    yield Check("json-patch-atomic", "JSON Patch: all operations or none", optional, applies_all_or_none)
    wrong = advice("RFC 5789, 2.2", "a malformed patch document returns 400")
    yield Check("json-patch-malformed-400", "JSON Patch: an unknown operation returns 400", wrong, malformed_is_400)
    query = advice("TMF630, JSON Patch Query", "a path of an operation selects the elements of an array by a query")
    yield Check("json-patch-query", "JSON Patch Query has a media type of its own", query, queries)


def applied(session: Session, id: str, operations: Operations, media_type: str = JSON_PATCH) -> Response:
    response = session.patch(id, operations, media_type)
    if response.status in {415, 501}:
        raise NotSupported(f"the server does not accept {media_type}, which is optional", response.interaction)
    return response


def after(session: Session, id: str, operations: Operations, media_type: str = JSON_PATCH) -> dict[str, Any]:
    applied(session, id, operations, media_type).expect_success()
    return session.read(id)


def replaces(session: Session) -> None:
    id, text = session.created(), session.new_text()
    read = after(session, id, [{"op": "replace", "path": "/description", "value": text}])
    expect_read(session, read.get("description") == text, f"description is {text!r}")


def adds(session: Session) -> None:
    first, second = session.api.parties
    id = session.stored(relatedParty=[first])
    read = after(session, id, [{"op": "add", "path": "/relatedParty/-", "value": second}])
    expect_read(session, not missing([first, second], read.get("relatedParty")), "relatedParty has both parties")


def removes(session: Session) -> None:
    id = session.stored(**{session.api.group: "To be removed"})
    read = after(session, id, [{"op": "remove", "path": f"/{session.api.group}"}])
    expect_read(session, read.get(session.api.group) is None, f"{session.api.group} is no longer there")


def copies(session: Session) -> None:
    source, text = session.api.group, session.new_text()
    id = session.stored(**{source: text})
    read = after(session, id, [{"op": "copy", "from": f"/{source}", "path": "/description"}])
    expect_read(session, read.get("description") == text == read.get(source), f"description is what {source} is")


def moves(session: Session) -> None:
    source, text = session.api.group, session.new_text()
    id = session.stored(**{source: text})
    read = after(session, id, [{"op": "move", "from": f"/{source}", "path": "/description"}])
    right = read.get("description") == text and read.get(source) is None
    expect_read(session, right, f"description is what {source} was, and {source} is no longer there")


def tests(session: Session) -> None:
    """Send a test that succeeds first, so that a server that rejects all tests does not pass."""
    text = session.new_text()
    id = session.stored(description=text)
    applied(session, id, [{"op": "test", "path": "/description", "value": text}]).expect_success()
    response = applied(session, id, [{"op": "test", "path": "/description", "value": "something else"}])
    response.expect(response.is_rejection, "a rejection (4xx), because the test fails")


def applies_all_or_none(session: Session) -> None:
    id, text = session.created(), session.new_text()
    first = {"op": "replace", "path": "/description", "value": text}
    response = applied(session, id, [first, {"op": "remove", "path": "/doesNotExist"}])
    if response.is_success:
        raise NotRun("the server accepts a patch of a member that does not exist", response.interaction)
    expect_read(session, session.read(id).get("description") != text, "description is what it was before")


def malformed_is_400(session: Session) -> None:
    response = applied(session, session.created(), [{"op": "confuse", "path": "/description", "value": "x"}])
    response.expect_status(400)


def queries(session: Session) -> None:
    """Send a query as TMF648 prints it; only the party with the role may change. Servers may lack just this format."""
    first, second = session.api.parties
    id = session.stored(relatedParty=[first, second])
    path = f"/relatedParty/name?relatedParty.role={first['role']}"
    response = applied(session, id, [{"op": "replace", "path": path, "value": "Louise Pontus"}], JSON_PATCH_QUERY)
    if response.is_unsupported:
        raise NotSupported(f"the server rejects {JSON_PATCH_QUERY}", response.interaction)
    response.expect_success()
    read = session.read(id)
    expected = [first | {"name": "Louise Pontus"}, second]
    expect_read(session, not missing(expected, read.get("relatedParty")), f"the party {first['role']} has another name")
