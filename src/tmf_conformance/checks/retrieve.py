"""Reading (the chapters "Retrieve ..." and "List ..."): one resource, the list, and field selection."""

from __future__ import annotations

from collections.abc import Iterable

from tmf_conformance.api import Api, Document
from tmf_conformance.check import Check, Checks
from tmf_conformance.checks.create import expect_types
from tmf_conformance.comparison import ALWAYS_THERE, missing
from tmf_conformance.http.links import absolute, origin_of
from tmf_conformance.http.response import Response
from tmf_conformance.outcome import NotRun, NotSupported
from tmf_conformance.session import Session
from tmf_conformance.source import advice

SELECTION = "TMF630, attribute selection"
MOST_PAGES = 20


def checks(api: Api) -> Checks:
    says = api.sources
    yield Check("retrieve-answers-200", "reading a resource returns 200", says["retrieve"], answers_200)
    yield Check("retrieve-keeps-attributes", "it has what was sent", says["retrieve contents"], keeps_attributes)
    yield Check("retrieve-types", "its attributes have their types", says["types"], has_its_types)
    yield Check("retrieve-by-href", "its href leads to it", says["href"], href_leads_to_it)
    json = advice("TMF630, media types", "responses with a body are application/json")
    yield Check("retrieve-is-json", "the response is application/json", json, is_json)
    unknown = advice("TMF630, status codes", "a resource that does not exist returns 404")
    yield Check("retrieve-unknown-404", "an unknown id returns 404", unknown, unknown_is_404)
    yield Check("retrieve-fields", "fields selects each first level attribute", says["retrieve fields"], selects_each)
    yield Check("list-answers-200", "the list returns 200 and an array", says["list"], list_answers_200)
    yield Check("list-has-created", "what was created is in the list", says["list contents"], list_has_created)
    yield Check("list-types", "the attributes in the list have their types", says["types"], list_has_types)
    yield Check(
        "list-keeps-attributes",
        "the list has what GET of the resource returns",
        says["list contents"],
        list_keeps_attributes,
    )
    yield Check("list-fields", "fields selects attributes in the list", says["list fields"], list_selects)
    several = advice(SELECTION, "fields takes several names, separated by commas")
    yield Check("fields-several", "fields takes several names", several, selects_several)
    link = advice(SELECTION, "id and href are in the response whatever fields selects")
    yield Check("fields-keep-id-and-href", "fields leaves id and href", link, keeps_id_and_href)
    none = advice(SELECTION, "fields=none returns id and href only")
    yield Check("fields-none", "fields=none selects id and href only", none, selects_none)
    dotted = advice(SELECTION, "a dotted name selects an attribute of a sub-resource")
    yield Check("fields-nested", "fields selects inside sub-resources", dotted, selects_inside)


def answers_200(session: Session) -> None:
    id = session.created()
    response = session.get(id)
    response.expect_status(200)
    response.expect(response.object().get("id") == id, f"the resource with the id {id}")


def keeps_attributes(session: Session) -> None:
    sent = session.body()
    response = session.get(str(session.create(sent)["id"]))
    lost = missing(sent, response.object())
    response.expect(not lost, f"every attribute has the value that was sent, also {', '.join(lost)}")


def has_its_types(session: Session) -> None:
    response = session.get(str(session.create(session.body())["id"]))
    expect_types(session, response, response.object())


def href_leads_to_it(session: Session) -> None:
    id = session.created()
    response = session.get(id)
    href = response.object().get("href")
    if not isinstance(href, str):
        raise NotRun("there is no href to follow", response.interaction)
    url = absolute(response.interaction.url, href)
    response.expect(bool(url), "href is a link")
    if origin_of(url) != session.client.origin:
        raise NotRun(f"href names another host, and the run goes to none: {href[:200]}", response.interaction)
    followed = session.send("GET", url)
    followed.expect(followed.is_success and followed.object().get("id") == id, f"the resource with the id {id}")


def is_json(session: Session) -> None:
    response = session.get(session.created())
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    response.expect(kind == "application/json", "Content-Type is application/json")


