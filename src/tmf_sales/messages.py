"""Texts that every message to a client is made of: JSON pointers, violations, and a client's values, escaped and cut.

Messages never repeat more of a request than one short escaped scalar for each place (TMF630 part 1, Error).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SHOWN_LIMIT = 40
SEGMENT_LIMIT = 60
POINTER_LIMIT = 500
VIOLATION_LIMIT = 20


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule broken at one place: `pointer` is a JSON pointer into the body ("" is the whole body, RFC 6901)."""

    pointer: str
    expected: str

    def __str__(self) -> str:
        return self.describe("the body")

    def describe(self, whole: str) -> str:
        """`whole` stands for the empty pointer, as "/" would be the member named ""."""
        return f"{self.pointer or whole}: {self.expected}"


def list_violations(violations: Sequence[Violation], whole: str = "the body") -> str:
    """One line with the first 20 violations and the number of the others; `whole` stands for the empty pointer."""
    reported = [violation.describe(whole) for violation in violations[:VIOLATION_LIMIT]]
    return _listed(reported, len(violations), "; ")


def list_places(pointers: Iterable[str]) -> str:
    """One line with the first 20 of these JSON pointers (see json_pointer) and the number of the others."""
    places = list(pointers)
    return _listed(places[:VIOLATION_LIMIT], len(places), ", ")


def _listed(texts: Sequence[str], count: int, separator: str) -> str:
    hidden = count - len(texts)
    return separator.join([*texts, f"and {hidden} more"] if hidden else texts)


def json_pointer(steps: Iterable[str | int]) -> str:
    r"""A JSON pointer (RFC 6901) for messages: control and non-ASCII characters as \\u, long ones are cut."""
    pointer = "".join(f"/{_segment(step)}" for step in steps)
    return pointer if len(pointer) <= POINTER_LIMIT else f"{pointer[:POINTER_LIMIT]}..."


def _segment(step: str | int) -> str:
    text = step if type(step) is str else str(step)
    text = text[: SEGMENT_LIMIT + 1].replace("~", "~0").replace("/", "~1")
    text = text.encode("unicode_escape", "backslashreplace").decode("ascii")
    return text if len(text) <= SEGMENT_LIMIT else f"{text[:SEGMENT_LIMIT]}..."


def shown(value: object) -> str:
    """A client's scalar for messages: escaped, at most 40 characters; of an object or a list only what it is."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    text = ascii(value) if isinstance(value, str) else repr(value)
    return text if len(text) <= SHOWN_LIMIT else f"{text[:SHOWN_LIMIT]}..."
