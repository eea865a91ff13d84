"""Applies the leniency rules of a contract (x-lenient) to invalid bodies, and counts the rules used.

A body that the schema accepts costs one check and is never changed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tmf_sales.contract.leniency import (
    BOOLEAN_TEXT,
    EMPTY_AS_MISSING,
    EMPTY_OBJECT_AS_MISSING,
    MISSING_ID,
    NULL_AS_MISSING,
    OPTIONAL_MEMBER,
    READ_ONLY_MEMBER,
    WHOLE_NUMBER,
    Mode,
    allowed_leniencies,
    count_leniencies,
)
from tmf_sales.contract.resource_type import ResourceType
from tmf_sales.contract.schemas import IS_REQUIRED, SchemaCheck
from tmf_sales.contract.types import Member, ObjectType
from tmf_sales.engine.defaults import number_missing
from tmf_sales.storage.records import Document
from tmf_sales.values.json_numbers import INTEGER_LIMIT
from tmf_sales.values.messages import Violation


def after_patch_check(resource: ResourceType, mode: Mode) -> LenientCheck:
    """The check of a patched document in this mode."""
    allowed = allowed_leniencies(mode, resource.leniencies) - {NULL_AS_MISSING}
    relaxed = resource.relaxed_after_patch() if mode == Mode.LENIENT else None
    return LenientCheck(resource.after_patch, resource.object_type, allowed, relaxed)


@dataclass(frozen=True, slots=True)
class LenientCheck:
    """A schema check with leniency rules. `allowed`: the names of the rules that may be applied.

    `relaxed`: the same schema without the checks that optionalMember and readOnlyMember skip; None when these rules are
    not allowed.
    """

    check: SchemaCheck
    object_type: ObjectType | None = None
    allowed: frozenset[str] = frozenset()
    relaxed: SchemaCheck | None = None

    def accepts(self, value: Any) -> bool:
        """Whether the schema or the relaxed schema accepts the value as it is."""
        return self.check.accepts(value) or (self.relaxed is not None and self.relaxed.accepts(value))

    def violations(self, value: Any) -> list[Violation]:
        """Mend a value in place and return its remaining violations; counts the rules used when there are none."""
        if self.check.accepts(value):
            return []
        mended = self.mend(value)
        violations, forgiven = self.judge(value)
        if not violations:
            count_leniencies(mended | forgiven)
        return violations

    def mend(self, value: Any) -> set[str]:
        """Mend an invalid value in place; returns the rules used."""
        mending = Mending(self.allowed)
        if self.allowed and self.object_type is not None and isinstance(value, dict) and not self.check.accepts(value):
            mending.mend(value, self.object_type)
        return mending.used

    def judge(self, value: Any) -> tuple[list[Violation], set[str]]:
        """The violations of a value as it is, and the rules used when only the relaxed schema accepts it."""
        violations = self.check.violations(value)
        if not violations or self.relaxed is None:
            return violations, set()
        granted = {OPTIONAL_MEMBER if each.expected == IS_REQUIRED else READ_ONLY_MEMBER for each in violations}
        left = self.relaxed.violations(value)
        return left, set() if left else granted


@dataclass(slots=True)
class Mending:
    """Corrects a document in place by the allowed rules; collects the rules applied in `used`."""

    allowed: frozenset[str]
    used: set[str] = field(default_factory=set)

    def mend(self, document: Document, object_type: ObjectType) -> None:
        for name in [name for name in document if name in object_type.members]:
            member, value = object_type.members[name], document[name]
            if self._is_not_sent(value, member):
                del document[name]
            elif not member.is_list:
                document[name] = self._mended(value, member)
            elif isinstance(value, list):
                self._mend_list(value, member)

    def _mend_list(self, elements: list[Any], member: Member) -> None:
        elements[:] = [self._mended(element, member) for element in elements]
        if MISSING_ID not in self.allowed or member.object_type is None:
            return
        for inner in member.object_type.members.values():
            if inner.lenient == MISSING_ID and number_missing(elements, inner.name):
                self.used.add(MISSING_ID)

    def _is_not_sent(self, value: Any, member: Member) -> bool:
        if value is None:
            return not member.nullable and member.type != "any" and self._uses(NULL_AS_MISSING)
        if value == "":
            return member.lenient == EMPTY_AS_MISSING and self._uses(EMPTY_AS_MISSING)
        return value == {} and member.is_list and self._uses(EMPTY_OBJECT_AS_MISSING)

    def _mended(self, value: Any, member: Member) -> Any:
        if isinstance(value, dict):
            if member.object_type is not None:
                self.mend(value, member.object_type)
        elif isinstance(value, float):
            is_whole = member.type == "integer" and value.is_integer() and abs(value) <= INTEGER_LIMIT
            if is_whole and self._uses(WHOLE_NUMBER):
                return int(value)
        elif value in ("true", "false") and member.lenient == BOOLEAN_TEXT and self._uses(BOOLEAN_TEXT):
            return value == "true"
        return value

    def _uses(self, rule: str) -> bool:
        if rule in self.allowed:
            self.used.add(rule)
            return True
        return False
