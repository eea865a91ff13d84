"""Pages and order of a list (TMF630): the specifications leave both to the guidelines, so all of this is advice."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tmf_conformance.http.links import absolute, origin_of
from tmf_conformance.check import Check, Checks, NotRun, NotSupported, advice

if TYPE_CHECKING:
    from tmf_conformance.api import Api
    from tmf_conformance.interaction import Answer
    from tmf_conformance.session import Session

PAGES = "TMF630, pagination"
ORDER = "TMF630, sorting"
NEXT = re.compile(r'<([^<>]*)>[^<>,]*;\s*rel="?next"?', re.IGNORECASE)


def checks(api: Api) -> Checks:
    limit = advice(PAGES, "limit is the number of resources that the answer has at most")
    yield Check("page-limit", "limit bounds the answer", limit, limit_bounds)
    part = advice(PAGES, "a page of a longer list that was asked for is answered with 206")
    yield Check("page-answers-206", "a part of the list is answered with 206", part, part_is_206)
    offset = advice(PAGES, "offset is the number of resources that are left out at the start")
    yield Check("page-offset", "offset leaves out the first resources", offset, offset_leaves_out)
    whole = advice(PAGES, "the pages together are the list, without gaps and repetitions")
    yield Check("page-cover", "pages have no gaps and no repetitions", whole, pages_cover)
    total = advice(PAGES, "X-Total-Count is the number of all resources that match")
    yield Check("page-total-count", "X-Total-Count counts all that match", total, total_is_told)
    result = advice(PAGES, "X-Result-Count is the number of resources in the answer")
    yield Check("page-result-count", "X-Result-Count counts the answer", result, result_is_told)
    link = advice(PAGES, "a header Link with rel next leads to the next page")
    yield Check("page-link-next", "Link leads to the next page", link, link_leads_on)
    last = advice(PAGES, "an offset beyond the end is answered with an empty list")
    yield Check("page-beyond-end", "an offset beyond the end is no error", last, beyond_is_empty)
    wrong = advice(PAGES, "a limit or offset that is no number of resources is answered with 400")
    yield Check("page-wrong-limit-400", "a limit that is no number is answered with 400", wrong, wrong_limit_is_400)
    yield Check("page-wrong-offset-400", "a negative offset is answered with 400", wrong, wrong_offset_is_400)
    up = advice(ORDER, "sort names the attribute that orders the list, the smallest first")
    yield Check("sort-ascending", "sort orders the list", up, sorts_up)
    down = advice(ORDER, "- before the attribute orders the list from the largest")
    yield Check("sort-descending", "sort with - turns the order round", down, sorts_down)
    more = advice(ORDER, "sort takes several attributes, separated by commas")
    yield Check("sort-by-two", "sort takes a second attribute", more, sorts_by_two)


def page(session: Session, query: str) -> Answer:
    """A list of the group that this query makes of it; a server that refuses such a query does without it."""
    plain = session.search(session.in_group())
    if not plain.is_success or not isinstance(plain.value, list):
        raise NotRun("the list could not be had", plain.exchange)
    answer = session.search(session.in_group(query))
    if answer.does_not_know:
        raise NotSupported(f"the server refuses {query.partition('=')[0]}", answer.exchange)
    answer.expect_success()
    return answer


def ids(session: Session, answer: Answer) -> list[str]:
    """Those of the group, in the order of the answer."""
    members = set(session.group[1])
    return [str(each["id"]) for each in answer.objects() if each.get("id") in members]


def whole(session: Session) -> list[str]:
    """All that the filter finds without pages: the group, and whatever else a server lets through."""
    return [str(each.get("id")) for each in session.found(session.in_group())]


def limit_bounds(session: Session) -> None:
    answer = page(session, "limit=3")
    answer.expect(len(answer.objects()) <= 3, "an array of at most 3 resources")


def part_is_206(session: Session) -> None:
    page(session, "limit=1").expect_status(206)


def offset_leaves_out(session: Session) -> None:
    expected = len(whole(session)) - 1
    answer = page(session, "offset=1")
    answer.expect(len(answer.objects()) == expected, f"{expected} resources: all that match but the first")


def pages_cover(session: Session) -> None:
    total = len(whole(session))
    if total > 50:
        raise NotRun(f"the server lists {total} resources although a filter asks for 4")
    pages = [page(session, f"limit=3&offset={offset}") for offset in range(0, total, 3)]
    seen = [str(each.get("id")) for answer in pages for each in answer.objects()]
    once = len(seen) == len(set(seen)) and set(session.group[1]) <= set(seen)
    pages[-1].expect(once, "each resource on one of the pages of three, and on no other")


def total_is_told(session: Session) -> None:
    total = len(whole(session))
    answer = page(session, "limit=2")
    answer.expect(answer.headers.get("x-total-count") == str(total), f"the header X-Total-Count: {total}")


def result_is_told(session: Session) -> None:
    answer = page(session, "limit=2")
    count = len(answer.objects())
    answer.expect(answer.headers.get("x-result-count") == str(count), f"the header X-Result-Count: {count}")


def link_leads_on(session: Session) -> None:
    answer = page(session, "limit=2")
    found = NEXT.search(answer.headers.get("link", ""))
    if found is None:
        answer.fail('the header Link has a link with rel="next"')
    url = absolute(answer.exchange.url, found[1])
    answer.expect(bool(url), "the link with rel next is a link")
    if origin_of(url) != session.client.origin:
        raise NotRun("the link names another host, where this run does not go", answer.exchange)
    following = session.send("GET", url)
    following.expect_success()
    first, second = ids(session, answer), ids(session, following)
    following.expect(bool(second) and not set(first) & set(second), "other resources than on the first page")


def beyond_is_empty(session: Session) -> None:
    answer = page(session, "offset=1000000")
    answer.expect(answer.objects() == [], "an empty array")


def wrong_limit_is_400(session: Session) -> None:
    session.search("limit=many").expect_status(400)


def wrong_offset_is_400(session: Session) -> None:
    session.search("offset=-1").expect_status(400)


def ordered(session: Session, sort: str, *expected: list[str]) -> None:
    answer = page(session, f"sort={sort}")
    found = ids(session, answer)
    if len(found) < len(session.group[1]):
        raise NotRun("the list does not have all that was created", answer.exchange)
    answer.expect(found in expected, f"these ids in this order: {', '.join(expected[0])}")


def sorts_up(session: Session) -> None:
    first, two, three, last = session.group[1]
    ordered(session, session.api.text, [first, two, three, last], [first, three, two, last])


def sorts_down(session: Session) -> None:
    first, two, three, last = session.group[1]
    ordered(session, f"-{session.api.text}", [last, two, three, first], [last, three, two, first])


def sorts_by_two(session: Session) -> None:
    """The two that are equal in the first attribute, by their creation; which of them is the larger is asked for."""
    second = session.api.other_text
    first, two, three, last = session.group[1]
    values = {id: session.read(id).get(second) for id in (two, three)}
    texts = {id: value for id, value in values.items() if isinstance(value, str)}
    if len(set(texts.values())) < 2:
        raise NotRun(f"{second} does not tell the resources apart", session.last)
    lower, higher = sorted(texts, key=texts.__getitem__)
    ordered(session, f"{session.api.text},-{second}", [first, higher, lower, last])
    ordered(session, f"{session.api.text},{second}", [first, lower, higher, last])
