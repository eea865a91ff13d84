"""Lets a client read the answer that ends its connection, although it is still sending (RFC 9112, 9.6).

A connection that is closed while something is unread is reset, and the answer is lost with it. Time, bytes and number
of such connections are bounded.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket

LINGER_SECONDS = 10.0
LINGER_BYTES = 64 * 1024 * 1024
MOST_LINGERING = 100  # further ones are closed at once, so that nobody can bind the server by sending without end

_lingering: set[asyncio.Task[None]] = set()


def linger(transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
    """Keep the connection of a transport that is about to close, and throw away what its client still sends."""
    if len(_lingering) >= MOST_LINGERING:
        return
    with contextlib.suppress(OSError):  # no file descriptor is left: then the client is not waited for
        task = loop.create_task(_discard(_still_open(transport), loop))
        _lingering.add(task)
        task.add_done_callback(_lingering.discard)


def _still_open(transport: asyncio.Transport) -> socket.socket:
    kept = socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno()))
    kept.setblocking(False)
    return kept


async def _discard(connection: socket.socket, loop: asyncio.AbstractEventLoop) -> None:
    waste = bytearray(64 * 1024)
    discarded = 0
    try:
        connection.shutdown(socket.SHUT_WR)
        async with asyncio.timeout(LINGER_SECONDS):
            while discarded < LINGER_BYTES and (size := await loop.sock_recv_into(connection, waste)):
                discarded += size
    except OSError:  # The client is gone, or too slow: TimeoutError is one.
        pass
    finally:
        connection.close()
