"""Bundles a contract and the files it refers to into one document without external references.

Components of other files are copied in under their own names, in their order. A file that is not in the contract's own
folder is searched for among the shipped contracts, so that any contract may refer to the common components.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tmf_sales.contract.conventions import complete
from tmf_sales.contract.files import contracts_folder
from tmf_sales.contract.yaml_source import BrokenContract, load_yaml

Files = dict[Path, dict[str, Any]]


def bundle(path: Path, read: Files | None = None) -> dict[str, Any]:
    """Bundle the contract at `path`. `read` caches the content of files, so that each is read once."""
    return Bundler(path, {} if read is None else read).bundled()


class Bundler:
    """Bundles one contract. `sources`: after bundling, the files that went into it, by name."""

    def __init__(self, path: Path, read: Files) -> None:
        self._path = path
        self._document = read.pop(path) if path in read else load_yaml(path)
        self._components: dict[str, dict[str, Any]] = self._document.setdefault("components", {})
        self._files = read
        self._origins: dict[tuple[str, ...], str] = {}
        self.sources: dict[str, Path] = {path.name: path}

    def file_of(self, place: Sequence[object]) -> str:
        """The name of the file that defines this place of the bundle."""
        return self._origins.get(tuple(map(str, place[1:3])), self._path.name)

    def bundled(self) -> dict[str, Any]:
        own = {section: list(entries) for section, entries in self._components.items()}
        for name in [name for name in self._document if name != "components"]:
            self._document[name] = self._adopt(self._document[name], None)
        for section, entries in own.items():
            for name in entries:
                self._components[section][name] = self._adopt(self._components[section][name], None)
        complete(self._document)
        return self._document

    def _adopt(self, node: Any, file: str | None) -> Any:
        """Copy a node of `file` (None: the contract itself) with every reference pointing into the bundle."""
        if isinstance(node, list):
            return [self._adopt(element, file) for element in node]
        if not isinstance(node, dict):
            return node
        if isinstance(reference := node.get("$ref"), str):
            return {**node, "$ref": self._normalize(reference, file)}
        return {name: self._adopt(value, file) for name, value in node.items()}

    def _normalize(self, reference: str, file: str | None) -> str:
        target, _, pointer = reference.partition("#")
        source = target or file
        if source is None:
            return reference
        section, _, name = pointer.removeprefix("/components/").partition("/")
        known = self._components.setdefault(section, {})
        if name not in known:
            known[name] = None  # stops the recursion of recursive types
            self._origins[section, name] = source
            known[name] = self._adopt(self._component(source, section, name, pointer), source)
        return f"#{pointer}"

    def _component(self, source: str, section: str, name: str, pointer: str) -> Any:
        path = self._path.parent / source
        if not path.exists() and (shipped := contracts_folder() / source).is_file():
            path = shipped
        if path not in self._files:
            self._files[path] = load_yaml(path)
        self.sources[source] = path
        try:
            return self._files[path]["components"][section][name]
        except KeyError:
            raise BrokenContract(self._path.name, pointer, f"is not in {source}") from None
