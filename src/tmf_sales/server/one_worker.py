"""Runs one worker: uvicorn in this process, with httptools (protocol.py) and, except on Windows, uvloop."""

from __future__ import annotations

import math
import socket
from collections.abc import Callable, Sequence
from typing import Any

import uvicorn

from tmf_sales.configuration.reloading import Reloading
from tmf_sales.configuration.settings import Settings
from tmf_sales.server.lifecycle import Server
from tmf_sales.server.tls import Tls
from tmf_sales.server.write_progress import limit_unsent

# Longer than clients and gateways keep a connection (httpx 5 s, nginx and AWS 60 s). A server that closes first may do
# so while the next request is in transit, and the client cannot know whether it was served (RFC 9112, 9.3.1).
IDLE_CONNECTIONS_STAY = 75  # seconds

# Switches off what the service does not use: uvicorn's logging set-up, web sockets and Server header.
UVICORN: dict[str, Any] = {
    "loop": "auto",  # uvloop where it is installed; it has no wheel for Windows
    "http": "tmf_sales.server.protocol:Protocol",
    "ws": "none",
    "lifespan": "on",
    "interface": "asgi3",
    "log_config": None,
    "access_log": False,
    "server_header": False,
    "proxy_headers": False,
    "timeout_keep_alive": IDLE_CONNECTIONS_STAY,
}


def time_to_finish(settings: Settings) -> int:
    """Seconds for the running requests after SIGTERM and the drain; no request may take longer anyway."""
    return math.ceil(settings.request_deadline) + 1


def run(
    make_app: Callable[[], Any],
    settings: Settings,
    listeners: Sequence[socket.socket],
    announce: Callable[[], None],
    reloading: Reloading | None = None,
    tls: Tls | None = None,
) -> None:
    config = uvicorn.Config(make_app(), timeout_graceful_shutdown=time_to_finish(settings), **UVICORN)
    for listener in listeners:
        limit_unsent(listener)
    Server(config, announce, reloading, settings.drain, tls=tls).run(sockets=[*listeners])
