"""sort, offset, limit and the links between pages (TMF630 part 1, sorting and paging; RFC 8288)."""

import pytest
from tests.query.typed_attributes import RESOURCE

from tmf_sales.errors import InvalidParameter
from tmf_sales.query.paging import Paging
from tmf_sales.query.query import ListRequest, parse_query
from tmf_sales.storage.conditions import Sort


def parsed(raw: str, paging: Paging | None = None) -> ListRequest:
    return parse_query(raw, RESOURCE, strict=False, paging=paging or Paging())


@pytest.mark.parametrize(
    ("raw", "offset", "limit", "paged"),
    [
        ("", 0, 100, False),
        ("name=a", 0, 100, False),
        ("limit=20", 0, 20, True),
        ("limit=0", 0, 0, True),
        ("limit=1000", 0, 1000, True),
        ("offset=5", 5, 100, True),
        ("offset=0", 0, 100, True),
        ("offset=007&limit=3", 7, 3, True),
        ("offset=9007199254740991", 9007199254740991, 100, True),
    ],
)
def test_offset_and_limit_choose_the_page(raw: str, offset: int, limit: int, *, paged: bool) -> None:
    request = parsed(raw)
    assert (request.query.offset, request.query.limit, request.paged) == (offset, limit, paged)


def test_defaults_and_bounds_are_the_operations() -> None:
    paging = Paging(default_limit=10, largest_limit=20, count_limit=5000, size_limit=9000)
    assert parsed("", paging).query.limit == 10
    assert parsed("", paging).query.count_limit == 5000
    assert parsed("", paging).query.size_limit == 9000
    with pytest.raises(InvalidParameter, match=r"^limit: '21' is not an integer from 0 to 20$"):
        parsed("limit=21", paging)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("limit=1001", "limit: '1001' is not an integer from 0 to 1000"),
        ("limit=-1", "limit: '-1' is not an integer from 0 to 1000"),
        ("limit=ten", "limit: 'ten' is not an integer from 0 to 1000"),
        ("limit=", "limit: '' is not an integer from 0 to 1000"),
        ("limit=1.0", "limit: '1.0' is not an integer from 0 to 1000"),
        ("limit=%D9%A1", "limit: '\\u0661' is not an integer from 0 to 1000"),
        ("limit=1&limit=1", "limit: is given more than once"),
        ("offset=9007199254740992", "offset: '9007199254740992' is not an integer from 0 to 9007199254740991"),
        ("offset=" + "9" * 5000, f"offset: '{'9' * 39}... is not an integer from 0 to 9007199254740991"),
        ("offset=0&offset=1", "offset: is given more than once"),
        ("depth=3", "depth: '3' is not an integer from 0 to 2"),
        ("sort=-", "sort: '-' is not the name of an attribute"),
        ("sort=--name", "sort: '--name' is not the name of an attribute"),
        ("sort=$where", "sort: '$where' is not the name of an attribute"),
        ('sort="name', "sort: '\"name' is not the name of an attribute"),
        ("sort=-Name", "sort: '-Name': names are case-sensitive; did you mean name?"),
        ("sort=name.first", "sort: 'name.first': 'name' is text and has no members"),
        ("sort=party.colour", "sort: 'party.colour' has no order, as it is not a single value"),
        ("sort=tag", "sort: 'tag' has no order, as it is not a single value"),
        ("sort=party.id", "sort: 'party.id' has no order, as it is not a single value"),
        ("sort=period", "sort: 'period' has no order, as it is not a single value"),
        ("sort=" + ",".join(["name"] * 9), "sort: more than 8 names"),
    ],
)
def test_other_values_are_refused_by_name(raw: str, message: str) -> None:
    with pytest.raises(InvalidParameter) as refusal:
        parsed(raw)
    assert str(refusal.value) == message


NAME = Sort(("name",))
NEWEST = Sort(("created",), descending=True, always_present=True)


@pytest.mark.parametrize(
    ("raw", "sort"),
    [
        ("", ()),
        ("sort=", ()),
        ("sort=name", (NAME,)),
        ("sort=%2Bname", (NAME,)),
        ("sort=+name", (NAME,)),
        ("sort=-created,+name", (NEWEST, NAME)),
        ("sort=-created,%20%2Bname", (NEWEST, NAME)),
        ("sort=-created&sort=name", (NEWEST, NAME)),
        ("sort=name,-name", (NAME,)),
        ("sort=-period.end", (Sort(("period", "end"), descending=True),)),
        ("sort=-id,count,price,urgent,version,limit",
         (Sort(("id",), descending=True, always_present=True), Sort(("count",)), Sort(("price",)), Sort(("urgent",)),
          Sort(("version",), always_present=True), Sort(("limit",)))),
    ],
)  # fmt: skip
def test_sort_keys(raw: str, sort: tuple[Sort, ...]) -> None:
    assert parsed(raw).query.sort == sort


