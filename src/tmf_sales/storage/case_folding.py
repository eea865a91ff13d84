"""Comparison of texts without regard to case, by Unicode's simple case folding: one character folds to one character.

All stores use this table, so that a query finds the same resources in each of them: memory and SQLite compare folded
texts, MongoDB gets the characters that fold alike as a class of a pattern.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Mapping

LAST_WITH_CASE = 0x1FFFF


def fold_case(text: str) -> str:
    """The text in its folded form; texts that differ in case alone have the same one."""
    return text.lower() if text.isascii() else text.translate(_folds())


def case_variants(character: str) -> str:
    """All characters that fold like this one, itself included, in the order of their code points."""
    folded = fold_case(character)
    return _variants().get(folded, folded)


def _folded(character: str) -> str:
    """One character's simple folding; `casefold` alone may answer several characters, as for U+00DF."""
    folded = character.casefold()
    if len(folded) > 1:
        folded = character.lower()
    return folded if len(folded) == 1 else character


@functools.cache
def _folds() -> Mapping[int, str]:
    """The characters that fold to another one."""
    pairs = ((code, _folded(chr(code))) for code in range(LAST_WITH_CASE + 1))
    return {code: folded for code, folded in pairs if folded != chr(code)}


@functools.cache
def _variants() -> Mapping[str, str]:
    """For each folded character that others fold to: all of them."""
    variants: defaultdict[str, list[str]] = defaultdict(list)
    for code, folded in _folds().items():
        variants[folded].append(chr(code))
    return {folded: "".join(sorted((folded, *others))) for folded, others in variants.items()}
