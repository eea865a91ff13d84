"""The contract's types as a graph that is walked along with a document: what each member is, and what happens to it.

Promise: a walk visits only the members that need it, whatever the document holds; members unknown to the contract are
never touched. What a member needs is written in the contract as format date-time or an x- extension. The walks are in
engine/normalize.py, engine/defaults.py and engine/states.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tmf_sales.contract.lifecycle import Lifecycle
from tmf_sales.errors import json_pointer
from tmf_sales.storage.protocol import Document

Steps = tuple[str | int, ...]
NEXT_NUMBER = "$nextNumber"
SCHEMA_LOCATION = "@schemaLocation"
UNKNOWN = "is not known to the contract"


@dataclass(slots=True)
class Member:
    """One member of a type. `type` is that of its value, or of its elements when `is_list`."""

    name: str
    type: str
    is_list: bool = False
    enum: tuple[str, ...] | None = None
    shape: Shape | None = None
    merge_key: str | None = None
    default: Any = None
    lenient: str | None = None
    lifecycle: Lifecycle | None = None

    @property
    def is_instant(self) -> bool:
        return self.type == "date-time"


@dataclass(slots=True)
class Shape:
    """One object type: its members, and which of them each kind of walk has to visit.

    `defaults`: what a new object gets in members that it lacks, its first state with them; `entered`: the members in
    which something may lack a default, and their shapes; `numbered`: the members that number the elements of a list.
    """

    name: str
    members: dict[str, Member] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    ordered: tuple[str, str] | None = None
    settled: dict[str, Member] = field(default_factory=dict)
    filled: dict[str, Member] = field(default_factory=dict)
    stateful: dict[str, Member] = field(default_factory=dict)
    lenient: dict[str, Member] = field(default_factory=dict)
    lifecycle_member: Member | None = None
    defaults: tuple[tuple[str, Any], ...] = ()
    entered: tuple[tuple[str, Shape], ...] = ()
    numbered: tuple[str, ...] = ()

    def lists(self) -> frozenset[tuple[str, ...]]:
        """The paths (to where a type recurs) that end at a list by contract."""
        return frozenset(self._lists((), ()))

    def _lists(self, path: tuple[str, ...], inside: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        for member in self.members.values():
            here = (*path, member.name)
            if member.is_list:
                yield here
            if member.shape and member.shape.name not in inside:
                yield from member.shape._lists(here, (*inside, self.name))


class Shapes:
    """The shapes of one contract; each is made once, so recursive types meet themselves."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._schemas: dict[str, dict[str, Any]] = document["components"]["schemas"]
        self._made: dict[str, Shape] = {}

    def named(self, name: str) -> Shape:
        """The shape of a schema, complete with the marks of which members each walk visits."""
        shape = self._shape(name)
        _mark_visits(list(self._made.values()))
        return shape

    def made(self) -> list[Shape]:
        """All shapes so far: those that were asked for, and those that they go into."""
        return list(self._made.values())

    def described_by(self, schema: dict[str, Any]) -> Shape | None:
        """The shape of the object, or of a list's elements, that a $ref or a list of such describes."""
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

    def _shape(self, name: str) -> Shape:
        if name not in self._made:
            self._made[name] = shape = Shape(name)
            self._build(shape, self._schemas[name])
        return self._made[name]

    def _build(self, shape: Shape, schema: dict[str, Any]) -> None:
        flat = self._flat(schema)
        shape.required = frozenset(flat["required"])
        shape.ordered = tuple(flat["x-ordered"]) if "x-ordered" in flat else None
        for name, member_schema in flat["properties"].items():
            shape.members[name] = member = self._member(shape.name, name, member_schema)
            if member.lifecycle and not member.is_list:
                shape.lifecycle_member = member

    def _member(self, owner: str, name: str, schema: dict[str, Any]) -> Member:
        own, target = self._target(schema)
        is_list = own.get("type") == "array"
        if is_list:
            element, target = self._target(own.get("items", {}))
        else:
            element = own
        flat = self._flat(element)
        table = flat.get("x-lifecycle")
        shape = None
        if flat["properties"]:
            shape = self._shape(target) if target else self._inline(f"{owner}.{name}", element)
        return Member(
            name=name,
            type="date-time" if flat.get("format") == "date-time" else flat.get("type", "any"),
            is_list=is_list,
            enum=tuple(flat["enum"]) if "enum" in flat else None,
            shape=shape,
            merge_key=own.get("x-merge-key"),
            default=schema.get("x-default", own.get("x-default")),
            lenient=schema.get("x-lenient", own.get("x-lenient")),
            lifecycle=Lifecycle.from_contract(table, flat.get("x-set-on", {})) if table else None,
        )

    def _inline(self, name: str, schema: dict[str, Any]) -> Shape:
        self._made[name] = shape = Shape(name)
        self._build(shape, schema)
        return shape

    def _target(self, schema: dict[str, Any]) -> tuple[dict[str, Any], str | None]:
        """The schema behind a $ref, alone or as the only entry of an allOf that adds no members, and its name."""
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            return self._schemas[name], name
        if len(entries := schema.get("allOf", [])) == 1 and "properties" not in schema:
            target, name = self._target(entries[0])
            return {**target, **{key: value for key, value in schema.items() if key != "allOf"}}, name
        return schema, None

    def _flat(self, schema: dict[str, Any]) -> dict[str, Any]:
        """A schema with its allOf folded in; later entries win over earlier ones, as they narrow them."""
        flat: dict[str, Any] = {"properties": {}, "required": []}
        for entry in [*schema.get("allOf", []), {k: v for k, v in schema.items() if k not in {"allOf", "$ref"}}]:
            part = self._flat(self._target(entry)[0]) if "$ref" in entry or "allOf" in entry else entry
            flat["properties"] |= part.get("properties", {})
            flat["required"] = [*flat["required"], *part.get("required", [])]
            flat |= {key: value for key, value in part.items() if key not in {"properties", "required"}}
        return self._flat(self._target(schema)[0]) if "$ref" in schema else flat


