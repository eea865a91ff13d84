"""Remembers which members of stored documents a further patch need not look at, so that it costs what it touches.

A member is verified when the normalization, the defaults, the contract and the lifecycles left it exactly as it is
stored. These steps look at each member alone, so they would find the same again. What is remembered belongs to the
exact text of a document, whichever process stored it, and is only about the contract and the mode of this process.
"""

from __future__ import annotations

NOTHING_VERIFIED: frozenset[str] = frozenset()
MOST_BYTES = 2 * 1024 * 1024
LONGEST = 64 * 1024
OVERHEAD = 1024  # bytes of an entry beside its text: the names, and what the dictionary needs


class Verified:
    """The verified members by the text of their document. Forgets the longest known texts beyond MOST_BYTES."""

    def __init__(self) -> None:
        self._names: dict[bytes, frozenset[str]] = {}
        self._size = 0

    def of(self, text: bytes) -> frozenset[str]:
        """The names of the verified members; none for an unknown text."""
        return self._names.get(text, NOTHING_VERIFIED)

    def replace(self, before: bytes, after: bytes, names: frozenset[str]) -> None:
        """Remember the verified members of a document that a patch has made of another one."""
        self._forget(before)
        self._forget(after)
        if names and len(after) <= LONGEST:
            self._names[after] = names
            self._size += len(after) + OVERHEAD
            while self._size > MOST_BYTES:
                self._forget(next(iter(self._names)))

    def _forget(self, text: bytes) -> None:
        if self._names.pop(text, None) is not None:
            self._size -= len(text) + OVERHEAD
