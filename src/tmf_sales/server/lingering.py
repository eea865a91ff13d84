"""Lets a client that is still sending read the last response of its connection (RFC 9112, 9.6).

Closing a connection with unread data resets it, and the client loses the response. The time, bytes and number of such
connections are bounded.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket

LINGER_SECONDS = 10.0
LINGER_BYTES = 64 * 1024 * 1024
MOST_LINGERING = 100  # further ones are closed at once: endless senders must not exhaust the server

_lingering: set[asyncio.Task[None]] = set()


def linger(transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
    """Keep open the connection of a closing transport, and discard what its client still sends."""
    connection = transport.get_extra_info("socket")
    if connection is None or len(_lingering) >= MOST_LINGERING:  # an encrypted transport has closed its socket by now
        return
    with contextlib.suppress(OSError):  # no file descriptor is left: close without lingering
        task = loop.create_task(_discard(_still_open(connection), loop))
        _lingering.add(task)
        task.add_done_callback(_lingering.discard)


def _still_open(connection: socket.socket) -> socket.socket:
    kept = socket.socket(fileno=os.dup(connection.fileno()))
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
    except OSError:  # the client is gone or too slow (TimeoutError is an OSError)
        pass
    finally:
        connection.close()
