"""Delivery of events to a receiver that the run starts (the chapters "Notification ..." and "Publish event ...").

The run registers two subscriptions, then creates, changes and deletes one resource. The checks judge the events.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from weakref import WeakKeyDictionary

from tmf_conformance.api import Api
from tmf_conformance.check import Check, Checks
from tmf_conformance.checks.hub import registered, remove
from tmf_conformance.comparison import parse_date_time
from tmf_conformance.http.links import encoded
from tmf_conformance.http.listener import Delivered, Listener
from tmf_conformance.interaction import Interaction
from tmf_conformance.outcome import Failed, NotRun, Outcome
from tmf_conformance.session import Session
from tmf_conformance.source import advice

NOTIFICATIONS = "TMF630, notifications"
ALL, SOME, GONE = "all", "some", "gone"


@dataclass(slots=True)
class Story:
    """What happened to the resource, and the callback path of each subscription."""

    id: str
    places: dict[str, str]
    provoked: dict[str, bool] = field(default_factory=dict)
    missed: set[tuple[str, str]] = field(default_factory=set)  # waited for once, never again


_STORIES: WeakKeyDictionary[Session, Story | Outcome] = WeakKeyDictionary()


def checks(api: Api) -> Checks:
    says = api.sources
    titles = {
        "Create": "an event reports a creation",
        "StateChange": "an event reports a change of state",
        "AttributeValueChange": "an event reports a change of attributes",
        "Delete": "an event reports a deletion",
    }
    for what, title in titles.items():
        yield Check(f"event-{what}", f"{title}: {api.event(what)}", says[f"event {what}"], partial(is_reported, what))
    yield Check("event-envelope", "an event has eventTime and eventType", says["event envelope"], has_envelope)
    yield Check("event-id", "an event has an eventId", says["event id"], has_id)
    yield Check("event-payload", f"event.{api.resource} is the resource", says["event payload"], holds_the_resource)
    silent = says["hub silent"]
    yield Check("event-unregistered", "an unregistered listener receives nothing", silent, unregistered_is_silent)
    whole = advice(NOTIFICATIONS, "event holds the whole resource when the query has no fields")
    yield Check("event-whole-resource", "the resource in an event is complete", whole, holds_the_whole)
    distinct = advice(NOTIFICATIONS, "each event has an eventId of its own")
    yield Check("event-distinct-ids", "different events have different ids", distinct, ids_differ)
    query = advice(NOTIFICATIONS, "the query of a registration selects the events that are delivered")
    yield Check("event-query", "a query selects events", query, query_selects)
    rejected = advice(NOTIFICATIONS, "an event reports a change; a rejected request changes nothing")
    yield Check("event-rejected-request", "a rejected request sends no event", rejected, rejected_is_not_reported)


def listening(session: Session) -> Listener:
    if session.listener is None:
        raise NotRun("needs a listener that the server can reach: --listen and --callback-url")
    return session.listener


def story_of(session: Session) -> Story:
    """Cause the events once; if that fails, every check ends with the same reason."""
    listening(session)
    if session not in _STORIES:
        try:
            _STORIES[session] = provoke(session)
        except Outcome as outcome:
            _STORIES[session] = NotRun(f"no events could be provoked: {outcome.reason}", outcome.interaction)
    story = _STORIES[session]
    if isinstance(story, Outcome):
        raise story
    return story


def provoke(session: Session) -> Story:
    api = session.api
    places = {name: f"{name}-{session.new_text()}" for name in (ALL, SOME, GONE)}
    callback = listening(session).callback
    queries = {ALL: {}, SOME: {"query": f"eventType={api.event('Delete')}"}, GONE: {}}
    ids = {}
    for name in (GONE, ALL, SOME):
        try:
            ids[name], _ = registered(session, {"callback": f"{callback}/{places[name]}"} | queries[name])
            session.keep(f"/hub/{encoded(ids[name])}")
        except NotRun:
            if name == ALL:
                raise
            del places[name]
        if name == GONE and GONE in ids:
            remove(session, ids[GONE])
    sent = session.body()
    story = Story(str(session.create(sent)["id"]), places)
    story.provoked["Create"] = True
    rejected = session.patch(story.id, {"description": {"not": "a text"}})
    story.provoked["rejected"] = not rejected.is_success
    change = session.patch(story.id, {"description": "Changed once"})
    story.provoked["AttributeValueChange"] = change.is_success
    to = next(to for to in api.transitions[api.initial])
    story.provoked["StateChange"] = session.patch(story.id, {api.state: to}).is_success
    story.provoked["Delete"] = session.delete(story.id).is_success
    return story


def arrived(session: Session, what: str, place: str = ALL) -> Delivered | None:
    """The event of this kind; None when it does not come in time."""
    story, kind = story_of(session), session.api.event(what)
    if not story.provoked.get(what, False):
        raise NotRun(f"no {kind} could be provoked")
    if place not in story.places:
        raise NotRun("the server accepts no further listener")
    if (what, place) in story.missed:
        return None
    wait = listening(session).wait
    event = wait(story.places[place], lambda each: each.type == kind and each.is_about(story.id))
    if event is None:
        story.missed.add((what, place))
    return event


def is_reported(what: str, session: Session) -> None:
    if arrived(session, what) is None:
        kind, patience = session.api.event(what), listening(session).patience
        raise failed(session, f"a {kind} about the resource reaches the listener within {patience:g} seconds")


def events(session: Session) -> list[Delivered]:
    """Everything that arrived about the resource, after the last event or the wait for it."""
    story = story_of(session)
    if not any(arrived(session, what) for what in ("Delete", "Create") if story.provoked.get(what)):
        raise NotRun("no event arrived")
    return [each for each in listening(session).at(story.places[ALL]) if each.is_about(story.id)]


def failed(session: Session, expected: str, event: Delivered | None = None) -> Failed:
    """A failure that shows this event, or everything that arrived for the subscription without a query."""
    arrived = [event] if event else listening(session).at(story_of(session).places[ALL])
    bodies = "\n\n".join(each.body.decode("utf-8", "replace") for each in arrived) or "(nothing)"
    url = f"{listening(session).callback}/{story_of(session).places[ALL]}"
    secrets = session.client.secrets
    interaction = Interaction("POST", url, (), bodies, secrets, problem="(as it arrived at the listener)")
    return Failed(expected, interaction)


def expect_of_each(session: Session, names: tuple[str, ...]) -> None:
    for each in events(session):
        absent = [name for name in names if not each.event.get(name)]
        if absent:
            expected = f"every event has {', '.join(names)}; a {each.type} lacks {', '.join(absent)}"
            raise failed(session, expected, each)


def has_envelope(session: Session) -> None:
    expect_of_each(session, ("eventTime", "eventType"))
    for each in events(session):
        if parse_date_time(each.event["eventTime"]) is None:
            raise failed(session, f"eventTime is a date-time, not {str(each.event['eventTime'])[:60]!r}", each)


def has_id(session: Session) -> None:
    expect_of_each(session, ("eventId",))


def holds_the_resource(session: Session) -> None:
    name = session.api.resource
    for each in events(session):
        payload = each.event.get("event")
        if not isinstance(payload, dict) or not isinstance(payload.get(name), dict):
            raise failed(session, f"event.{name} is the resource; a {each.type} has no such member", each)


def holds_the_whole(session: Session) -> None:
    for each in events(session):
        resource = each.event["event"].get(session.api.resource)
        if isinstance(resource, dict) and not {session.api.group, session.api.created, "relatedParty"} <= set(resource):
            raise failed(session, f"event.{session.api.resource} has all attributes; in a {each.type} some are missing")


def ids_differ(session: Session) -> None:
    kinds: dict[str, str] = {}
    for each in events(session):
        id = str(each.event.get("eventId") or "")
        if id and kinds.setdefault(id, each.type) != each.type:
            raise failed(session, f"a {kinds[id]} and a {each.type} have different ids; both have {id[:60]!r}")


def query_selects(session: Session) -> None:
    """The deletion comes last, so any other event would have arrived before it."""
    if arrived(session, "Delete") is None:
        raise NotRun("no such event arrived at the listener without a query")
    if arrived(session, "Delete", SOME) is None:
        raise failed(session, f"the listener with the query receives the {session.api.event('Delete')}")
    kinds = {each.type for each in listening(session).at(story_of(session).places[SOME])}
    if kinds != {session.api.event("Delete")}:
        raise failed(
            session,
            f"only {session.api.event('Delete')} for the listener that asked for it; got {sorted(kinds)}",
        )


def unregistered_is_silent(session: Session) -> None:
    if arrived(session, "Delete") is None:
        raise NotRun("no event arrived at the listener that is still registered")
    story = story_of(session)
    if GONE not in story.places:
        raise NotRun("no listener could be registered and unregistered")
    if any(each.is_about(story.id) for each in listening(session).at(story.places[GONE])):
        raise failed(session, "no event for the listener that was unregistered before the resource was created")


def rejected_is_not_reported(session: Session) -> None:
    """One change was accepted and one rejected, so one event reports a change of attributes."""
    story, kind = story_of(session), session.api.event("AttributeValueChange")
    if not story.provoked["rejected"]:
        raise NotRun("the server accepts a change of the wrong type")
    ids = {str(each.event.get("eventId")) for each in events(session) if each.type == kind}
    if len(ids) > 1:
        raise failed(session, f"one {kind}, for the one change that was accepted; got {len(ids)}")
