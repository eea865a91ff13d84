"""Defines the leniency rules that a contract may name in x-lenient, and the modes that apply them to requests.

A rule applies in its own mode and in every more lenient one, and only where the contract names it: at a member, or at
the root for the whole contract.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple


class Mode(StrEnum):
    """How strictly requests are read, from the strictest to the most lenient."""

    STRICT = "strict"
    STANDARD = "standard"
    LENIENT = "lenient"


BOOLEAN_TEXT = "booleanText"
EMPTY_AS_MISSING = "emptyAsMissing"
EMPTY_OBJECT_AS_MISSING = "emptyObjectAsMissing"
MISSING_CONTENT_TYPE = "missingContentType"
MISSING_ID = "missingId"
NULL_AS_MISSING = "nullAsMissing"
OPTIONAL_MEMBER = "optionalMember"
READ_ONLY_MEMBER = "readOnlyMember"
WHOLE_NUMBER = "wholeNumber"


class Leniency(NamedTuple):
    """One rule: the strictest mode in which it applies, what it does, and the type of the members that may name it.

    `type` is None for a rule of the whole contract, and "any" when members of every type may name it.
    """

    mode: Mode
    purpose: str
    type: str | None = None


LENIENCIES: Mapping[str, Leniency] = {
    NULL_AS_MISSING: Leniency(Mode.STANDARD, "at creation, null for a known member that may not be null is not sent"),
    WHOLE_NUMBER: Leniency(Mode.STANDARD, "an integer may be written as a decimal: 1.0 and 1e3 are read as 1 and 1000"),
    BOOLEAN_TEXT: Leniency(Mode.STANDARD, 'the texts "true" and "false" are read as booleans', "boolean"),
    EMPTY_AS_MISSING: Leniency(Mode.STANDARD, "an empty text is not sent", "string"),
    EMPTY_OBJECT_AS_MISSING: Leniency(Mode.LENIENT, "an empty object where a list is expected is not sent"),
    MISSING_CONTENT_TYPE: Leniency(Mode.LENIENT, "a body without Content-Type is read as application/json"),
    MISSING_ID: Leniency(
        Mode.LENIENT, "an element without this member gets the next free number of its list", "string"
    ),
    OPTIONAL_MEMBER: Leniency(Mode.LENIENT, "a required member may be left out", "any"),
    READ_ONLY_MEMBER: Leniency(Mode.LENIENT, "a member that only the server sets may be sent at creation", "any"),
}
OF_A_MEMBER = tuple(name for name, rule in LENIENCIES.items() if rule.type)
OF_A_CONTRACT = tuple(name for name, rule in LENIENCIES.items() if not rule.type)
USUAL = (NULL_AS_MISSING, WHOLE_NUMBER)  # the default of a contract without x-lenient at its root


def allowed_leniencies(mode: Mode, of_contract: Iterable[str]) -> frozenset[str]:
    """The rules that apply in a mode. `of_contract`: the rules that the contract names at its root."""
    order = list(Mode)
    return frozenset(
        name for name in (*OF_A_MEMBER, *of_contract) if order.index(LENIENCIES[name].mode) <= order.index(mode)
    )


_used: Counter[str] = Counter()
_lock = threading.Lock()


def count_leniencies(rules: Iterable[str]) -> None:
    """Count the rules that one request used, each once."""
    with _lock:
        _used.update(set(rules))


def leniencies_used() -> dict[str, int]:
    """The number of requests that used each rule since the process started; 0 for unused rules."""
    with _lock:
        return {name: _used[name] for name in LENIENCIES}
