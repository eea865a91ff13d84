"""Lists, their pages and counts, for every resource (TMF630 part 1; RFC 8288)."""

from __future__ import annotations

import re
from collections.abc import Mapping

import httpx
import pytest
from tests.api import Api, Document, refusal
from tests.http.conftest import Services
from tests.http.resources import QUOTE, Resource, unique_text
from tests.storage.deviations import NO_CONDITION


class Shelf:
    """Five resources that share a text which nothing else has, and numbered in `second_text`."""

    def __init__(self, api: Api, resource: Resource) -> None:
        self.api = api
        self.resource = resource
        self.mark = unique_text()
        self.documents = [
            api.create(resource.collection, resource.body(**{resource.text: self.mark, resource.second_text: f"{n}"}))
            for n in range(5)
        ]

    def asked(self, **parameters: object) -> httpx.Response:
        return self.api.get(self.resource.collection, **{self.resource.text: self.mark, **parameters})

    def numbers(self, answer: httpx.Response) -> list[str]:
        return [one[self.resource.second_text] for one in answer.json()]


@pytest.fixture(scope="module")
def shelf(api: Api, resource: Resource) -> Shelf:
    return Shelf(api, resource)


def links(answer: httpx.Response) -> Mapping[str, str]:
    """The target of each relation."""
    found = re.findall(r'<([^>]*)>; ?rel="?(\w+)"?', answer.headers["link"])
    return {relation: target for target, relation in found}


def counts(answer: httpx.Response) -> tuple[int, int]:
    return int(answer.headers["x-total-count"]), int(answer.headers["x-result-count"])


def test_a_list_without_paging_is_200_with_all_that_match(shelf: Shelf) -> None:
    answer = shelf.asked()

    assert answer.status_code == 200
    assert counts(answer) == (5, 5)
    assert sorted(shelf.documents, key=lambda one: str(one["id"])) == answer.json()


@pytest.mark.deviation(NO_CONDITION)
def test_a_part_of_the_list_is_206(shelf: Shelf) -> None:
    answer = shelf.asked(sort=shelf.resource.second_text, limit=2, offset=1)

    assert answer.status_code == 206
    assert counts(answer) == (5, 2)
    assert shelf.numbers(answer) == ["1", "2"]


@pytest.mark.deviation(NO_CONDITION)
def test_a_long_query_is_not_repeated_in_links(shelf: Shelf) -> None:
    member = shelf.resource.second_text

    assert "link" in shelf.asked(limit=2, **{member: "x" * 1200}).headers
    assert "link" not in shelf.asked(limit=2, **{member: "x" * 1500}).headers


def test_a_page_that_is_everything_is_200(shelf: Shelf) -> None:
    assert shelf.asked(offset=0, limit=5).status_code == 200


def test_an_offset_past_the_end_gives_an_empty_list(shelf: Shelf) -> None:
    answer = shelf.asked(offset=9007199254740991)

    assert (answer.status_code, answer.json()) == (200, [])
    assert counts(answer) == (5, 0)


def test_a_limit_of_zero_counts(shelf: Shelf) -> None:
    answer = shelf.asked(limit=0)

    assert answer.json() == []
    assert counts(answer) == (5, 0)


def test_nothing_that_matches_is_an_empty_list(shelf: Shelf) -> None:
    answer = shelf.api.get(shelf.resource.collection, **{shelf.resource.text: unique_text()}, limit=3)

    assert (answer.status_code, answer.json()) == (200, [])
    assert counts(answer) == (0, 0)


@pytest.mark.deviation(NO_CONDITION)
def test_following_next_finds_everything_once(shelf: Shelf) -> None:
    answer = shelf.asked(sort=f"-{shelf.resource.second_text}", limit=2)
    found = shelf.numbers(answer)
    while "next" in links(answer):
        answer = shelf.api.request("GET", links(answer)["next"].removeprefix(shelf.api.root))
        found += shelf.numbers(answer)

    assert found == ["4", "3", "2", "1", "0"]


def test_links_are_absolute_and_keep_the_other_parameters(shelf: Shelf) -> None:
    found = links(shelf.asked(limit=2, offset=2, fields="id"))

    for relation in ("self", "first", "prev", "next", "last"):
        url = httpx.URL(found[relation])
        assert str(url).startswith(f"{shelf.api.root}{shelf.resource.collection}?")
        assert url.params[shelf.resource.text] == shelf.mark
        assert url.params["fields"] == "id"


@pytest.mark.deviation(NO_CONDITION)
def test_selection_and_order_hold_for_lists(shelf: Shelf) -> None:
    second = shelf.resource.second_text

    answer = shelf.asked(fields=second, sort=f"-{second}", limit=1)

    last = shelf.documents[-1]
    assert answer.json() == [{"id": last["id"], "href": last["href"], second: "4"}]


