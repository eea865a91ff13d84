"""Closes connections whose clients do not read their responses.

Guarantee: a response makes progress, or its connection is closed. The unread bytes of all clients together in this
process are bounded.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
import sys

if sys.platform == "linux":
    import fcntl
    import termios

WRITE_SECONDS = 20.0
LEAST_PROGRESS = 8 * 1024  # bytes in WRITE_SECONDS
MOST_UNREAD = 64 * 1024 * 1024  # bytes in this process; for the system's buffers see limit_unsent
UNSENT_IN_SYSTEM = 128 * 1024

log = logging.getLogger("tmf_sales")

_watched: dict[WriteWatch, None] = {}  # ordered: the longest without progress comes first


class WriteWatch:
    """Watches the unread bytes of one connection while it has some."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None
        self._unread = 0
        self._has_drained = False

    def start(self) -> None:
        if self._timer is None:
            self._look_again()
            _limit_unread()

    def drained(self) -> None:
        """Record that most bytes were written, so that bytes written next do not look like a standstill."""
        self._has_drained = True

    def stop(self) -> None:
        _watched.pop(self, None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @property
    def size(self) -> int:
        return self._transport.get_write_buffer_size()

    def abort(self, why: str) -> None:
        self.stop()
        log.info("a connection is closed: %s", why)
        self._transport.abort()

    def _look_again(self) -> None:
        _watched.pop(self, None)
        _watched[self] = None
        self._unread, self._has_drained = self._unread_bytes(), False
        self._timer = self._loop.call_later(WRITE_SECONDS, self._look)

    def _look(self) -> None:
        if self.size == 0:
            self.stop()
        elif self._has_drained or self._unread - self._unread_bytes() >= LEAST_PROGRESS:
            self._look_again()
        else:
            self.abort(f"its client has read fewer than {LEAST_PROGRESS} bytes in {WRITE_SECONDS:g} s")

    def _unread_bytes(self) -> int:
        """Count the bytes in the system's buffers too: these are large, so the process's own buffer drains in jumps."""
        connection = self._transport.get_extra_info("socket")
        if sys.platform == "linux" and connection is not None:
            return self.size + int(struct.unpack("i", fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, bytes(4)))[0])
        return self.size


def _limit_unread() -> None:
    total = sum(watch.size for watch in _watched)
    for watch in [*_watched]:
        if total <= MOST_UNREAD:
            return
        total -= watch.size
        watch.abort(f"clients leave more than {MOST_UNREAD} bytes unread")


def limit_unsent(listener: socket.socket) -> None:
    """Limit the unsent bytes that the system buffers for a connection; connections inherit it (tcp(7))."""
    option = getattr(socket, "TCP_NOTSENT_LOWAT", None)
    if option is not None:
        listener.setsockopt(socket.IPPROTO_TCP, option, UNSENT_IN_SYSTEM)
