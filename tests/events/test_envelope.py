"""Promises of tmf_sales.events.envelope: which events tell of which change, and what each contains."""

import copy
import itertools
from typing import Any

import pytest

from tmf_sales.events.envelope import EventContext, EventFactory, EventTypes

Document = dict[str, Any]

TYPES = EventTypes.from_contract(
    {
        "create": "TicketCreateEvent",
        "delete": "TicketDeleteEvent",
        "stateChange": "TicketStateChangeEvent",
        "attributeValueChange": "TicketAttributeValueChangeEvent",
        "informationRequired": {"event": "TicketInformationRequiredEvent", "states": ["pending"]},
    }
)


def with_href(document: Document) -> Document:
    return {**document, "href": f"https://tickets.example/{document['id']}"}


TICKETS = EventFactory(types=TYPES, resource="ticket", domain="Tickets", items={"task": "state"})


@pytest.fixture
def context() -> EventContext:
    numbers = itertools.count(1)
    return EventContext("2026-01-02T03:04:05.678Z", "flow-7", lambda: f"event-{next(numbers)}", with_href)


def ticket(**members: Any) -> Document:
    return {"id": "42", "state": "open", **members}


def task(id: str, state: str = "open", **members: Any) -> Document:
    return {"id": id, "state": state, **members}


def types_of(events: tuple[Document, ...]) -> list[str]:
    return [event["eventType"].removeprefix("Ticket").removesuffix("Event") for event in events]


def test_a_created_resource_has_one_event_with_the_full_envelope(context: EventContext) -> None:
    (event,) = TICKETS.created(ticket(severity="low"), context)

    assert event == {
        "eventId": "event-1",
        "eventTime": "2026-01-02T03:04:05.678Z",
        "eventType": "TicketCreateEvent",
        "id": "event-1",
        "correlationId": "flow-7",
        "domain": "Tickets",
        "title": "Ticket Create Event",
        "description": "ticket 42 was created",
        "priority": "normal",
        "timeOcurred": "2026-01-02T03:04:05.678Z",
        "event": {
            "ticket": {"id": "42", "state": "open", "severity": "low", "href": "https://tickets.example/42"},
        },
    }


def test_the_id_of_an_event_is_its_event_id_where_the_published_models_have_one(context: EventContext) -> None:
    events = (
        *TICKETS.created(ticket(), context),
        *TICKETS.changed(ticket(state="open"), ticket(state="closed", severity="high"), context),
        *TICKETS.deleted(ticket(), context),
    )

    has_id = [event.get("id") == event["eventId"] for event in events]
    assert types_of(events) == ["Create", "StateChange", "AttributeValueChange", "Delete"]
    assert has_id == [True, True, False, True]
    assert not any("href" in event for event in events)


def test_a_deleted_version_has_an_event_of_its_own(context: EventContext) -> None:
    events = TICKETS.deleted(ticket(version="1"), context) + TICKETS.deleted(ticket(version="2"), context)

    assert types_of(events) == ["Delete", "Delete"]
    assert [event["event"]["ticket"]["version"] for event in events] == ["1", "2"]
    assert events[0]["eventId"] != events[1]["eventId"]


def test_a_change_of_nothing_has_no_event(context: EventContext) -> None:
    assert TICKETS.changed(ticket(task=[task("1")]), ticket(task=[task("1")]), context) == ()
    assert TICKETS.changed(ticket(size=1), ticket(size=1.0), context) == ()


def test_true_is_another_value_than_one(context: EventContext) -> None:
    assert types_of(TICKETS.changed(ticket(size=1), ticket(size=True), context)) == ["AttributeValueChange"]
    assert types_of(TICKETS.changed(ticket(a=[{"b": 0}]), ticket(a=[{"b": False}]), context)) == [
        "AttributeValueChange"
    ]


def test_a_change_of_state_names_the_state_and_carries_the_resource_after_it(context: EventContext) -> None:
    (event,) = TICKETS.changed(ticket(), ticket(state="closed"), context)

    assert event["eventType"] == "TicketStateChangeEvent"
    assert event["fieldPath"] == "state"
    assert event["description"] == "ticket 42 changed its state from open to closed"
    assert event["event"]["ticket"]["state"] == "closed"


def test_the_state_may_be_another_member(context: EventContext) -> None:
    event_factory = EventFactory(types=TYPES, resource="ticket", domain="Tickets", state="status")

    events = event_factory.changed({"id": "1", "status": "a"}, {"id": "1", "status": "b"}, context)

    assert [(event["eventType"], event["fieldPath"]) for event in events] == [("TicketStateChangeEvent", "status")]


def test_a_change_of_an_items_state_is_a_state_change_that_names_the_item(context: EventContext) -> None:
    before = ticket(task=[task("1"), task("2", task=[task("it's")])])
    after = ticket(task=[task("1"), task("2", task=[task("it's", "closed")])])

    (event,) = TICKETS.changed(before, after, context)

    assert event["eventType"] == "TicketStateChangeEvent"
    assert event["fieldPath"] == r"task[?(@.id=='2')].task[?(@.id=='it\'s')].state"


def test_all_items_that_changed_are_named(context: EventContext) -> None:
    (event,) = TICKETS.changed(
        ticket(task=[task("1"), task("2")]), ticket(task=[task("1", "done"), task("2", "done")]), context
    )

    assert event["fieldPath"] == "task[?(@.id=='1')].state,task[?(@.id=='2')].state"
    assert event["description"] == "ticket 42 changed the state of 2 items"


