"""The policy table: which role may do what, on which versions, in which states, with which fields (see policy.yaml).

Promise: what no row grants is refused. A table that does not fit the contracts, or leaves an operation of theirs
without a row, is refused at start with one line.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tmf_sales.access import NO_ACCESS, NONE, Access, Grant, Principal
from tmf_sales.contract.loader import Contract, ResourceType
from tmf_sales.contract.operations import operation_ids
from tmf_sales.errors import CannotStart, Forbidden
from tmf_sales.events.visibility import SeenBy
from tmf_sales.messages import shown
from tmf_sales.storage.conditions import EVERYTHING, Compare, Condition, Operator, Or, is_reachable
from tmf_sales.storage.conditions import Path as MemberPath

SHIPPED = Path(__file__).with_name("policy.yaml")
READ_AUDIT = "readAudit"
OWN_OPERATIONS = frozenset({READ_AUDIT})
COLUMNS = ("may", "whose", "versions", "states", "hides", "changes", "transitions", "starts_in")
PARTY, SUBJECT = "party", "subject"
KEPT = 4096


class BadPolicy(CannotStart):
    """Raised when the policy table cannot be used; one line that names the role and the row."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table; None stands for a column that the row does not have."""

    may: frozenset[str]
    whose: tuple[MemberPath, str] | None
    all_versions: bool
    states: tuple[str, ...] | None
    hides: frozenset[str]
    changes: frozenset[str] | None
    transitions: frozenset[tuple[str, str]] | None
    starts_in: frozenset[str] | None

    def grant(self, principal: Principal, state_member: str) -> Grant:
        """What the row grants this caller on resources whose state is in this member."""
        return Grant(
            own=self._own(principal),
            states=EVERYTHING if self.states is None else _one_of((state_member,), self.states),
            all_versions=self.all_versions,
            hidden=self.hides,
            changes=self.changes,
            transitions=self.transitions,
            starts_in=self.starts_in,
        )

    def _own(self, principal: Principal) -> Condition:
        if self.whose is None:
            return EVERYTHING
        path, who = self.whose
        return _one_of(path, [principal.subject] if who == SUBJECT else sorted(principal.parties))


class Subject(NamedTuple):
    """What an operation is about: the states and members that its resource has, and those that are always answered."""

    state_member: str = ""
    states: frozenset[str] = NONE
    members: frozenset[str] = NONE
    owed: frozenset[str] = NONE


def subjects_of(apis: Sequence[Contract]) -> dict[str, Subject]:
    """The subject of every operation of the contracts, by operationId."""
    found: dict[str, Subject] = dict.fromkeys((id for api in apis for id in api.operations), Subject())
    for api in apis:
        for resource in api.resources.values():
            subject = _subject(api, resource)
            found |= {id: subject for id in operation_ids(resource.name).values() if id in api.operations}
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
    """The operation whose grants say what a caller sees of a resource: retrieve, or list where there is no retrieve."""
    ids = operation_ids(resource.name)
    return ids["retrieve"] if ids["retrieve"] in api.operations else ids["list"]


