"""Builds the TMF events of a change from the resource's documents before and after it. Pure functions.

Covers create, delete, state change, attribute value change and information required, each with the full envelope
(TMF630 part 1, notifications). A change without a difference has no event. Documents are never modified, and events
may share them.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tmf_sales.events.field_path import PATHS_SHOWN, TEXT_LIMIT, listed, literal, step
from tmf_sales.values.json_values import changed_members, same_json

Document = dict[str, Any]

_CAMEL_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class EventTypes:
    """The event types that the contract's x-events declares; where it declares none, there is no event.

    `incomplete`: the states in which somebody must provide information. Entering one raises `information_required`.
    """

    create: str | None = None
    delete: str | None = None
    state_change: str | None = None
    attribute_value_change: str | None = None
    information_required: str | None = None
    incomplete: frozenset[str] = frozenset()

    @classmethod
    def from_contract(cls, x_events: Mapping[str, Any]) -> EventTypes:
        """Read any of create, delete, stateChange, attributeValueChange and informationRequired."""
        required = x_events.get("informationRequired", {})
        return cls(
            create=x_events.get("create"),
            delete=x_events.get("delete"),
            state_change=x_events.get("stateChange"),
            attribute_value_change=x_events.get("attributeValueChange"),
            information_required=required.get("event"),
            incomplete=frozenset(required.get("states", ())),
        )

    def has_id(self, event_type: str) -> bool:
        """Whether TM Forum's published models give events of this type an `id`."""
        return event_type not in (self.attribute_value_change, self.information_required)


class EventContext(NamedTuple):
    """Values that all events of one request share.

    `now`: canonical date-time, `YYYY-MM-DDTHH:MM:SS.mmmZ`. `new_id`: returns a new UUID for each event. `represent`:
    gives a document the form that it has in responses (with href), as an object or as an orjson.Fragment of its text.
    `traceparent`: the trace that the request belongs to, if any.
    """

    now: str
    correlation_id: str
    new_id: Callable[[], str]
    represent: Callable[[Document], object] = lambda document: document
    traceparent: str | None = None


class ItemState(NamedTuple):
    """A list element's state: its path, whether the element existed before, and both values (None: no state)."""

    path: str
    is_known: bool
    before: object
    after: object


