"""Writes and reads the paths in an event's fieldPath, such as `task[?(@.id=='2')].state,severity`.

`read` returns exactly the paths that `listed` has joined, whatever characters their ids and member names contain.
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
    """Return the path of a resource's member; a name with characters that are special in paths is put in brackets."""
    return name if _PLAIN.fullmatch(name) else f"[{literal(name)}]"


def literal(value: object) -> str:
    escaped = str(value).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def listed(paths: Sequence[str]) -> str:
    """Join the paths with commas; leave out whole paths beyond the limits."""
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
    """Return the paths that go through none of the hidden members."""
    return [path for path in paths if hidden.isdisjoint(_names_in(path))]


def _names_in(path: str) -> list[str]:
    """Return the member names on the path, without those inside element filters."""
    return [_unescaped(bracketed) if bracketed else name for bracketed, name in _STEP.findall(_FILTER.sub("", path))]


def _unescaped(literal: str) -> str:
    return re.sub(r"\\(.)", r"\1", literal[1:-1], flags=re.DOTALL)
