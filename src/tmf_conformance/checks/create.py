"""Creation (the chapters "Create ..."): what POST returns for every resource, whatever its attributes."""

from __future__ import annotations

from tmf_conformance.api import Api, Document
from tmf_conformance.check import Check, Checks
from tmf_conformance.comparison import missing
from tmf_conformance.http.links import absolute, encoded, path_of
from tmf_conformance.http.response import Response
from tmf_conformance.outcome import NotRun
from tmf_conformance.session import Session, id_of
from tmf_conformance.source import advice

CREATED = "TMF630, creating resources"


def checks(api: Api) -> Checks:
    says = api.sources
    yield Check("create-answers-201", "creating a resource returns 201", says["create"], answers_201)
    yield Check("create-gives-id", "the new resource has an id", says["id"], gives_id)
    yield Check("create-gives-href", "the new resource has an href", says["href"], gives_href)
    yield Check("create-keeps-attributes", "the response has what was sent", says["create contents"], keeps_attributes)
    yield Check("create-types", "the attributes in the response have their types", says["types"], has_its_types)
    yield Check("create-initial-state", f"a new resource is {api.initial}", says["initial"], starts_in_initial_state)
    yield Check("create-date", f"{api.created} is set by the server", says["created"], sets_the_date)
    yield Check(
        "create-keeps-class", "@type, @baseType and @schemaLocation are kept", says["polymorphism"], keeps_class
    )
    located = advice(CREATED, "201 comes with a Location header that names the new resource")
    yield Check("create-location", "Location names the new resource", located, has_location)
    equal = advice(CREATED, "Location and the attribute href are the same link")
    yield Check("create-location-is-href", "Location equals href", equal, location_is_href)
    typed = advice("TMF630, polymorphism", "@type names the class of every resource in a response")
    yield Check("create-default-type", f"@type is {api.type} when it was not sent", typed, has_a_type)
    wrong = advice("TMF630, status codes", "a body that does not fit its types returns 400")
    yield Check("create-wrong-type-400", "an attribute of the wrong type returns 400", wrong, rejects_wrong_type)
    distinct = advice(CREATED, "each resource has an id of its own")
    yield Check("create-distinct-ids", "two equal creations make two resources", distinct, gives_distinct_ids)


def posted(session: Session) -> Response:
    """The new resource: the response to POST, or to GET when that has no body; create-answers-201 reports failures."""
    response = session.post_and_read(session.minimal())
    if not response.is_success:
        raise session.not_created(response, "")
    return response


def answers_201(session: Session) -> None:
    session.post(session.minimal()).expect_status(201)


def gives_id(session: Session) -> None:
    response = posted(session)
    id = response.object().get("id")
    response.expect(isinstance(id, str) and bool(id), "the response has the attribute id, a text")


def gives_href(session: Session) -> None:
    response = posted(session)
    href = response.object().get("href")
    response.expect(isinstance(href, str) and bool(href), "the response has the attribute href, a link")


def keeps_attributes(session: Session) -> None:
    sent = session.body()
    response = created_with_all(session, sent)
    lost = missing(sent, response.object())
    response.expect(not lost, f"the response has every attribute with the value that was sent, also {', '.join(lost)}")


def created_with_all(session: Session, sent: Document) -> Response:
    """Create a resource with all attributes; "not run" on a rejection, because a server may reject some values."""
    response = session.post_variant(sent)
    if response.is_rejection:
        raise session.not_created(response, "with all its attributes")
    response.expect(response.is_success, "a resource with all its attributes is created")
    return response


def has_its_types(session: Session) -> None:
    response = session.post_variant(session.body())
    if not response.is_success:
        raise session.not_created(response, "with all its attributes")
    expect_types(session, response, response.object())


def expect_types(session: Session, response: Response, document: Document) -> None:
    violations = session.types.violations(session.api.type, document)
    response.expect(not violations, f"every attribute has its type; violations: {'; '.join(violations)}")


def starts_in_initial_state(session: Session) -> None:
    api, response = session.api, posted(session)
    response.expect(response.object().get(api.state) == api.initial, f"{api.state} is {api.initial}")


def sets_the_date(session: Session) -> None:
    response = posted(session)
    response.expect(bool(response.object().get(session.api.created)), f"the response has {session.api.created}")


def keeps_class(session: Session) -> None:
    of_class = {
        "@type": f"Special{session.api.type}",
        "@baseType": session.api.type,
        "@schemaLocation": "https://example.com/schemas/special.json",
    }
    response = session.post_variant(session.minimal(**of_class))
    if response.is_success and response.is_empty:
        raise NotRun("the response has no body to look at", response.interaction)
    lost = missing(of_class, response.object())
    response.expect(
        response.is_success and not lost, f"the response has the members that were sent, also {', '.join(lost)}"
    )


def has_location(session: Session) -> None:
    response = session.post(session.minimal())
    if not response.is_success:
        raise session.not_created(response, "")
    path = path_of(response.headers.get("location"))
    ending = f"{session.api.path}/{encoded(id_of(response) or '')}"
    response.expect(path.endswith(ending), f"the header Location ends with {ending}")


def location_is_href(session: Session) -> None:
    response = session.post(session.minimal())
    document = response.value if response.is_success and isinstance(response.value, dict) else {}
    href, location = document.get("href"), response.headers.get("location")
    if not isinstance(href, str) or not location:
        raise NotRun("there is no href or no Location to compare", response.interaction)
    base = response.interaction.url
    one = absolute(base, href)
    response.expect(bool(one) and one == absolute(base, location), f"Location is the href {href}")


def has_a_type(session: Session) -> None:
    response = posted(session)
    response.expect(response.object().get("@type") == session.api.type, f"@type is {session.api.type}")


def rejects_wrong_type(session: Session) -> None:
    session.post_variant(session.minimal(description={"not": "a text"})).expect_status(400)


def gives_distinct_ids(session: Session) -> None:
    body = session.minimal()
    first, second = session.post(body), session.post(body)
    if not first.is_success or not second.is_success:
        raise NotRun(f"no two equal {session.api.resource}s could be created", second.interaction)
    second.expect(id_of(first) != id_of(second), "the second resource has another id than the first")
