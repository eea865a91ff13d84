"""Builds the object types of a contract: a graph that the engine walks along with a document.

A walk visits only the members that need work and never touches members unknown to the contract. A member needs work
when the contract gives it the format date-time or an x- extension. The walks are in engine/normalize.py,
engine/defaults.py, engine/states.py and privacy/personal_data.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tmf_sales.contract.lifecycle import Lifecycle
from tmf_sales.storage.records import Document
from tmf_sales.values.messages import json_pointer

Steps = tuple[str | int, ...]
NEXT_NUMBER = "$nextNumber"
TYPE_OF = "$typeOf."
SCHEMA_LOCATION = "@schemaLocation"
PARTY = "party"
"""The x-personal of a member whose objects refer to a party by their id."""
PERSONAL_DATA = "data"
"""The x-personal of a member that holds data about the parties of the resource."""
UNKNOWN = "is not known to the contract"


@dataclass(slots=True)
class Member:
    """One member of an object type. `type` is the type of its value, or of its elements when `is_list`."""

    name: str
    type: str
    is_list: bool = False
    enum: tuple[str, ...] | None = None
    object_type: ObjectType | None = None
    merge_key: str | None = None
    default: Any = None
    lenient: str | None = None
    nullable: bool = False
    lifecycle: Lifecycle | None = None
    personal: str | None = None

    @property
    def is_date_time(self) -> bool:
        return self.type == "date-time"


@dataclass(slots=True)
class ObjectType:
    """One object type: its members, and the members that each kind of walk has to visit.

    `defaults`: the values of members that a new object lacks, including its initial state; `entered`: the members whose
    objects may need defaults, with their types; `numbered`: the members that number the elements of a list. `walks`:
    the functions that engine/compiled_walks.py has made for this type.
    """

    name: str
    members: dict[str, Member] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    ordered: tuple[str, str] | None = None
    normalized: dict[str, Member] = field(default_factory=dict)
    filled: dict[str, Member] = field(default_factory=dict)
    stateful: dict[str, Member] = field(default_factory=dict)
    personal: dict[str, Member] = field(default_factory=dict)
    lifecycle_member: Member | None = None
    defaults: tuple[tuple[str, Any], ...] = ()
    entered: tuple[tuple[str, ObjectType], ...] = ()
    numbered: tuple[str, ...] = ()
    walks: dict[str, Callable[..., None]] = field(default_factory=dict, compare=False, repr=False)

    def lists(self) -> frozenset[tuple[str, ...]]:
        """The paths that end at a list; stops where a type recurs."""
        return frozenset(self._lists((), ()))

    def _lists(self, path: tuple[str, ...], inside: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        for member in self.members.values():
            here = (*path, member.name)
            if member.is_list:
                yield here
            if member.object_type and member.object_type.name not in inside:
                yield from member.object_type._lists(here, (*inside, self.name))


class ObjectTypes:
    """The object types of one contract. Each is built once, so a recursive type refers to itself."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._schemas: dict[str, dict[str, Any]] = document["components"]["schemas"]
        self._made: dict[str, ObjectType] = {}

    def named(self, name: str) -> ObjectType:
        """The object type of a schema, including the members that each walk visits."""
        object_type = self._object_type(name)
        _mark_visits(list(self._made.values()))
        return object_type

    def made(self) -> list[ObjectType]:
        """All object types built so far: the requested ones and those of their members."""
        return list(self._made.values())

    def described_by(self, schema: dict[str, Any]) -> ObjectType | None:
        """The object type that a $ref refers to; for a list, that of its elements."""
        target, name = self._target(schema)
        if target.get("type") == "array":
            return self.described_by(target.get("items", {}))
        return self.named(name) if name and self._flat(target)["properties"] else None

    def read_only(self, name: str) -> frozenset[str]:
        """The top-level members that a schema marks readOnly."""
        return frozenset(
            member for member, schema in self._flat(self._schemas[name])["properties"].items() if schema.get("readOnly")
        )

    def required(self, name: str) -> frozenset[str]:
        """The top-level members that a schema requires."""
        return frozenset(self._flat(self._schemas[name])["required"])

    def _object_type(self, name: str) -> ObjectType:
        if name not in self._made:
            self._made[name] = object_type = ObjectType(name)
            self._build(object_type, self._schemas[name])
        return self._made[name]

    def _build(self, object_type: ObjectType, schema: dict[str, Any]) -> None:
        flat = self._flat(schema)
        object_type.required = frozenset(flat["required"])
        object_type.ordered = tuple(flat["x-ordered"]) if "x-ordered" in flat else None
        for name, member_schema in flat["properties"].items():
            object_type.members[name] = member = self._member(object_type.name, name, member_schema)
            if member.lifecycle and not member.is_list:
                object_type.lifecycle_member = member

    def _member(self, owner: str, name: str, schema: dict[str, Any]) -> Member:
        own, target = self._target(schema)
        is_list = own.get("type") == "array"
        if is_list:
            element, target = self._target(own.get("items", {}))
        else:
            element = own
        flat = self._flat(element)
        object_type = None
        if flat["properties"]:
            object_type = self._object_type(target) if target else self._inline(f"{owner}.{name}", element)
        return Member(
            name=name,
            type="date-time" if flat.get("format") == "date-time" else flat.get("type", "any"),
            is_list=is_list,
            enum=tuple(flat["enum"]) if "enum" in flat else None,
            object_type=object_type,
            merge_key=own.get("x-merge-key"),
            default=schema.get("x-default", own.get("x-default")),
            lenient=schema.get("x-lenient", own.get("x-lenient")),
            nullable=flat.get("nullable") is True if not is_list else own.get("nullable") is True,
            lifecycle=Lifecycle.from_contract(flat) if "x-lifecycle" in flat else None,
            personal=schema.get("x-personal", own.get("x-personal")),
        )

    def _inline(self, name: str, schema: dict[str, Any]) -> ObjectType:
        self._made[name] = object_type = ObjectType(name)
        self._build(object_type, schema)
        return object_type

    def _target(self, schema: dict[str, Any]) -> tuple[dict[str, Any], str | None]:
        """The target of a $ref and its name; the $ref may be the only entry of an allOf that adds no members."""
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            return self._schemas[name], name
        if len(entries := schema.get("allOf", [])) == 1 and "properties" not in schema:
            target, name = self._target(entries[0])
            return {**target, **{key: value for key, value in schema.items() if key != "allOf"}}, name
        return schema, None

    def _flat(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Flatten the allOf of a schema; later entries override earlier ones, as they are stricter."""
        flat: dict[str, Any] = {"properties": {}, "required": []}
        for entry in [*schema.get("allOf", []), {k: v for k, v in schema.items() if k not in {"allOf", "$ref"}}]:
            part = self._flat(self._target(entry)[0]) if "$ref" in entry or "allOf" in entry else entry
            flat["properties"] |= part.get("properties", {})
            flat["required"] = [*flat["required"], *part.get("required", [])]
            flat |= {key: value for key, value in part.items() if key not in {"properties", "required"}}
        return self._flat(self._target(schema)[0]) if "$ref" in schema else flat


def _mark_visits(object_types: list[ObjectType]) -> None:
    """Decide which members each walk has to visit. Repeats until nothing changes, because types may be recursive."""
    changed = True
    while changed:
        changed = False
        for object_type in object_types:
            for member in object_type.members.values():
                inner = member.object_type
                own = member.is_date_time or member.merge_key
                wanted = (
                    (object_type.normalized, own or (inner and (inner.normalized or inner.ordered))),
                    (object_type.filled, member.default is not None or member.lifecycle or (inner and inner.filled)),
                    (object_type.stateful, member.lifecycle or (inner and inner.stateful)),
                    (object_type.personal, member.personal or (inner and inner.personal)),
                )
                for visits, needed in wanted:
                    if needed and member.name not in visits:
                        visits[member.name] = member
                        changed = True
    for object_type in object_types:
        members = object_type.members.values()
        object_type.numbered = tuple(member.name for member in members if member.default == NEXT_NUMBER)
        object_type.defaults = tuple(_defaults(members))
        object_type.entered = tuple(
            (name, member.object_type) for name, member in object_type.filled.items() if member.object_type is not None
        )


def _defaults(members: Iterable[Member]) -> Iterator[tuple[str, Any]]:
    for member in members:
        if member.lifecycle and not member.is_list:
            yield member.name, member.lifecycle.initial
        elif member.default not in (None, NEXT_NUMBER):
            yield member.name, member.default


def says_its_schema(value: Document, object_type: ObjectType) -> bool:
    """Whether an object of an extensible type has a @schemaLocation, so that it may have any member."""
    return SCHEMA_LOCATION in value and SCHEMA_LOCATION in object_type.members


def unknown_members(value: Any, object_type: ObjectType, place: Steps = ()) -> Iterator[str]:
    """JSON pointers to the members that the contract does not know, in an object or in the elements of a list.

    Objects with a @schemaLocation are skipped.
    """
    if isinstance(value, list):
        for number, element in enumerate(value):
            yield from unknown_members(element, object_type, (*place, number))
    elif isinstance(value, dict) and not says_its_schema(value, object_type):
        for name, inner in value.items():
            member = object_type.members.get(name)
            if member is None:
                yield json_pointer((*place, name))
            elif member.object_type is not None:
                yield from unknown_members(inner, member.object_type, (*place, name))