def test_items_that_follow_the_resource_are_part_of_its_state_change(context: EventContext) -> None:
    (event,) = TICKETS.changed(ticket(task=[task("1")]), ticket(state="done", task=[task("1", "done")]), context)

    assert (event["eventType"], event["fieldPath"]) == ("TicketStateChangeEvent", "state")


def test_a_change_of_anything_else_is_an_attribute_value_change_that_names_the_members(
    context: EventContext,
) -> None:
    (event,) = TICKETS.changed(
        ticket(severity="low", note=[], gone=1), ticket(severity="high", note=[], new=None), context
    )

    assert event["eventType"] == "TicketAttributeValueChangeEvent"
    assert event["fieldPath"] == "gone,new,severity"
    assert event["description"] == "ticket 42 changed: gone, new, severity"


def test_state_change_comes_before_attribute_value_change(context: EventContext) -> None:
    events = TICKETS.changed(ticket(severity="low"), ticket(state="closed", severity="high"), context)

    assert types_of(events) == ["StateChange", "AttributeValueChange"]
    assert events[1]["fieldPath"] == "severity"


def test_what_the_server_sets_because_of_a_state_change_does_not_count(context: EventContext) -> None:
    before = ticket(task=[task("1", effort=1), "text"])
    after = ticket(state="closed", closedAt="now", task=[task("1", "closed", effort=1, doneAt="now"), "text"])

    assert types_of(TICKETS.changed(before, after, context)) == ["StateChange", "AttributeValueChange"]
    server_set = frozenset({"closedAt", "task.doneAt"})
    assert types_of(TICKETS.changed(before, after, context, server_set=server_set)) == ["StateChange"]


def test_a_new_item_changes_the_attribute_but_no_state(context: EventContext) -> None:
    (event,) = TICKETS.changed(ticket(task=[task("1")]), ticket(task=[task("1"), task("2", "closed")]), context)

    assert (event["eventType"], event["fieldPath"]) == ("TicketAttributeValueChangeEvent", "task")


def test_a_resource_that_becomes_incomplete_needs_information(context: EventContext) -> None:
    events = TICKETS.changed(ticket(), ticket(state="pending", severity="high"), context)

    assert types_of(events) == ["StateChange", "InformationRequired", "AttributeValueChange"]
    assert events[1]["fieldPath"] == "state"
    assert events[1]["priority"] == "high"


def test_another_incomplete_item_of_an_incomplete_resource_needs_information(context: EventContext) -> None:
    before = ticket(state="pending", task=[task("1", "pending"), task("2")])
    after = ticket(state="pending", task=[task("1", "pending"), task("2", "pending")])

    events = TICKETS.changed(before, after, context)

    assert types_of(events) == ["StateChange", "InformationRequired"]
    assert events[1]["fieldPath"] == "task[?(@.id=='2')].state"


def test_an_item_that_arrives_incomplete_needs_information(context: EventContext) -> None:
    events = TICKETS.changed(ticket(task=[]), ticket(task=[task("1", "pending")]), context)

    assert types_of(events) == ["InformationRequired", "AttributeValueChange"]


def test_staying_incomplete_needs_no_new_information(context: EventContext) -> None:
    events = TICKETS.changed(ticket(state="pending"), ticket(state="pending", severity="low"), context)

    assert types_of(events) == ["AttributeValueChange"]


def test_an_api_without_information_required_has_none(context: EventContext) -> None:
    types = EventTypes("C", "D", "S", "A")
    event_factory = EventFactory(types=types, resource="ticket", domain="Tickets")

    events = event_factory.changed(ticket(), ticket(state="pending"), context)

    assert [event["eventType"] for event in events] == ["S"]


def test_what_the_contract_gives_no_type_makes_no_event(context: EventContext) -> None:
    silent = EventFactory(types=EventTypes.from_contract({}), resource="ticket", domain="Tickets")

    assert silent.created(ticket(), context) == ()
    assert silent.changed(ticket(), ticket(state="pending", severity="low"), context) == ()
    assert silent.deleted(ticket(), context) == ()


def test_a_domain_may_say_more_in_the_title_of_a_state_change(context: EventContext) -> None:
    events = TICKETS.changed(ticket(), ticket(state="closed", a=1), context, state_title="A form is to be signed")

    assert [event["title"] for event in events] == ["A form is to be signed", "Ticket Attribute Value Change Event"]


def test_the_documents_that_come_in_stay_as_they_were(context: EventContext) -> None:
    before, after = ticket(task=[task("1")]), ticket(state="pending", task=[task("1", "pending")], closedAt="now")
    kept = copy.deepcopy((before, after))

    TICKETS.changed(before, after, context, server_set=frozenset({"closedAt", "task.closedAt"}))

    assert (before, after) == kept


def test_field_path_and_description_are_bounded(context: EventContext) -> None:
    many = {f"member{number:04}{'x' * 80}": number for number in range(500)}

    (event,) = TICKETS.changed(ticket(), ticket(**many), context)

    assert len(event["fieldPath"]) <= 1000
    assert event["fieldPath"].split(",")[-1] in many
    assert len(event["description"]) <= 1000
