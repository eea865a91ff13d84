"""Several workers: gunicorn's master keeps uvicorn processes that accept from one socket.

gunicorn rather than uvicorn's own `workers`: measured, two of those give nothing with few connections.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from gunicorn.app.base import BaseApplication
from uvicorn_worker import UvicornWorker

from tmf_sales.cli.one_worker import UVICORN, time_to_finish
from tmf_sales.settings import Settings


class Worker(UvicornWorker):
    """One process of the service."""

    CONFIG_KWARGS = UVICORN

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.config.timeout_graceful_shutdown = self.cfg.graceful_timeout


class Workers(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn told in code what to do: it reads no file, no variable and no argument."""

    def __init__(self, make_app: Callable[[], Any], options: dict[str, Any]) -> None:
        self.make_app = make_app
        self.options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self.options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return self.make_app()


def run(make_app: Callable[[], Any], settings: Settings, listener: socket.socket, announce: Callable[[], None]) -> None:
    options = {
        "bind": f"fd://{listener.fileno()}",
        "workers": settings.workers,
        "worker_class": Worker,
        "preload_app": False,
        "graceful_timeout": time_to_finish(settings),
        "timeout": 60,
        "control_socket_disable": True,
        "loglevel": "warning",
        "proc_name": "tmf-sales",
        "when_ready": lambda _arbiter: announce(),
    }
    Workers(make_app, options).run()