_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Policy:
    """The table, and what it comes to for a caller. `source` is how a refusal names it."""

    def __init__(self, rows: Mapping[str, Sequence[Row]], apis: Sequence[Contract], source: str) -> None:
        self._rows = rows
        self._subjects = subjects_of(apis)
        self._retrieves = {
            resource.kind: _reading_operation(api, resource) for api in apis for resource in api.resources.values()
        }
        self._source = source
        self._access = functools.lru_cache(KEPT)(self._granted)

    @classmethod
    def load(cls, path: Path, apis: Sequence[Contract]) -> Policy:
        """Raises BadPolicy."""
        try:
            table = yaml.load(path.read_bytes(), _Loader)  # noqa: S506 - the safe loader, in C where there is one
        except (OSError, yaml.YAMLError) as error:
            raise BadPolicy(f"policy {path.name}: {' '.join(str(error).split())}") from None
        if not isinstance(table, dict) or not all(isinstance(rows, list) for rows in table.values()):
            raise BadPolicy(f"policy {path.name}: expected a list of rows for each role")
        rows: dict[str, list[Row]] = {str(role): [] for role in table}
        for role, lines in table.items():
            for number, line in enumerate(lines, 1):
                try:
                    rows[str(role)].append(read_row(line))
                except ValueError as error:
                    raise BadPolicy(f"policy {path.name}: role {role}, row {number}: {error}") from None
        return cls(rows, apis, path.name)

    def check(self) -> None:
        """Raises BadPolicy when the table and the contracts do not fit together."""
        for role, rows in self._rows.items():
            for number, row in enumerate(rows, 1):
                for problem in self._problems(row):
                    raise BadPolicy(f"policy {self._source}: role {role}, row {number}: {problem}")
        granted = {id for rows in self._rows.values() for row in rows for id in row.may}
        if missing := sorted((self._subjects.keys() | OWN_OPERATIONS) - granted):
            raise BadPolicy(f"policy {self._source}: no row says who may do {', '.join(missing)}")

    def roles(self) -> list[str]:
        return list(self._rows)

    def access(self, principal: Principal, operation_id: str) -> Access:
        """Raises Forbidden when none of the caller's roles may do this."""
        access = self._access(principal, operation_id)
        if not access.grants:
            raise Forbidden(f"no role of the caller may do {operation_id}")
        return access

    def seen_by(self, principal: Principal) -> SeenBy:
        """What the principal may see of resources of a kind: what retrieving them would show."""

        def seen(kind: str) -> Access:
            return self._access(principal, self._retrieves[kind]) if kind in self._retrieves else NO_ACCESS

        return seen

    def _granted(self, principal: Principal, operation_id: str) -> Access:
        member = self._subjects.get(operation_id, Subject()).state_member
        rows = (row for role in sorted(principal.roles) for row in self._rows.get(role, ()))
        return Access(tuple(row.grant(principal, member) for row in rows if operation_id in row.may))

    def _problems(self, row: Row) -> Iterator[str]:
        for id in sorted(row.may - OWN_OPERATIONS):
            if id not in self._subjects:
                yield f"no contract has the operation {shown(id)}"
                continue
            subject = self._subjects[id]
            named = {*(row.states or ()), *(row.starts_in or ()), *(s for pair in row.transitions or () for s in pair)}
            for state in sorted(named - subject.states):
                yield f"{id}: there is no state {shown(state)}"
            for member in sorted((row.changes or NONE) - subject.members):
                yield f"{id}: changes {shown(member)}, which the contract does not have"
            for member in sorted(row.hides & subject.owed):
                yield f"{id}: hides {member}, which every answer must have"


def read_row(line: Any) -> Row:
    """A row as the table has it; raises ValueError."""
    if not isinstance(line, dict) or not line.get("may"):
        raise ValueError("expected columns, `may` among them")
    for column in line:
        if column not in COLUMNS:
            raise ValueError(f"there is no column {shown(column)}; expected {', '.join(COLUMNS)}")
    if (versions := line.get("versions", "current")) not in ("current", "all"):
        raise ValueError(f"versions is {shown(versions)}; expected current or all")
    names = {column: _names(column, line[column]) for column in line if column not in ("whose", "versions")}
    return Row(
        may=frozenset(names["may"]),
        whose=_whose(line["whose"]) if "whose" in line else None,
        all_versions=versions == "all",
        states=names.get("states"),
        hides=frozenset(names.get("hides", ())),
        changes=frozenset(names["changes"]) if "changes" in names else None,
        transitions=frozenset(map(_transition, names["transitions"])) if "transitions" in names else None,
        starts_in=frozenset(names["starts_in"]) if "starts_in" in names else None,
    )


def _names(column: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise ValueError(f"{column}: expected a list of names")
    return tuple(value)


def _whose(value: Any) -> tuple[MemberPath, str]:
    if not isinstance(value, dict) or len(value) != 1:
        raise ValueError("whose: expected one member and whether it is a party or the subject")
    ((member, who),) = value.items()
    if not isinstance(member, str) or who not in (PARTY, SUBJECT) or not is_reachable(path := tuple(member.split("."))):
        raise ValueError(f"whose: expected a member and {PARTY} or {SUBJECT}, as {{relatedParty.id: party}}")
    return path, who


def _transition(text: str) -> tuple[str, str]:
    parts = [part.strip() for part in text.split(">")]
    if len(parts) != 2 or not all(parts):
        raise ValueError(f"transitions: {shown(text)} is none; expected STATE > STATE")
    return parts[0], parts[1]


def _one_of(path: MemberPath, values: Iterable[str]) -> Condition:
    return Or(tuple(Compare(path, Operator.EQ, value) for value in values))
