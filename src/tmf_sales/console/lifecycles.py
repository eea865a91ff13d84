"""Draws the lifecycles of a contract: one diagram for each schema with `x-lifecycle`.

Guarantee: the diagram shows what the engine enforces, because both read the same table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tmf_sales.console.state_diagram_layout import Diagram, lay_out


@dataclass(frozen=True, slots=True)
class LifecycleDrawing:
    """One state machine: its schema, its transitions in words, and the layout of its diagram."""

    schema: str
    about: str
    initial: str
    final: tuple[str, ...]
    transitions: tuple[tuple[str, tuple[str, ...]], ...]
    diagram: Diagram

    @property
    def heading(self) -> str:
        """QuoteItemStateType is the lifecycle of a "quote item"."""
        name = re.sub("(State|Status)(Type)?$", "", self.schema)
        return re.sub("(?<=[a-z])(?=[A-Z])", " ", name).capitalize()


def lifecycles_of(document: Mapping[str, Any]) -> Iterator[LifecycleDrawing]:
    for name, schema in document.get("components", {}).get("schemas", {}).items():
        if "x-lifecycle" in schema:
            table = schema["x-lifecycle"]
            transitions = {state: tuple(targets) for state, targets in table["transitions"].items()}
            yield LifecycleDrawing(
                schema=name,
                about=schema.get("description", "").strip(),
                initial=table["initial"],
                final=tuple(state for state in schema["enum"] if not transitions.get(state)),
                transitions=tuple(transitions.items()),
                diagram=lay_out(schema["enum"], table["initial"], transitions),
            )