@dataclass(frozen=True, slots=True)
class EventFactory:
    """Builds the events of resources of one type.

    `resource`: the member of `event` that holds the whole resource. `state`: the member with the resource's state.
    `items` maps each list member whose elements have their own state to that state's member; elements may contain such
    lists themselves. Two elements are the same when their `id` is equal.
    """

    types: EventTypes
    resource: str
    domain: str
    state: str = "state"
    items: Mapping[str, str] = field(default_factory=dict)

    def created(self, document: Document, context: EventContext) -> tuple[Document, ...]:
        return self._alone(self._event(self.types.create, document, context, "was created"))

    def deleted(self, document: Document, context: EventContext) -> tuple[Document, ...]:
        return self._alone(self._event(self.types.delete, document, context, "was deleted"))

    def changed(
        self,
        before: Document,
        after: Document,
        context: EventContext,
        *,
        changed: frozenset[str] | None = None,
        server_set: frozenset[str] = frozenset(),
        state_title: str | None = None,
    ) -> tuple[Document, ...]:
        """Build the events of a change, in order: state change, information required, attribute value change; or none.

        `changed`: the members that differ, when the caller knows them already. `server_set`: members that the server
        set because of a state change, and not the request: `member` of the resource, `list.member` of every element of
        a list. `state_title` replaces the title of the state change when a domain has a more specific one.
        """
        names = changed_members(before, after) if changed is None else changed
        if not names:
            return ()
        items = [] if names.isdisjoint(self.items) else self._changed_items(before, after)
        happened: list[Document | None] = []
        if items or self.state in names:
            happened.append(self._state_change(before, after, items, context, state_title))
            happened.append(self._information_required(before, after, items, context))
        names = names - server_set - {self.state}
        happened.append(self._attribute_value_change(before, after, names, context, server_set))
        return tuple([event for event in happened if event is not None])

    def _state_change(
        self,
        before: Document,
        after: Document,
        items: Sequence[ItemState],
        context: EventContext,
        title: str | None,
    ) -> Document | None:
        old, new = before.get(self.state), after.get(self.state)
        if old != new:
            text = f"changed its {self.state} from {old} to {new}"
            return self._event(self.types.state_change, after, context, text, path=self.state, title=title)
        paths = [item.path for item in items if item.is_known]
        if not paths:
            return None
        text = f"changed the state of {_counted(len(paths), 'item')}"
        return self._event(self.types.state_change, after, context, text, path=listed(paths), title=title)

    def _information_required(
        self, before: Document, after: Document, items: Sequence[ItemState], context: EventContext
    ) -> Document | None:
        paths = []
        if self._becomes_incomplete(before.get(self.state), after.get(self.state)):
            paths.append(self.state)
        paths += [item.path for item in items if self._becomes_incomplete(item.before, item.after)]
        if not paths:
            return None
        text, path = "needs information", listed(paths)
        return self._event(self.types.information_required, after, context, text, path=path, priority="high")

    def _attribute_value_change(
        self,
        before: Document,
        after: Document,
        changed: frozenset[str],
        context: EventContext,
        server_set: frozenset[str],
    ) -> Document | None:
        names = sorted([name for name in changed if self._more_than_states(before, after, name, server_set)])
        if not names:
            return None
        text, path = f"changed: {', '.join(names[:PATHS_SHOWN])}", listed([step(name) for name in names])
        return self._event(self.types.attribute_value_change, after, context, text, path=path)

    def _becomes_incomplete(self, old: object, new: object) -> bool:
        return new in self.types.incomplete and old not in self.types.incomplete

    def _changed_items(self, before: Document, after: Document) -> list[ItemState]:
        """Return the elements of `after` that are new or have another state, in order."""
        known = dict(self._item_states(before))
        return [
            ItemState(path, path in known, known.get(path), state)
            for path, state in self._item_states(after)
            if path not in known or known[path] != state
        ]

    def _item_states(self, holder: Document, prefix: str = "") -> Iterator[tuple[str, object]]:
        """Yield the path and state of every element, nested ones included: `items[?(@.id=='2')].state`."""
        for name, state in self.items.items():
            for item in _elements(holder, name):
                place = f"{prefix}{name}[?(@.id=={literal(item.get('id'))})]"
                yield f"{place}.{state}", item.get(state)
                yield from self._item_states(item, f"{place}.")

    def _more_than_states(self, before: Document, after: Document, name: str, server_set: frozenset[str]) -> bool:
        """Return whether a changed member differs in more than the states of its elements."""
        old, new = before.get(name), after.get(name)
        if name not in self.items or not isinstance(old, list) or not isinstance(new, list):
            return True
        return not same_json(self._without_states(old, name, server_set), self._without_states(new, name, server_set))

    def _without_states(self, elements: list[Any], name: str, server_set: frozenset[str]) -> list[Any]:
        """Copy a list's elements without their states, and without the states of nested elements."""
        bare = []
        for element in elements:
            if isinstance(element, dict):
                unwanted = {self.items[name], *(key for key in element if f"{name}.{key}" in server_set)}
                element = {
                    key: self._without_states(value, key, server_set)
                    if key in self.items and isinstance(value, list)
                    else value
                    for key, value in element.items()
                    if key not in unwanted
                }
            bare.append(element)
        return bare

    @staticmethod
    def _alone(event: Document | None) -> tuple[Document, ...]:
        return () if event is None else (event,)

    def _event(
        self,
        event_type: str | None,
        document: Document,
        context: EventContext,
        text: str,
        *,
        path: str | None = None,
        title: str | None = None,
        priority: str = "normal",
    ) -> Document | None:
        """Build the event; return None when the contract declares no type for it."""
        if event_type is None:
            return None
        id = context.new_id()
        event: Document = {
            "eventId": id,
            "eventTime": context.now,
            "eventType": event_type,
            **({"id": id} if self.types.has_id(event_type) else {}),
            "correlationId": context.correlation_id,
            "domain": self.domain,
            "title": title or _in_words(event_type),
            "description": f"{self.resource} {document.get('id')} {text}"[:TEXT_LIMIT],
            "priority": priority,
            "timeOcurred": context.now,  # the specifications spell it like this
        }
        if context.traceparent is not None:
            event["traceparent"] = context.traceparent
        if path is not None:
            event["fieldPath"] = path
        event["event"] = {self.resource: context.represent(document)}
        return event


@functools.cache
def _in_words(event_type: str) -> str:
    """Turn TaskCreateEvent into Task Create Event. The cache is small, as only the contracts' types occur."""
    return _CAMEL_HUMP.sub(" ", event_type)


def _elements(holder: Document, name: str) -> Iterator[Document]:
    value = holder.get(name)
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
