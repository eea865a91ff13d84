"""Merge patches (the chapters "Patch ..."; RFC 7386), and attributes that no patch may change."""

from __future__ import annotations

from functools import partial
from typing import Any

from tmf_conformance.api import Api, Document
from tmf_conformance.check import Check, Checks
from tmf_conformance.checks.create import expect_types
from tmf_conformance.comparison import missing, same
from tmf_conformance.http.response import Response
from tmf_conformance.outcome import Failed, NotRun
from tmf_conformance.session import MERGE, Session
from tmf_conformance.source import advice


def checks(api: Api) -> Checks:
    says = api.sources
    yield Check("patch-answers-200", "a merge patch returns 200", says["patch"], answers_200)
    yield Check("patch-answers-whole", "the response is the whole resource", says["patch contents"], answers_the_whole)
    yield Check("patch-types", "the attributes in the response have their types", says["types"], answers_types)
    yield Check("merge-patch-changes", "a merge patch changes the resource", says["merge"], changes)
    yield Check("merge-patch-keeps-others", "a merge patch keeps what it does not name", says["merge"], keeps_others)
    yield Check("merge-patch-null-removes", "null in a merge patch removes", says["merge"], null_removes)
    yield Check("merge-patch-replaces-arrays", "an array in a merge patch replaces", says["merge"], replaces_arrays)
    yield Check("merge-patch-nested", "a nested object is merged", says["merge"], merges_nested)
    for name in api.patchable:
        yield Check(f"patchable-{name}", f"{name} can be patched", says["patchable"], partial(is_patchable, name))
    for name in api.fixed:
        yield Check(f"not-patchable-{name}", f"{name} is not patchable", says["fixed"], partial(is_fixed, name))
    plain = advice("TMF630, media types", "a PATCH with application/json is a merge patch")
    yield Check("patch-plain-json", "application/json is a merge patch", plain, plain_json_merges)
    other = advice("RFC 5789, 2.2", "an unsupported patch format returns 415")
    yield Check("patch-unknown-format-415", "another media type returns 415", other, other_type_is_415)
    formats = advice("RFC 5789, 3.1", "the header Accept-Patch names the supported patch formats")
    yield Check("patch-accept-patch", "Accept-Patch names the formats", formats, names_the_formats)
    unknown = advice("TMF630, status codes", "a resource that does not exist returns 404")
    yield Check("patch-unknown-404", "patching an unknown id returns 404", unknown, unknown_is_404)
    wrong = advice("TMF630, status codes", "a patch that does not fit the types returns 400")
    yield Check("patch-wrong-type-400", "a value of the wrong type returns 400", wrong, wrong_type_is_400)
    part = advice("TMF630, status codes", "a rejected request changes nothing")
    yield Check("patch-refused-whole", "a rejected patch changes nothing", part, rejected_as_a_whole)


def answers_200(session: Session) -> None:
    session.patch(session.created(), {session.api.other_text: "Changed"}).expect_status(200)


def answers_the_whole(session: Session) -> None:
    sent, change = session.body(), {session.api.other_text: "Changed"}
    id = str(session.create(sent)["id"])
    kept = kept_of(session, sent, session.read(id))
    response = session.must_change(id, change)
    if response.is_empty:
        raise NotRun("the response has no body to look at", response.interaction)
    lost = missing(kept | change, response.object())
    response.expect(
        not lost, f"the response has every attribute, the changed one with its new value, also {', '.join(lost)}"
    )


def kept_of(session: Session, sent: Document, read: Document) -> Document:
    """The attributes that were sent and that the server has stored, with the values it returns."""
    kept = {name: value for name, value in read.items() if name in sent}
    if not kept:
        raise NotRun("the server keeps nothing of what was sent at creation", session.last)
    return kept


def answers_types(session: Session) -> None:
    id = str(session.create(session.body())["id"])
    response = session.must_change(id, {session.api.other_text: "Changed"})
    if response.is_empty:
        raise NotRun("the response has no body to look at", response.interaction)
    expect_types(session, response, response.object())


def changed(session: Session, id: str, change: Any, media_type: str = MERGE) -> dict[str, Any]:
    """The resource as GET returns it after this patch, which must succeed."""
    response = session.patch(id, change, media_type)
    response.expect_success()
    return session.read(id)


def expect_read(session: Session, holds: bool, expected: str) -> None:
    """Judge the resource in the last response to GET."""
    if not holds:
        raise Failed(f"afterwards, {expected}", session.last)


def changes(session: Session) -> None:
    name, text = session.api.group, session.new_text()
    after = changed(session, session.created(), {name: text})
    expect_read(session, after.get(name) == text, f"{name} is {text!r}")