def test_a_resource_is_found_by_its_id(shelf: Shelf) -> None:
    one = shelf.documents[2]

    assert shelf.api.get(shelf.resource.collection, id=one["id"]).json() == [one]


def test_a_resource_is_found_by_its_state(shelf: Shelf) -> None:
    first, other, _ = shelf.resource.states

    assert counts(shelf.asked(**{shelf.resource.state: first})) == (5, 5)
    assert counts(shelf.asked(**{shelf.resource.state: other})) == (0, 0)


@pytest.mark.deviation(NO_CONDITION)
def test_a_filter_on_an_unknown_attribute_matches_what_carries_it(shelf: Shelf) -> None:
    mark = unique_text()
    carrier = shelf.api.create(shelf.resource.collection, shelf.resource.body(**{"colour.x": 1, "colour": mark}))

    assert shelf.api.get(shelf.resource.collection, colour=mark).json() == [carrier]


def test_head_has_the_counts_of_the_list(shelf: Shelf) -> None:
    answer = shelf.api.head(shelf.resource.collection, **{shelf.resource.text: shelf.mark}, limit=2)

    assert answer.status_code == 206
    assert counts(answer) == (5, 2)
    assert links(answer) == links(shelf.asked(limit=2))


@pytest.mark.parametrize(
    "query",
    [
        *(f"limit={text}" for text in ("-1", "1001", "1.0", "ten", "", "%D9%A1", "1&limit=2", "1e2")),
        *(f"offset={text}" for text in ("-1", "9007199254740992", "9" * 5000, "%2B1", "0x1")),
        *(f"sort={text}" for text in ("relatedParty", "a" * 3000)),
        "fields=..",
    ],
    ids=lambda text: text[:30],
)
def test_a_parameter_that_is_not_right_is_refused_by_name(front: Api, resource: Resource, query: str) -> None:
    message = refusal(front.request("GET", f"{resource.collection}?{query}"), 400, "invalidParameter")

    assert message.startswith(f"{query.partition('=')[0]}: ")
    assert len(message) < 200


def test_a_list_that_was_not_paged_has_a_bound_and_a_next_page(services: Services, resource: Resource) -> None:
    api = services.of(resource, "memory", TMF_SALES_PAGE_DEFAULT="3", TMF_SALES_PAGE_MAX="4")
    mark = unique_text()
    made: list[Document] = [api.create(resource.collection, resource.body(**{resource.text: mark})) for _ in range(5)]

    answer = api.get(resource.collection, **{resource.text: mark})

    assert answer.status_code == 200
    assert counts(answer) == (5, 3)
    rest = api.request("GET", links(answer)["next"].removeprefix(api.root))
    assert {one["id"] for one in answer.json() + rest.json()} == {one["id"] for one in made}


def test_a_limit_above_the_longest_page_is_refused(services: Services, resource: Resource) -> None:
    api = services.of(resource, "memory", TMF_SALES_PAGE_DEFAULT="3", TMF_SALES_PAGE_MAX="4")

    answer = api.get(resource.collection, limit=5)

    assert "from 0 to 4" in refusal(answer, 400, "invalidParameter")


def test_matches_are_counted_only_up_to_the_bound_that_the_operator_set(services: Services, resource: Resource) -> None:
    api = services.of(resource, "memory", TMF_SALES_COUNT_LIMIT="2")
    mark = unique_text()
    for _ in range(4):
        api.create(resource.collection, resource.body(**{resource.text: mark}))

    answer = api.get(resource.collection, **{resource.text: mark}, limit=1)

    assert "x-total-count" not in answer.headers
    assert answer.headers["x-total-count-at-least"] == "2"


def test_a_page_is_bounded_in_bytes_and_next_leads_through_all(services: Services, store: str) -> None:
    api = services.of(QUOTE, store, TMF_SALES_PAGE_BYTES="100KiB")
    mark = unique_text()
    ids = sorted(api.create("/quote", QUOTE.body(description="x" * 40_000, category=mark))["id"] for _ in range(5))
    seen, sizes, url = [], [], f"/quote?category={mark}"
    while url:
        answer = api.get(url)
        seen += [each["id"] for each in answer.json()]
        sizes.append(len(answer.json()))
        assert answer.headers["x-total-count"] == "5"
        assert answer.headers["x-result-count"] == str(sizes[-1])
        assert answer.status_code == (206 if "limit=" in url else 200)
        url = answer.links.get("next", {}).get("url", "").removeprefix(api.root)

    assert seen == ids
    assert sizes == [2, 2, 1]
    assert api.get(f"/quote?category={mark}&limit=1").headers["x-result-count"] == "1"
