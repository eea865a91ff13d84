"""Reserves ports until a worker listens: meanwhile connections are refused, so that a proxy turns to another server.

Closing a socket that listens would reset the connections in its queue.
"""

from __future__ import annotations

import contextlib
import socket
import sys
from typing import Any


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
