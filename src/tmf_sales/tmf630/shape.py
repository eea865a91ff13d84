"""The contract's types as a graph that is walked along with a document: what each member is, and what happens to it.

Promise: a walk visits only the members that need it, whatever the document holds; members unknown to the contract are
never touched. What a member needs is written in the contract as format date-time or an x- extension.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tmf_sales.errors import Violation, json_pointer
from tmf_sales.storage import Document
from tmf_sales.tmf630 import instants
from tmf_sales.tmf630.lifecycle import Lifecycle

Steps = tuple[str | int, ...]
LONGEST_NUMBER = 15
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
    """One object type: its members, and which of them each kind of walk has to visit."""

    name: str
    members: dict[str, Member] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    ordered: tuple[str, str] | None = None
    settled: dict[str, Member] = field(default_factory=dict)
    filled: dict[str, Member] = field(default_factory=dict)
    stateful: dict[str, Member] = field(default_factory=dict)
    lenient: dict[str, Member] = field(default_factory=dict)
    lifecycle_member: Member | None = None

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


def settle(document: Document, shape: Shape, place: Steps, found: list[Violation]) -> None:
    """Bring every date-time into its one form, in place; collect what breaks x-ordered or a list's unique key."""
    visits = shape.settled
    for name in document:
        if name not in visits:  # most members: this is what the walk mostly does
            continue
        value, member = document[name], visits[name]
        if isinstance(value, str):
            if member.shape is None and not member.is_list and not instants.is_canonical(value):
                document[name] = _instant(value, (*place, name), found)
        elif isinstance(value, list):
            if member.is_list:
                _settle_list(value, member, (*place, name), found)
        elif isinstance(value, dict) and member.shape is not None and not member.is_list:
            settle(value, member.shape, (*place, name), found)
    if shape.ordered and shape.ordered[1] in document:
        _check_order(document, shape.ordered, place, found)


def _settle_list(elements: list[Any], member: Member, place: Steps, found: list[Violation]) -> None:
    if member.shape is not None:
        for number, element in enumerate(elements):
            if isinstance(element, dict):
                settle(element, member.shape, (*place, number), found)
    elif member.is_instant:
        for number, element in enumerate(elements):
            if isinstance(element, str):
                elements[number] = _instant(element, (*place, number), found)
    if member.merge_key:
        _check_unique(elements, member.merge_key, place, found)


def _instant(text: str, place: Steps, found: list[Violation]) -> str:
    try:
        return instants.canonical(text)
    except ValueError as error:
        found.append(Violation(json_pointer(place), str(error)))
        return text


def _check_unique(elements: list[Any], key: str, place: Steps, found: list[Violation]) -> None:
    seen: dict[str, int] = {}
    for number, element in enumerate(elements):
        value = element.get(key) if isinstance(element, dict) else None
        if not isinstance(value, str):
            continue
        if value in seen:
            text = f"is the same as that of element {seen[value]}; it must be unique in its list"
            found.append(Violation(json_pointer((*place, number, key)), text))
        seen.setdefault(value, number)


def _check_order(document: Document, ordered: tuple[str, str], place: Steps, found: list[Violation]) -> None:
    first, second = document.get(ordered[0]), document.get(ordered[1])
    if isinstance(first, str) and isinstance(second, str) and len(first) == len(second) and first > second:
        found.append(Violation(json_pointer((*place, ordered[1])), f"must not be before {ordered[0]}"))


def fill(document: Document, shape: Shape, now: str) -> None:
    """Give a new object, and all that it holds, the defaults of the contract and the first state of its lifecycle."""
    for name, member in shape.filled.items():
        value = document.get(name)
        if value is None:
            if name in document:
                continue
            if member.lifecycle and not member.is_list:
                document[name] = member.lifecycle.initial
            elif member.default is not None:
                _set_default(document, name, member.default, now)
        elif member.shape is not None:
            _fill_inside(value, member.shape, now)


