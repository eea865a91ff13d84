"""Formats the parts of messages to clients: JSON pointers, violations, and values, escaped and shortened.

For each place, a message repeats at most one short escaped scalar of the request (TMF630 part 1, Error).
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
    """A broken rule at one place. `pointer`: a JSON pointer into the body ("" is the whole body, RFC 6901)."""

    pointer: str
    expected: str

    def __str__(self) -> str:
        return self.describe("the body")

    def describe(self, whole: str) -> str:
        """The violation as text. `whole` replaces the empty pointer, because "/" would be the member named ""."""
        return f"{self.pointer or whole}: {self.expected}"


def list_violations(violations: Sequence[Violation], whole: str = "the body") -> str:
    """One line with the first 20 violations and the number of the others. `whole` replaces the empty pointer."""
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
    r"""A JSON pointer (RFC 6901) for messages: escapes control and non-ASCII characters as \\u, cuts long pointers."""
    pointer = "".join(f"/{_segment(step)}" for step in steps)
    return pointer if len(pointer) <= POINTER_LIMIT else f"{pointer[:POINTER_LIMIT]}..."


def _segment(step: str | int) -> str:
    text = step if type(step) is str else str(step)
    text = text[: SEGMENT_LIMIT + 1].replace("~", "~0").replace("/", "~1")
    text = text.encode("unicode_escape", "backslashreplace").decode("ascii")
    return text if len(text) <= SEGMENT_LIMIT else f"{text[:SEGMENT_LIMIT]}..."


def shown(value: object) -> str:
    """A client's value for messages: a scalar escaped and cut to 40 characters, or only `an object` or `a list`."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    text = ascii(value) if isinstance(value, str) else repr(value)
    return text if len(text) <= SHOWN_LIMIT else f"{text[:SHOWN_LIMIT]}..."
