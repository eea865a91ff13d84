"""Loads OpenAPI contracts: reads their operations and resources and rejects invalid ones.

Runs once, at start; the contract is the only source of what it defines. Invalid contracts are rejected with one line
for each fault, which names the file, the place and the rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tmf_sales.contract.attribute_types import AttributeTypes
from tmf_sales.contract.bundling import Bundler, Files
from tmf_sales.contract.deprecation import deprecation_of, faults_of_deprecations
from tmf_sales.contract.files import ContractFile, find_contracts, name_of_api
from tmf_sales.contract.leniency import USUAL
from tmf_sales.contract.lint import Fault, faults_as_written
from tmf_sales.contract.lint_names import faults_of_events, faults_of_operation, faults_of_resource, faults_of_types
from tmf_sales.contract.operations import (
    EXPECTED_OPERATION,
    RESOURCE_VERBS,
    known_operations,
    operation_ids,
    unknown_operation,
)
from tmf_sales.contract.resource_type import Operation, ResourceType, parse_index
from tmf_sales.contract.schemas import Schemas, faults_of_compilation
from tmf_sales.contract.types import ObjectTypes
from tmf_sales.contract.yaml_source import BrokenContract, BrokenContracts
from tmf_sales.errors import CannotStart
from tmf_sales.values.messages import json_pointer

METHODS = ("get", "head", "post", "put", "patch", "delete", "options")
UNREADABLE = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What reading a document raises that has not the form of a contract."""

SET_BY_SERVER = frozenset({"id", "href"})
"""Members of every resource that no request may change, whether or not the contract marks them readOnly."""


