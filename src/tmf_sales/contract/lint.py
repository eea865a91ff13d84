"""Checks at start whether a contract can be served; reports each fault with its place and the rule it breaks.

Every reference must have a target, and the engine must know every keyword, type, format and extension. Other violations
of OpenAPI are found by `tmf-sales check`, which takes longer. lint_names.py checks the names in extensions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

from tmf_sales.contract.conventions import base_path_of
from tmf_sales.contract.leniency import OF_A_CONTRACT, OF_A_MEMBER, OPTIONAL_MEMBER, READ_ONLY_MEMBER

Schema = dict[str, Any]

DEFAULTS = {"$now", "$nextNumber"}
OF_A_LIFECYCLE = ("x-lifecycle", "x-set-on", "x-remove-on")
INFORMATION_REQUIRED = "informationRequired"
EVENTS = {"create", "delete", "stateChange", "attributeValueChange", INFORMATION_REQUIRED}
EXTENSIONS = {*OF_A_LIFECYCLE, "x-default", "x-versioned", "x-merge-key", "x-lenient", "x-ordered", "x-index"}
EXTENSIONS |= {"x-events", "x-update", "x-full", "x-personal"}
TYPES = {"string", "number", "integer", "boolean", "array", "object"}
FORMATS = {"int32", "int64", "float", "double", "byte", "binary", "date", "date-time", "password"}
FORMATS |= {"email", "hostname", "ipv4", "ipv6", "uri", "uri-reference", "uuid"}
FORMATS |= {f"tmf630-{name}" for name in ("fields", "expand", "sort", "filter", "trim", "patch-path")}
FORMATS |= {f"tmf630-event-{name}" for name in ("fields", "filter", "query")}
LISTS_OF_SCHEMAS = {"allOf", "anyOf", "oneOf"}
KEYWORDS = {
    "title",
    "multipleOf",
    "maximum",
    "exclusiveMaximum",
    "minimum",
    "exclusiveMinimum",
    "maxLength",
    "minLength",
}
KEYWORDS |= {"pattern", "maxItems", "minItems", "uniqueItems", "maxProperties", "minProperties", "required", "enum"}
KEYWORDS |= {"type", "not", "items", "properties", "additionalProperties", "description", "format", "default"}
KEYWORDS |= {"nullable", "discriminator", "readOnly", "writeOnly", "xml", "externalDocs", "example", "deprecated"}
KEYWORDS |= LISTS_OF_SCHEMAS | EXTENSIONS | {"$ref"}
# The values of these keywords are data and may hold anything, so the walk skips them.
DATA = {"example", "examples", "default", "enum", "security", "mapping"}

SCHEMA_REFERENCE = re.compile("#/components/schemas/[^/]+")

Steps = tuple[str | int, ...]


class Fault(NamedTuple):
    """A broken rule. `place`: the steps of its JSON pointer in the bundled contract."""

    place: Steps
    rule: str


def faults_as_written(document: Mapping[str, Any]) -> Iterator[Fault]:
    """The faults of the document as text: missing parts, dangling references, unknown keywords."""
    missing = [*_missing(document)]
    yield from missing or _ValueType(document).faults()


def _missing(document: Mapping[str, Any]) -> Iterator[Fault]:
    if not str(document.get("openapi", "")).startswith("3.0."):
        found = f"OpenAPI {document.get('swagger') or document.get('openapi', 'of an unknown version')}"
        yield Fault(("openapi",), f"expected OpenAPI 3.0, such as 3.0.3; this is {found}")
        return
    for name in ("info", "paths", "components"):
        if not isinstance(document.get(name), dict):
            yield Fault((name,), "is missing, or is not a mapping")
            return
    for name in ("title", "version"):
        if not isinstance(document["info"].get(name), str):
            yield Fault(("info", name), "is missing, or is not a text")
    if not isinstance(document["components"].get("schemas"), dict):
        yield Fault(("components", "schemas"), "is missing, or is not a mapping")
    base_path = base_path_of(document)
    if not base_path.startswith("/") or len(base_path.strip("/").split("/")) < 2 or "{" in base_path:
        yield Fault(("servers", 0, "url"), "expected a path of two steps or more, such as /tmf-api/name/v4")
    for path, item in document["paths"].items():
        if isinstance(item, dict) and "$ref" in item:
            yield Fault(("paths", path, "$ref"), "a path cannot be a reference; write its operations here")


class _ValueType:
    """Walks once through a document and checks every schema in it."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._found: list[Fault] = []
        self._known_references: set[str] = set()
        self._readers: Mapping[str, Callable[[Any, Steps], None]] = {
            "$ref": self._reference,
            "type": partial(self._one_of, TYPES),
            "format": partial(self._one_of, FORMATS),
            "x-lenient": partial(self._one_of, OF_A_MEMBER),
            "properties": self._properties,
            "items": self._schema,
            "not": self._schema,
            "additionalProperties": self._schema_or_boolean,
            **dict.fromkeys(LISTS_OF_SCHEMAS, self._schemas),
        }

    def faults(self) -> list[Fault]:
        self._leniencies_of_contract()
        for name, node in self._document.items():
            if name != "components":
                self._node(node, (name,))
        for section, entries in self._document["components"].items():
            read = self._schema if section == "schemas" else self._node
            for name, node in entries.items() if isinstance(entries, dict) else ():
                read(node, ("components", section, name))
        return self._found

    def _leniencies_of_contract(self) -> None:
        if "x-lenient" not in self._document:
            return
        named = self._document["x-lenient"]
        if not isinstance(named, list):
            self._report(("x-lenient",), f"expected a list of {_alternatives(OF_A_CONTRACT)}")
            return
        for number, name in enumerate(named):
            self._one_of(OF_A_CONTRACT, name, ("x-lenient", number))

    def _report(self, place: Steps, rule: str) -> None:
        self._found.append(Fault(place, rule))

    def _node(self, node: Any, place: Steps) -> None:
        if isinstance(node, list):
            for number, entry in enumerate(node):
                self._node(entry, (*place, number))
        elif isinstance(node, dict):
            if isinstance(reference := node.get("$ref"), str):
                self._reference(reference, (*place, "$ref"))
            for name, inner in node.items():
                if name == "schema":
                    self._schema(inner, (*place, name))
                elif isinstance(inner, dict | list) and name not in DATA:
                    self._node(inner, (*place, name))

    def _reference(self, reference: Any, place: Steps) -> None:
        if reference in self._known_references:
            return
        if _target(self._document, str(reference)) is None:
            self._report(place, f"{reference} is a reference to nothing")
        else:
            self._known_references.add(reference)

    def _schema(self, schema: Any, place: Steps) -> None:
        if not isinstance(schema, dict):
            self._report(place, "expected a schema")
            return
        if not schema.keys() <= KEYWORDS:
            self._unknown_keywords(schema.keys() - KEYWORDS, place)
        if self._is_no_schema(schema.get("$ref")):
            self._report(
                (*place, "$ref"), f"{schema['$ref']} is not a schema; expected #/components/schemas/ and a name"
            )
            return
        for name, value in schema.items():
            if (read := self._readers.get(name)) is not None:
                read(value, (*place, name))
        if "properties" in schema:
            self._optional_members(schema, place)
        if schema.get("x-lenient") == READ_ONLY_MEMBER and schema.get("readOnly") is not True:
            self._report((*place, "x-lenient"), f"{READ_ONLY_MEMBER} is for a member with readOnly: true")
        if not schema.keys().isdisjoint(OF_A_LIFECYCLE):
            self._lifecycle(schema, place)

    def _is_no_schema(self, reference: Any) -> bool:
        """Whether it refers to something that exists and is not one of the named schemas."""
        text = str(reference)
        return SCHEMA_REFERENCE.fullmatch(text) is None and _target(self._document, text) is not None

    def _schemas(self, schemas: Any, place: Steps) -> None:
        for number, schema in enumerate(schemas if isinstance(schemas, list) else [schemas]):
            self._schema(schema, (*place, number))

    def _schema_or_boolean(self, schema: Any, place: Steps) -> None:
        if not isinstance(schema, bool):
            self._schema(schema, place)

    def _properties(self, properties: Any, place: Steps) -> None:
        if not isinstance(properties, dict):
            self._report(place, "expected a mapping from names to schemas")
            return
        for name, schema in properties.items():
            self._schema(schema, (*place, name))

    def _optional_members(self, schema: Schema, place: Steps) -> None:
        required, properties = schema.get("required", ()), schema.get("properties", {})
        for name, member in properties.items() if isinstance(properties, dict) else ():
            if isinstance(member, dict) and member.get("x-lenient") == OPTIONAL_MEMBER and name not in required:
                rule = f"{OPTIONAL_MEMBER} is for a member that required beside it names"
                self._report((*place, "properties", name, "x-lenient"), rule)

    def _unknown_keywords(self, names: Iterable[str], place: Steps) -> None:
        for name in sorted(map(str, names)):
            known = (
                f"expected {_alternatives(EXTENSIONS)}" if name.startswith("x-") else "OpenAPI 3.0 has no such keyword"
            )
            self._report((*place, name), f"is not known; {known}")

    def _one_of(self, known: Iterable[str], value: Any, place: Steps) -> None:
        if not isinstance(value, str) or value not in known:
            self._report(place, f"{value!r} is not known; expected {_alternatives(known)}")

    def _lifecycle(self, schema: Schema, place: Steps) -> None:
        table, states = schema.get("x-lifecycle"), schema.get("enum")
        if not isinstance(states, list):
            self._report(place, "a lifecycle needs the enum of its states beside it")
        elif not isinstance(table, dict) or not isinstance(table.get("transitions"), dict):
            self._report((*place, "x-lifecycle"), "expected initial, and transitions from a state to a list of states")
        else:
            self._states([table.get("initial")], states, (*place, "x-lifecycle", "initial"))
            for state, following in table["transitions"].items():
                row = (*place, "x-lifecycle", "transitions", state)
                self._states([state], states, row)
                self._states(following if isinstance(following, list) else [following], states, row)
            for extension in ("x-set-on", "x-remove-on"):
                members = schema.get(extension, {})
                named = members if isinstance(members, dict) else [members]
                self._states(named, [*states, "any"], (*place, extension))

    def _states(self, named: Iterable[Any], states: list[Any], place: Steps) -> None:
        for state in named:
            if state not in states:
                self._report(place, f"{state!r} is not a state; expected {_alternatives(map(str, states))}")


def _target(document: Mapping[str, Any], reference: str) -> Any:
    """The target of a local reference, or None."""
    if not reference.startswith("#/"):
        return None
    target: Any = document
    for step in reference.removeprefix("#/").split("/"):
        if not isinstance(target, dict):
            return None
        target = target.get(step.replace("~1", "/").replace("~0", "~"))
    return target


def _alternatives(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
