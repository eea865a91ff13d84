"""Applies the policy to callers: which resources and members a caller may see, and what it may change.

Anything no row grants is invisible to the caller: it is not found, counted, sorted by, or shown in responses, events or
errors. A hidden member is hidden at every depth. Independent of any particular resource.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tmf_sales.errors import Conflict, Forbidden
from tmf_sales.storage.conditions import (
    EVERYTHING,
    And,
    Between,
    Compare,
    Condition,
    Element,
    Exists,
    HasValue,
    Not,
    Or,
    Query,
    Regex,
    Text,
)
from tmf_sales.storage.evaluate import matches
from tmf_sales.storage.records import Document
from tmf_sales.values.messages import json_pointer, list_places

NOTHING = Or(())
NONE: frozenset[str] = frozenset()


def always() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller. `parties`: the ids of the parties that it acts for.

    `scopes`: those of its token; None when it is not limited to scopes. Two tokens of a caller are the same caller.
    `is_valid` tells whether its credential is still accepted; what outlives a request asks it again.
    """

    subject: str
    roles: frozenset[str]
    parties: frozenset[str] = NONE
    scopes: frozenset[str] | None = field(default=None, compare=False)
    is_valid: Callable[[], bool] = field(default=always, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Grant:
    """One row of the policy, for one caller. None means everything that the contract allows.

    `own`: the resources that it may see and create; `states`: the states in which it may see them; `all_versions`:
    whether it may see versions other than the current one. `hidden`: the members that it may not see. `changes`: the
    top-level members that a patch may change; `transitions`: the allowed pairs of states, from and to; `starts_in`: the
    states in which it may create a resource.
    """

    own: Condition = EVERYTHING
    states: Condition = EVERYTHING
    all_versions: bool = True
    hidden: frozenset[str] = NONE
    changes: frozenset[str] | None = None
    transitions: frozenset[tuple[str, str]] | None = None
    starts_in: frozenset[str] | None = None

    @property
    def where(self) -> Condition:
        kept = tuple(each for each in (self.own, self.states) if each != EVERYTHING)
        return kept[0] if len(kept) == 1 else And(kept)

    @property
    def changes_all(self) -> bool:
        return self.changes is None and self.transitions is None and self.starts_in is None

    def covers(self, document: Document, *, is_current: bool = True) -> bool:
        return (is_current or self.all_versions) and matches(self.own, document) and matches(self.states, document)


@dataclass(frozen=True, slots=True)
class Access:
    """The combined grants of a caller in one operation; without a grant there is no access.

    `sees_all`: a grant shows everything, so that documents need no check; `sees_all_current`: a grant fully shows all
    current versions. `changes_all`: a grant allows every change.
    """

    grants: tuple[Grant, ...]
    sees_all: bool = field(init=False)
    sees_all_current: bool = field(init=False)
    changes_all: bool = field(init=False)

    def __post_init__(self) -> None:
        current = [each for each in self.grants if each.where == EVERYTHING and not each.hidden]
        full = [each for each in current if each.all_versions]
        object.__setattr__(self, "sees_all_current", bool(current))
        object.__setattr__(self, "sees_all", bool(full))
        object.__setattr__(self, "changes_all", any(each.changes_all for each in full))

    # what the caller may see -----------------------------------------------------------------------------------------

    def restricted(self, query: Query) -> Query:
        """Restrict a query to resources that the caller may see; treats hidden members as missing."""
        if self.sees_all:
            return query
        where = Or(tuple(And((each.where, blind(query.where, each.hidden))) for each in self.grants))
        hidden = NONE.union(*(each.hidden for each in self.grants))
        return Query(
            where=where.conditions[0] if len(where.conditions) == 1 else where,
            sort=tuple(each for each in query.sort if hidden.isdisjoint(each.path)),
            offset=query.offset,
            limit=query.limit,
            count_limit=query.count_limit,
            size_limit=query.size_limit,
            fields=query.fields if len(self.grants) == 1 else None,
        )

    def sees(self, document: Document, *, is_current: bool = True) -> bool:
        return self.sees_all or any(each.covers(document, is_current=is_current) for each in self.grants)

    def finds(self, wanted: Condition, document: Document, *, is_current: bool = True) -> bool:
        """Whether the caller may see a document and it matches the condition."""
        if self.sees_all:
            return matches(wanted, document)
        covering = (each for each in self.grants if each.covers(document, is_current=is_current))
        return any(matches(blind(wanted, each.hidden), document) for each in covering)

    def hidden_in(self, document: Document, *, is_current: bool = True) -> frozenset[str]:
        """The members of a visible document that no grant shows."""
        if self.sees_all:
            return NONE
        if len(self.grants) == 1:
            return self.grants[0].hidden
        covering = [each.hidden for each in self.grants if each.covers(document, is_current=is_current)]
        return frozenset.intersection(*covering) if covering else NONE.union(*(each.hidden for each in self.grants))

    def shown(self, document: Document, *, is_current: bool = True) -> Document:
        """A document without its hidden members; the document itself when nothing is hidden."""
        shown: Document = without(document, self.hidden_in(document, is_current=is_current))
        return shown

    @property
    def hides(self) -> bool:
        """Whether any member may be hidden from the caller, in some document."""
        return not self.sees_all and any(each.hidden for each in self.grants)

    @property
    def sees_all_versions(self) -> bool:
        return any(each.all_versions for each in self.grants)

    # what the caller may do ------------------------------------------------------------------------------------------

    def reject_creation(self, body: Document, document: Document, state_member: str) -> None:
        """Raises Forbidden when the body has a hidden member, when the document would not be one of the caller's own,
        or when the caller may not create it in this state.
        """
        if self.changes_all:
            return
        if self.hides:
            restored({}, body, frozenset.intersection(*(each.hidden for each in self.grants)))
        own = [each for each in self.grants if matches(each.own, document)]
        if not own:
            raise Forbidden("a resource is created only for a party of the caller")
        if state_member and not any(each.starts_in is None or document[state_member] in each.starts_in for each in own):
            raise Forbidden(f"/{state_member}: the caller may not create a resource in this state")

    def reject_changes(
        self, before: Document, after: Document, members: Iterable[str], *, is_current: bool = True
    ) -> None:
        """Raises Forbidden for top-level members that the caller may not change, or if it would lose the resource."""
        if self.changes_all:
            return
        covering = [each for each in self.grants if each.covers(before, is_current=is_current)]
        if not any(each.changes is None for each in covering):
            allowed = NONE.union(*(each.changes or NONE for each in covering))
            if refused := sorted(set(members) - allowed):
                raise Forbidden(
                    f"{list_places(json_pointer([name]) for name in refused)}: the caller may not change this"
                )
        if not any(matches(each.own, after) for each in covering):
            raise Forbidden("the resource would no longer be one of the caller's")

    def reject_transition(
        self, before: Document, state_member: str, wanted: str | None, *, is_current: bool = True
    ) -> None:
        if self.changes_all or not state_member or (current := before.get(state_member)) == wanted:
            return
        covering = [each for each in self.grants if each.covers(before, is_current=is_current)]
        if not any(each.transitions is None or (current, wanted) in each.transitions for each in covering):
            raise Forbidden(f"/{state_member}: the caller may not change it from {current} to {wanted}")

    def reject_number_among_hidden(self, member: str, *, is_higher: bool) -> None:
        """Require a higher number from callers that see only the current version, so that taken numbers stay hidden."""
        if not self.sees_all_versions and not is_higher:
            raise Conflict(f"/{member}: expected a version above the current one")


FULL_ACCESS = Access((Grant(),))
NO_ACCESS = Access(())
ANONYMOUS_ADMIN = Principal("anonymous", frozenset({"admin"}))


def blind(condition: Condition, hidden: frozenset[str]) -> Condition:
    """Rewrite a condition to treat the hidden members as missing."""
    if not hidden:
        return condition
    match condition:
        case Compare(path) | Between(path) | Text(path) | Regex(path) | Exists(path) | HasValue(path):
            return condition if hidden.isdisjoint(path) else NOTHING
        case Element(path, inner):
            return Element(path, blind(inner, hidden)) if hidden.isdisjoint(path) else NOTHING
        case And(conditions):
            return And(tuple(blind(each, hidden) for each in conditions))
        case Or(conditions):
            return Or(tuple(blind(each, hidden) for each in conditions))
        case Not(inner):
            return Not(blind(inner, hidden))


def without(value: Any, hidden: frozenset[str]) -> Any:
    """A copy without the hidden members, at any depth; the value itself when there are none."""
    if not hidden:
        return value
    if isinstance(value, dict):
        return {name: without(inner, hidden) for name, inner in value.items() if name not in hidden}
    return [without(element, hidden) for element in value] if isinstance(value, list) else value


def restored(stored: Any, seen: Any, hidden: frozenset[str]) -> Any:
    """Put the hidden members of `stored` back into `seen`, which was derived from it without them.

    List elements correspond when they have the same `id`; without ids, when they are at the same position of lists of
    equal length. Raises Forbidden when `seen` itself has a hidden member.
    """
    if isinstance(seen, dict):
        if sent := sorted(hidden & seen.keys()):
            raise Forbidden(f"{', '.join(sent)}: the caller may not send this")
        old = stored if isinstance(stored, dict) else {}
        kept = {name: old[name] for name in old if name in hidden}
        return {**{name: restored(old.get(name), inner, hidden) for name, inner in seen.items()}, **kept}
    if isinstance(seen, list):
        partners = _partners(stored if isinstance(stored, list) else [], seen)
        return [restored(partner, element, hidden) for partner, element in zip(partners, seen, strict=True)]
    return seen


def _partners(stored: Sequence[Any], seen: Sequence[Any]) -> list[Any]:
    known, wanted = _by_id(stored), _by_id(seen)
    if known is not None and wanted is not None:
        return [known.get(id) for id in wanted]
    return list(stored) if len(stored) == len(seen) else [None] * len(seen)


def _by_id(elements: Sequence[Any]) -> Mapping[str, Any] | None:
    """The elements by id; None when an element has no id, or two have the same."""
    found = {each["id"]: each for each in elements if isinstance(each, dict) and isinstance(each.get("id"), str)}
    return found if len(found) == len(elements) else None
