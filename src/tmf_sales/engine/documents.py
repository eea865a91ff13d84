"""What a resource becomes: a body that creates one, or a patch of one, turned into the document to store. Pure.

Promise: the steps stand here in their order, each once; a refused request leaves nothing behind. The document that was
stored is never changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from tmf_sales.access import FULL_ACCESS, Access, restored
from tmf_sales.contract.loader import ResourceType
from tmf_sales.contract.operations import JSON_PATCHES
from tmf_sales.contract.types import ObjectType
from tmf_sales.engine.defaults import apply_defaults, apply_defaults_to_new_elements
from tmf_sales.engine.hooks import Rules
from tmf_sales.engine.normalize import apply_leniencies, normalize
from tmf_sales.engine.representation import with_href
from tmf_sales.engine.states import StateAt, states
from tmf_sales.errors import FinalState, InvalidBody, NotPatchable, PatchResultRefused
from tmf_sales.json_values import changed_members, own_copy
from tmf_sales.messages import Violation, json_pointer, list_places, list_violations
from tmf_sales.patch.json_patch import apply_json_patch
from tmf_sales.patch.merge_patch import Keyed, MergeKeys, apply_merge_patch
from tmf_sales.patch.unknown_members import Arrivals
from tmf_sales.storage.protocol import Document

Accepts = Callable[[Any], bool]
FurtherCheck = Callable[[Document, Sequence[Violation], Accepts], list[Violation]]
"""(body, what the contract refuses of it, what the contract accepts) -> what else is wrong with it"""


@dataclass(frozen=True, slots=True)
class BuiltDocument:
    """A document ready to be stored, and which of its members differ from what is stored.

    `server_set`: those of them that the server changed and the request did not.
    """

    document: Document
    changed: frozenset[str] = frozenset()
    server_set: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Caller:
    """Who patches a version, current or not, and what it may do with it."""

    access: Access = FULL_ACCESS
    is_current: bool = True

    def seen(self, document: Document) -> Document:
        return self.access.shown(document, is_current=self.is_current)

    def hidden_in(self, document: Document) -> frozenset[str]:
        return self.access.hidden_in(document, is_current=self.is_current)


ADMIN = Caller()


@dataclass(frozen=True, slots=True)
class DocumentBuilder:
    """Makes documents of one resource type, by its contract and its domain's rules."""

    type: ResourceType
    rules: Rules
    strict: bool = False
    merge_keys: MergeKeys = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "merge_keys", _merge_keys(self.type.object_type, {}))

    def normalize_body(self, body: Document) -> None:
        """Bring a body's date-times into their one form, in place; raises InvalidBody with all that is wrong."""
        found: list[Violation] = []
        normalize(body, self.type.object_type, (), found)
        if found:
            raise InvalidBody(found)

    def further_in_new(self, body: Document, told: Sequence[Violation], now: str, accepts: Accepts) -> list[Violation]:
        """What a body breaks besides what was `told` of it, so that a client reads it all at once.

        The domain's rules get what `accepts` holds to be a body: the settled members of which nothing was told.
        """
        normalized = own_copy(body)
        found: list[Violation] = []
        normalize(normalized, self.type.object_type, (), found)
        sound = {name: value for name, value in normalized.items() if not _is_about(name, told)}
        if accepts(sound):
            found += self.broken_rules(sound, now)
        return _not_at(told, found)

    def broken_rules(self, body: Document, now: str) -> list[Violation]:
        """Of a body, which is changed, that is refused anyway; a rule that cannot cope with that is silent."""
        document = {"id": "", **body}
        apply_defaults(document, self.type.object_type, now)
        with suppress(ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            return self.rules.check_body(document)
        return []

    def further_in_patch(self, patch: Document, told: Sequence[Violation]) -> list[Violation]:
        """The same for a merge patch; the rules are about what it makes, which nobody knows yet."""
        found: list[Violation] = []
        normalize(own_copy(patch), self.type.object_type, (), found)
        return _not_at(told, found)

    def new(self, body: Document, id: str, now: str, version: str | None = None) -> Document:
        """The document that a settled body creates; `version` is the number of a further version."""
        document = {"id": id, **body}
        if version is not None and self.type.version_member:
            document[self.type.version_member] = version
        apply_defaults(document, self.type.object_type, now)
        if violations := self.rules.check_body(document):
            raise InvalidBody(violations)
        self.rules.on_create(document, now)
        return document

    def patched(
        self, before: Document, patch: Any, media_type: str, href: str, now: str, caller: Caller = ADMIN
    ) -> BuiltDocument:
        """The document after a patch; raises what refuses it, in the order of these steps."""
        after = self._apply_to_what_is_seen(before, patch, media_type, href, caller)
        self._reject_changed_members(before, after, href)
        apply_defaults_to_new_elements(before, after, self.type.object_type, now)
        self._reject_contract_violations(after)
        after.pop("href", None)
        self._reject_broken_rules(after)
        requested = changed_members(before, after)
        if not requested:
            return BuiltDocument(before)
        caller.access.reject_changes(before, after, requested, is_current=caller.is_current)
        self._reject_uneditable_members(before, requested)
        sent = requested | (frozenset(patch) if isinstance(patch, dict) else frozenset())
        self.rules.on_patch(before, after, now)
        self._follow_lifecycles(before, after, sent, now)
        self._reject_transition_of_others(before, after, caller)
        self.rules.after_transition(before, after, now)
        changed = changed_members(before, after)
        return BuiltDocument(after, changed, changed - requested)

    def _apply_to_what_is_seen(
        self, before: Document, patch: Any, media_type: str, href: str, caller: Caller
    ) -> Document:
        """Hidden members are not there for the patch, neither to be tested nor to be copied; then they are back."""
        if not (hidden := caller.hidden_in(before)):
            return self._apply(before, patch, media_type, href)
        after: Document = restored(before, self._apply(caller.seen(before), patch, media_type, href), hidden)
        return after

    def _reject_transition_of_others(self, before: Document, after: Document, caller: Caller) -> None:
        if (member := self.type.object_type.lifecycle_member) is not None:
            wanted = after.get(member.name)
            caller.access.reject_transition(before, member.name, wanted, is_current=caller.is_current)

    def _apply(self, before: Document, patch: Any, media_type: str, href: str) -> Document:
        """The patch works on the representation that GET shows, href included."""
        shown_document = with_href(before, href)
        if media_type in JSON_PATCHES:
            return self._apply_operations(shown_document, patch)
        self.normalize_body(patch := own_copy(patch))
        return apply_merge_patch(shown_document, patch, self.merge_keys)

    def _apply_operations(self, document: Document, operations: Any) -> Document:
        if not self.strict:
            return apply_json_patch(document, operations)
        arrivals = Arrivals(self.type.object_type)
        after = apply_json_patch(document, operations, arrivals)
        arrivals.reject_unknown()
        return after

    def _reject_changed_members(self, before: Document, after: Document, href: str) -> None:
        stored = with_href(before, href)
        changed = [name for name in self.type.fixed_members if after.get(name) != stored.get(name)]
        if changed:  # or written in another form
            normalized = own_copy({name: after[name] for name in changed if name in after})
            normalize(normalized, self.type.object_type, (), [])
            changed = sorted(name for name in changed if normalized.get(name) != stored.get(name))
        if changed:
            raise NotPatchable(
                list_violations([Violation(json_pointer([name]), "cannot be changed") for name in changed])
            )

    def _reject_contract_violations(self, after: Document) -> None:
        violations = self.type.after_patch.violations(after)
        if violations and not self.strict:  # the operations of a JSON Patch may bring misprints
            apply_leniencies(after, self.type.object_type)
            violations = self.type.after_patch.violations(after)
        if not violations:
            normalize(after, self.type.object_type, (), violations)
        if violations:
            raise PatchResultRefused(violations)

    def _reject_broken_rules(self, after: Document) -> None:
        if violations := self.rules.check_body(after):
            raise PatchResultRefused(violations)

    def _reject_uneditable_members(self, before: Document, requested: frozenset[str]) -> None:
        member = self.type.object_type.lifecycle_member
        if member is None or member.lifecycle is None:
            return
        state = before[member.name]
        still_open = self.rules.editable_members(state, member.lifecycle.is_final(state))
        if still_open is None:
            return
        closed = sorted(requested - still_open - {member.name})
        if closed:
            places = list_places(json_pointer([name]) for name in closed)
            allowed = ", ".join(sorted(still_open)) or "nothing"
            raise FinalState(f"{places}: cannot change while {member.name} is {state}; open in it: {allowed}")

    def _follow_lifecycles(self, before: Document, after: Document, sent: frozenset[str], now: str) -> None:
        for at in states(before, after, self.type.object_type):
            self._follow_lifecycle(at, sent if len(at.place) == 1 else frozenset(), now)

    def _follow_lifecycle(self, at: StateAt, sent: frozenset[str], now: str) -> None:
        was = (at.before or {}).get(at.member, at.lifecycle.initial)
        becomes: Any = at.after.get(at.member)  # never None behind the lifecycle
        if becomes == was:
            return
        at.lifecycle.reject_forbidden(json_pointer(at.place), was, becomes)
        for date in at.lifecycle.dates_set_on_entering(becomes):
            if date not in sent:
                at.after[date] = now


def _is_about(member: str, told: Sequence[Violation]) -> bool:
    """Whether anything was told of a member of the body, or of what is in it."""
    place = json_pointer([member])
    return any(each.pointer == place or each.pointer.startswith(f"{place}/") for each in told)


def _not_at(told: Sequence[Violation], found: list[Violation]) -> list[Violation]:
    places = {each.pointer for each in told}
    return [each for each in found if each.pointer not in places]


def _merge_keys(object_type: ObjectType, made: dict[str, dict[str, Keyed]]) -> dict[str, Keyed]:
    """The lists of a type whose elements a merge patch knows by a member, at any depth; types may hold themselves."""
    if object_type.name in made:
        return made[object_type.name]
    keys = made[object_type.name] = {}
    for name, member in object_type.members.items():
        inside = _merge_keys(member.object_type, made) if member.object_type else {}
        if member.merge_key or (inside and not member.is_list):
            keys[name] = Keyed(member.merge_key if member.is_list else None, inside)
    return keys
