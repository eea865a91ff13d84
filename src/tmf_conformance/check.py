"""What a check is, where its rule comes from, and how it may end.

Promise: a mandatory check carries the sentence of the specification that it comes from, word for word; whatever comes
only from the guidelines (TMF630) or from an RFC, or is what a careful reader expects, is advice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tmf_conformance.interaction import Exchange
    from tmf_conformance.session import Session


class Kind(StrEnum):
    """Whether a failure means that the server does not conform."""

    MANDATORY = "mandatory"
    ADVICE = "advice"


class Verdict(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_SUPPORTED = "not supported"
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a rule is from. `text`: the sentence, or of several places the sentences with ` … ` between them."""

    kind: Kind
    chapter: str
    text: str


def mandatory(chapter: str, sentence: str) -> Source:
    return Source(Kind.MANDATORY, chapter, sentence)


def advice(chapter: str, rule: str) -> Source:
    return Source(Kind.ADVICE, chapter, rule)


@dataclass(frozen=True, slots=True)
class Check:
    """One rule. `run` returns when the server follows it and raises one of the endings below when not."""

    id: str
    title: str
    source: Source
    run: Callable[[Session], None]

    @property
    def kind(self) -> Kind:
        return self.source.kind


Checks = Iterator[Check]


class Ending(Exception):
    """How a check ends that does not pass; the message says why."""

    verdict: Verdict

    def __init__(self, reason: str, exchange: Exchange | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.exchange = exchange


class Failed(Ending):
    """Raised when the server breaks the rule; the reason says what was expected."""

    verdict = Verdict.FAILED


class NoAnswer(Failed):
    """Raised when no complete answer came: refused, cut off, too slow, too large."""


class NotSupported(Ending):
    """Raised when the server does without something that the specification leaves to it."""

    verdict = Verdict.NOT_SUPPORTED


class NotRun(Ending):
    """Raised when what the check needs first is not there, so that nothing can be said about its rule."""

    verdict = Verdict.NOT_RUN
