"""Selects fields: `fields=a,b.c` reduces a document to the requested members (TMF630 part 1).

Always keeps `id` and `href`, or the members that identify an event. A dotted name keeps the structure of objects and
lists and selects inside them; a value that is not an object has no members and is left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tmf_sales.contract.attributes import Attributes
from tmf_sales.errors import InvalidParameter
from tmf_sales.query.names import listed_names, not_a_name, path_of, reject_unmatchable
from tmf_sales.storage.conditions import Path
from tmf_sales.storage.records import Document
from tmf_sales.values.messages import shown

MOST_FIELDS = 50
OF_A_RESOURCE = ("id", "href")
OF_AN_EVENT = ("eventId", "eventTime", "eventType")

Tree = dict[str, "Tree | None"]


class FieldSelection:
    """The fields to keep of a document.

    `top_level`: the names of the top-level members kept, fully or partly, without href, which no store has.
    """

    __slots__ = ("_nested", "_tree", "top_level")

    def __init__(self, paths: Iterable[Path], always: Iterable[str] = OF_A_RESOURCE) -> None:
        self._tree: Tree = dict.fromkeys(always)
        for path in paths:
            _add(self._tree, path)
        self.top_level = frozenset(self._tree) - {"href"}
        self._nested = any(inner is not None for inner in self._tree.values())

    def select(self, document: Document) -> Document:
        """The selected members, id and href first; does not change the document."""
        if self._nested:
            return _cut(document, self._tree)
        return {name: document[name] for name in self._tree if name in document}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FieldSelection) and self._tree == other._tree

    def __hash__(self) -> int:
        return hash(self.top_level)

    def __repr__(self) -> str:
        return f"FieldSelection({self._tree})"


def _add(tree: Tree, path: Path) -> None:
    """Add a path; it changes nothing when a parent is already selected as a whole."""
    for name in path[:-1]:
        inner = tree.setdefault(name, {})
        if inner is None:
            return
        tree = inner
    tree[path[-1]] = None


def _cut(document: Document, tree: Tree) -> Document:
    kept: Document = {}
    for name, inner in tree.items():
        if name not in document:
            continue
        value = document[name]
        if inner is None:
            kept[name] = value
        elif isinstance(value, dict):
            kept[name] = _cut(value, inner)
        elif isinstance(value, list):
            kept[name] = _cut_elements(value, inner)
    return kept


def _cut_elements(elements: list[Any], tree: Tree) -> list[Any]:
    return [_cut(element, tree) for element in elements if isinstance(element, dict)]


def read_fields(
    values: Iterable[str], attributes: Attributes, *, strict: bool, always: Iterable[str] = OF_A_RESOURCE
) -> FieldSelection | None:
    """The selection of all `fields` parameters together; None when they contain no name.

    Names unknown to the contract select members of that name, if a resource has them; strict mode rejects such names.
    """
    names = [name for value in values for name in listed_names(value)]
    if not names:
        return None
    if len(names) > MOST_FIELDS:
        raise InvalidParameter(f"fields: more than {MOST_FIELDS} names")
    return FieldSelection([_path(name, attributes, strict=strict) for name in names if name != "none"], always)


def _path(name: str, attributes: Attributes, *, strict: bool) -> Path:
    path = path_of(name)
    if path is None:
        raise InvalidParameter(f"fields: {not_a_name(name)}")
    reject_unmatchable("fields", name, path, attributes)
    if strict and attributes.at(path) is None:
        raise InvalidParameter(f"fields: {shown(name)} is not an attribute of this resource")
    return path
