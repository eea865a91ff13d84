"""Loads a hand-written OpenAPI contract, bundles it, and says what it tells of each operation and resource.

Promise: what the contract says is read here once, at start; nothing of it is written again in Python. A contract that
cannot be served is refused with one line that names the file, the place and the rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tmf_sales.contract.attribute_types import AttributeTypes
from tmf_sales.contract.attributes import Attributes
from tmf_sales.contract.lint import Fault, faults_as_written
from tmf_sales.contract.lint_names import faults_of_events, faults_of_operation, faults_of_resource, faults_of_types
from tmf_sales.contract.operations import RESOURCE_VERBS, known_operations, operation_ids
from tmf_sales.contract.schemas import SchemaCheck, Schemas, faults_of_compilation
from tmf_sales.contract.types import ObjectType, ObjectTypes
from tmf_sales.contract.yaml_source import BrokenContract, load_yaml
from tmf_sales.errors import CannotStart
from tmf_sales.messages import json_pointer
from tmf_sales.storage.protocol import Index
from tmf_sales.storage.protocol import Kind as StoredKind

METHODS = ("get", "head", "post", "put", "patch", "delete", "options")


def bundle(path: Path, read: dict[str, dict[str, Any]] | None = None) -> dict[str, Any]:
    """The contract as one document: components of other files are copied in under their own names, order kept.

    `read`: what these other files hold, by name; it grows, so that contracts of one folder read each of them once.
    """
    return _Bundler(path, {} if read is None else read).bundled()


class _Bundler:
    def __init__(self, path: Path, files: dict[str, dict[str, Any]]) -> None:
        self._path = path
        self._document = load_yaml(path)
        self._components: dict[str, dict[str, Any]] = self._document.setdefault("components", {})
        self._files = files
        self._origins: dict[tuple[str, ...], str] = {}

    def file_of(self, place: Sequence[object]) -> str:
        """The file in which a place of the bundle is written."""
        return self._origins.get(tuple(map(str, place[1:3])), self._path.name)

    def bundled(self) -> dict[str, Any]:
        own = {section: list(entries) for section, entries in self._components.items()}
        for name in [name for name in self._document if name != "components"]:
            self._document[name] = self._adopt(self._document[name], None)
        for section, entries in own.items():
            for name in entries:
                self._components[section][name] = self._adopt(self._components[section][name], None)
        return self._document

    def _adopt(self, node: Any, file: str | None) -> Any:
        """A node of `file` (None: the contract itself) with every reference pointing into the bundle."""
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
            known[name] = None  # so that a recursive type ends
            self._origins[section, name] = source
            known[name] = self._adopt(self._component(source, section, name, pointer), source)
        return f"#{pointer}"

    def _component(self, source: str, section: str, name: str, pointer: str) -> Any:
        if source not in self._files:
            self._files[source] = load_yaml(self._path.parent / source)
        try:
            return self._files[source]["components"][section][name]
        except KeyError:
            raise BrokenContract(self._path.name, pointer, f"is not in {source}") from None


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation as the contract states it. `bodies` maps a media type (lower case) to its schema."""

    id: str
    method: str
    path: str
    bodies: Mapping[str, dict[str, Any]]
    parameters: tuple[dict[str, Any], ...]
    statuses: frozenset[str]

    @property
    def creates(self) -> bool:
        """A POST body: what the contract marks readOnly may not be sent in it."""
        return self.method == "post"


@dataclass(frozen=True, slots=True)
class ResourceType:
    """What the contract says of one resource: its types, what a patch may change, lifecycle, versions, events."""

    kind: str
    name: str
    api: str
    base_path: str
    path: str
    object_type: ObjectType
    attributes: Attributes
    after_patch: SchemaCheck
    fixed_members: frozenset[str]
    version_member: str | None
    events: Mapping[str, str]
    indexes: tuple[Index, ...]
    patch_types: tuple[str, ...] = field(default=())

    @property
    def domain(self) -> str:
        """What events say of where they come from: the API's name in its base path."""
        return self.base_path.strip("/").split("/")[1]

    def href(self, public_url: str, id: str) -> str:
        return f"{public_url}{self.base_path}{self.path}/{id}"

    def stored_kind(self) -> StoredKind:
        return StoredKind(self.kind, self.indexes, self.object_type.lists())


