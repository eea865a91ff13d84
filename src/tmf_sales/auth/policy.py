"""The policy: which role may do what, on which versions, in which states, with which fields (see policy.yaml).

Guarantee: anything no row grants is rejected. An operation that no row mentions is open to the role admin only. A table
that does not match the contracts is rejected at start.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tmf_sales.access import FULL_ACCESS, NO_ACCESS, NONE, Access, Principal
from tmf_sales.auth.policy_table import SHIPPED, BadPolicy, Row, Table
from tmf_sales.contract.files import POLICY
from tmf_sales.contract.loader import Contract
from tmf_sales.contract.operations import operation_ids
from tmf_sales.contract.resource_type import ResourceType
from tmf_sales.errors import Forbidden
from tmf_sales.events.visibility import SeenBy
from tmf_sales.values.messages import shown

READ_AUDIT = "readAudit"
READ_HEALTH = "readHealth"
READ_METRICS = "readMetrics"
OWN_OPERATIONS = (READ_AUDIT, READ_HEALTH, READ_METRICS)
ADMIN = "admin"
KEPT = 4096


Operation = tuple[str, str]
"""The base path of an API and an operationId."""


class Subject(NamedTuple):
    """The resource of an operation: its states and members; `owed` are the members that every response must have."""

    state_member: str = ""
    states: frozenset[str] = NONE
    members: frozenset[str] = NONE
    owed: frozenset[str] = NONE


def subjects_of(apis: Sequence[Contract]) -> dict[Operation, Subject]:
    """The resource of every operation of the contracts, by base path and operationId."""
    found = dict.fromkeys(((api.base_path, id) for api in apis for id in api.operations), Subject())
    for api in apis:
        for resource in api.resources.values():
            subject = _subject(api, resource)
            ids = operation_ids(resource.name).values()
            found |= {(api.base_path, id): subject for id in ids if id in api.operations}
    return found


def _subject(api: Contract, resource: ResourceType) -> Subject:
    object_type, member = resource.object_type, resource.object_type.lifecycle_member
    schema = api.document["components"]["schemas"][resource.name]
    owed = api.object_types.required(schema.get("x-full", resource.name)) | {
        "id",
        "href",
        resource.version_member or "id",
    }
    if member is None or member.lifecycle is None:
        return Subject(members=frozenset(object_type.members), owed=owed)
    transitions = member.lifecycle.transitions
    states = frozenset(transitions).union({member.lifecycle.initial}, *transitions.values())
    return Subject(member.name, states, frozenset(object_type.members), owed)


def _reading_operation(api: Contract, resource: ResourceType) -> str:
    """The operation whose grants decide what a caller sees of a resource: retrieve, or list if there is no retrieve."""
    ids = operation_ids(resource.name)
    return ids["retrieve"] if ids["retrieve"] in api.operations else ids["list"]


class Policy:
    """The rows of all tables, and the permissions that they grant a caller.

    The rows of a table for one API only apply to its operations. Operations that no row mentions are open to the role
    admin; so are all operations of an API when no row mentions its resources.
    """

    def __init__(self, tables: Sequence[Table], apis: Sequence[Contract]) -> None:
        self._tables = tables
        self._subjects = subjects_of(apis)
        self._apis = apis
        self._reads = {
            resource.kind: (api.base_path, _reading_operation(api, resource))
            for api in apis
            for resource in api.resources.values()
        }
        self._scopes = {
            resource.kind: api.scopes_of(_reading_operation(api, resource))
            for api in apis
            for resource in api.resources.values()
        }
        self._rows = [(role, row, table.api) for table in tables for role, rows in table.rows.items() for row in rows]
        self._open_to_admin = frozenset(self._operations_without_rows())
        self._access = functools.lru_cache(KEPT)(self._granted)

    @classmethod
    def for_apis(cls, path: Path | None, apis: Sequence[Contract]) -> Policy:
        """Load the table in `path`, or the shipped one, and the table beside the contract of each API, if there is one.

        The table for `tmf622-order-v4.yaml` is `tmf622-order-v4.policy.yaml`. Raises BadPolicy.
        """
        own = [(api.path.with_suffix(f"{POLICY}.yaml"), api.base_path) for api in apis]
        beside = [Table.load(file, base_path) for file, base_path in own if file.is_file()]
        return cls([Table.load(path or SHIPPED), *beside], apis)

    def check(self, *, all_apis: bool = True) -> None:
        """Raise BadPolicy, with a line for each fault, when the tables do not match the contracts.

        `all_apis` False: rows may mention unknown operations, which may belong to an API that is not served.
        """
        faults = [
            f"policy {table.source}: role {role}, row {number}: {problem}"
            for table in self._tables
            for role, rows in table.rows.items()
            for number, row in enumerate(rows, 1)
            for problem in self._problems(row, table, all_apis)
        ]
        if faults:
            raise BadPolicy("\n".join(dict.fromkeys(faults)))

    def roles(self) -> list[str]:
        return list(dict.fromkeys([role for table in self._tables for role in table.rows] + [ADMIN]))

    def missing_rows(self) -> dict[str, list[str]]:
        """By the name of an API: the operations that no row mentions, so that only admin may call them."""
        missing = {
            api.name: sorted(id for path, id in self._open_to_admin if path == api.base_path) for api in self._apis
        }
        return {name: ids for name, ids in missing.items() if ids}

    def access(self, principal: Principal, operation_id: str, base_path: str | None = None) -> Access:
        """The caller's permissions for an operation; raises Forbidden when no role of the caller grants it.

        Without a base path, the first API that has the operation counts.
        """
        if base_path is None:
            base_path = next((path for path, id in self._subjects if id == operation_id), "")
        access = self._access(principal, base_path, operation_id)
        if not access.grants:
            raise Forbidden(f"no role of the caller may do {operation_id}")
        return access

    def seen_by(self, principal: Principal) -> SeenBy:
        """What the principal may see of resources of a kind: the same as when retrieving them, scopes included."""

        def seen(kind: str) -> Access:
            if kind not in self._reads:
                return NO_ACCESS
            has_scopes = principal.scopes is None or self._scopes[kind] <= principal.scopes
            return self._access(principal, *self._reads[kind]) if has_scopes else NO_ACCESS

        return seen

    def _granted(self, principal: Principal, base_path: str, operation_id: str) -> Access:
        if (base_path, operation_id) in self._open_to_admin:
            return FULL_ACCESS if ADMIN in principal.roles else NO_ACCESS
        member = self._subjects.get((base_path, operation_id), Subject()).state_member
        return Access(
            tuple(row.grant(principal, member) for _, row in self._rows_of(principal, base_path, operation_id))
        )

    def rows(self, principal: Principal, operation_id: str, base_path: str) -> list[tuple[str, Row | None]]:
        """The rows that let the caller do this, each with its role; None stands for what is open to admin."""
        if (base_path, operation_id) in self._open_to_admin:
            return [(ADMIN, None)] if ADMIN in principal.roles else []
        return [*self._rows_of(principal, base_path, operation_id)]

    def _rows_of(self, principal: Principal, base_path: str, operation_id: str) -> Iterator[tuple[str, Row]]:
        for role, row, api in sorted(self._rows, key=lambda each: each[0]):
            if role in principal.roles and operation_id in row.may and api in (None, base_path):
                yield role, row

    def _operations_without_rows(self) -> Iterator[Operation]:
        about = {
            (path, id)
            for path, id in self._subjects
            for _, row, api in self._rows
            if id in row.may and api in (None, path)
        }
        for right in OWN_OPERATIONS:
            if not any(right in row.may for _, row, _ in self._rows):
                yield "", right
        for api in self._apis:
            of_resources = {id for resource in api.resources.values() for id in operation_ids(resource.name).values()}
            has_rows = any((api.base_path, id) in about for id in of_resources) or not api.resources
            for id in api.operations:
                if (api.base_path, id) not in about or not has_rows:
                    yield api.base_path, id

    def _problems(self, row: Row, table: Table, all_apis: bool) -> Iterator[str]:
        for id in sorted(row.may.difference(OWN_OPERATIONS)):
            subjects = [
                subject
                for (path, known), subject in self._subjects.items()
                if known == id and table.api in (None, path)
            ]
            if not subjects:
                if all_apis and not table.is_shipped:
                    yield f"no contract has the operation {shown(id)}"
                continue
            named = {*(row.states or ()), *(row.starts_in or ()), *(s for pair in row.transitions or () for s in pair)}
            for state in sorted(named.difference(*(subject.states for subject in subjects))):
                yield f"{id}: there is no state {shown(state)}"
            for member in sorted((row.changes or NONE).difference(*(subject.members for subject in subjects))):
                yield f"{id}: changes {shown(member)}, which the contract does not have"
            for member in sorted(row.hides.intersection(frozenset().union(*(subject.owed for subject in subjects)))):
                yield f"{id}: hides {member}, which every answer must have"
