"""Reads the YAML or JSON of a contract.

Rejects duplicate keys and keeps text that looks like a date as text. A fault is one line with the file, the place and
the rule.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml

from tmf_sales.errors import CannotStart
from tmf_sales.values.messages import json_pointer, shown

JSON = ".json"


class BrokenContract(CannotStart):
    """Raised when a contract cannot be served: one line with the file, the JSON pointer and the rule."""

    def __init__(self, file: str, pointer: str, rule: str) -> None:
        self.lines: tuple[str, ...] = (f"{file}#{pointer}: {rule}",)
        super().__init__(self.lines[0])


class BrokenContracts(BrokenContract):
    """Raised with all the faults of one or several contracts: one line for each."""

    def __init__(self, faults: Iterable[BrokenContract]) -> None:
        self.lines = tuple(dict.fromkeys(line for fault in faults for line in fault.lines))
        CannotStart.__init__(self, "\n".join(self.lines))


class _Duplicate(Exception):
    """Raised for a duplicate key: YAML forbids it, but PyYAML silently keeps the last value."""

    def __init__(self, node: yaml.MappingNode) -> None:
        super().__init__()
        self.node = node


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """The safe YAML loader, but it keeps dates as text and rejects duplicate keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        written = len(node.value)
        merges = any(key.tag == "tag:yaml.org,2002:merge" for key, _ in node.value)
        made: dict[Any, Any] = super().construct_mapping(node, deep)
        if len(made) != written and not merges:
            raise _Duplicate(node)
        return made


_Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in _Loader.yaml_implicit_resolvers.items()
}


def load_yaml(path: Path) -> dict[str, Any]:
    """Read a file in YAML, or in JSON if its name ends with .json; raises BrokenContract."""
    try:
        document = _load_json(path) if path.suffix == JSON else _load_yaml(path)
    except OSError as error:
        raise BrokenContract(path.name, "", f"cannot be read: {error.strerror}") from None
    except _Duplicate as duplicate:
        key = _duplicate_key(duplicate.node)
        place = _pointer_in_yaml(yaml.compose(path.read_bytes(), _Loader), key.start_mark.index)
        raise BrokenContract(path.name, place, f"is there twice, again in line {key.start_mark.line + 1}") from None
    except yaml.YAMLError as error:
        raise BrokenContract(path.name, "", f"is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(document, dict):
        raise BrokenContract(path.name, "", "is not a mapping")
    return document


def _load_yaml(path: Path) -> Any:
    return yaml.load(path.read_bytes(), _Loader)  # noqa: S506 - a subclass of the safe loader


def _load_json(path: Path) -> Any:
    """Not left to YAML, which reads JSON's escaped pairs of surrogates as two characters, and rejects tabs."""

    def unique(members: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(members)
        if len(made) != len(members):
            names = [name for name, _ in members]
            again = next(name for place, name in enumerate(names) if name in names[:place])
            raise BrokenContract(path.name, "", f"has an object in which {shown(again)} is there twice")
        return made

    try:
        return json.loads(path.read_bytes(), object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise BrokenContract(path.name, "", f"is not JSON: {error}") from None


def _duplicate_key(node: yaml.MappingNode) -> yaml.Node:
    seen: set[object] = set()
    key: yaml.Node
    for key, _ in node.value:
        if key.value in seen:
            return key
        seen.add(key.value)
    return node


def _pointer_in_yaml(node: yaml.Node | None, index: int) -> str:
    """The JSON pointer of the key at this index of the text."""
    entries: list[tuple[object, yaml.Node]] = list(enumerate(node.value)) if isinstance(node, yaml.SequenceNode) else []
    if isinstance(node, yaml.MappingNode):
        if found := next((key.value for key, _ in node.value if key.start_mark.index == index), None):
            return json_pointer([found])
        entries = [(key.value, value) for key, value in node.value]
    for step, value in entries:
        if value.start_mark.index <= index < value.end_mark.index:
            return json_pointer([str(step)]) + _pointer_in_yaml(value, index)
    return ""
