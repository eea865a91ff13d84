"""Compares texts without regard to case, by Unicode's simple case folding: one character folds to one character.

All stores use this table, so that a query finds the same resources in each of them: memory and SQLite compare folded
texts; MongoDB gets a pattern with a character class of those that fold alike.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Mapping

LAST_WITH_CASE = 0x1FFFF


def fold_case(text: str) -> str:
    """Return the folded text; texts that differ only in case fold to the same text."""
    return text.lower() if text.isascii() else text.translate(_folds())


def case_variants(character: str) -> str:
    """Return all characters that fold like this one, itself included, in code point order."""
    folded = fold_case(character)
    return _variants().get(folded, folded)


def _folded(character: str) -> str:
    """Return a character's simple folding; `casefold` alone may return several characters, as for U+00DF."""
    folded = character.casefold()
    if len(folded) > 1:
        folded = character.lower()
    return folded if len(folded) == 1 else character


@functools.cache
def _folds() -> Mapping[int, str]:
    """Map the characters that fold to another one to their folding."""
    pairs = ((code, _folded(chr(code))) for code in range(LAST_WITH_CASE + 1))
    return {code: folded for code, folded in pairs if folded != chr(code)}


@functools.cache
def _variants() -> Mapping[str, str]:
    """Map each folded character that others fold to, to all of these characters and itself."""
    variants: defaultdict[str, list[str]] = defaultdict(list)
    for code, folded in _folds().items():
        variants[folded].append(chr(code))
    return {folded: "".join(sorted((folded, *others))) for folded, others in variants.items()}
