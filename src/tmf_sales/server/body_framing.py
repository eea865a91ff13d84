"""Finds the end of a request body: after Content-Length bytes, or after the last chunk (RFC 9112, 6 and 7.1).

Guarantee: the end is the same however the bytes are split over segments, so no byte of a body is read as part of the
next request, or the other way round. Framing that deviates from the grammar is rejected.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import Protocol

LONGEST_SIZE_LINE = 1024  # of a chunk, with its extensions
LONGEST_TRAILERS = 16 * 1024
MOST_CHUNKS = 65_536  # each costs about two microseconds, however small it is

_SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})(?:[ \t]*;[^\x00-\x08\x0a-\x1f\x7f]*)?")
_TRAILER = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[^\x00-\x08\x0a-\x1f\x7f]*")


class InvalidFraming(Exception):
    """Raised when a chunked body violates RFC 9112; the text says what is expected."""


class BodyEnd(Protocol):
    """Finds the end of one body."""

    def find(self, received: bytes | bytearray, begin: int) -> tuple[int, bool]:
        """Return how far the body reaches in `received` from `begin` on, and whether it ends there.

        If it does not end there, the bytes after that place are an incomplete line: pass them again together with the
        bytes that follow. Raises InvalidFraming.
        """
        ...


class LengthEnd:
    """Finds the end of a body with Content-Length."""

    __slots__ = ("_left",)

    def __init__(self, length: int) -> None:
        self._left = length

    def find(self, received: bytes | bytearray, begin: int) -> tuple[int, bool]:
        size = min(len(received) - begin, self._left)
        self._left -= size
        return begin + size, not self._left


class _Next(Enum):
    SIZE = auto()
    DATA = auto()
    DATA_END = auto()
    TRAILER = auto()


class ChunksEnd:
    """Finds the end of a chunked body."""

    __slots__ = ("_chunks", "_left", "_next", "_trailers")

    def __init__(self) -> None:
        self._next = _Next.SIZE
        self._chunks = 0
        self._left = 0
        self._trailers = 0

    def find(self, received: bytes | bytearray, begin: int) -> tuple[int, bool]:
        while True:
            if self._next is _Next.DATA:
                size = min(len(received) - begin, self._left)
                begin += size
                self._left -= size
                if self._left:
                    return begin, False
                self._next = _Next.DATA_END
            line, end = self._line(received, begin)
            if line is None:
                return begin, False
            begin = end
            if self._ends_with(line):
                return begin, True

    def _line(self, received: bytes | bytearray, begin: int) -> tuple[bytes | bytearray | None, int]:
        """The next line without its CRLF, and where it ends; None while it is incomplete."""
        end = received.find(b"\n", begin)
        longest = LONGEST_TRAILERS if self._next is _Next.TRAILER else LONGEST_SIZE_LINE
        if (end if end >= 0 else len(received)) - begin > longest:
            raise InvalidFraming(f"a line between the chunks of the body is longer than {longest} bytes")
        if end < 0:
            if self._next is _Next.DATA_END and received[begin : begin + 2] not in (b"", b"\r"):
                raise InvalidFraming("a chunk of the body is longer than its size says")
            return None, begin
        if end == begin or received[end - 1] != ord("\r"):
            raise InvalidFraming("each line between the chunks of the body must end with CRLF")
        return received[begin : end - 1], end + 1

    def _ends_with(self, line: bytes | bytearray) -> bool:
        match self._next:
            case _Next.SIZE:
                found = _SIZE_LINE.fullmatch(line)
                if found is None:
                    raise InvalidFraming("expected the size of a chunk as hexadecimal digits (RFC 9112, 7.1)")
                self._chunks += 1
                if self._chunks > MOST_CHUNKS:
                    raise InvalidFraming(f"the body has more than {MOST_CHUNKS} chunks")
                self._left = int(found[1], 16)
                self._next = _Next.DATA if self._left else _Next.TRAILER
            case _Next.DATA_END:
                if line:
                    raise InvalidFraming("a chunk of the body is longer than its size says")
                self._next = _Next.SIZE
            case _:
                return self._ends_with_trailer(line)
        return False

    def _ends_with_trailer(self, line: bytes | bytearray) -> bool:
        self._trailers += len(line)
        if self._trailers > LONGEST_TRAILERS:
            raise InvalidFraming(f"the trailers of the body are longer than {LONGEST_TRAILERS} bytes")
        if line and _TRAILER.fullmatch(line) is None:
            raise InvalidFraming("expected a trailer as `name: value` (RFC 9112, 7.1.2)")
        return not line
