"""JSON Patch (RFC 6902) and JSON Patch Query: "support of json/patch ... is optional", so a 415 is no failure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tmf_conformance.checks.merge_patch import expect_read
from tmf_conformance.comparison import missing
from tmf_conformance.check import Check, Checks, NotRun, NotSupported, advice

if TYPE_CHECKING:
    from tmf_conformance.api import Api
    from tmf_conformance.interaction import Answer
    from tmf_conformance.session import Session

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
    yield Check("json-patch-test", "JSON Patch: a test that fails refuses the patch", optional, tests)
    yield Check("json-patch-atomic", "JSON Patch: all operations or none", optional, applies_all_or_none)
    wrong = advice("RFC 5789, 2.2", "a malformed patch document is answered with 400")
    yield Check(
        "json-patch-malformed-400", "JSON Patch: an unknown operation is answered with 400", wrong, malformed_is_400
    )
    query = advice("TMF630, JSON Patch Query", "a path of an operation selects the elements of an array by a query")
    yield Check("json-patch-query", "JSON Patch Query has a media type of its own", query, queries)


def applied(session: Session, id: str, operations: Operations, media_type: str = JSON_PATCH) -> Answer:
    answer = session.patch(id, operations, media_type)
    if answer.status == 415:
        raise NotSupported(f"the server does not take {media_type}, which is optional", answer.exchange)
    return answer


def after(session: Session, id: str, operations: Operations, media_type: str = JSON_PATCH) -> dict[str, Any]:
    applied(session, id, operations, media_type).expect_success()
    return session.read(id)


def replaces(session: Session) -> None:
    id, text = session.created(), session.new_text()
    read = after(session, id, [{"op": "replace", "path": "/description", "value": text}])
    expect_read(session, read.get("description") == text, f"description is {text!r}")


def adds(session: Session) -> None:
    first, second = session.api.parties
    id = session.created(relatedParty=[first])
    read = after(session, id, [{"op": "add", "path": "/relatedParty/-", "value": second}])
    expect_read(session, not missing([first, second], read.get("relatedParty")), "relatedParty has both parties")


def removes(session: Session) -> None:
    id = session.created(**{session.api.group: "To be removed"})
    read = after(session, id, [{"op": "remove", "path": f"/{session.api.group}"}])
    expect_read(session, read.get(session.api.group) is None, f"{session.api.group} is no longer there")


def copies(session: Session) -> None:
    source, text = session.api.group, session.new_text()
    id = session.created(**{source: text})
    read = after(session, id, [{"op": "copy", "from": f"/{source}", "path": "/description"}])
    expect_read(session, read.get("description") == text == read.get(source), f"description is what {source} is")


def moves(session: Session) -> None:
    source, text = session.api.group, session.new_text()
    id = session.created(**{source: text})
    read = after(session, id, [{"op": "move", "from": f"/{source}", "path": "/description"}])
    right = read.get("description") == text and read.get(source) is None
    expect_read(session, right, f"description is what {source} was, and {source} is no longer there")


def tests(session: Session) -> None:
    """A server without JSON Patch is known by how it takes a test that holds."""
    text = session.new_text()
    id = session.created(description=text)
    applied(session, id, [{"op": "test", "path": "/description", "value": text}]).expect_success()
    answer = applied(session, id, [{"op": "test", "path": "/description", "value": "something else"}])
    answer.expect(answer.is_refused, "a refusal (4xx), because the test does not hold")


def applies_all_or_none(session: Session) -> None:
    id, text = session.created(), session.new_text()
    first = {"op": "replace", "path": "/description", "value": text}
    answer = applied(session, id, [first, {"op": "remove", "path": "/doesNotExist"}])
    if answer.is_success:
        raise NotRun("the server takes a patch of a member that does not exist", answer.exchange)
    expect_read(session, session.read(id).get("description") != text, "description is what it was before")


def malformed_is_400(session: Session) -> None:
    answer = applied(session, session.created(), [{"op": "confuse", "path": "/description", "value": "x"}])
    answer.expect_status(400)


def queries(session: Session) -> None:
    """Written as TMF648 prints it; of the two parties only the one with the role may change."""
    first, second = session.api.parties
    id = session.created(relatedParty=[first, second])
    path = f"/relatedParty/name?relatedParty.role={first['role']}"
    read = after(session, id, [{"op": "replace", "path": path, "value": "Louise Pontus"}], JSON_PATCH_QUERY)
    expected = [first | {"name": "Louise Pontus"}, second]
    expect_read(session, not missing(expected, read.get("relatedParty")), f"the party {first['role']} has another name")