class Contract:
    """One API: its bundled document, its operations and its resources.

    `name` is the file's first word ("tmf648"); `base_path` the path of its first server.
    """

    def __init__(self, path: Path, read: dict[str, dict[str, Any]] | None = None) -> None:
        self.file = path.name
        self.folder = path.parent
        self.name = path.name.partition("-")[0]
        bundler = _Bundler(path, {} if read is None else read)
        self.document = bundler.bundled()
        self._file_of = bundler.file_of
        self._reject(faults_as_written(self.document))
        self.title: str = self.document["info"]["title"]
        self.version: str = self.document["info"]["version"]
        self.base_path: str = self.document["servers"][0]["url"]
        self.schemas = Schemas(self.document, self._unusable)
        self.object_types = ObjectTypes(self.document)
        self.operations = {operation.id: operation for operation in self._operations()}
        self.resources = {resource.kind: resource for resource in self._resources()}
        self._reject_wrong_names()

    def _reject(self, faults: Iterable[Fault]) -> None:
        for place, rule in faults:
            raise BrokenContract(self._file_of(place), json_pointer(place), rule)

    def reject_uncompilable_schemas(self) -> None:
        """Raises BrokenContract for a rule that makes no check; takes longer than a start may."""
        self._reject(map(Fault._make, faults_of_compilation(self.document)))

    def _unusable(self) -> BrokenContract:
        """Why a schema cannot be compiled; the library tells no place."""
        for place, rule in faults_of_compilation(self.document):
            return BrokenContract(self._file_of(place), json_pointer(place), rule)
        return BrokenContract(self.file, "/components/schemas", "cannot be compiled")

    def _reject_wrong_names(self) -> None:
        known = known_operations(resource.name for resource in self.resources.values())
        self._reject(faults_of_types(self.document["components"]["schemas"], self.object_types.made()))
        for id, operation in self.operations.items():
            place = ("paths", operation.path, operation.method)
            if id in known:
                self._reject(faults_of_operation(id, known[id], place, operation.statuses, operation.bodies))

    def methods_at(self, path: str) -> tuple[str, ...]:
        """The methods (upper case, HEAD wherever GET is) that the contract has for a path below its base path."""
        wanted = path.strip("/").split("/")
        for template, item in self.document["paths"].items():
            steps = template.strip("/").split("/")
            if len(steps) == len(wanted) and all(
                step.startswith("{") or step == want for step, want in zip(steps, wanted, strict=True)
            ):
                methods = {method.upper() for method in METHODS if method in item}
                return tuple(sorted(methods | ({"HEAD"} if "GET" in methods else set())))
        return ()

    def _operations(self) -> Iterator[Operation]:
        seen: set[str] = set()
        for path, item in self.document["paths"].items():
            shared = item.get("parameters", [])
            for method in METHODS:
                if method not in item:
                    continue
                stated, pointer = item[method], f"/paths/{path.replace('/', '~1')}/{method}"
                operation_id = stated.get("operationId")
                if not operation_id:
                    raise BrokenContract(self.file, pointer, "has no operationId")
                if operation_id in seen:
                    raise BrokenContract(self.file, pointer, f"operationId {operation_id} is there twice")
                seen.add(operation_id)
                body = self.resolve(stated.get("requestBody", {}))
                yield Operation(
                    id=operation_id,
                    method=method,
                    path=path,
                    bodies={media.lower(): entry["schema"] for media, entry in body.get("content", {}).items()},
                    parameters=tuple(self.resolve(p) for p in [*shared, *stated.get("parameters", [])]),
                    statuses=frozenset(str(status) for status in stated.get("responses", {})),
                )

    def _resources(self) -> Iterator[ResourceType]:
        for name, schema in self.document["components"]["schemas"].items():
            if "x-events" not in schema:
                continue
            path = self._collection_path(name)
            patch = self.operations.get(operation_ids(name)["patch"])
            self._reject(faults_of_events(name, schema["x-events"]))
            schemas, object_type = self.document["components"]["schemas"], self.object_types.named(name)
            self._reject(faults_of_resource(name, schema, schemas, object_type, is_patched=patch is not None))
            update = schema.get("x-update", name)
            yield ResourceType(
                kind=path.strip("/"),
                name=name,
                api=self.name,
                base_path=self.base_path,
                path=path,
                object_type=object_type,
                attributes=AttributeTypes(object_type, self.object_types.required(schema.get("x-full", name))),
                after_patch=self.schemas.check({"$ref": f"#/components/schemas/{update}"}),
                fixed_members=self.object_types.read_only(update),
                version_member=schema.get("x-versioned"),
                events=schema["x-events"],
                indexes=tuple(_index(entry) for entry in schema.get("x-index", [])),
                patch_types=tuple(patch.bodies) if patch else (),
            )

    def _collection_path(self, name: str) -> str:
        """The path of a resource's collection, from whichever of its operations the contract has."""
        for verb in RESOURCE_VERBS:
            if operation := self.operations.get(verb.operation_id(name)):
                return operation.path if verb.on_collection else operation.path.rpartition("/")[0]
        ids = ", ".join(verb.operation_id(name) for verb in RESOURCE_VERBS)
        raise BrokenContract(self.file, f"/components/schemas/{name}", f"needs an operation; expected one of {ids}")

    def resolve(self, node: dict[str, Any]) -> dict[str, Any]:
        """The node itself, or what its local $ref points at."""
        while "$ref" in node:
            target: Any = self.document
            for step in node["$ref"].removeprefix("#/").split("/"):
                target = target[step.replace("~1", "/").replace("~0", "~")]
            node = target
        return node


def _index(entry: str | list[str]) -> Index:
    names = [entry] if isinstance(entry, str) else entry
    return Index(tuple((tuple(name.lstrip("-").split(".")), name.startswith("-")) for name in names))


def contract_files(folder: Path) -> list[Path]:
    """Every contract in the folder, by file name; a `-common-` file holds shared components and is not served."""
    paths = sorted(path for path in folder.glob("*.yaml") if "-common-" not in path.name)
    if not paths:
        raise BrokenContract(str(folder.name), "", "has no contract")
    return paths


def load_contracts(folder: Path) -> tuple[Contract, ...]:
    """Every contract of the folder; raises BrokenContract for the first fault of the first one that has some."""
    read: dict[str, dict[str, Any]] = {}
    return tuple(_loaded(path, read) for path in contract_files(folder))


def _loaded(path: Path, read: dict[str, dict[str, Any]]) -> Contract:
    try:
        return Contract(path, read)
    except CannotStart:
        raise
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        said = " ".join(str(error).split())[:200]
        raise BrokenContract(
            path.name, "", f"has not the form of a contract: {type(error).__name__}: {said}"
        ) from error
