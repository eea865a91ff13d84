"""How a check ends when it does not pass."""

from __future__ import annotations

from enum import StrEnum

from tmf_conformance.interaction import Interaction


class Verdict(StrEnum):
    """The result of a check."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_SUPPORTED = "not supported"
    NOT_RUN = "not run"


class Outcome(Exception):
    """Ends a check that does not pass; the message gives the reason."""

    verdict: Verdict

    def __init__(self, reason: str, interaction: Interaction | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.interaction = interaction


class Failed(Outcome):
    """Raised when the server breaks the rule; the reason says what was expected."""

    verdict = Verdict.FAILED


class NoResponse(Failed):
    """Raised when no complete response arrived: connection refused, closed early, timed out or too large."""


class NotSupported(Outcome):
    """Raised when the server lacks something optional."""

    verdict = Verdict.NOT_SUPPORTED


class NotRun(Outcome):
    """Raised when a precondition of the check fails, so that it cannot judge its rule."""

    verdict = Verdict.NOT_RUN
