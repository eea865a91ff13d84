"""Attribute selection: what `fields` keeps of a document (TMF630 part 1, attribute selection)."""

import pytest
from tests.query.typed_attributes import RESOURCE

from tmf_sales.errors import InvalidParameter
from tmf_sales.query.fields import FieldSelection
from tmf_sales.query.query import parse_query, parse_retrieve
from tmf_sales.storage.records import Document

DOCUMENT: Document = {
    "id": "1",
    "href": "http://host/1",
    "@type": "Thing",
    "name": "n",
    "period": {"start": "s", "end": "e"},
    "party": [{"id": "p", "role": "r", "contact": {"city": "c", "zip": "z"}}, {"id": "q"}, "text", [1]],
    "empty": None,
}
IDENTITY: Document = {"id": "1", "href": "http://host/1"}


def selected(raw: str) -> Document:
    before = repr(DOCUMENT)
    after = parse_retrieve(raw, RESOURCE, strict=False).apply(DOCUMENT)
    assert repr(DOCUMENT) == before
    return after


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ("none", {}),
        ("id", {}),
        ("id,href", {}),
        ("name", {"name": "n"}),
        ("name,none", {"name": "n"}),
        ("+name,%20@type+", {"name": "n", "@type": "Thing"}),
        ("name,,", {"name": "n"}),
        ("name&fields=empty", {"name": "n", "empty": None}),
        ("unknown", {}),
        ("period", {"period": {"start": "s", "end": "e"}}),
        ("period.end", {"period": {"end": "e"}}),
        ("period.end,period", {"period": {"start": "s", "end": "e"}}),
        ("period,period.end", {"period": {"start": "s", "end": "e"}}),
        ("period.end,period.start", {"period": {"end": "e", "start": "s"}}),
        ("period.unknown", {"period": {}}),
        ('"name"', {"name": DOCUMENT["name"]}),
        ('period."end"', {"period": {"end": "e"}}),
        ('"na,me",name', {"name": DOCUMENT["name"]}),
        ("empty.first", {}),
        ("party.id", {"party": [{"id": "p"}, {"id": "q"}]}),
        ("party.role", {"party": [{"role": "r"}, {}]}),
        ("party.contact.city,name", {"party": [{"contact": {"city": "c"}}, {}], "name": "n"}),
    ],
)
def test_fields_keep_what_they_name_and_the_identity(fields: str, kept: Document) -> None:
    assert selected(f"fields={fields}") == {**IDENTITY, **kept}


@pytest.mark.parametrize("raw", ["", "fields=", "fields=,", "fields=+"])
def test_without_names_everything_is_kept(raw: str) -> None:
    assert selected(raw) is DOCUMENT
    assert parse_query(raw, RESOURCE, strict=False).selection is None


def test_identity_comes_first() -> None:
    assert list(selected("fields=name,id")) == ["id", "href", "name"]


def test_what_is_not_there_is_not_made_up() -> None:
    selection = FieldSelection([("name",), ("period", "end")])
    assert selection.select({"id": "1"}) == {"id": "1"}


def test_a_store_need_read_only_the_members_that_are_selected() -> None:
    request = parse_query("fields=name,party.id", RESOURCE, strict=False)
    assert request.query.fields == frozenset({"id", "name", "party"})
    assert request.selection == FieldSelection([("name",), ("party", "id")])
    assert request.selection != FieldSelection([("name",), ("party",)])
    assert request.selection != "name"
    assert hash(request.selection) == hash(FieldSelection([("party", "id"), ("name",)]))
    assert repr(request.selection) == "FieldSelection({'id': None, 'href': None, 'name': None, 'party': {'id': None}})"
    assert parse_query("", RESOURCE, strict=False).query.fields is None


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("a[b", "fields: 'a[b' is not the name of an attribute"),
        ("name;id", "fields: 'name;id' is not the name of an attribute"),
        ("$where", "fields: '$where' is not the name of an attribute"),
        ("a..b", "fields: 'a..b' is not the name of an attribute"),
        (",".join(f"a{number}" for number in range(51)), "fields: more than 50 names"),
    ],
)
def test_what_is_no_name_is_refused(fields: str, message: str) -> None:
    for parse in (parse_query, parse_retrieve):
        with pytest.raises(InvalidParameter) as refusal:
            parse(f"fields={fields}", RESOURCE, strict=False)
        assert str(refusal.value) == message


def test_unknown_names_are_refused_only_where_the_service_is_strict() -> None:
    assert parse_retrieve("fields=name,none", RESOURCE, strict=True).selection == FieldSelection([("name",)])
    with pytest.raises(InvalidParameter, match=r"^fields: 'colour' is not an attribute of this resource$"):
        parse_retrieve("fields=colour", RESOURCE, strict=True)


@pytest.mark.parametrize("strict", [True, False])
def test_any_other_parameter_on_one_resource_is_rejected(strict: bool) -> None:
    rejected = (("fields=id&state=open", "state"), ("limit=5", "limit"), ("version=1", "version"), ("x.eq=1", "x"))
    for raw, name in rejected:
        with pytest.raises(InvalidParameter, match=f"^'{name}' is not a parameter here, where there is only fields, "):
            parse_retrieve(raw, RESOURCE, strict=strict)


@pytest.mark.parametrize("name", ["Fields", "feilds", "filtr", "Limit", "expands"])
def test_a_misspelt_parameter_of_one_resource_is_rejected(name: str) -> None:
    with pytest.raises(InvalidParameter, match=rf"^'{name}': did you mean (fields|filter|limit|expand)\?$"):
        parse_retrieve(f"{name}=id", RESOURCE, strict=False)
