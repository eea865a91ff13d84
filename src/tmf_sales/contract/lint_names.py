"""Checks that the names in a contract's extensions and operations exist: members, schemas, states, status codes.

Each fault is reported at the place where it is written. Runs once at start, after the types are built; a few hundred
members take a millisecond.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import Any

from tmf_sales.contract.leniency import LENIENCIES
from tmf_sales.contract.lint import DEFAULTS, EVENTS, INFORMATION_REQUIRED, Fault, Steps
from tmf_sales.contract.operations import Verb, operation_ids
from tmf_sales.contract.types import PARTY, PERSONAL_DATA, TYPE_OF, Member, ObjectType

Schemas = Mapping[str, dict[str, Any]]

INDEX_LIMIT = 60
"""Of a resource. MongoDB keeps 64 indexes of a collection, and the store has some of its own."""


def faults_of_types(schemas: Schemas, object_types: list[ObjectType]) -> Iterator[Fault]:
    """Check the extensions of these object types; each fault is reported where the schemas define the member."""
    for object_type in object_types:
        for name in object_type.ordered or ():
            if name not in object_type.members or not object_type.members[name].is_date_time:
                yield Fault((*_type(schemas, object_type.name), "x-ordered"), f"{name} is not a date-time member")
        for member in object_type.members.values():
            for place, rule in _faults_of_member(object_type, member):
                yield Fault((*_definition(schemas, object_type.name, member.name), *place), rule)


def _faults_of_member(object_type: ObjectType, member: Member) -> Iterator[Fault]:
    """Check one member; the places are relative to the member's definition."""
    default = member.default
    if isinstance(default, str) and default.startswith("$"):
        if default not in DEFAULTS and default[1:].removeprefix(TYPE_OF[1:]) not in object_type.members:
            yield Fault(("x-default",), f"{default} is neither $now, $nextNumber nor a member of {object_type.name}")
    elif default is not None and not _fits(default, member):
        yield Fault(("x-default",), f"{default!r} is not {_wanted(member)}")
    if member.merge_key and not (
        member.is_list and member.object_type and member.merge_key in member.object_type.members
    ):
        yield Fault(("x-merge-key",), f"{member.merge_key} is not a member of the elements of a list")
    yield from _faults_of_personal(member)
    wanted = LENIENCIES[member.lenient].type if member.lenient else "any"
    if wanted not in {"any", "string" if member.is_date_time else member.type}:
        yield Fault(("x-lenient",), f"{member.lenient} is for {wanted}, and this is {member.type}")
    if member.lifecycle:
        for extension, named in (("x-set-on", member.lifecycle.set_on), ("x-remove-on", member.lifecycle.remove_on)):
            for state, name in named.items():
                if name not in object_type.members:
                    yield Fault(
                        (), f"{extension} for {state} names {name}, which is not a member of {object_type.name}"
                    )


def _faults_of_personal(member: Member) -> Iterator[Fault]:
    """Check x-personal: a member that refers to a party holds objects with an id."""
    if member.personal not in (None, PARTY, PERSONAL_DATA):
        yield Fault(("x-personal",), f"{member.personal!r} is unknown; expected {PARTY} or {PERSONAL_DATA}")
    elif member.personal == PARTY and (member.object_type is None or "id" not in member.object_type.members):
        yield Fault(("x-personal",), f"{PARTY} is for objects with an id, and this is {member.type}")


_PYTHON_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "date-time": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


def _wanted(member: Member) -> str:
    return f"one of {', '.join(map(str, member.enum))}" if member.enum else member.type


def _fits(default: Any, member: Member) -> bool:
    if member.is_list or member.type not in _PYTHON_TYPES:
        return True
    if isinstance(default, bool) != (member.type == "boolean"):
        return False
    return isinstance(default, _PYTHON_TYPES[member.type]) and (member.enum is None or default in member.enum)


def faults_of_resource(
    name: str, schema: Mapping[str, Any], schemas: Schemas, object_type: ObjectType
) -> Iterator[Fault]:
    place = ("components", "schemas", name)
    for extension in ("x-update", "x-full"):
        if schema.get(extension, name) not in schemas:
            yield Fault((*place, extension), "names no schema")
    if (version := schema.get("x-versioned")) is not None and version not in object_type.members:
        yield Fault((*place, "x-versioned"), f"{version} is not a member of {name}")
    yield from _faults_of_indexes(name, schema.get("x-index", ()), object_type)


def _faults_of_indexes(name: str, entries: Sequence[str | list[str]], object_type: ObjectType) -> Iterator[Fault]:
    """Check that the paths exist and that every store can index them: MongoDB has no index over two lists."""
    place = ("components", "schemas", name, "x-index")
    if len(entries) > INDEX_LIMIT:
        yield Fault(place, f"has {len(entries)} indexes; at most {INDEX_LIMIT} can be kept")
    for number, entry in enumerate(entries):
        paths = [entry] if isinstance(entry, str) else entry
        free = []
        for path in paths:
            members = _members_on(path.lstrip("-").split("."), object_type)
            if members is None:
                yield Fault((*place, number), f"{path} is not a path of {name}")
            elif len(paths) > 1 and any(member.is_list for member in members):
                yield Fault((*place, number), f"{path} goes through a list, which a compound index cannot hold")
            elif members[-1].type == "any":
                free.append(path)
        if len(free) > 1:
            yield Fault((*place, number), f"{' and '.join(free)} may both hold lists, which no index can hold together")


