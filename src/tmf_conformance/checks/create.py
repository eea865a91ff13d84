"""Creation (the chapters "Create ..."): what every resource answers to POST, whatever its attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tmf_conformance.comparison import missing
from tmf_conformance.http.links import absolute, path_of
from tmf_conformance.check import Check, Checks, NotRun, advice
from tmf_conformance.session import encoded, id_of

if TYPE_CHECKING:
    from tmf_conformance.api import Api
    from tmf_conformance.interaction import Answer
    from tmf_conformance.session import Session

CREATED = "TMF630, creating resources"


def checks(api: Api) -> Checks:
    says = api.sources
    yield Check("create-answers-201", "a created resource is answered with 201", says["create"], answers_201)
    yield Check("create-gives-id", "the answer has an id", says["id"], gives_id)
    yield Check("create-gives-href", "the answer has an href", says["href"], gives_href)
    yield Check("create-keeps-attributes", "the answer has what was sent", says["create contents"], keeps_attributes)
    yield Check("create-types", "the attributes in the answer have their types", says["types"], has_its_types)
    yield Check("create-initial-state", f"a new resource is {api.initial}", says["initial"], starts_in_initial_state)
    yield Check("create-date", f"{api.created} is set by the server", says["created"], sets_the_date)
    yield Check(
        "create-keeps-class", "@type, @baseType and @schemaLocation are kept", says["polymorphism"], keeps_class
    )
    located = advice(CREATED, "201 comes with a Location header that names the new resource")
    yield Check("create-location", "Location names the new resource", located, has_location)
    equal = advice(CREATED, "Location and the attribute href are the same link")
    yield Check("create-location-is-href", "Location equals href", equal, location_is_href)
    typed = advice("TMF630, polymorphism", "@type names the class of every resource in an answer")
    yield Check("create-default-type", f"@type is {api.type} when it was not sent", typed, has_a_type)
    wrong = advice("TMF630, status codes", "a body that breaks the rules of its types is answered with 400")
    yield Check(
        "create-wrong-type-400", "an attribute of the wrong type is answered with 400", wrong, refuses_wrong_type
    )
    distinct = advice(CREATED, "each resource has an id of its own")
    yield Check("create-distinct-ids", "two equal creations make two resources", distinct, gives_distinct_ids)


def posted(session: Session) -> Answer:
    """A plain creation; one that fails is for create-answers-201 to tell."""
    answer = session.post(session.minimal())
    if not answer.is_success:
        raise NotRun(f"no {session.api.resource} could be created", answer.exchange)
    return answer


def answers_201(session: Session) -> None:
    session.post(session.minimal()).expect_status(201)


def gives_id(session: Session) -> None:
    answer = posted(session)
    id = answer.object().get("id")
    answer.expect(isinstance(id, str) and bool(id), "the answer has the attribute id, a text")


def gives_href(session: Session) -> None:
    answer = posted(session)
    href = answer.object().get("href")
    answer.expect(isinstance(href, str) and bool(href), "the answer has the attribute href, a link")


def keeps_attributes(session: Session) -> None:
    sent = session.body()
    answer = session.post_special(sent)
    if not answer.is_success:
        answer.fail("a resource with all its attributes is created")
    lost = missing(sent, answer.object())
    answer.expect(not lost, f"the answer has every attribute with the value that was sent; not so: {', '.join(lost)}")


def has_its_types(session: Session) -> None:
    answer = session.post_special(session.body())
    if not answer.is_success:
        raise NotRun(f"no {session.api.resource} with all its attributes could be created", answer.exchange)
    faults = session.types.faults(session.api.type, answer.object())
    answer.expect(not faults, f"every attribute has its type; not so: {'; '.join(faults)}")


def starts_in_initial_state(session: Session) -> None:
    api, answer = session.api, posted(session)
    answer.expect(answer.object().get(api.state) == api.initial, f"{api.state} is {api.initial}")


def sets_the_date(session: Session) -> None:
    answer = posted(session)
    answer.expect(bool(answer.object().get(session.api.created)), f"the answer has {session.api.created}")


def keeps_class(session: Session) -> None:
    of_class = {
        "@type": f"Special{session.api.type}",
        "@baseType": session.api.type,
        "@schemaLocation": "https://example.com/schemas/special.json",
    }
    answer = session.post_special(session.minimal(**of_class))
    lost = missing(of_class, answer.object())
    answer.expect(
        answer.is_success and not lost, f"the answer has the members that were sent; not so: {', '.join(lost)}"
    )


def has_location(session: Session) -> None:
    answer = posted(session)
    path = path_of(answer.headers.get("location"))
    ending = f"{session.api.path}/{encoded(id_of(answer) or '')}"
    answer.expect(path.endswith(ending), f"the header Location ends with {ending}")


def location_is_href(session: Session) -> None:
    answer = posted(session)
    href, location = answer.object().get("href"), answer.headers.get("location")
    if not isinstance(href, str) or not location:
        raise NotRun("there is no href or no Location to compare", answer.exchange)
    base = answer.exchange.url
    one = absolute(base, href)
    answer.expect(bool(one) and one == absolute(base, location), f"Location is the href {href}")


def has_a_type(session: Session) -> None:
    answer = posted(session)
    answer.expect(answer.object().get("@type") == session.api.type, f"@type is {session.api.type}")


def refuses_wrong_type(session: Session) -> None:
    session.post_special(session.minimal(description={"not": "a text"})).expect_status(400)


def gives_distinct_ids(session: Session) -> None:
    body = session.minimal()
    first, second = session.post(body), session.post(body)
    if not first.is_success or not second.is_success:
        raise NotRun(f"no two equal {session.api.resource}s could be created", second.exchange)
    second.expect(id_of(first) != id_of(second), "the second resource has another id than the first")
