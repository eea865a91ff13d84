"""Remembers which members of stored documents a further patch need not look at, so that it costs what it touches.

A member is verified when the normalization, the defaults, the contract, the lifecycles and the rules left it exactly as
it is stored. Except for the rules, these steps look at each member alone, so they would find the same again. What is
remembered belongs to the exact text of a document, whichever process stored it, and is only about the contract, the
mode and the rules of this process.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

NOTHING_VERIFIED: frozenset[str] = frozenset()
MOST_BYTES = 8 * 1024 * 1024
LONGEST = 64 * 1024
OVERHEAD = 2048  # bytes of an entry beside its texts: one object for each member, and what the tables need

MemberTexts = Mapping[str, bytes]
"""The members of a document in its order, each as JSON with its name: `"name":"value"`."""


class Known:
    """A document whose members are verified, except those in `doubtful`. `text`: the document as JSON."""

    __slots__ = ("_members", "doubtful", "text")

    def __init__(self, doubtful: frozenset[str], text: bytes, members: MemberTexts | None = None) -> None:
        self.doubtful = doubtful
        self.text = text
        self._members = members

    @property
    def members(self) -> MemberTexts:
        """The texts of its members, made when a patch first needs them."""
        if self._members is None:
            self._members = {name: member_text(name, value) for name, value in orjson.loads(self.text).items()}
        return self._members

    @property
    def size(self) -> int:
        """The bytes that it takes, once its members have texts of their own."""
        return 2 * len(self.text) + OVERHEAD


def member_text(name: str, value: Any) -> bytes:
    """One member of a document as JSON, with its name."""
    return orjson.dumps({name: value})[1:-1]


def joined(members: MemberTexts) -> bytes:
    """The document with these members as JSON, in memory of its own size."""
    return b"{%b}" % b",".join(members.values())


class Verified:
    """The documents with verified members by the id of their resource. Forgets the oldest ones beyond MOST_BYTES."""

    def __init__(self) -> None:
        self._known: dict[str, Known] = {}
        self._size = 0

    def of(self, id: str, text: bytes) -> Known | None:
        """What is known of a document with exactly this text; None if nothing is."""
        known = self._known.get(id)
        return known if known is not None and known.text == text else None

    def replace(self, id: str, known: Known | None) -> None:
        """Remember what is known of a patched document, instead of what was known of the resource before."""
        self._forget(id)
        if known is not None and len(known.text) <= LONGEST:
            self._known[id] = known
            self._size += known.size
            while self._size > MOST_BYTES:
                self._forget(next(iter(self._known)))

    def _forget(self, id: str) -> None:
        if (known := self._known.pop(id, None)) is not None:
            self._size -= known.size
