"""Checks and applies the lifecycles of a patched document: its own state, and those of the objects inside it."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Any, NamedTuple

from tmf_sales.contract.lifecycle import Lifecycle
from tmf_sales.contract.types import ObjectType, Steps
from tmf_sales.engine.defaults import elements_by_key
from tmf_sales.storage.records import Document
from tmf_sales.values.messages import json_pointer


class StateAt(NamedTuple):
    """An object with a lifecycle in a patched document, and the stored object of the same key (None: it is new)."""

    place: Steps
    lifecycle: Lifecycle
    member: str
    before: Document | None
    after: Document


def follow_lifecycles(
    before: Document,
    after: Document,
    object_type: ObjectType,
    sent: frozenset[str],
    now: str,
    names: Container[str] | None = None,
) -> bool:
    """Raise ForbiddenTransition, or set the dates and remove the members that the new states require.

    Returns whether there is a new state.

    `sent`: the top-level members that the request gives; they are kept. `names`: those that need a look even if they
    are as stored; all by default. The others were looked at when they were stored as they are.
    """
    has_transitions = False
    for at in states(before, after, object_type, names=names):
        has_transitions |= _follow_lifecycle(at, sent if len(at.place) == 1 else frozenset(), now)
    return has_transitions


def _follow_lifecycle(at: StateAt, sent: frozenset[str], now: str) -> bool:
    was = (at.before or {}).get(at.member, at.lifecycle.initial)
    becomes: Any = at.after.get(at.member)  # reject_forbidden raises for None
    if becomes == was:
        return False
    at.lifecycle.reject_forbidden(json_pointer(at.place), was, becomes)
    for date in at.lifecycle.dates_set_on_entering(becomes):
        if date not in sent:
            at.after[date] = now
    for name in at.lifecycle.members_removed_on_entering(becomes):
        if name not in sent:
            at.after.pop(name, None)
    return True


def states(
    before: Document | None,
    after: Document,
    object_type: ObjectType,
    place: Steps = (),
    names: Container[str] | None = None,
) -> Iterator[StateAt]:
    """Every object in `after` with a lifecycle, the resource first; elements are paired by the keys of their lists.

    `names`: the members to look into even if they are as in `before`; all by default.
    """
    for name, member in object_type.stateful.items():
        if member.lifecycle:
            yield StateAt((*place, name), member.lifecycle, name, before, after)
    for name, member in object_type.stateful.items():
        value = after.get(name)
        if member.object_type is None or value is None:
            continue
        stored = (before or {}).get(name)
        if names is not None and name not in names and stored == value:
            continue
        if isinstance(value, dict):
            yield from states(stored if isinstance(stored, dict) else None, value, member.object_type, (*place, name))
        elif isinstance(value, list):
            known = elements_by_key(stored, member.merge_key) if member.merge_key else {}
            for number, element in enumerate(value):
                if isinstance(element, dict):
                    pair = known.get(element.get(member.merge_key or ""))
                    yield from states(pair, element, member.object_type, (*place, name, number))
