"""`expand` and `depth`, as they are read (TMF630 part 2)."""

from __future__ import annotations

import re

import pytest
from tests.query.typed_attributes import RESOURCE

from tmf_sales.errors import InvalidParameter
from tmf_sales.query.expansion import Expansion
from tmf_sales.query.query import parse_event_list, parse_query, parse_retrieve


@pytest.mark.parametrize(
    ("raw", "expansion"),
    [
        ("", None),
        ("expand=", None),
        ("depth=0", None),
        ("expand=party, party&expand=party", Expansion((("party",),))),
        ("depth=2", Expansion((), 2)),
        ("expand=party&depth=1", Expansion((("party",),), 1)),
        ('expand="x:y",ext."a.b"', Expansion((("x:y",), ("ext", "a.b")))),
    ],
)
@pytest.mark.parametrize("strict", [False, True])
def test_references_to_expand(raw: str, expansion: Expansion | None, strict: bool) -> None:
    assert parse_query(raw, RESOURCE, strict=strict).expansion == expansion
    assert parse_retrieve(raw, RESOURCE, strict=strict).expansion == expansion


def test_pages_keep_their_expansion() -> None:
    links = dict(parse_query("expand=party&limit=1", RESOURCE, strict=False).links(1, 2, exact=True))

    assert links["next"] == "expand=party&offset=1&limit=1"


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("expand=nothing", "expand: 'nothing' is not an attribute of this resource"),
        ("expand=party.nothing", "expand: 'party.nothing' is not an attribute of this resource"),
        ("expand=Party", "expand: 'Party': names are case-sensitive; did you mean party?"),
        ("expand=state", "expand: 'state' is not a reference; expected one, which has an id"),
        ("expand=period", "expand: 'period' is not a reference; expected one, which has an id"),
        ('expand="period"', "expand: '\"period\"' is not a reference; expected one, which has an id"),
        ("expand=anything", "expand: 'anything' is not a reference; expected one, which has an id"),
        ("expand=name.id", "expand: 'name.id': 'name' is text and has no members; did you mean .in?"),
        ("expand=-party", "expand: '-party' is not the name of an attribute"),
        ("expand=" + ",".join(["party"] * 21), "expand: more than 20 names"),
        ("depth=3", "depth: '3' is not an integer from 0 to 2"),
        ("depth=1&depth=1", "depth: is given more than once"),
    ],
)
def test_what_cannot_be_expanded(raw: str, message: str) -> None:
    for parse in (parse_query, parse_retrieve):
        with pytest.raises(InvalidParameter, match=f"^{re.escape(message)}$"):
            parse(raw, RESOURCE, strict=False)


@pytest.mark.parametrize("name", ["depth", "expand"])
def test_lists_of_events_are_not_expanded(name: str) -> None:
    with pytest.raises(InvalidParameter, match=rf"^{name}: references in events are not expanded$"):
        parse_event_list(f"{name}=1", RESOURCE)
