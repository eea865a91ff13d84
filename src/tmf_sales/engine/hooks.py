"""What a contract cannot say: the hooks that a domain module overrides, each called at one place of the engine.

Promise: a hook changes only the document that it is told to change; it knows no HTTP and no store. `before` is never
changed. `now` is canonical text (see instants). Whatever a contract states is not repeated here.
"""

from __future__ import annotations

from typing import Any, ClassVar

from tmf_sales.messages import Violation
from tmf_sales.storage.protocol import Document


class Rules:
    """The rules of a resource that has none beyond its contract.

    `settings_type`: a frozen dataclass whose fields are made by `tmf_sales.settings.setting`. They become options of
    `tmf-sales serve` and environment variables, are listed under the name of the rules, and come to `configure`.
    """

    settings_type: ClassVar[type | None] = None

    def configure(self, settings: Any) -> None:
        """Take an instance of `settings_type`; called once at start where there is such a type.

        May raise ValueError with one line for the person who starts the service.
        """

    def check_body(self, document: Document) -> list[Violation]:
        """Rules between members of one document.

        Called at creation once the defaults are in (violations are 400), and for the document that a patch makes,
        before on_patch (violations are 409, or 400 for a merge patch). Called as well for a body that is refused
        anyway, without the members that the contract refuses, so that a client reads at once all that is wrong.
        """
        return []

    def answer_instantly(self, body: Document, now: str) -> Document | None:
        """The whole answer to a creation that is answered at once and not stored (200), or None to create (201).

        `body` is the request with its date-times made canonical, without any default, and is not changed.
        """
        return None

    def on_create(self, document: Document, now: str) -> None:
        """Complete a new document (or new version) in place, once the contract's defaults are in."""

    def editable_members(self, state: str, final: bool) -> frozenset[str] | None:
        """The top-level members that may change in this state (the one before the patch); None: all patchable ones.

        The lifecycle's own member need not be named: the lifecycle answers for it.
        """
        return frozenset() if final else None

    def on_patch(self, before: Document, after: Document, now: str) -> None:
        """Refuse, or complete `after` in place, before the lifecycles are checked: here states follow each other."""

    def after_transition(self, before: Document, after: Document, now: str) -> None:
        """Complete `after` in place, once its states are allowed and the dates that they set are in."""

    def title_of_state_change(self, before: Document, after: Document) -> str | None:
        """A title for the state change event that says more than the usual one, or None."""
        return None
