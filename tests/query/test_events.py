"""A listener's query: the same language on the event document (TMF630 part 2, notifications)."""

import re

import pytest
from tests.query.typed_attributes import RESOURCE, Untyped

from tmf_sales.contract.attributes import Attribute, EventAttributes
from tmf_sales.errors import InvalidFilter, InvalidParameter
from tmf_sales.query.query import parse_event_query
from tmf_sales.storage.conditions import EVERYTHING
from tmf_sales.storage.evaluate import matches
from tmf_sales.storage.records import Document

ATTRIBUTES = EventAttributes({"thing": RESOURCE})
EVENT: Document = {
    "eventId": "e1",
    "eventTime": "2019-05-08T10:00:00.000Z",
    "eventType": "ThingStateChangeEvent",
    "title": "größer",
    "event": {"thing": {"id": "1", "state": "held", "count": 5, "created": "2019-05-08T09:00:00.000Z"}},
}


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("", True),
        ("?eventType=ThingStateChangeEvent", True),
        ("eventType=ThingDeleteEvent,ThingStateChangeEvent&event.thing.state=held", True),
        ("eventType=ThingDeleteEvent", False),
        ("event.thing.state.ne=held", False),
        ("event.thing.count.gte=5", True),
        ("event.thing.created=2019-05-08&eventTime.lt=2019-05-09", True),
        ("title=größer", True),
        ("title=gr%C3%B6%C3%9Fer", True),
        ("filter=$[?(@.event.thing.count>4)]", True),
        ("event.thing.extension.size=5", False),
        ("event.thing.extension.exists=false", True),
    ],
)
def test_a_query_chooses_events(query: str, *, wanted: bool) -> None:
    assert matches(parse_event_query(query, ATTRIBUTES).condition, EVENT) == wanted


def test_without_a_contract_operands_are_read_in_every_way() -> None:
    for query in ("eventType=ThingStateChangeEvent", "event.thing.count=5", "event.thing.created.gt=2019-05-08"):
        assert matches(parse_event_query(query, Untyped()).condition, EVENT)


def test_an_empty_query_wants_every_event_whole() -> None:
    assert parse_event_query("", ATTRIBUTES) == (EVERYTHING, None)


def test_fields_trim_the_event_but_never_what_identifies_it() -> None:
    selection = parse_event_query("fields=event.thing.id,event.thing.state", ATTRIBUTES).selection
    assert selection is not None
    assert selection.select(EVENT) == {
        "eventId": "e1",
        "eventTime": "2019-05-08T10:00:00.000Z",
        "eventType": "ThingStateChangeEvent",
        "event": {"thing": {"id": "1", "state": "held"}},
    }


def test_the_resource_in_an_event_keeps_its_types() -> None:
    assert ATTRIBUTES.at(("event", "thing", "state")) == RESOURCE.at(("state",))
    assert ATTRIBUTES.at(("eventTime",)) == Attribute("date-time", always_present=True)
    assert ATTRIBUTES.at(("event",)) == Attribute("object", always_present=True)
    assert ATTRIBUTES.at(("event", "thing")) == Attribute("object")
    with pytest.raises(InvalidFilter, match=r"^event\.thing\.count: 'x' is not a number$"):
        parse_event_query("event.thing.count=x", ATTRIBUTES)


def test_resources_have_other_attributes_only_where_the_contract_need_not_know_them() -> None:
    path = ("event", "thing", "extension", "size")
    assert ATTRIBUTES.at(path) == Attribute("any")
    assert EventAttributes({"thing": RESOURCE}, knows_all=True).at(path) is None


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("state", "state: no event has it; an attribute of the resource is event.thing.state"),
        ("thing", "thing: no event has it; an attribute of the resource is event.thing"),
        ("event.other", "event.other: events of this API have event.thing"),
        ("eventTime.year", "'eventTime' is a date-time and has no members"),
        ("event.thing.state.gtt", "'event.thing.state' is text and has no members"),
    ],
)
def test_a_path_that_no_event_can_have_is_rejected(path: str, message: str) -> None:
    for query in (f"{path}=x", f"{path}.exists=true", f"filter=$[?(@.{path}=='x')]"):
        with pytest.raises(InvalidFilter, match=re.escape(message)):
            parse_event_query(query, ATTRIBUTES, strict=True)
    with pytest.raises(InvalidParameter, match=re.escape(message)):
        parse_event_query(f"fields={path}", ATTRIBUTES, strict=True)


def test_references_in_events_are_not_expanded() -> None:
    with pytest.raises(InvalidParameter, match=r"^depth: references in events are not expanded$"):
        parse_event_query("depth=1", ATTRIBUTES)


@pytest.mark.parametrize("name", ["sort", "limit", "offset"])
def test_events_have_no_pages(name: str) -> None:
    with pytest.raises(InvalidParameter, match=f"^{name}: events have no pages and no order$"):
        parse_event_query(f"{name}=1", ATTRIBUTES)


def test_text_that_utf_8_cannot_hold_is_refused() -> None:
    with pytest.raises(InvalidFilter, match=r"has a character that no text has$"):
        parse_event_query("title=\ud800", ATTRIBUTES)
