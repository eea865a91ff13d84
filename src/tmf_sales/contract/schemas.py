"""Compiles the schemas of a contract and describes in plain sentences which rules a value breaks.

A schema is compiled when it is first used, because jsonschema_rs copies what it refers to: the copies were a fifth of a
new process. Rules that cannot be compiled are reported at start all the same. Accepting a valid value takes
microseconds. A check reports all violations (see SchemaCheck.violations for the bound), each with its JSON pointer, and
repeats at most one short escaped scalar of the value. As in Connexion, schemas are JSON Schema draft 4 plus `nullable`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from typing import Any, NamedTuple, Self

import jsonschema_rs
import orjson

from tmf_sales.contract.all_of import flattened
from tmf_sales.contract.leniency import OPTIONAL_MEMBER, READ_ONLY_MEMBER
from tmf_sales.values.messages import VIOLATION_LIMIT, Violation, json_pointer, list_places, shown

Schema = dict[str, Any]
Steps = tuple[str | int, ...]

IS_REQUIRED = "is required"
MOST_ELEMENTS = 300
FEW_ELEMENTS = 20
KEPT = (1, 10, 30, 100)


class Reading(NamedTuple):
    """Which variant of a contract's schemas to compile; see Schemas.check."""

    reject_read_only: bool = False
    relaxed: bool = False


_OF_SINGLE_MEMBERS = {"type", "properties", "required"}
_REFERENCE = re.compile(rb'"\$ref":"([^"]*)"')
_COMPONENT = "#/components/schemas/"


class MembersCheck(NamedTuple):
    """Validates some members of an object whose other members are known to be valid.

    `members` checks an object with no other members; `required`: the members that the whole object must have.
    """

    members: SchemaCheck
    required: frozenset[str]

    def accepts(self, value: Mapping[str, Any], names: Iterable[str]) -> bool:
        """Whether the whole object is valid, when all its members except these are."""
        return self.required <= value.keys() and self.members.accepts({name: value[name] for name in names})


class Schemas:
    """Compiles the schemas of one contract into checks.

    `unusable` returns the exception to raise for a schema that jsonschema_rs cannot compile.
    """

    def __init__(self, document: Mapping[str, Any], unusable: Callable[[], Exception] | None = None) -> None:
        self._unusable = unusable
        self._made: dict[tuple[bytes, Reading], SchemaCheck] = {}
        self._schemas = document.get("components", {}).get("schemas", {})
        self._components: dict[Reading, dict[str, Schema]] = {}
        self._verified: set[str] = set()

    def check(self, schema: Schema, *, reject_read_only: bool = False, relaxed: bool = False) -> SchemaCheck:
        """Return the check of a schema of this contract. Raises `unusable` when it cannot be compiled.

        `reject_read_only`: members marked readOnly are violations. `relaxed`: accept members with x-lenient
        readOnlyMember all the same, and do not require members with optionalMember. Equal schemas share one check, as
        a body has the same schema in several media types.
        """
        reading = Reading(reject_read_only, relaxed)
        root = _as_draft4(schema, reading)
        text = orjson.dumps(root)
        try:
            if not _refers(root):
                return _check_alone(text)
            key = text, reading
            if key not in self._made:
                self._made[key] = self._verified_check(root, text, reading)
            return self._made[key]
        except ValueError as error:
            if self._unusable is None:
                raise
            raise self._unusable() from error

    def check_of_members(self, name: str) -> MembersCheck | None:
        """Compile a check of single members of a component; None when the schema has rules beyond those of members."""
        schema = self._components_for(plain := Reading()).get(name, {})
        if schema.get("type") != "object" or not schema.keys() <= _OF_SINGLE_MEMBERS:
            return None
        members = {"properties": schema.get("properties", {})}
        check = self._verified_check(members, orjson.dumps(members), plain)
        return MembersCheck(check, frozenset(schema.get("required", ())))

    def _verified_check(self, root: Schema, text: bytes, reading: Reading) -> SchemaCheck:
        """Return the check of a schema that refers to components. Raises ValueError when it cannot be compiled."""

        def with_components() -> Schema:
            components = self._components_for(reading)
            reached = _reached(text, components)  # jsonschema_rs keeps all that it gets, so give it no more
            needed = components if reached is None else {name: components[name] for name in reached}
            return {"components": {"schemas": needed}, "allOf": [root]}

        check = SchemaCheck(with_components)
        if not self._compiles_without_references(text):
            check.compile()
        return check

    def _compiles_without_references(self, text: bytes) -> bool:
        """Compile the schema and the components that it reaches, each once and without references, to find faults.

        Raises ValueError for one that cannot be compiled. Returns False when a reference names no component: only
        jsonschema_rs knows whether it can follow it. Other readings of a component add no rules of the contract.
        """
        reached = _reached(text, self._components_for(Reading()), self._verified)
        if reached is None:
            return False
        every = b",".join([text, *reached.values()]).replace(b'"$ref":', b'"x-ref":')
        SchemaCheck(orjson.loads(b'{"allOf":[%s]}' % every)).compile()
        self._verified |= reached.keys()
        return True

    def _components_for(self, reading: Reading) -> dict[str, Schema]:
        if reading not in self._components:
            plain = {name: _as_draft4(schema, reading) for name, schema in self._schemas.items()}
            self._components[reading] = flattened(plain)
        return self._components[reading]


