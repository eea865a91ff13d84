"""The links of a page, which are kept for clients that ask for it again."""

from tests.query.typed_attributes import RESOURCE

from tmf_sales.engine.listing import page_response
from tmf_sales.query.query import parse_query


def links(
    raw: str, shown: int = 2, total: int = 9, *, url: str = "http://h/x", exact: bool = True, is_cut: bool = False
) -> bytes:
    wanted = parse_query(raw, RESOURCE, strict=False)
    headers = dict(page_response(url, wanted, shown, total, exact=exact, is_cut=is_cut).headers)
    return headers[b"link"]


def test_links_lead_to_the_other_pages() -> None:
    assert links("limit=2") == (
        b'<http://h/x?limit=2>; rel="self", <http://h/x?offset=0&limit=2>; rel="first", '
        b'<http://h/x?offset=2&limit=2>; rel="next", <http://h/x?offset=8&limit=2>; rel="last"'
    )


def test_links_follow_everything_that_they_depend_on() -> None:
    different = [
        links("limit=2"),
        links("limit=2", url="http://other/x"),
        links("limit=2", total=7),
        links("limit=2", exact=False),
        links("limit=2", shown=1, is_cut=True),
        links("limit=2", total=2),
        links("limit=2&name=a"),
        links("limit=2&offset=2"),
    ]

    assert len(set(different)) == len(different)


def test_only_links_of_short_query_strings_are_kept() -> None:
    long = "name=" + "x" * 600

    assert links("limit=2") is links("limit=2")
    assert links(long) is not links(long)
    assert links(long) == links(long)


def test_a_very_long_query_string_has_no_links() -> None:
    wanted = parse_query("name=" + "x" * 1500, RESOURCE, strict=False)

    response = page_response("http://h/x", wanted, 2, 9, exact=True)

    assert [name for name, _ in response.headers] == [b"x-total-count", b"x-result-count"]
