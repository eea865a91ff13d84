"""Writes the head of a response together with the beginning of its body: one call of the system instead of two.

uvicorn writes them one after the other, and each write to a socket costs some microseconds and wakes the client. Remove
this when uvicorn joins them (tests/http/test_library_internals.py).
"""

from __future__ import annotations

import asyncio

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
HAS_LENGTH = b"\r\ncontent-length: "


class JoinedWrites:
    """The transport of one response, as uvicorn's request-response cycle uses it.

    It holds back a head with a Content-Length, whose body follows at once. A head without one goes out immediately,
    because the first event of a stream may come much later.
    """

    __slots__ = ("_awaits_head", "_held", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._awaits_head = True
        self._held: bytes | None = None

    def write(self, data: bytes) -> None:
        if self._held is not None:
            head, self._held = self._held, None
            self._transport.writelines((head, data))
        elif self._awaits_head and data != CONTINUE:
            self._awaits_head = False
            if HAS_LENGTH in data:
                self._held = data
            else:
                self._transport.write(data)
        else:
            self._transport.write(data)

    def flush(self) -> None:
        """Write a head that no body has followed, as in the response to HEAD."""
        if self._held is not None:
            head, self._held = self._held, None
            self._transport.write(head)

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def close(self) -> None:
        self.flush()
        self._transport.close()