def unknown_is_404(session: Session) -> None:
    session.get(f"{session.mark}-unknown").expect_status(404)


def selects_each(session: Session) -> None:
    id = str(session.pair[0]["id"])
    for name in selectable(session):
        response = session.get(id, f"?fields={name}")
        expect_selected(response, response.object(), [name])


def selectable(session: Session) -> list[str]:
    """The attributes that the run sent and the server stored."""
    kept = session.pair_read[0]
    return [name for name in session.pair[0] if name in kept and name not in ALWAYS_THERE]


def expect_selected(response: Response, document: Document, names: Iterable[str]) -> None:
    wanted = set(names)
    there = {name for name, value in document.items() if value is not None}
    absent, more = wanted - there, there - wanted - ALWAYS_THERE
    response.expect(
        response.is_success and not absent and not more,
        f"{', '.join(sorted(wanted)) or 'no attribute'} and no other attribute than {', '.join(sorted(ALWAYS_THERE))}"
        + (f"; absent: {', '.join(sorted(absent))}" if absent else "")
        + (f"; unexpected: {', '.join(sorted(more))}" if more else ""),
    )


def list_answers_200(session: Session) -> None:
    """Allow 206 too: TMF630 has it for a page of a longer list."""
    session.created()
    response = session.search()
    response.expect_status(200, 206)
    response.objects()


def list_has_created(session: Session) -> None:
    """Read the list without a filter, page by page, up to a limit."""
    id = session.created()
    seen = 0
    for _ in range(MOST_PAGES):
        response = session.search(f"offset={seen}" if seen else "")
        page = response.objects()
        if any(each.get("id") == id for each in page):
            return
        if not page:
            response.fail(f"the list has the resource with the id {id}")
        seen += len(page)
    raise NotSupported(f"the server has more than {seen} resources; the new one is not among the first")


def listed(session: Session, query: str = "") -> tuple[Response, Document]:
    """The response to a list, and the first of the two resources of the session in it."""
    sent = session.pair[0]
    text = f"{session.api.text}={sent[session.api.text].replace(' ', '%20')}"
    response = session.search(f"{text}&{query}" if query else text)
    if not response.is_success or not isinstance(response.value, list):
        raise NotRun("the list could not be read", response.interaction)
    for each in response.objects():
        if each.get("id") == sent["id"]:
            return response, each
    raise NotRun("the resource is not in the list", response.interaction)


def list_has_types(session: Session) -> None:
    response, resource = listed(session)
    expect_types(session, response, resource)


def list_keeps_attributes(session: Session) -> None:
    response, resource = listed(session)
    kept = {name: value for name, value in session.pair_read[0].items() if name in session.pair[0]}
    lost = missing(kept, resource)
    response.expect(not lost, f"every attribute has the value that GET returns, also {', '.join(lost)}")


def list_selects(session: Session) -> None:
    for name in selectable(session):
        response, resource = listed(session, f"fields={name}")
        expect_selected(response, resource, [name])


def selects_several(session: Session) -> None:
    names = [session.api.text, session.api.group, session.api.state]
    response = session.get(str(session.pair[0]["id"]), f"?fields={','.join(names)}")
    expect_selected(response, response.object(), names)


def keeps_id_and_href(session: Session) -> None:
    response = session.get(str(session.pair[0]["id"]), f"?fields={session.api.state}")
    response.expect({"id", "href"} <= set(response.object()), "the response has id and href")


def selects_none(session: Session) -> None:
    response = session.get(str(session.pair[0]["id"]), "?fields=none")
    expect_selected(response, response.object(), [])


def selects_inside(session: Session) -> None:
    response = session.get(str(session.pair[0]["id"]), "?fields=relatedParty.role")
    expect_selected(response, response.object(), ["relatedParty"])
    parties = response.object()["relatedParty"]
    good = isinstance(parties, list) and all(isinstance(each, dict) for each in parties)
    names = {name for each in parties for name in each} if good else set()
    response.expect("role" in names and "name" not in names, "of each related party its role, and not its name")