def links(raw: str, returned: int, total: int, *, exact: bool = True) -> dict[str, str]:
    return dict(parsed(raw).links(returned, total, exact=exact))


@pytest.mark.parametrize("exact", [True, False])
def test_the_page_after_one_that_was_cut_begins_where_it_ended(exact: bool) -> None:
    after_two = dict(parsed("offset=3&limit=5").links(2, 5, exact=exact, is_cut=True))

    assert after_two["next"] == "offset=5&limit=5"
    assert after_two["prev"] == "offset=0&limit=5"


def test_links_go_to_the_other_pages() -> None:
    assert links("offset=10&limit=5", 5, 23) == {
        "self": "offset=10&limit=5",
        "first": "offset=0&limit=5",
        "prev": "offset=5&limit=5",
        "next": "offset=15&limit=5",
        "last": "offset=20&limit=5",
    }


@pytest.mark.parametrize(
    ("raw", "returned", "total", "expected"),
    [
        ("", 3, 3, {"self": "", "first": "offset=0&limit=100", "last": "offset=0&limit=100"}),
        ("", 0, 0, {"self": "", "first": "offset=0&limit=100", "last": "offset=0&limit=100"}),
        ("limit=5", 5, 10, {"first": "offset=0&limit=5", "next": "offset=5&limit=5", "last": "offset=5&limit=5"}),
        ("limit=5", 5, 5, {"first": "offset=0&limit=5", "last": "offset=0&limit=5"}),
        (
            "offset=3&limit=5",
            5,
            9,
            {"prev": "offset=0&limit=5", "next": "offset=8&limit=5", "last": "offset=8&limit=5"},
        ),
        ("offset=3&limit=5", 5, 8, {"prev": "offset=0&limit=5", "last": "offset=3&limit=5"}),
        ("offset=90&limit=5", 0, 8, {"prev": "offset=5&limit=5", "last": "offset=5&limit=5"}),
        ("limit=0", 0, 9, {"self": "limit=0", "first": "offset=0&limit=0"}),
    ],
)
def test_links_at_the_edges(raw: str, returned: int, total: int, expected: dict[str, str]) -> None:
    found = links(raw, returned, total)
    assert {relation: found[relation] for relation in expected} == expected
    assert set(found) <= {"self", "first", *expected}


def test_where_the_count_is_not_exact_a_full_page_has_a_next_and_nothing_is_last() -> None:
    assert links("offset=10&limit=5", 5, 10, exact=False) == {
        "self": "offset=10&limit=5",
        "first": "offset=0&limit=5",
        "prev": "offset=5&limit=5",
        "next": "offset=15&limit=5",
    }
    assert "next" not in links("offset=10&limit=5", 4, 10, exact=False)
    assert "next" in links("offset=0&limit=5", 5, 10, exact=False)


@pytest.mark.parametrize(("offset", "limit", "total"), [(150, 100, 37), (2**53 - 1, 100, 2), (7, 5, 2), (5, 5, 5)])
def test_links_past_the_end_lead_to_pages_that_hold_something(offset: int, limit: int, total: int) -> None:
    found = links(f"offset={offset}&limit={limit}", 0, total)

    assert {found["first"], found["prev"], found["last"]} == {f"offset=0&limit={limit}"}
    assert "next" not in found


def test_links_keep_the_other_parameters_and_are_safe_in_a_header() -> None:
    raw = 'name=%C3%A9%20"x">\u00c3\u00a9&limit=2&%6Fffset=2&created>=2019&sort=-created'
    others = "name=%C3%A9%20%22x%22%3E%C3%A9&{}created%3E=2019&sort=-created"
    found = links(raw, 2, 9)
    assert found["self"] == others.format("limit=2&%6Fffset=2&")
    assert found["next"] == others.format("") + "&offset=4&limit=2"
    assert parsed(found["next"]).query.where == parsed(raw).query.where


def test_attributes_of_documents_alone_have_an_order_unless_strict() -> None:
    assert parsed('sort=-colour,"a.b",anything').query.sort == (
        Sort(("colour",), descending=True),
        Sort(("a.b",)),
        Sort(("anything",)),
    )
    with pytest.raises(InvalidParameter, match=r"^sort: 'colour' is not an attribute of this resource$"):
        parse_query("sort=colour", RESOURCE, strict=True)
