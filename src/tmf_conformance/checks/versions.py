"""Versions of a quote (TMF648, "Lifecycle management extension to quote").

"The following directive can be used", so a server may reject versions, and may show old versions to some users only.
"""

from __future__ import annotations

from typing import Any

from tmf_conformance.check import Check, Checks
from tmf_conformance.comparison import value_at
from tmf_conformance.http.links import encoded
from tmf_conformance.http.response import Response
from tmf_conformance.outcome import Failed, NotRun, NotSupported
from tmf_conformance.session import MERGE, Session, id_of
from tmf_conformance.source import Source, advice, mandatory

CHAPTER = "Lifecycle management extension to quote"
FIRST, SECOND = "1", "2"


def checks() -> Checks:
    new = sentence("POST is used to create a new version of a quote resource.")
    yield Check("version-create", "POST with the id of a quote creates a version", new, creates_a_version)
    states = mandatory("State definition", "This new version of the quote is created with the in Progress state.")
    yield Check("version-state", "a new version is inProgress", states, new_version_is_in_progress)
    items = mandatory("State definition", "All quote item will be set as In Progress in this new version.")
    yield Check("version-item-state", "the items of a new version are inProgress", items, items_are_in_progress)
    differ = sentence("The constraint is that the version numbers for the resource having the same ID must differ.")
    yield Check("version-differs", "a version that exists is rejected", differ, versions_differ)
    latest = sentence("By default, only the most current version is returned (for admin and non-admin).")
    yield Check("version-current", "GET returns the current version", latest, current_is_returned)
    every = sentence("will return all the versioned resources matching a specific ID.")
    yield Check("version-list-all", "a filter on id lists all versions", every, all_are_listed)
    one = advice(
        CHAPTER,
        "It may be possible for an admin API user to retrieve a resource with a specific version number by using an ID "
        "and versioning filtering criteria.",
    )
    yield Check("version-list-one", "a filter on id and version finds one", one, one_is_found)
    directive = sentence(
        "the following directive can be used /id:(version=x) and the version attribute is added to each entity."
    )
    yield Check("version-retrieve", "/id:(version=x) is that version", directive, one_is_retrieved)
    patch = sentence("By default, PATCH or PUT will be acting only on the latest version of a quote.")
    yield Check("version-patch-current", "PATCH changes the current version only", patch, current_is_patched)
    other = sentence(
        "To update a specific version of an entity the (Version=X) directive is added to the ID (i.e. /id:(version=x)."
    )
    yield Check("version-patch-one", "PATCH of /id:(version=x) changes that version", other, one_is_patched)


def sentence(text: str) -> Source:
    return mandatory(CHAPTER, text)


def new_version(session: Session, id: str, **members: Any) -> Response:
    """The response to a second version of the quote, on a server that makes versions."""
    response = session.post(session.minimal(id=id, version=SECOND, **members))
    if not response.is_success:
        raise NotSupported(f"the server makes no second version of a quote ({response.status})", response.interaction)
    if id_of(response) not in (None, id):
        raise NotSupported("the server creates another quote instead of a second version", response.interaction)
    return response


def two_versions(session: Session) -> str:
    """The id of a quote with the versions 1 and 2."""
    id = session.created(version=FIRST)
    new_version(session, id)
    return id


def number(document: Any) -> str:
    """Treat 2.0 and 2 as the same version: the specification asks for one and prints the other."""
    text = str(document.get("version") if isinstance(document, dict) else None)
    return text.removesuffix(".0")


def versioned_path(session: Session, id: str, version: str) -> str:
    return f"{session.resource_path(id)}:(version={version})"


def creates_a_version(session: Session) -> None:
    """Accept any 2xx status: create-answers-201 judges the status of creations."""
    id = session.created(version=FIRST)
    response = new_version(session, id)
    document = session.read(id) if response.is_empty else response.object()
    right = document.get("id") == id and number(document) == SECOND
    response.expect(right, f"a quote with the id {id} and the version {SECOND}")


def rejected_then_new(session: Session) -> Response:
    id = session.in_state("rejected", version=FIRST)
    response = new_version(session, id)
    return session.get(id) if response.is_empty else response