def _mark_visits(shapes: list[Shape]) -> None:
    """Decide, to a fixed point because types recur, which members each walk has to go into."""
    changed = True
    while changed:
        changed = False
        for shape in shapes:
            for member in shape.members.values():
                inner = member.shape
                own = member.is_instant or member.merge_key
                wanted = (
                    (shape.settled, own or (inner and (inner.settled or inner.ordered))),
                    (shape.filled, member.default is not None or member.lifecycle or (inner and inner.filled)),
                    (shape.stateful, member.lifecycle or (inner and inner.stateful)),
                    (shape.lenient, member.lenient or (inner and inner.lenient)),
                )
                for visits, needed in wanted:
                    if needed and member.name not in visits:
                        visits[member.name] = member
                        changed = True
    for shape in shapes:
        members = shape.members.values()
        shape.numbered = tuple(member.name for member in members if member.default == NEXT_NUMBER)
        shape.defaults = tuple(_defaults(members))
        shape.entered = tuple((name, member.shape) for name, member in shape.filled.items() if member.shape is not None)


def _defaults(members: Iterable[Member]) -> Iterator[tuple[str, Any]]:
    for member in members:
        if member.lifecycle and not member.is_list:
            yield member.name, member.lifecycle.initial
        elif member.default not in (None, NEXT_NUMBER):
            yield member.name, member.default


def says_its_schema(value: Document, shape: Shape) -> bool:
    """Whether an object of an extensible type names the schema of what extends it, so that any member may be in it."""
    return SCHEMA_LOCATION in value and SCHEMA_LOCATION in shape.members


def unknown_members(value: Any, shape: Shape, place: Steps = ()) -> Iterator[str]:
    """Pointers of the members that the contract does not know, in an object or in the elements of a list, where no
    @schemaLocation says what they are.
    """
    if isinstance(value, list):
        for number, element in enumerate(value):
            yield from unknown_members(element, shape, (*place, number))
    elif isinstance(value, dict) and not says_its_schema(value, shape):
        for name, inner in value.items():
            member = shape.members.get(name)
            if member is None:
                yield json_pointer((*place, name))
            elif member.shape is not None:
                yield from unknown_members(inner, member.shape, (*place, name))
