"""Paging and sorting of a list (TMF630), which the specifications leave to the guidelines: all of this is advice."""

from __future__ import annotations

import re

from tmf_conformance.api import Api
from tmf_conformance.check import Check, Checks
from tmf_conformance.http.links import absolute, origin_of
from tmf_conformance.http.response import Response
from tmf_conformance.outcome import NotRun, NotSupported
from tmf_conformance.session import Session
from tmf_conformance.source import advice

PAGES = "TMF630, pagination"
ORDER = "TMF630, sorting"
NEXT = re.compile(r'<([^<>]*)>[^<>,]*;\s*rel="?next"?', re.IGNORECASE)


def checks(api: Api) -> Checks:
    limit = advice(PAGES, "limit is the largest number of resources in the response")
    yield Check("page-limit", "limit bounds the response", limit, limit_bounds)
    part = advice(PAGES, "a page of a longer list returns 206")
    yield Check("page-answers-206", "a part of the list returns 206", part, part_is_206)
    offset = advice(PAGES, "offset is the number of resources that are skipped")
    yield Check("page-offset", "offset skips the first resources", offset, offset_leaves_out)
    whole = advice(PAGES, "the pages together are the list, without gaps and repetitions")
    yield Check("page-cover", "pages have no gaps and no repetitions", whole, pages_cover)
    total = advice(PAGES, "X-Total-Count is the number of all resources that match")
    yield Check("page-total-count", "X-Total-Count counts all that match", total, counts_all)
    result = advice(PAGES, "X-Result-Count is the number of resources in the response")
    yield Check("page-result-count", "X-Result-Count counts the response", result, counts_the_response)
    link = advice(PAGES, "a header Link with rel next leads to the next page")
    yield Check("page-link-next", "Link leads to the next page", link, link_leads_on)
    last = advice(PAGES, "an offset beyond the end returns an empty list")
    yield Check("page-beyond-end", "an offset beyond the end is not an error", last, beyond_is_empty)
    wrong = advice(PAGES, "a limit or offset that is not a number of resources returns 400")
    yield Check("page-wrong-limit-400", "a limit that is not a number returns 400", wrong, wrong_limit_is_400)
    yield Check("page-wrong-offset-400", "a negative offset returns 400", wrong, wrong_offset_is_400)
    up = advice(ORDER, "sort names the attribute that orders the list, the smallest first")
    yield Check("sort-ascending", "sort orders the list", up, sorts_up)
    down = advice(ORDER, "- before the attribute orders the list from the largest")
    yield Check("sort-descending", "sort with - reverses the order", down, sorts_down)
    more = advice(ORDER, "sort takes several attributes, separated by commas")
    yield Check("sort-by-two", "sort takes a second attribute", more, sorts_by_two)


def page(session: Session, query: str) -> Response:
    """List the group with this query; raise NotSupported when the server rejects it."""
    plain = session.search(session.in_group())
    if not plain.is_success or not isinstance(plain.value, list):
        raise NotRun("the list could not be read", plain.interaction)
    response = session.search(session.in_group(query))
    if response.is_unsupported:
        raise NotSupported(f"the server rejects {query.partition('=')[0]}", response.interaction)
    response.expect_success()
    return response


def ids(session: Session, response: Response) -> list[str]:
    """The ids of the group, in the order of the response."""
    members = set(session.group[1])
    return [str(each["id"]) for each in response.objects() if each.get("id") in members]


def whole(session: Session) -> list[str]:
    """Everything the filter finds without pages: the whole group, and others when the server ignores the filter."""
    found = [str(each.get("id")) for each in session.found(session.in_group())]
    if not set(session.group[1]) <= set(found):
        raise NotRun("the list does not have everything that was created", session.last)
    return found


def limit_bounds(session: Session) -> None:
    response = page(session, "limit=3")
    response.expect(len(response.objects()) <= 3, "an array of at most 3 resources")


def part_is_206(session: Session) -> None:
    page(session, "limit=1").expect_status(206)


def offset_leaves_out(session: Session) -> None:
    expected = len(whole(session)) - 1
    response = page(session, "offset=1")
    response.expect(
        len(response.objects()) == expected, f"{expected} resources: everything that matches except the first"
    )


def pages_cover(session: Session) -> None:
    total = len(whole(session))
    if total > 50:
        raise NotRun(f"the server lists {total} resources although a filter asks for 4")
    pages = [page(session, f"limit=3&offset={offset}") for offset in range(0, total, 3)]
    seen = [str(each.get("id")) for response in pages for each in response.objects()]
    once = len(seen) == len(set(seen)) and set(session.group[1]) <= set(seen)
    pages[-1].expect(once, "each resource on one of the pages of three, and on no other")


def counts_all(session: Session) -> None:
    total = len(whole(session))
    response = page(session, "limit=2")
    response.expect(response.headers.get("x-total-count") == str(total), f"the header X-Total-Count: {total}")


def counts_the_response(session: Session) -> None:
    response = page(session, "limit=2")
    count = len(response.objects())
    response.expect(response.headers.get("x-result-count") == str(count), f"the header X-Result-Count: {count}")


def link_leads_on(session: Session) -> None:
    response = page(session, "limit=2")
    found = NEXT.search(response.headers.get("link", ""))
    if found is None:
        response.fail('the header Link has a link with rel="next"')
    url = absolute(response.interaction.url, found[1])
    response.expect(bool(url), "the link with rel next is a link")
    if origin_of(url) != session.client.origin:
        raise NotRun("the link names another host, and the run goes to none", response.interaction)
    following = session.send("GET", url)
    following.expect_success()
    first, second = ids(session, response), ids(session, following)
    following.expect(bool(second) and not set(first) & set(second), "other resources than on the first page")


def beyond_is_empty(session: Session) -> None:
    response = page(session, "offset=1000000")
    response.expect(response.objects() == [], "an empty array")


def wrong_limit_is_400(session: Session) -> None:
    session.search("limit=many").expect_status(400)


def wrong_offset_is_400(session: Session) -> None:
    session.search("offset=-1").expect_status(400)


def ordered(session: Session, sort: str, *expected: list[str]) -> None:
    response = page(session, f"sort={sort}")
    found = ids(session, response)
    if len(found) < len(session.group[1]):
        raise NotRun("the list does not have everything that was created", response.interaction)
    response.expect(found in expected, f"these ids in this order: {', '.join(expected[0])}")


def sorts_up(session: Session) -> None:
    first, two, three, last = session.group[1]
    ordered(session, session.api.text, [first, two, three, last], [first, three, two, last])


def sorts_down(session: Session) -> None:
    first, two, three, last = session.group[1]
    ordered(session, f"-{session.api.text}", [last, two, three, first], [last, three, two, first])


def sorts_by_two(session: Session) -> None:
    """Two resources of the group share the first attribute; the second attribute decides their order."""
    second = session.api.other_text
    first, two, three, last = session.group[1]
    values = {id: session.read(id).get(second) for id in (two, three)}
    texts = {id: value for id, value in values.items() if isinstance(value, str)}
    if len(set(texts.values())) < 2:
        raise NotRun(f"the resources do not differ in {second}", session.last)
    lower, higher = sorted(texts, key=texts.__getitem__)
    ordered(session, f"{session.api.text},-{second}", [first, higher, lower, last])
    ordered(session, f"{session.api.text},{second}", [first, lower, higher, last])
