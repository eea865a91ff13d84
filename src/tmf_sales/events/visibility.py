"""Applies visibility to events: a subscription gets only what its owner may see of the event's resource.

An event about a resource that the owner may not see is not delivered. Hidden members are removed from the event before
the subscription's query is evaluated. The service's own log entries (audit records) are never delivered.
"""

from __future__ import annotations

from collections.abc import Callable

from tmf_sales.access import Access
from tmf_sales.events.field_path import read, without
from tmf_sales.storage.events import AUDIT_RECORD
from tmf_sales.storage.records import Document

EARLIER_VERSION = "@earlierVersion"
"""A member that the log has in events of a version that was not the current one; it is not sent."""

SeenBy = Callable[[str], Access]
"""Kind of resource -> what the owner of a listener may see of it."""


def of_earlier_version(event: Document) -> Document:
    return {**event, EARLIER_VERSION: True}


def seen_event(kind: str, event: Document, seen_by: SeenBy | None) -> Document | None:
    """Return an event as the owner of a subscription may see it, or None when the owner may not see it at all.

    Without `seen_by` everything is visible. Returns the event itself when nothing is removed.
    """
    if event.get("eventType") == AUDIT_RECORD:
        return None
    is_current = EARLIER_VERSION not in event
    bare = event if is_current else {name: value for name, value in event.items() if name != EARLIER_VERSION}
    if seen_by is None:
        return bare
    ((noun, document),) = event["event"].items()
    access = seen_by(kind)
    if not access.sees(document, is_current=is_current):
        return None
    shown = access.shown(document, is_current=is_current)
    if shown is document:
        return bare
    hidden = access.hidden_in(document, is_current=is_current)
    return _without_paths({**bare, "event": {noun: shown}}, hidden)


def _without_paths(event: Document, hidden: frozenset[str]) -> Document | None:
    """Remove the paths through hidden members, and the description that names them; None when no path is left."""
    paths = event.get("fieldPath")
    if paths is None:
        return event
    kept = without(read(paths), hidden)
    if not kept:
        return None
    return {**event, "fieldPath": ",".join(kept), "description": event["title"]}
