"""Defines the hooks for rules that a contract cannot express; each is called at one place of the engine.

A domain module overrides them. A hook may change only the document that its docstring names, never `before`, and has no
access to HTTP or the store. `now` is canonical text (see values/datetimes.py). Rules do not repeat what the contract
defines.
"""

from __future__ import annotations

from typing import Any, ClassVar

from tmf_sales.storage.records import Document
from tmf_sales.values.messages import Violation


class Rules:
    """The default rules, for a resource that needs none beyond its contract.

    `settings_type`: a frozen dataclass with fields made by `tmf_sales.configuration.settings.setting`. They become
    options of `tmf-sales serve` and environment variables, are listed under the name of the rules, and are passed to
    `configure`.

    `changes_in_place`: whether a hook may change an object or list inside `after`. Rules that only set and remove the
    members of `after` itself, and copy a value before they change something in it, set it to False. Then a patch does
    not copy what it leaves alone: `before` and `after` share these values.

    `depends_on`: the top-level members on which the hooks for patched documents depend: check_body, on_patch,
    after_transition and title_of_state_change. A patch that changes neither these nor a member with a lifecycle breaks
    no rule that the stored document keeps, and leaves these hooks nothing to do; so they may not be called for it. None
    means any member, unless no such hook is overridden.
    """

    settings_type: ClassVar[type | None] = None
    changes_in_place: ClassVar[bool] = True
    depends_on: ClassVar[frozenset[str] | None] = None

    def configure(self, settings: Any) -> None:
        """Receive an instance of `settings_type`; called once at start when that type is set.

        May raise ValueError with a one-line message for the operator.
        """

    def check_body(self, document: Document) -> list[Violation]:
        """Check rules between the members of one document; returns the violations.

        Called at creation after the defaults are set (violations are a 400), and for a patched document before
        on_patch (violations are a 409). Also called for a body that is rejected anyway, without the members that the
        contract rejects, so that one response reports all violations.
        """
        return []

    def answer_instantly(self, body: Document, now: str) -> Document | None:
        """The full response to a creation that is answered at once and not stored (200), or None to create (201).

        `body` is the request body with canonical date-times and without defaults; do not change it.
        """
        return None

    def on_create(self, document: Document, now: str) -> None:
        """Complete a new document (or new version) in place, after the contract's defaults are set."""

    def editable_members(self, state: str, final: bool) -> frozenset[str] | None:
        """The top-level members that may change in this state (the one before the patch); None: all patchable members.

        The state member itself need not be listed, because the lifecycle checks it.
        """
        return frozenset() if final else None

    def on_patch(self, before: Document, after: Document, now: str) -> None:
        """Reject the patch, or complete `after` in place, before lifecycles are checked; may set dependent states."""

    def after_transition(self, before: Document, after: Document, now: str) -> None:
        """Complete `after` in place, after its transitions are checked and the dates of its states are set."""

    def title_of_state_change(self, before: Document, after: Document) -> str | None:
        """A more specific title for the state change event, or None for the default title."""
        return None


def members_that_matter(rules: Rules) -> frozenset[str] | None:
    """The top-level members on which the hooks for patched documents depend; None when it may be any of them."""
    of = type(rules)
    if rules.depends_on is not None or any(getattr(of, name) is not getattr(Rules, name) for name in _OF_PATCHES):
        return rules.depends_on
    return frozenset()


_OF_PATCHES = ("check_body", "on_patch", "after_transition", "title_of_state_change")
