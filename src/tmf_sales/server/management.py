"""Serves the management pages of a process that serves no API, such as `tmf-sales deliver`."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import uvicorn

from tmf_sales.http.middleware import App
from tmf_sales.server.one_worker import UVICORN
from tmf_sales.server.write_progress import limit_unsent

SECONDS_TO_END = 2


@contextlib.asynccontextmanager
async def serving(app: App, listener: socket.socket) -> AsyncIterator[None]:
    """Serve the application in the running event loop, which keeps its own signal handlers."""
    limit_unsent(listener)
    config = uvicorn.Config(app, timeout_graceful_shutdown=SECONDS_TO_END, **{**UVICORN, "lifespan": "off"})
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[listener])
    loop = asyncio.create_task(server.main_loop())
    try:
        yield
    finally:
        server.should_exit = True
        await loop
        await server.shutdown(sockets=[listener])
