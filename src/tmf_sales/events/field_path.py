"""The paths in an event's fieldPath: `task[?(@.id=='2')].state,severity` as one text, and read from it again.

Promise: what `listed` puts together, `read` takes apart the same, whatever ids and names of members are in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

PATHS_SHOWN = 20
TEXT_LIMIT = 1000
_LITERAL = r"'(?:\\.|[^'\\])*'"
_PLAIN = re.compile(r"[^',.\[\]\\]+")
_PATH = re.compile(rf"(?:{_LITERAL}|[^',])+", re.DOTALL)
_FILTER = re.compile(rf"\[\?\((?:{_LITERAL}|[^'\]])*\]", re.DOTALL)
_STEP = re.compile(rf"\[({_LITERAL})\]|([^.\[\]']+)", re.DOTALL)


def step(name: str) -> str:
    """The path of a member of the resource; in brackets when the name has what paths are made of."""
    return name if _PLAIN.fullmatch(name) else f"[{literal(name)}]"


def literal(value: object) -> str:
    escaped = str(value).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def listed(paths: Sequence[str]) -> str:
    """The paths in one text, separated by commas; none is cut in the middle, those beyond the limits are left out."""
    shown: list[str] = []
    room = TEXT_LIMIT
    for path in paths[:PATHS_SHOWN]:
        room -= len(path) + 1
        if room >= 0:
            shown.append(path)
    return ",".join(shown)


def read(text: str) -> list[str]:
    return _PATH.findall(text)


def without(paths: Iterable[str], hidden: frozenset[str]) -> list[str]:
    """Those that go through no member with one of these names."""
    return [path for path in paths if hidden.isdisjoint(_names_in(path))]


def _names_in(path: str) -> list[str]:
    """The names of the members on the way; what an element is chosen by is none."""
    return [_unescaped(bracketed) if bracketed else name for bracketed, name in _STEP.findall(_FILTER.sub("", path))]


def _unescaped(literal: str) -> str:
    return re.sub(r"\\(.)", r"\1", literal[1:-1], flags=re.DOTALL)