class Contract:
    """One API: its bundled document, its operations and its resources.

    `name`: the name of the API (see files.py); `base_path`: the path of its first server; `files`: the files that the
    contract consists of, by name; `replaces`: the shipped file that it replaces.
    """

    def __init__(self, path: Path, read: Files | None = None, name: str | None = None, replaces: str = "") -> None:
        self.file = path.name
        self.path = path
        self.replaces = replaces
        bundler = Bundler(path, {} if read is None else read)
        self.document = bundler.bundled()
        self.files: Mapping[str, Path] = bundler.sources
        self._file_of = bundler.file_of
        self._found = [*faults_as_written(self.document)]
        try:
            self._read(name)
        except (CannotStart, *UNREADABLE):
            if not self._found:
                raise
        self._reject(self._found)

    def _read(self, name: str | None) -> None:
        """Read what the document defines; adds further faults. May fail anyhow when there are faults already."""
        self._found += faults_of_deprecations(self.document)
        self.title: str = self.document["info"]["title"]
        self.version: str = self.document["info"]["version"]
        self.base_path: str = self.document["servers"][0]["url"]
        self.name = name or name_of_api(self.path, self.base_path)
        self.leniencies: tuple[str, ...] = tuple(self.document.get("x-lenient", USUAL))
        self.schemas = Schemas(self.document, self._unusable)
        self.object_types = ObjectTypes(self.document)
        self.operations = self._operations()
        self.resources = self._resources()
        self._find_wrong_names()

    def _reject(self, faults: Iterable[Fault]) -> None:
        """Raises BrokenContracts with all the faults, if there are any."""
        if found := [self._broken(fault) for fault in faults]:
            raise BrokenContracts(found)

    def _broken(self, fault: Fault) -> BrokenContract:
        return BrokenContract(self._file_of(fault.place), json_pointer(fault.place), fault.rule)

    def reject_uncompilable_schemas(self) -> None:
        """Raises BrokenContracts for rules that cannot be compiled; too slow to run at every start."""
        self._reject(map(Fault._make, faults_of_compilation(self.document)))

    def _unusable(self) -> BrokenContract:
        """Find out why a schema cannot be compiled, as jsonschema_rs does not name the place."""
        found = [self._broken(Fault(place, rule)) for place, rule in faults_of_compilation(self.document)]
        if found:
            return BrokenContracts(found)
        return BrokenContract(self.file, "/components/schemas", "cannot be compiled")

    def _find_wrong_names(self) -> None:
        known = known_operations(resource.name for resource in self.resources.values())
        faults = [*faults_of_types(self.document["components"]["schemas"], self.object_types.made())]
        for id, operation in self.operations.items():
            place = ("paths", operation.path, operation.method)
            if id in known:
                stated = self.document["paths"][operation.path][operation.method]
                media_types = self.resolve(stated.get("requestBody", {})).get("content", {})
                faults += faults_of_operation(id, known[id], place, operation.statuses, media_types)
            else:
                faults.append(Fault((*place, "operationId"), unknown_operation(id)))
        self._found += faults

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

    def scopes_of(self, operation_id: str) -> frozenset[str]:
        """The scopes that a token needs for an operation, in all its alternatives together."""
        operation = self.operations[operation_id]
        stated = self.document["paths"][operation.path][operation.method]
        alternatives = stated.get("security", self.document.get("security", []))
        return frozenset(scope for each in alternatives for scopes in each.values() for scope in scopes)

    def _operations(self) -> dict[str, Operation]:
        found, faults = dict[str, Operation](), list[Fault]()
        for path, item in self.document["paths"].items():
            shared = item.get("parameters", [])
            for method in METHODS:
                if method not in item:
                    continue
                stated, place = item[method], ("paths", path, method)
                without = [*_bodies_without_schema(self.resolve(stated.get("requestBody", {})), place)]
                faults += without
                if not (id := stated.get("operationId")):
                    faults.append(Fault(place, f"has no operationId; {EXPECTED_OPERATION}"))
                elif id in found:
                    faults.append(Fault(place, f"operationId {id} is there twice"))
                elif not without:
                    found[id] = self._operation(id, method, path, stated, shared)
        self._found += faults
        return found

    def _operation(
        self, id: str, method: str, path: str, stated: Mapping[str, Any], shared: Sequence[dict[str, Any]]
    ) -> Operation:
        body = self.resolve(stated.get("requestBody", {}))
        return Operation(
            id=id,
            method=method,
            path=path,
            bodies={_media_type(name): entry["schema"] for name, entry in body.get("content", {}).items()},
            parameters=tuple(self.resolve(p) for p in [*shared, *stated.get("parameters", [])]),
            statuses=frozenset(str(status) for status in stated.get("responses", {})),
            deprecation=deprecation_of(self.document, stated),
        )

    def _resources(self) -> dict[str, ResourceType]:
        """The resources by their nouns. Every schema with x-events is a resource."""
        schemas = self.document["components"]["schemas"]
        names, faults = [name for name, schema in schemas.items() if "x-events" in schema], list[Fault]()
        for name in names:
            object_type = self.object_types.named(name)
            if self._collection_path(name) is None:
                ids = ", ".join(verb.operation_id(name) for verb in RESOURCE_VERBS)
                faults.append(Fault(("components", "schemas", name), f"needs an operation; expected one of {ids}"))
            faults += faults_of_events(name, schemas[name]["x-events"], object_type)
            faults += faults_of_resource(name, schemas[name], schemas, object_type)
        self._found += faults
        resources = [self._resource(name) for name in names]
        return {resource.noun: resource for resource in resources}

    def _resource(self, name: str) -> ResourceType:
        schema, path = self.document["components"]["schemas"][name], self._collection_path(name) or ""
        patch = self.operations.get(operation_ids(name)["patch"])
        update, full, object_type = (
            schema.get("x-update", name),
            schema.get("x-full", name),
            self.object_types.named(name),
        )
        return ResourceType(
            kind=f"{self.name}{path}",
            name=name,
            api=self.name,
            base_path=self.base_path,
            path=path,
            object_type=object_type,
            attributes=AttributeTypes(object_type, self.object_types.required(full)),
            after_patch=self.schemas.check(merged := {"$ref": f"#/components/schemas/{update}"}),
            relaxed_after_patch=partial(self.schemas.check, merged, relaxed=True),
            members_after_patch=self.schemas.check_of_members(update),
            fixed_members=self.object_types.read_only(update) | SET_BY_SERVER,
            version_member=schema.get("x-versioned"),
            events=schema["x-events"],
            indexes=tuple(parse_index(entry) for entry in schema.get("x-index", [])),
            leniencies=self.leniencies,
            patch_types=tuple(patch.bodies) if patch else (),
        )

    def _collection_path(self, name: str) -> str | None:
        """The path of a resource's collection, taken from the first of its operations; None without operations."""
        for verb in RESOURCE_VERBS:
            if operation := self.operations.get(verb.operation_id(name)):
                return operation.path if verb.on_collection else operation.path.rpartition("/")[0]
        return None

    def resolve(self, node: dict[str, Any]) -> dict[str, Any]:
        """The node itself, or the target of its local $ref."""
        while "$ref" in node:
            target: Any = self.document
            for step in node["$ref"].removeprefix("#/").split("/"):
                target = target[step.replace("~1", "/").replace("~0", "~")]
            node = target
        return node


def _media_type(name: str) -> str:
    """The media type in lower case and without parameters such as charset, as requests are compared with it."""
    return name.partition(";")[0].strip().lower()


def _bodies_without_schema(body: Mapping[str, Any], place: tuple[str, ...]) -> Iterator[Fault]:
    for name, entry in body.get("content", {}).items():
        if "schema" not in entry:
            yield Fault((*place, "requestBody", "content", name), "has no schema")


def load_contracts(shipped: Path, folders: Sequence[Path] = (), apis: Sequence[str] = ()) -> tuple[Contract, ...]:
    """Load the contracts of the shipped and of further folders; `apis` selects some by name.

    Raises BrokenContracts with the faults of all contracts, and UnknownApi.
    """
    found = find_contracts(shipped, folders, apis)
    read: Files = {file.path: file.document for file in found}
    loaded, faults = list[Contract](), list[BrokenContract]()
    for file in found:
        try:
            loaded.append(_loaded(file, read))
        except BrokenContract as fault:
            faults.append(fault)
    if faults:
        raise BrokenContracts(faults)
    return tuple(loaded)


def _loaded(file: ContractFile, read: Files) -> Contract:
    try:
        return Contract(file.path, read, file.name, file.replaces)
    except CannotStart:
        raise
    except UNREADABLE as error:
        said = " ".join(str(error).split())[:200]
        rule = f"has not the form of a contract: {type(error).__name__}: {said}"
        raise BrokenContract(file.path.name, "", rule) from error
