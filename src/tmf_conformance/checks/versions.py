"""Versions of a quote (TMF648, "Lifecycle management extension to quote"). "The following directive can be used": what
a server refuses it does without, and what it lets only some users see, it may hide from others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tmf_conformance.comparison import at
from tmf_conformance.check import Check, Checks, Failed, NotRun, NotSupported, mandatory
from tmf_conformance.session import encoded, id_of

if TYPE_CHECKING:
    from tmf_conformance.interaction import Answer
    from tmf_conformance.session import Session

CHAPTER = "Lifecycle management extension to quote"
FIRST, SECOND = "1", "2"


def checks() -> Checks:
    def says(sentence: str) -> Any:
        return mandatory(CHAPTER, sentence)

    new = says("POST is used to create a new version of a quote resource.")
    yield Check("version-create", "POST with the id of a quote makes a version", new, creates_a_version)
    states = mandatory("State definition", "This new version of the quote is created with the in Progress state.")
    yield Check("version-state", "a new version is inProgress", states, new_version_is_in_progress)
    items = mandatory("State definition", "All quote item will be set as In Progress in this new version.")
    yield Check("version-item-state", "the items of a new version are inProgress", items, items_are_in_progress)
    differ = says("The constraint is that the version numbers for the resource having the same ID must differ.")
    yield Check("version-differs", "a version that is there already is refused", differ, versions_differ)
    latest = says("By default, only the most current version is returned (for admin and non-admin).")
    yield Check("version-current", "GET answers the current version", latest, current_is_answered)
    every = says("will return all the versioned resources matching a specific ID.")
    yield Check("version-list-all", "a filter on id lists all versions", every, all_are_listed)
    one = says(
        "It may be possible for an admin API user to retrieve a resource with a specific version number by using an ID "
        "and versioning filtering criteria."
    )
    yield Check("version-list-one", "a filter on id and version finds one", one, one_is_found)
    directive = says(
        "the following directive can be used /id:(version=x) and the version attribute is added to each entity."
    )
    yield Check("version-retrieve", "/id:(version=x) is that version", directive, one_is_retrieved)
    patch = says("By default, PATCH or PUT will be acting only on the latest version of a quote.")
    yield Check("version-patch-current", "PATCH changes the current version only", patch, current_is_patched)
    other = says(
        "To update a specific version of an entity the (Version=X) directive is added to the ID (i.e. /id:(version=x)."
    )
    yield Check("version-patch-one", "PATCH of /id:(version=x) changes that version", other, one_is_patched)


def new_version(session: Session, id: str, version: str) -> Answer:
    return session.post(session.minimal(id=id, version=version))


def two_versions(session: Session) -> str:
    """The id of a quote with the versions 1 and 2."""
    id = session.created(version=FIRST)
    answer = new_version(session, id, SECOND)
    if answer.does_not_know:
        raise NotSupported("the server makes no second version of a quote", answer.exchange)
    if not answer.is_success or id_of(answer) != id:
        raise NotRun("no second version of a quote could be made", answer.exchange)
    return id


def number(document: Any) -> str:
    """2.0 and 2 are the same version: the specification asks for one and prints the other."""
    text = str(document.get("version") if isinstance(document, dict) else None)
    return text.removesuffix(".0")


def creates_a_version(session: Session) -> None:
    id = session.created(version=FIRST)
    answer = new_version(session, id, SECOND)
    if answer.does_not_know:
        raise NotSupported("the server makes no second version of a quote", answer.exchange)
    answer.expect_status(201)
    right = answer.object().get("id") == id and number(answer.object()) == SECOND
    answer.expect(right, f"a quote with the id {id} and the version {SECOND}")


def rejected_then_new(session: Session) -> Answer:
    id = session.in_state("rejected", version=FIRST)
    answer = new_version(session, id, SECOND)
    if answer.does_not_know:
        raise NotSupported("the server makes no second version of a quote", answer.exchange)
    if not answer.is_success:
        raise NotRun("no second version of a quote could be made", answer.exchange)
    return answer


def new_version_is_in_progress(session: Session) -> None:
    answer = rejected_then_new(session)
    answer.expect(answer.object().get("state") == "inProgress", "the new version is inProgress")


def items_are_in_progress(session: Session) -> None:
    answer = rejected_then_new(session)
    answer.expect(at(answer.object(), "quoteItem.state") == "inProgress", "the item of the new version is inProgress")


def versions_differ(session: Session) -> None:
    id = two_versions(session)
    answer = new_version(session, id, SECOND)
    answer.expect(answer.is_refused, f"a refusal (4xx): there is a version {SECOND} already")


def current_is_answered(session: Session) -> None:
    answer = session.get(two_versions(session))
    answer.expect(number(answer.object()) == SECOND, f"the version {SECOND}")


def listed(session: Session, query: str) -> tuple[Answer, list[str]]:
    answer = session.search(query)
    if answer.does_not_know:
        raise NotSupported("the server refuses such a filter", answer.exchange)
    answer.expect_success()
    return answer, sorted(map(number, answer.objects()))


def all_are_listed(session: Session) -> None:
    """Who may see only the latest version sees only that."""
    id = two_versions(session)
    answer, found = listed(session, f"id={encoded(id)}")
    if found == [SECOND]:
        raise NotSupported("the server shows the latest version only, as it may to others than sales admins")
    answer.expect(found == [FIRST, SECOND], f"the versions {FIRST} and {SECOND}; found: {', '.join(found) or 'none'}")


def one_is_found(session: Session) -> None:
    id = two_versions(session)
    answer, found = listed(session, f"id={encoded(id)}&version={FIRST}")
    if not found:
        raise NotSupported("the server does not show an older version", answer.exchange)
    answer.expect(found == [FIRST], f"the version {FIRST} only; found: {', '.join(found)}")


def one_is_retrieved(session: Session) -> None:
    id = two_versions(session)
    answer = session.send("GET", f"{session.at(id)}:(version={FIRST})")
    if answer.does_not_know:
        raise NotSupported("the server does not know the directive", answer.exchange)
    answer.expect(answer.is_success and number(answer.object()) == FIRST, f"the version {FIRST}")


def current_is_patched(session: Session) -> None:
    id, text = two_versions(session), session.new_text()
    session.patch(id, {"description": text}).expect_success()
    answer = session.send("GET", f"{session.at(id)}:(version={SECOND})")
    current = answer if answer.is_success else session.get(id)
    if number(current.value) != SECOND:
        raise NotRun("the current version could not be read", current.exchange)
    current.expect(current.object().get("description") == text, f"version {SECOND} with the description {text!r}")


def one_is_patched(session: Session) -> None:
    id, text = two_versions(session), session.new_text()
    path = f"{session.at(id)}:(version={FIRST})"
    answer = session.send(
        "PATCH", path, {"description": text}, headers={"Content-Type": "application/merge-patch+json"}
    )
    if answer.does_not_know:
        raise NotSupported("the server does not change an older version", answer.exchange)
    answer.expect_success()
    right = number(answer.object()) == FIRST and answer.object().get("description") == text
    answer.expect(right, f"version {FIRST} with the description {text!r}")
    current = session.read(id)
    if number(current) == SECOND and current.get("description") == text:
        raise Failed(f"version {SECOND} as it was before", session.last)
