"""Opens and closes ports without resetting a connection: closing a socket that listens resets those in its queue.

Until a worker listens, its port is only reserved: connections are refused, so that a proxy turns to another server.
Before a socket is closed, it ignores further connections for a moment, so that its queue can be emptied.
"""

from __future__ import annotations

import array
import contextlib
import socket
import struct
import sys
from typing import Any

HANDSHAKES_END_IN = 0.005  # seconds: how long a handshake that has begun takes within a data centre, and more
SO_ATTACH_FILTER = 26  # Linux, asm-generic/socket.h; Python has no name for it

# A classic BPF program over a TCP segment (Linux, Documentation/networking/filter.rst), instruction by instruction:
# load the flags, which are byte 13 (RFC 9293 section 3.1); if SYN is set, skip one; keep the segment; drop it.
# The connections that the socket has accepted inherit it, and none of their segments has SYN.
INSTRUCTIONS = ((0x30, 0, 0, 13), (0x45, 1, 0, 0x02), (0x06, 0, 0, 0xFFFFFFFF), (0x06, 0, 0, 0))
_DROP_SYN = array.array("B", b"".join(struct.pack("=HBBI", *each) for each in INSTRUCTIONS))


def reserve(family: socket.AddressFamily, at: tuple[Any, ...], *, shared: bool = False) -> socket.socket:
    """Bind a socket that does not listen. `shared`: others that share the port may bind, too. Raises OSError."""
    with contextlib.ExitStack() as ends:
        reserved = ends.enter_context(socket.socket(family))
        if sys.platform != "win32":  # there, SO_REUSEADDR would let others take the port
            reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if shared:
                reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        reserved.bind(at)
        ends.pop_all()
    return reserved


def ignore_new_connections(listener: socket.socket) -> bool:
    """Let the system drop the first packet of each connection from now on; False where it cannot.

    The client's system sends it again after a second, and is then refused or served by who listens then.
    """
    if sys.platform != "linux":
        return False
    address, _ = _DROP_SYN.buffer_info()
    try:
        listener.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("@HP", len(INSTRUCTIONS), address))
    except OSError:  # a sandbox may have no filters
        return False
    return True


def take_accept_queue(listener: socket.socket) -> list[socket.socket]:
    """Accept the connections in the system's queue: closing the socket would reset them."""
    listener.setblocking(False)
    accepted = []
    while True:
        try:
            accepted.append(listener.accept()[0])
        except OSError:  # the queue is empty, or the socket is shut down
            return accepted