def _fill_inside(value: Any, shape: Shape, now: str) -> None:
    if isinstance(value, dict):
        fill(value, shape, now)
    elif isinstance(value, list):
        for element in value:
            if isinstance(element, dict):
                fill(element, shape, now)
        number_elements(value, shape)


def _set_default(document: Document, name: str, default: Any, now: str) -> None:
    if default == "$now":
        document[name] = now
    elif isinstance(default, str) and default.startswith("$"):
        if default != "$nextNumber" and default[1:] in document:
            document[name] = document[default[1:]]
    else:
        document[name] = default


def number_elements(elements: list[Any], shape: Shape) -> None:
    """Give elements that lack it the member marked $nextNumber: the next number that is free in the list, as text."""
    for name, member in shape.filled.items():
        if member.default != "$nextNumber":
            continue
        objects = [element for element in elements if isinstance(element, dict)]
        if all(name in element for element in objects):
            continue
        taken = [int(element[name]) for element in objects if _is_number(element.get(name))]
        following = max(taken, default=0) + 1
        for element in objects:
            if name not in element:
                element[name] = str(following)
                following += 1


def _is_number(text: Any) -> bool:
    """Whether it takes part in the numbering. A longer one does not: int() has a limit, and so have identifiers."""
    return isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER


def fill_new_elements(before: Document, after: Document, shape: Shape, now: str) -> None:
    """Give the elements that a patch added to keyed lists what a created one would get, at any depth."""
    for name, member in shape.filled.items():
        elements = after.get(name)
        if not member.is_list or member.shape is None or not isinstance(elements, list):
            continue
        if not member.merge_key:
            number_elements(elements, member.shape)
            continue
        stored = elements_by_key(before.get(name), member.merge_key)
        for element in elements:
            if isinstance(element, dict):
                key = element.get(member.merge_key)
                known = stored.get(key) if isinstance(key, str) else None
                if known is None:
                    fill(element, member.shape, now)
                else:
                    fill_new_elements(known, element, member.shape, now)
        number_elements(elements, member.shape)


def elements_by_key(elements: Any, key: str) -> dict[Any, Document]:
    if not isinstance(elements, list):
        return {}
    return {
        element[key]: element for element in elements if isinstance(element, dict) and isinstance(element.get(key), str)
    }


class StateAt(NamedTuple):
    """One object with a lifecycle in a patched document: itself, and what was stored under the same key (or None)."""

    place: Steps
    lifecycle: Lifecycle
    member: str
    before: Document | None
    after: Document


def states(before: Document | None, after: Document, shape: Shape, place: Steps = ()) -> Iterator[StateAt]:
    """Every object in `after` whose type has a lifecycle, the resource itself first, paired by the lists' keys."""
    for name, member in shape.stateful.items():
        if member.lifecycle:
            yield StateAt((*place, name), member.lifecycle, name, before, after)
    for name, member in shape.stateful.items():
        value = after.get(name)
        if member.shape is None or value is None:
            continue
        stored = (before or {}).get(name)
        if isinstance(value, dict):
            yield from states(stored if isinstance(stored, dict) else None, value, member.shape, (*place, name))
        elif isinstance(value, list):
            known = elements_by_key(stored, member.merge_key) if member.merge_key else {}
            for number, element in enumerate(value):
                if isinstance(element, dict):
                    pair = known.get(element.get(member.merge_key or ""))
                    yield from states(pair, element, member.shape, (*place, name, number))


def forgive(body: Document, shape: Shape) -> None:
    """Read the misprints that the contract marks x-lenient as what was meant, in place."""
    for name, member in shape.lenient.items():
        value = body.get(name)
        if member.lenient == "booleanText" and value in ("true", "false"):
            body[name] = value == "true"
        elif member.lenient == "emptyAsMissing" and value == "":
            del body[name]
        elif member.shape is not None:
            for inner in value if isinstance(value, list) else [value]:
                if isinstance(inner, dict):
                    forgive(inner, member.shape)


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
