"""Builds the documents to store: from the body of a creation, or from a stored document and a patch.

Pure: a rejected request leaves nothing behind, and the stored document is never changed. `DocumentBuilder.new` and
`DocumentBuilder.patched` list all steps in order; `DocumentBuilder.patched_in_part` leaves out those that a patch of
verified members does not need.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import orjson

from tmf_sales.access import FULL_ACCESS, Access, restored
from tmf_sales.contract.leniency import Mode, count_leniencies
from tmf_sales.contract.operations import JSON_PATCHES
from tmf_sales.contract.resource_type import ResourceType
from tmf_sales.engine.defaults import apply_defaults, apply_defaults_to_new_elements
from tmf_sales.engine.hooks import Rules, members_that_matter
from tmf_sales.engine.leniency import LenientCheck, after_patch_check
from tmf_sales.engine.normalize import normalize
from tmf_sales.engine.representation import with_href
from tmf_sales.engine.states import follow_lifecycles
from tmf_sales.engine.verified import NOTHING_VERIFIED, Known, MemberTexts, joined, member_text
from tmf_sales.errors import FinalState, InvalidBody, NotPatchable, PatchResultRefused
from tmf_sales.patch.json_patch import Survey, apply_json_patch, members_given, survey
from tmf_sales.patch.merge_patch import MergeKeys, apply_merge_patch, merge_keys_of
from tmf_sales.patch.unknown_members import Arrivals
from tmf_sales.storage.records import Document
from tmf_sales.values.json_values import changed_among, changed_members, own_copy, text_to_keep
from tmf_sales.values.messages import Violation, json_pointer, list_places, list_violations


@dataclass(slots=True)
class Caller:
    """The permissions of a caller on one version of a resource: what it may see and change there."""

    access: Access = FULL_ACCESS
    is_current: bool = True

    def seen(self, document: Document) -> Document:
        return self.access.shown(document, is_current=self.is_current)

    def hidden_in(self, document: Document) -> frozenset[str]:
        return self.access.hidden_in(document, is_current=self.is_current)

    def reject_changes(self, before: Document, after: Document, members: frozenset[str]) -> None:
        self.access.reject_changes(before, after, members, is_current=self.is_current)

    def reject_transition(self, before: Document, after: Document, member: str) -> None:
        self.access.reject_transition(before, member, after.get(member), is_current=self.is_current)


OF_MERGE_PATCH = Survey()


class Patch:
    """A patch as received (never modified), the resource's href, and the time and caller of the change.

    `is_json_patch` is true also for a list sent as plain JSON, which can only be a JSON Patch. `reached`: the members
    in which the patch may change something; None when that is not known.
    """

    __slots__ = ("body", "caller", "href", "is_json_patch", "media_type", "now", "reached", "survey")

    def __init__(self, body: Any, media_type: str, href: str, now: str, caller: Caller | None = None) -> None:
        self.body = body
        self.media_type = media_type
        self.href = href
        self.now = now
        self.caller = caller or Caller()
        self.is_json_patch = media_type in JSON_PATCHES or isinstance(body, list)
        self.survey = survey(body) if self.is_json_patch else OF_MERGE_PATCH
        self.reached = frozenset(body) if isinstance(body, dict) and not self.is_json_patch else self.survey.reached

    @property
    def members(self) -> frozenset[str]:
        """The members to which the patch gives a value, whether that changes them or not."""
        return frozenset(members_given(self.body) if self.is_json_patch else self.body)


UNTOUCHED = orjson.Fragment(b"null")
"""Stands for the value of each member that a part of a document leaves out."""


@dataclass(slots=True)
class BuiltDocument:
    """A document to store, and its members that differ from the stored document `before`.

    `server_set`: the changed members that the server set and the request did not. `text`: the document as JSON; None
    when it is to stay as it is stored. `known`: what a further patch need not look at (see engine/verified.py).
    `is_part`: `before` and `document` have UNTOUCHED in place of members that are the same in both.
    """

    before: Document
    document: Document
    changed: frozenset[str] = frozenset()
    server_set: frozenset[str] = frozenset()
    text: bytes | None = None
    known: Known | None = None
    is_part: bool = False


@dataclass(frozen=True, slots=True)
class DocumentBuilder:
    """Builds documents of one resource type, by its contract and its rules."""

    type: ResourceType
    rules: Rules
    mode: Mode = Mode.STANDARD
    merge_keys: MergeKeys = field(init=False)
    after_patch: LenientCheck = field(init=False)
    whole_for: frozenset[str] | None = field(init=False)
    always_read: frozenset[str] = field(init=False)
    walked: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "merge_keys", merge_keys_of(self.type.object_type))
        object.__setattr__(self, "after_patch", after_patch_check(self.type, self.mode))
        object.__setattr__(self, "whole_for", self._members_that_need_the_whole())
        of, version = self.type.object_type, self.type.version_member
        state = of.lifecycle_member.name if of.lifecycle_member else None
        object.__setattr__(self, "always_read", frozenset({"id", state, version} - {None}))
        object.__setattr__(self, "walked", frozenset(of.normalized.keys() | of.filled.keys()))

    def _members_that_need_the_whole(self) -> frozenset[str] | None:
        """The members that take a patch of the whole document if it reaches them; None when it may be any of them.

        These are the ones that the rules depend on, that have lifecycles, that are fixed, and two dates in order.
        """
        of, matter = self.type.object_type, members_that_matter(self.rules)
        if matter is None or self.type.members_after_patch is None:
            return None
        return matter | of.stateful.keys() | self.type.fixed_members | frozenset(of.ordered or ())

    # create ----------------------------------------------------------------------------------------------------------

    def normalize_body(self, body: Document, now: Callable[[], str]) -> None:
        """Normalize a body in place; raises InvalidBody with all its violations beyond the schema.

        `now` is only asked for them: most bodies have none.
        """
        found = [Violation(json_pointer([name]), "may not be sent") for name in self._set_by_server() if name in body]
        if found := found + normalize(body, self.type.object_type):
            raise InvalidBody([*found, *self.broken_rules(body, now())])

    def _set_by_server(self) -> tuple[str, ...]:
        """Members that no creation may send, whatever its contract says; an id asks for a further version."""
        return ("href",) if self.type.version_member else ("id", "href")

    def new(self, body: Document, id: str, now: str, version: str | None = None) -> Document:
        """Build a new document from a normalized body. `version`: the number, for a further version of a resource."""
        document = {"id": id, **body}
        if version is not None and self.type.version_member:
            document[self.type.version_member] = version
        apply_defaults(document, self.type.object_type, now)
        if violations := self.rules.check_body(document):
            raise InvalidBody(violations)
        self.rules.on_create(document, now)
        return document

    def broken_rules(self, body: Document, now: str) -> list[Violation]:
        """The domain rules that an invalid body breaks too. Changes the body; skips a rule that fails on it."""
        document = {"id": "", **body}
        apply_defaults(document, self.type.object_type, now)
        with suppress(ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            return self.rules.check_body(document)
        return []

    # patch -----------------------------------------------------------------------------------------------------------

    def patched(
        self,
        before: Document,
        patch: Patch,
        verified: frozenset[str] = NOTHING_VERIFIED,
        text_before: bytes | None = None,
    ) -> BuiltDocument:
        """Build the patched document: first the changes that the request asks for, then those that follow from them.

        `verified`: the members of `before` that need no work unless the patch reaches them. `text_before`: `before` as
        JSON, if it is known.
        """
        hidden = patch.caller.hidden_in(before)
        reached = None if hidden or self.type.members_after_patch is None else patch.reached
        untouched = NOTHING_VERIFIED if reached is None else verified - reached
        copied = None if hidden else self._copy(before, text_before, untouched)
        after = self._apply(before, patch, copied, hidden)
        names = tuple([name for name in after if name not in untouched]) if untouched else None
        # A merge patch was mended as a body.
        mended = self._mend(after, names) if patch.is_json_patch else set()
        not_normal = self._normalize(after, patch, names)
        self._reject_changed_read_only_members(before, after, patch.href)
        apply_defaults_to_new_elements(before, after, self.type.object_type, patch.now, names)
        forgiven = self._reject_contract_violations(after, not_normal, patch, mended, names)
        after.pop("href", None)
        self._reject_broken_rules(after)
        requested = changed_members(before, after) if names is None else changed_among(names, before, after)
        if not requested:
            return BuiltDocument(before, before)
        sound: Set[str] = NOTHING_VERIFIED
        if reached is not None and not mended and not forgiven:
            # All steps before the rules have looked at these members and left them exactly as they are stored.
            sound = before.keys() - reached - requested
        concerns_rules = self.whole_for is None or not requested.isdisjoint(self.whole_for)
        asked = orjson.dumps(after) if concerns_rules else None
        patch.caller.reject_changes(before, after, requested)
        self._reject_uneditable_members(before, requested)
        if concerns_rules:
            self.rules.on_patch(before, after, patch.now)
        sent = requested | patch.members
        has_transitions = follow_lifecycles(before, after, self.type.object_type, sent, patch.now, names)
        self._reject_transition_of_other_callers(before, after, patch.caller)
        if concerns_rules or has_transitions:
            self.rules.after_transition(before, after, patch.now)
        text = text_to_keep(after)
        if text == asked or not (concerns_rules or has_transitions):
            known = Known(frozenset(after.keys() - sound), text) if sound else None
            return BuiltDocument(before, after, requested, text=text, known=known)
        changed = changed_members(before, after)
        return BuiltDocument(before, after, changed, changed - requested, text)

    def patched_in_part(self, known: Known, patch: Patch) -> BuiltDocument | None:
        """Build what `patched` builds, from the members that the patch reaches and those that are not verified.

        Returns None when that takes the whole document: when other members may matter, when the caller may not change
        everything, or when the contract may reject the result. Without changes by rules and lifecycles, the members
        that the request changes are all that change.
        """
        reached = patch.reached
        if reached is None or self.whole_for is None or not patch.caller.access.changes_all:
            return None
        looked_at = known.doubtful | reached
        if not looked_at.isdisjoint(self.whole_for) or patch.survey.moves:
            return None
        members = known.members
        before, after = _parts(members, looked_at | self.always_read)
        after = self._applied(before, with_href(after, patch.href), patch)
        names = ["href", *[name for name in looked_at if name in after]]
        if not self._completes(before, after, patch, names):
            return None
        after.pop("href", None)
        requested = changed_among(names, before, after)
        if not requested:
            return BuiltDocument(before, before)
        self._reject_uneditable_members(before, requested)
        texts = {
            name: members[name] if value is UNTOUCHED else member_text(name, value) for name, value in after.items()
        }
        text = joined(texts)
        still_known = Known(reached | requested, text, texts)
        return BuiltDocument(before, after, requested, text=text, known=still_known, is_part=True)

    def _completes(self, before: Document, after: Document, patch: Patch, names: Collection[str]) -> bool:
        """Normalize a patched part and apply the defaults; returns False when the contract may reject the result."""
        if patch.is_json_patch and not self._is_known_to_be_valid(after, names):
            return False
        is_walked = not self.walked.isdisjoint(names)
        if is_walked and normalize(after, self.type.object_type, names):
            return False
        if is_walked:
            apply_defaults_to_new_elements(before, after, self.type.object_type, patch.now, names)
        return (patch.is_json_patch and not is_walked) or self._is_known_to_be_valid(after, names)

    def _copy(self, before: Document, text: bytes | None, untouched: frozenset[str]) -> Document:
        """A copy to apply a patch to. It shares the values that nothing changes in place with the stored document."""
        if untouched and not self.rules.changes_in_place:
            return {name: value if name in untouched else own_copy(value) for name, value in before.items()}
        copied: Document = own_copy(before) if text is None else orjson.loads(text)
        return copied

    def _apply(self, before: Document, patch: Patch, copied: Document | None, hidden: frozenset[str]) -> Document:
        """Apply the patch to the document as GET shows it, with href and without hidden members; then restore those."""
        seen = with_href(patch.caller.seen(before) if hidden else before, patch.href)
        after = self._applied(seen, None if copied is None else with_href(copied, patch.href), patch)
        return restored(before, after, hidden) if hidden else after

    def _applied(self, document: Document, copied: Document | None, patch: Patch) -> Document:
        if patch.is_json_patch:
            return self._apply_operations(document, patch.body, copied)
        return apply_merge_patch(document, patch.body, self.merge_keys, copied)

    def _apply_operations(self, document: Document, operations: Any, copied: Document | None) -> Document:
        if self.mode != Mode.STRICT:
            return apply_json_patch(document, operations, copied=copied)
        arrivals = Arrivals(self.type.object_type)
        after = apply_json_patch(document, operations, arrivals, copied)
        arrivals.reject_unknown()
        return after

    def _mend(self, after: Document, names: Collection[str] | None) -> set[str]:
        """Mend the result of a JSON Patch; returns the rules used."""
        if self._is_known_to_be_valid(after, names):
            return set()
        after.update(own_copy(after))  # mending changes values in place, and some are those of the stored document
        return self.after_patch.mend(after)

    def _is_known_to_be_valid(self, after: Document, names: Collection[str] | None) -> bool:
        """Whether the contract accepts the document, from a look at these members alone."""
        check = self.type.members_after_patch
        return names is not None and check is not None and check.accepts(after, names)

    def _normalize(self, after: Document, patch: Patch, names: Collection[str] | None) -> Sequence[Violation]:
        """Normalize the result. Its violations are a 409, unless the merge patch itself has some (400)."""
        found = normalize(after, self.type.object_type, names)
        if found and not patch.is_json_patch:
            own = normalize(own_copy(patch.body), self.type.object_type)
            if own:
                raise InvalidBody(own)
        return found

    def _reject_changed_read_only_members(self, before: Document, after: Document, href: str) -> None:
        shown = {"href": href}  # what GET shows and the store does not have
        fixed = self.type.fixed_members
        if changed := [name for name in fixed if after.get(name) != before.get(name, shown.get(name))]:
            violations = [Violation(json_pointer([name]), "cannot be changed") for name in sorted(changed)]
            raise NotPatchable(list_violations(violations))

    def _reject_contract_violations(
        self,
        after: Document,
        not_normal: Sequence[Violation],
        patch: Patch,
        mended: set[str],
        names: Collection[str] | None,
    ) -> set[str]:
        """Raise PatchResultRefused with the violations of the result; returns the rules that forgive some."""
        if not not_normal and not mended and self._is_known_to_be_valid(after, names):
            return set()
        violations, forgiven = self.after_patch.judge(after)
        if violations := violations or [*not_normal]:
            raise PatchResultRefused(violations)
        if patch.is_json_patch:
            count_leniencies(mended | forgiven)
        return forgiven

    def _reject_broken_rules(self, after: Document) -> None:
        if violations := self.rules.check_body(after):
            raise PatchResultRefused(violations)

    def _reject_uneditable_members(self, before: Document, requested: frozenset[str]) -> None:
        member = self.type.object_type.lifecycle_member
        if member is None or member.lifecycle is None:
            return
        state = before[member.name]
        editable = self.rules.editable_members(state, member.lifecycle.is_final(state))
        if editable is None:
            return
        if closed := sorted(requested - editable - {member.name}):
            places = list_places(json_pointer([name]) for name in closed)
            allowed = ", ".join(sorted(editable)) or "nothing"
            raise FinalState(f"{places}: cannot change while {member.name} is {state}; open in it: {allowed}")

    def _reject_transition_of_other_callers(self, before: Document, after: Document, caller: Caller) -> None:
        if (member := self.type.object_type.lifecycle_member) is not None:
            caller.reject_transition(before, after, member.name)


def _parts(members: MemberTexts, names: frozenset[str]) -> tuple[Document, Document]:
    """The document with these members, parsed, twice; the others have UNTOUCHED as their value."""
    text = b"{%b}" % b",".join([members[name] for name in names if name in members])
    untouched = dict.fromkeys(members, UNTOUCHED)
    return {**untouched, **orjson.loads(text)}, {**untouched, **orjson.loads(text)}
