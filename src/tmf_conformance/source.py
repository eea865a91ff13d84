"""The source of a rule, and whether a violation breaks conformance.

A mandatory rule quotes the specification word for word. Rules of the design guidelines (TMF630) or of an RFC, and rules
that a careful reader expects although no sentence states them, are advice.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Whether a failure breaks conformance; OPTIONAL is a mandatory rule of a feature that the profile leaves open."""

    MANDATORY = "mandatory"
    OPTIONAL = "optional"
    ADVICE = "advice"


@dataclass(frozen=True, slots=True)
class Source:
    """`text`: the sentence that states the rule, or several sentences with ` … ` between them."""

    kind: Kind
    chapter: str
    text: str


def mandatory(chapter: str, sentence: str) -> Source:
    return Source(Kind.MANDATORY, chapter, sentence)


def advice(chapter: str, rule: str) -> Source:
    return Source(Kind.ADVICE, chapter, rule)