def new_version_is_in_progress(session: Session) -> None:
    response = rejected_then_new(session)
    response.expect(response.object().get("state") == "inProgress", "the new version is inProgress")


def items_are_in_progress(session: Session) -> None:
    response = rejected_then_new(session)
    state = value_at(response.object(), "quoteItem.state")
    response.expect(state == "inProgress", "the item of the new version is inProgress")


def versions_differ(session: Session) -> None:
    id = two_versions(session)
    response = new_version_again(session, id)
    if response.is_success and not shows_first_version(session, id):
        raise NotSupported("the server keeps one version of a quote only", response.interaction)
    response.expect(response.is_rejection, f"a rejection (4xx), as version {SECOND} exists already")


def new_version_again(session: Session, id: str) -> Response:
    return session.post(session.minimal(id=id, version=SECOND))


def shows_first_version(session: Session, id: str) -> bool:
    by_path = session.send("GET", versioned_path(session, id, FIRST))
    if by_path.is_success and number(by_path.value) == FIRST:
        return True
    listed = session.search(f"id={encoded(id)}")
    found = listed.value if listed.is_success and isinstance(listed.value, list) else []
    return any(number(each) == FIRST for each in found if isinstance(each, dict) and each.get("id") == id)


def current_is_returned(session: Session) -> None:
    response = session.get(two_versions(session))
    response.expect(number(response.object()) == SECOND, f"the version {SECOND}")


def listed(session: Session, id: str, query: str = "") -> tuple[Response, list[str]]:
    response = session.search(f"id={encoded(id)}{query}")
    if response.is_unsupported:
        raise NotSupported("the server rejects such a filter", response.interaction)
    response.expect_success()
    if any(each.get("id") != id for each in response.objects()):
        raise NotSupported("the server ignores a filter on id", response.interaction)
    return response, sorted(map(number, response.objects()))


def all_are_listed(session: Session) -> None:
    """Accept a list with the latest version only, because the user may not be allowed to see older ones."""
    id = two_versions(session)
    response, found = listed(session, id)
    if found == [SECOND]:
        raise NotSupported("the server shows the latest version only, as it may to others than sales admins")
    response.expect(found == [FIRST, SECOND], f"the versions {FIRST} and {SECOND}; found: {', '.join(found) or 'none'}")


def one_is_found(session: Session) -> None:
    id = two_versions(session)
    response, found = listed(session, id, f"&version={FIRST}")
    if not found:
        raise NotSupported("the server does not show an older version", response.interaction)
    response.expect(found == [FIRST], f"the version {FIRST} only; found: {', '.join(found)}")


def one_is_retrieved(session: Session) -> None:
    id = two_versions(session)
    response = session.send("GET", versioned_path(session, id, FIRST))
    if response.is_unsupported:
        raise NotSupported("the server does not know the directive", response.interaction)
    response.expect(response.is_success and number(response.object()) == FIRST, f"the version {FIRST}")


def current_is_patched(session: Session) -> None:
    id, text = two_versions(session), session.new_text()
    patched = session.patch(id, {"description": text})
    if patched.is_missing_operation:
        raise NotRun("the server has no PATCH", patched.interaction)
    patched.expect_success()
    response = session.send("GET", versioned_path(session, id, SECOND))
    current = response if response.is_success else session.get(id)
    if number(current.value) != SECOND:
        raise NotRun("the current version could not be read", current.interaction)
    current.expect(current.object().get("description") == text, f"version {SECOND} with the description {text!r}")


def one_is_patched(session: Session) -> None:
    id, text = two_versions(session), session.new_text()
    path = versioned_path(session, id, FIRST)
    response = session.send("PATCH", path, {"description": text}, headers={"Content-Type": MERGE})
    if response.is_unsupported:
        raise NotSupported("the server does not change an older version", response.interaction)
    response.expect_success()
    document = response.value if not response.is_empty else session.send("GET", path).value
    right = isinstance(document, dict) and number(document) == FIRST and document.get("description") == text
    response.expect(right, f"version {FIRST} with the description {text!r}")
    current = session.read(id)
    if number(current) == SECOND and current.get("description") == text:
        raise Failed(f"version {SECOND} as it was before", session.last)
