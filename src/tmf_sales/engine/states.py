"""Where in a document objects with a lifecycle are, and in which state each of them was before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tmf_sales.contract.lifecycle import Lifecycle
from tmf_sales.contract.types import ObjectType, Steps
from tmf_sales.engine.defaults import elements_by_key
from tmf_sales.storage.protocol import Document


class StateAt(NamedTuple):
    """One object with a lifecycle in a patched document: itself, and what was stored under the same key (or None)."""

    place: Steps
    lifecycle: Lifecycle
    member: str
    before: Document | None
    after: Document


def states(before: Document | None, after: Document, object_type: ObjectType, place: Steps = ()) -> Iterator[StateAt]:
    """Every object in `after` whose type has a lifecycle, the resource itself first, paired by the lists' keys."""
    for name, member in object_type.stateful.items():
        if member.lifecycle:
            yield StateAt((*place, name), member.lifecycle, name, before, after)
    for name, member in object_type.stateful.items():
        value = after.get(name)
        if member.object_type is None or value is None:
            continue
        stored = (before or {}).get(name)
        if isinstance(value, dict):
            yield from states(stored if isinstance(stored, dict) else None, value, member.object_type, (*place, name))
        elif isinstance(value, list):
            known = elements_by_key(stored, member.merge_key) if member.merge_key else {}
            for number, element in enumerate(value):
                if isinstance(element, dict):
                    pair = known.get(element.get(member.merge_key or ""))
                    yield from states(pair, element, member.object_type, (*place, name, number))
