"""Merge patches (the chapters "Patch ..."; RFC 7386) and what no patch may change."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from tmf_conformance.comparison import missing, same
from tmf_conformance.check import Check, Checks, Failed, NotRun, advice
from tmf_conformance.session import MERGE

if TYPE_CHECKING:
    from tmf_conformance.api import Api
    from tmf_conformance.session import Session


def checks(api: Api) -> Checks:
    says = api.sources
    yield Check("patch-answers-200", "a merge patch is answered with 200", says["patch"], answers_200)
    yield Check("patch-answers-whole", "the answer is the whole resource", says["patch contents"], answers_the_whole)
    yield Check("patch-types", "the attributes in the answer have their types", says["types"], answers_types)
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
    other = advice("RFC 5789, 2.2", "a patch format that the server does not take is answered with 415")
    yield Check("patch-unknown-format-415", "another media type is answered with 415", other, other_type_is_415)
    told = advice("RFC 5789, 3.1", "the header Accept-Patch names the patch formats that the server takes")
    yield Check("patch-accept-patch", "Accept-Patch names the formats", told, formats_are_told)
    unknown = advice("TMF630, status codes", "a resource that does not exist is answered with 404")
    yield Check("patch-unknown-404", "patching an unknown id is answered with 404", unknown, unknown_is_404)
    wrong = advice("TMF630, status codes", "a patch that breaks the rules of its types is answered with 400")
    yield Check("patch-wrong-type-400", "a value of the wrong type is answered with 400", wrong, wrong_type_is_400)
    part = advice("TMF630, status codes", "a request that is refused changes nothing")
    yield Check("patch-refused-whole", "of a refused patch nothing is kept", part, refused_as_a_whole)


def answers_200(session: Session) -> None:
    session.patch(session.created(), {session.api.other_text: "Changed"}).expect_status(200)


def answers_the_whole(session: Session) -> None:
    sent, change = session.body(), {session.api.other_text: "Changed"}
    id = str(session.create(sent)["id"])
    kept = {name: value for name, value in session.read(id).items() if name in sent}
    lost = missing(kept | change, (answer := session.must_change(id, change)).object())
    answer.expect(
        not lost, f"the answer has every attribute, the changed one with its new value; not so: {', '.join(lost)}"
    )


def answers_types(session: Session) -> None:
    id = str(session.create(session.body())["id"])
    answer = session.must_change(id, {session.api.other_text: "Changed"})
    faults = session.types.faults(session.api.type, answer.object())
    answer.expect(not faults, f"every attribute has its type; not so: {'; '.join(faults)}")


def changed(session: Session, id: str, change: Any, media_type: str = MERGE) -> dict[str, Any]:
    """The resource as it reads after this patch, which has to be taken."""
    answer = session.patch(id, change, media_type)
    answer.expect_success()
    return session.read(id)


def expect_read(session: Session, holds: bool, expected: str) -> None:
    """About the resource as the last GET has it."""
    if not holds:
        raise Failed(f"afterwards, {expected}", session.last)


def changes(session: Session) -> None:
    name, text = session.api.group, session.new_text()
    after = changed(session, session.created(), {name: text})
    expect_read(session, after.get(name) == text, f"{name} is {text!r}")


def keeps_others(session: Session) -> None:
    sent = session.body()
    id = str(session.create(sent)["id"])
    before = session.read(id)
    kept = {name: value for name, value in before.items() if name in sent and name != session.api.other_text}
    lost = missing(kept, changed(session, id, {session.api.other_text: "Only this"}))
    expect_read(session, not lost, f"everything else is as it was; not so: {', '.join(lost)}")


def null_removes(session: Session) -> None:
    id = session.created(**{session.api.group: "To be removed"})
    after = changed(session, id, {session.api.group: None})
    expect_read(session, after.get(session.api.group) is None, f"{session.api.group} is no longer there")


def replaces_arrays(session: Session) -> None:
    first, second = session.api.parties
    after = changed(session, session.created(relatedParty=[first, second]), {"relatedParty": [second]})
    parties = after.get("relatedParty")
    right = isinstance(parties, list) and len(parties) == 1 and not missing([second], parties)
    expect_read(session, right, f"relatedParty has the one element {second['id']}")


def merges_nested(session: Session) -> None:
    name, value, change = session.api.nested
    after = changed(session, session.created(**{name: value}), {name: change})
    lost = missing({name: value | change}, after)
    expect_read(session, not lost, f"{name} has its other members as they were; not so: {', '.join(lost)}")


def is_patchable(name: str, session: Session) -> None:
    value = session.new_value(name)
    id = session.created()
    before = session.read(id).get(name)
    after = changed(session, id, {name: value})
    lost = missing({name: value}, after)
    if isinstance(before, list) and isinstance(value, list) and len(after.get(name) or ()) != len(value):
        lost = [f"/{name}"]
    expect_read(session, not lost, f"{name} has its new value; not so: {', '.join(lost)}")


def is_fixed(name: str, session: Session) -> None:
    """Refused, or taken without an effect."""
    id = session.created()
    before = session.read(id)
    answer = session.patch(id, {name: session.api.fixed[name]})
    after = session.get(id)
    if not after.is_success:
        after.fail(f"the resource is still there after the patch was answered with {answer.status}")
    unchanged = same(before.get(name), after.object().get(name))
    after.expect(unchanged, f"{name} is still {before.get(name)!r}; the patch was answered with {answer.status}")


def plain_json_merges(session: Session) -> None:
    id, text = session.created(), session.new_text()
    answer = session.patch(id, {"description": text}, "application/json")
    answer.expect_success()
    expect_read(session, session.read(id).get("description") == text, f"description is {text!r}")


def other_type_is_415(session: Session) -> None:
    id = session.created()
    answer = session.send("PATCH", session.at(id), raw="<patch/>", headers={"Content-Type": "application/xml"})
    answer.expect_status(415)


def formats_are_told(session: Session) -> None:
    id = session.created()
    answer = session.send("PATCH", session.at(id), raw="description: x", headers={"Content-Type": "application/yaml"})
    told = answer.headers.get("accept-patch", "").lower()
    if not told:
        answer = session.get(id)
        told = answer.headers.get("accept-patch", "").lower()
    answer.expect(MERGE in told, f"the header Accept-Patch, with {MERGE} in it")


def unknown_is_404(session: Session) -> None:
    session.patch(f"{session.mark}-unknown", {"description": "x"}).expect_status(404)


def wrong_type_is_400(session: Session) -> None:
    session.patch(session.created(), {"description": 5}).expect_status(400)


def refused_as_a_whole(session: Session) -> None:
    id, text = session.created(), session.new_text()
    answer = session.patch(id, {"description": text, "relatedParty": "nobody"})
    if answer.is_success:
        raise NotRun("the server takes a text for a list of parties", answer.exchange)
    expect_read(session, session.read(id).get("description") != text, "description is what it was before")
