"""Reads the YAML of a contract.

Rejects duplicate keys and keeps text that looks like a date as text. A fault is one line with the file, the place and
the rule.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from tmf_sales.errors import CannotStart
from tmf_sales.values.messages import json_pointer


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
    try:
        document = yaml.load(path.read_bytes(), _Loader)  # noqa: S506 - a subclass of the safe loader
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
