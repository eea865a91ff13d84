"""Reads the table of the policy: its rows by role, and what each row grants a caller (see policy.yaml)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tmf_sales.access import Grant, Principal
from tmf_sales.errors import CannotStart
from tmf_sales.storage.conditions import EVERYTHING, Compare, Condition, Operator, Or, is_plain
from tmf_sales.storage.conditions import Path as MemberPath
from tmf_sales.values.messages import shown

SHIPPED = Path(__file__).with_name("policy.yaml")
COLUMNS = ("may", "whose", "versions", "states", "hides", "changes", "transitions", "starts_in")
PARTY, SUBJECT = "party", "subject"


class BadPolicy(CannotStart):
    """Raised when a policy table cannot be used: a line for each fault, which names the role and the row."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table; None means that the row lacks the column."""

    may: frozenset[str]
    whose: tuple[MemberPath, str] | None
    all_versions: bool
    states: tuple[str, ...] | None
    hides: frozenset[str]
    changes: frozenset[str] | None
    transitions: frozenset[tuple[str, str]] | None
    starts_in: frozenset[str] | None

    def grant(self, principal: Principal, state_member: str) -> Grant:
        """The permissions that the row grants this caller; `state_member` is the member that holds the state."""
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


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a file, by role. `api`: the base path of the API that they apply to; None: every API."""

    source: str
    rows: Mapping[str, Sequence[Row]]
    api: str | None = None
    is_shipped: bool = False

    @classmethod
    def load(cls, path: Path, api: str | None = None) -> Table:
        """Read the table; raise BadPolicy when it is invalid."""
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
        return cls(path.name, rows, api, is_shipped=path == SHIPPED)


_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_row(line: Any) -> Row:
    """Parse a row of the table; raise ValueError when it is invalid."""
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
    if not isinstance(member, str) or who not in (PARTY, SUBJECT) or not is_plain(path := tuple(member.split("."))):
        raise ValueError(f"whose: expected a member and {PARTY} or {SUBJECT}, as {{relatedParty.id: party}}")
    return path, who


def _transition(text: str) -> tuple[str, str]:
    parts = [part.strip() for part in text.split(">")]
    if len(parts) != 2 or not all(parts):
        raise ValueError(f"transitions: {shown(text)} is not a transition; expected STATE > STATE")
    return parts[0], parts[1]


def _one_of(path: MemberPath, values: Iterable[str]) -> Condition:
    return Or(tuple(Compare(path, Operator.EQ, value) for value in values))