def keeps_others(session: Session) -> None:
    sent = session.body()
    id = str(session.create(sent)["id"])
    kept = kept_of(session, sent, session.read(id))
    kept.pop(session.api.other_text, None)
    lost = missing(kept, changed(session, id, {session.api.other_text: "Only this"}))
    expect_read(session, not lost, f"everything else is as it was, also {', '.join(lost)}")


def null_removes(session: Session) -> None:
    id = session.stored(**{session.api.group: "To be removed"})
    after = changed(session, id, {session.api.group: None})
    expect_read(session, after.get(session.api.group) is None, f"{session.api.group} is no longer there")


def replaces_arrays(session: Session) -> None:
    first, second = session.api.parties
    after = changed(session, session.stored(relatedParty=[first, second]), {"relatedParty": [second]})
    parties = after.get("relatedParty")
    right = isinstance(parties, list) and len(parties) == 1 and not missing([second], parties)
    expect_read(session, right, f"relatedParty has the one element {second['id']}")


def merges_nested(session: Session) -> None:
    name, value, change = session.api.nested
    after = changed(session, session.stored(**{name: value}), {name: change})
    lost = missing({name: value | change}, after)
    expect_read(session, not lost, f"{name} has its other members as they were, also {', '.join(lost)}")


def is_patchable(name: str, session: Session) -> None:
    id = session.created()
    before = session.read(id).get(name)
    value = new_value(session, name)
    response = session.patch(id, {name: value})
    if response.is_rejection:
        value = accepted_value(session, name, response)
        response = session.patch(id, {name: value})
    response.expect_success()
    after = session.read(id)
    lost = missing({name: value}, after)
    if isinstance(before, list) and isinstance(value, list) and len(after.get(name) or ()) != len(value):
        lost = [f"/{name}"]
    expect_read(session, not lost, f"{name} has its new value, also {', '.join(lost)}")


def new_value(session: Session, name: str) -> Any:
    """Another value for an attribute; items come from the sample, which the server accepts."""
    sampled = session.sample.get(name)
    if name == "quoteItem" and isinstance(sampled, list):
        return [item | {"action": "modify"} for item in sampled]
    return session.api.patchable[name]


def accepted_value(session: Session, name: str, rejection: Response) -> Any:
    """A value from a resource that the server created, to tell a rejected value from a fixed attribute."""
    try:
        value = session.pair_read[0].get(name)
    except NotRun as reason:
        raise NotRun(reason.reason, rejection.interaction) from None
    if value is None:
        rejection.fail(f"a patch of {name} is accepted")
    return value


def is_fixed(name: str, session: Session) -> None:
    """A patch of a fixed attribute must be rejected or have no effect."""
    id = session.created()
    before = session.read(id)
    response = session.patch(id, {name: session.api.fixed[name]})
    after = session.get(id)
    if not after.is_success:
        after.fail(f"the resource is still there after the patch, which returned {response.status}")
    unchanged = same(before.get(name), after.object().get(name))
    after.expect(unchanged, f"{name} is still {before.get(name)!r}; the patch returned {response.status}")


def plain_json_merges(session: Session) -> None:
    id, text = session.created(), session.new_text()
    response = session.patch(id, {"description": text}, "application/json")
    response.expect_success()
    expect_read(session, session.read(id).get("description") == text, f"description is {text!r}")


def other_type_is_415(session: Session) -> None:
    id = session.created()
    path = session.resource_path(id)
    response = session.send("PATCH", path, raw="<patch/>", headers={"Content-Type": "application/xml"})
    response.expect_status(415)


def names_the_formats(session: Session) -> None:
    id = session.created()
    path = session.resource_path(id)
    response = session.send("PATCH", path, raw="description: x", headers={"Content-Type": "application/yaml"})
    formats = response.headers.get("accept-patch", "").lower()
    if not formats:
        response = session.get(id)
        formats = response.headers.get("accept-patch", "").lower()
    response.expect(MERGE in formats, f"the header Accept-Patch, with {MERGE} in it")


def unknown_is_404(session: Session) -> None:
    session.patch(f"{session.mark}-unknown", {"description": "x"}).expect_status(404)


def wrong_type_is_400(session: Session) -> None:
    session.patch(session.created(), {"description": 5}).expect_status(400)


def rejected_as_a_whole(session: Session) -> None:
    id, text = session.created(), session.new_text()
    response = session.patch(id, {"description": text, "relatedParty": "nobody"})
    if response.is_success:
        raise NotRun("the server accepts a string for a list of parties", response.interaction)
    expect_read(session, session.read(id).get("description") != text, "description is what it was before")