def _reached(text: bytes, components: Mapping[str, Schema], known: Set[str] = frozenset()) -> dict[str, bytes] | None:
    """The texts of the components, except `known` ones, that a schema refers to, directly or through others; by name.

    Returns None when a reference names no component.
    """
    reached: dict[str, bytes] = {}
    texts = [text]
    for each in texts:  # grows while it is walked
        for reference in set(_REFERENCE.findall(each)):
            name = reference.decode().removeprefix(_COMPONENT)
            if name in reached or name in known:
                continue
            if name not in components:
                return None
            reached[name] = orjson.dumps(components[name])
            texts.append(reached[name])
    return reached


def faults_of_compilation(node: Any, place: Steps = ()) -> Iterator[tuple[Steps, str]]:
    """The rules in a contract that jsonschema_rs cannot compile. Tries each rule alone, so it is slow."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name in _COMPILED_ALONE and not _compiles({name: value}):
                yield (*place, name), f"{shown(value)} is no {name} of JSON Schema draft 4"
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for step, child in children:
        if step not in _DATA and step != "example":
            yield from faults_of_compilation(child, (*place, step))


_COMPILED_ALONE = {"pattern", "multipleOf", "maximum", "minimum", "maxLength", "minLength", "maxItems", "minItems"}
_COMPILED_ALONE |= {"maxProperties", "minProperties", "uniqueItems", "enum"}


def _compiles(schema: Schema) -> bool:
    if isinstance(next(iter(schema.values())), dict):  # a member with the name of a keyword
        return True
    try:
        jsonschema_rs.Draft4Validator(schema)
    except ValueError:
        return False
    return True


class SchemaCheck:
    """One schema, compiled when it is first used; `schema` may be a function that makes it then."""

    def __init__(self, schema: Schema | Callable[[], Schema]) -> None:
        self._schema = schema

    @functools.cached_property
    def accepts(self) -> Callable[[Any], bool]:
        accepts: Callable[[Any], bool] = self._validator.is_valid
        return accepts

    @functools.cached_property
    def _validator(self) -> jsonschema_rs.Draft4Validator:
        schema = self._schema() if callable(self._schema) else self._schema
        return jsonschema_rs.Draft4Validator(schema, validate_formats=True)

    def compile(self) -> Self:
        """Compile the schema now. Raises ValueError when it cannot be compiled."""
        _ = self._validator
        return self

    def violations(self, value: Any) -> list[Violation]:
        """The rules that the value breaks, in the order of their places; empty for a valid value.

        Returns all of them, unless there are too many to report: then those of the first elements of each list, and,
        for a value with many elements, the first one of the whole value. Each violation costs about 50 microseconds,
        and a body can have a million.
        """
        if self.accepts(value):
            return []
        found: dict[Violation, None] = {}
        part = None
        for part in _growing_parts(value):
            found = _without_repetition(self._validator.iter_errors(part))
            if len(found) > VIOLATION_LIMIT:
                break
        else:
            if part is not value:
                found |= _without_repetition(self._first_error(value))
        return list(found)

    def _first_error(self, value: Any) -> list[Any]:
        first = []
        try:
            self._validator.validate(value)
        except jsonschema_rs.ValidationError as error:
            first.append(error)
        return first


def _growing_parts(value: Any) -> Iterator[Any]:
    """The value with lists cut to 1, 10, 30 and 100 elements; finally the whole value if it is small."""
    if _elements_in(value) > FEW_ELEMENTS:
        for kept in KEPT:
            part = _cut(value, kept)
            if _elements_in(part) > MOST_ELEMENTS:
                return
            yield part
    if _elements_in(value) <= MOST_ELEMENTS:
        yield value


def _elements_in(value: Any) -> int:
    if isinstance(value, dict):
        return sum(map(_elements_in, value.values()))
    return len(value) + sum(map(_elements_in, value)) if isinstance(value, list) else 0


def _cut(value: Any, kept: int) -> Any:
    if isinstance(value, dict):
        return {name: _cut(member, kept) for name, member in value.items()}
    return [_cut(element, kept) for element in value[:kept]] if isinstance(value, list) else value


@functools.cache
def _check_alone(schema: bytes) -> SchemaCheck:
    """Compile a schema without the contract's components, which most parameters do not need. Equal schemas share one.

    This saves 12 ms for each parameter at start.
    """
    return SchemaCheck(orjson.loads(schema)).compile()


def _refers(schema: Any) -> bool:
    """Whether the schema has a $ref anywhere."""
    if isinstance(schema, dict):
        return "$ref" in schema or any(map(_refers, schema.values()))
    return isinstance(schema, list) and any(map(_refers, schema))


def _as_draft4(schema: Any, reading: Reading) -> Any:
    """The schema in plain draft 4: `nullable` becomes a type, rejected `readOnly` members accept no value."""
    if isinstance(schema, list):
        return [_as_draft4(entry, reading) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    is_forgiven = reading.relaxed and schema.get("x-lenient") == READ_ONLY_MEMBER
    if reading.reject_read_only and schema.get("readOnly") is True and not is_forgiven:
        return {"not": {}}
    plain: Schema = {}
    for name, value in schema.items():
        if name == "properties":
            plain[name] = {member: _as_draft4(entry, reading) for member, entry in value.items()}
        elif name not in _WITHOUT_RULES and not name.startswith("x-"):
            plain[name] = value if name in _DATA else _as_draft4(value, reading)
    if reading.relaxed and "required" in plain:
        _leave_out_optional_members(plain, schema.get("properties", {}))
    if schema.get("nullable") is True:
        return _with_null(plain)
    return plain


def _leave_out_optional_members(plain: Schema, properties: Mapping[str, Schema]) -> None:
    optional = {name for name, member in properties.items() if member.get("x-lenient") == OPTIONAL_MEMBER}
    plain["required"] = [name for name in plain["required"] if name not in optional]
    if not plain["required"]:  # draft 4 requires at least one name
        del plain["required"]


_NOT_JSON_SCHEMA = {
    "nullable",
    "readOnly",
    "writeOnly",
    "example",
    "deprecated",
    "externalDocs",
    "xml",
    "discriminator",
}
_ANNOTATIONS = {"title", "description", "default"}
_DATA = {"enum", "required", *_ANNOTATIONS}
_WITHOUT_RULES = _NOT_JSON_SCHEMA | _ANNOTATIONS


def _with_null(schema: Schema) -> Schema:
    if isinstance(schema.get("type"), str) and "allOf" not in schema:
        nullable = {**schema, "type": [schema["type"], "null"]}
        if "enum" in schema:
            nullable["enum"] = [*(choice for choice in schema["enum"] if choice is not None), None]
        return nullable
    return {"anyOf": [{"type": "null"}, schema]}


def _without_repetition(errors: Iterable[Any]) -> dict[Violation, None]:
    """The violations of errors, without those that a stronger one at the same place implies (see _narrowness)."""
    found = [each for error in errors for each in _violations_of(error)]
    narrowest: dict[str, tuple[int, int]] = {}
    for violation, rank in found:
        narrowest[violation.pointer] = min(rank, narrowest.get(violation.pointer, rank))
    return {
        violation: None
        for violation, rank in found
        if rank == narrowest[violation.pointer] or rank[0] == narrowest[violation.pointer][0] == _OTHER
    }


_OTHER = 3


def _narrowness(kind: Any) -> tuple[int, int]:
    """Rank the violations of one value; only the lowest rank is reported.

    A member that may not be sent needs no type, a value of the wrong type needs no format or limits, and of two
    violated enums the shorter one says more.
    """
    if kind.name in {"not", "falseSchema"}:
        return 0, 0
    if kind.name == "type":
        return 1, len(kind.value)
    if kind.name == "enum":
        return 2, len(kind.value)
    return _OTHER, 0


Ranked = tuple[Violation, tuple[int, int]]


def _violations_of(error: Any) -> Iterable[Ranked]:
    kind, place = error.kind, list(error.instance_path)
    if kind.name == "required":
        return [(Violation(json_pointer([*place, kind.value]), IS_REQUIRED), (_OTHER, 0))]
    if kind.name in {"anyOf", "oneOf"}:
        return _violations_of_alternatives(error, place)
    say = _SENTENCES.get(kind.name)
    text = say(kind.value, error.instance) if say else f"breaks the rule {kind.name}"
    return [(Violation(json_pointer(place), text), _narrowness(kind))]


def _violations_of_alternatives(error: Any, place: list[str | int]) -> Iterable[Ranked]:
    """Report a violated anyOf or oneOf; with one alternative besides null, report the violations of that one."""
    context: Sequence[Sequence[Any]] = error.kind.context
    firsts = [branch[0] for branch in context if branch]
    real = [branch for branch in context if not (branch and _expects_null(branch[0]))]
    if firsts and all(first.kind.name == "required" for first in firsts):
        text = f"must have {' or '.join(str(first.kind.value) for first in firsts)}"
    elif len(real) == 1 and real[0]:
        return [each for nested in real[0] for each in _violations_of(nested)]
    else:
        text = f"fits none of the allowed forms, got {_named(error.instance)}"
    return [(Violation(json_pointer(place), text), (_OTHER, 0))]


def _expects_null(error: Any) -> bool:
    return error.kind.name == "type" and list(error.kind.value) == ["null"]


_TYPES = {"string": "text", "array": "a list", "object": "an object", "integer": "an integer", "null": "null"}
_TYPES |= {"number": "a number", "boolean": "true or false"}


def _type(types: Sequence[str], value: Any) -> str:
    names = sorted(types, key="null".__eq__)  # null comes last
    return f"expected {' or '.join(_TYPES[name] for name in names)}, got {_named(value)}"


def _alternatives(choices: Sequence[Any]) -> str:
    names = [shown(choice).strip("'") for choice in choices if choice is not None]
    listed = [f"one of {', '.join(names)}"] if names else []
    return " or ".join([*listed, "null"] if None in choices else listed)


def _named(value: Any) -> str:
    if isinstance(value, bool) or value is None or isinstance(value, dict | list):
        return shown(value)
    return f"{'text' if isinstance(value, str) else 'number'} {shown(value)}"


_FORMATS = {"date-time": "a date-time like 2026-01-31T12:00:00.000Z (RFC 3339)", "uri": "an absolute URI (RFC 3986)"}

_SENTENCES: Mapping[str, Callable[[Any, Any], str]] = {
    "type": _type,
    "enum": lambda choices, value: f"expected {_alternatives(choices)}, got {_named(value)}",
    "format": lambda name, value: f"{_named(value)} is not {_FORMATS.get(name, name)}",
    "pattern": lambda pattern, value: f"{_named(value)} does not match {pattern}",
    "minLength": lambda limit, _: f"must have at least {limit} character{_s(limit)}",
    "maxLength": lambda limit, _: f"must have at most {limit} character{_s(limit)}",
    "minItems": lambda limit, _: f"must have at least {limit} element{_s(limit)}",
    "maxItems": lambda limit, _: f"must have at most {limit} element{_s(limit)}",
    "minProperties": lambda limit, _: f"must have at least {limit} member{_s(limit)}",
    "maxProperties": lambda limit, _: f"must have at most {limit} member{_s(limit)}",
    "minimum": lambda limit, value: f"{_named(value)} is less than {limit}",
    "maximum": lambda limit, value: f"{_named(value)} is more than {limit}",
    "exclusiveMinimum": lambda limit, value: f"{_named(value)} is not more than {limit}",
    "exclusiveMaximum": lambda limit, value: f"{_named(value)} is not less than {limit}",
    "multipleOf": lambda step, value: f"{_named(value)} is not a multiple of {step}",
    "uniqueItems": lambda _, __: "must not have the same element twice",
    "additionalProperties": lambda names, _: (
        f"unknown members: {list_places(json_pointer([name])[1:] for name in names)}"
    ),
    "not": lambda _, __: "may not be sent",
    "falseSchema": lambda _, __: "may not be sent",
}


def _s(limit: int) -> str:
    return "" if limit == 1 else "s"