def faults_of_events(name: str, events: Any, object_type: ObjectType) -> Iterator[Fault]:
    """Check x-events: each event has a type; informationRequired also has the states that raise it."""
    place: Steps = ("components", "schemas", name, "x-events")
    if not isinstance(events, dict):
        yield Fault(place, f"expected a mapping from {_listed(EVENTS)} to event types")
        return
    states = states_of(object_type)
    for event, stated in events.items():
        if event not in EVENTS:
            yield Fault((*place, str(event)), f"is not known; expected {_listed(EVENTS)}")
        elif event != INFORMATION_REQUIRED:
            if not isinstance(stated, str):
                yield Fault((*place, event), "expected the type of the event")
        elif not isinstance(stated, dict) or not isinstance(stated.get("event"), str):
            yield Fault((*place, event), "expected event, its type, and states, the list of states that raise it")
        elif not isinstance(stated.get("states"), list) or not states.issuperset(map(str, stated["states"])):
            yield Fault((*place, event, "states"), f"expected a list of states from {_listed(states)}")


def impossible_events(
    events: Mapping[str, Any], operations: Container[str], name: str, *, has_states: bool
) -> list[str]:
    """The events in x-events that no operation of the contract can cause."""
    ids = operation_ids(name)
    needed = dict.fromkeys(EVENTS, ids["patch"]) | {"create": ids["create"], "delete": ids["delete"]}
    stateless = {"stateChange", INFORMATION_REQUIRED} if not has_states else set()
    return sorted(event for event in events if needed[event] not in operations or event in stateless)


def states_of(object_type: ObjectType) -> frozenset[str]:
    """The states of a resource and of the objects inside it."""
    found: set[str] = set()
    seen: set[int] = set()
    waiting = [object_type]
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        if each.lifecycle_member is not None:
            found |= set(each.lifecycle_member.enum or ())
        waiting += [member.object_type for member in each.stateful.values() if member.object_type]
    return frozenset(found)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _members_on(path: list[str], object_type: ObjectType) -> list[Member] | None:
    """The members along the path, up to the last one or to one of any type; None when the path does not exist."""
    first, *others = path
    member = object_type.members.get(first)
    if member is None:
        return None
    if not others or member.type == "any":
        return [member]
    if member.object_type is None or (below := _members_on(others, member.object_type)) is None:
        return None
    return [member, *below]


def faults_of_operation(
    id: str, verb: Verb, place: Steps, statuses: frozenset[str], media_types: Iterable[str]
) -> Iterator[Fault]:
    """Check the method (at the end of `place`), success codes and media types of an operation against its verb."""
    if place[-1] != verb.method:
        yield Fault(place, f"{id} is a {verb.method}")
        return
    if not verb.on_collection and "{id}" not in str(place[-2]):
        yield Fault(place[:-1], f"{id} needs the path parameter id; expected a path such as /resource/{{id}}")
    expected = verb.successes
    if not statuses & {expected[0], "2XX", "default"}:
        yield Fault((*place, "responses"), f"lacks {expected[0]}, which {id} answers")
    for status in sorted(statuses):
        if status[:1] == "2" and status not in {*expected, "2XX"}:
            yield Fault((*place, "responses", status), f"{id} never answers this; expected {' or '.join(expected)}")
    for media in media_types:
        if media.partition(";")[0].strip().lower() not in verb.media_types:
            rule = f"{id} cannot read this; expected {' or '.join(verb.media_types) or 'no body'}"
            yield Fault((*place, "requestBody", "content", media), rule)


def _type(schemas: Schemas, name: str) -> Steps:
    """The place of a type's definition; an inline type is defined at a member of another type."""
    owner, *members = name.split(".") if name not in schemas else (name,)
    place: Steps = ("components", "schemas", owner)
    schema = schemas.get(owner, {})
    for member in members:
        place = _defined_in(schemas, schema, place, member) or (*place, "properties", member)
        schema = {}
    return place


def _definition(schemas: Schemas, name: str, member: str) -> Steps:
    """The place of a member's definition: in the type itself, or in a schema that it extends."""
    place = _type(schemas, name)
    return (_defined_in(schemas, schemas.get(name, {}), place, member)) or (*place, "properties", member)


def _defined_in(schemas: Schemas, schema: Mapping[str, Any], place: Steps, member: str) -> Steps | None:
    if member in schema.get("properties", {}):
        return (*place, "properties", member)
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return _defined_in(schemas, schemas[name], ("components", "schemas", name), member)
    for number, entry in enumerate(schema.get("allOf", ())):
        if found := _defined_in(schemas, entry, (*place, "allOf", number), member):
            return found
    return None
