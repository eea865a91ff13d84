"""Finds the further violations of a body that breaks its schema, so that one response reports all of them.

Runs only for requests that are rejected anyway. The domain rules get only the members that the schema accepts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tmf_sales.engine.documents import DocumentBuilder
from tmf_sales.engine.normalize import normalize
from tmf_sales.storage.records import Document
from tmf_sales.values.json_values import own_copy
from tmf_sales.values.messages import Violation, json_pointer

Accepts = Callable[[Any], bool]
FurtherCheck = Callable[[Document, Sequence[Violation], Accepts], list[Violation]]
"""(body, violations of its schema, whether the schema accepts a body) -> further violations"""


@dataclass(frozen=True, slots=True)
class FurtherViolations:
    """Finds violations of invalid bodies beyond their schema.

    `builder` returns the current one, `now` the current time as canonical text.
    """

    builder: Callable[[], DocumentBuilder]
    now: Callable[[], str]

    def of_creation(self, body: Document, reported: Sequence[Violation], accepts: Accepts) -> list[Violation]:
        """The violations that normalization and rules find in the members that the schema accepts."""
        normalized, builder = own_copy(body), self.builder()
        found = normalize(normalized, builder.type.object_type)
        sound = {name: value for name, value in normalized.items() if not _is_about(name, reported)}
        if accepts(sound):
            found += builder.broken_rules(sound, self.now())
        return _elsewhere(found, reported)

    def of_merge_patch(self, patch: Document, reported: Sequence[Violation], _: Accepts) -> list[Violation]:
        """The violations that normalization finds. Rules need a patched document; an invalid patch gives none."""
        return _elsewhere(normalize(own_copy(patch), self.builder().type.object_type), reported)


def _is_about(member: str, reported: Sequence[Violation]) -> bool:
    """Whether a reported violation is at or below this member of the body."""
    place = json_pointer([member])
    return any(each.pointer == place or each.pointer.startswith(f"{place}/") for each in reported)


def _elsewhere(found: list[Violation], reported: Sequence[Violation]) -> list[Violation]:
    places = {each.pointer for each in reported}
    return [each for each in found if each.pointer not in places]
