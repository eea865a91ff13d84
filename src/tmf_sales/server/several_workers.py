"""Runs several workers: gunicorn's master keeps uvicorn processes, each with its own socket on the same port.

Guarantee: the workers share the load. With one common socket, the first worker that wakes takes all waiting connections
(16 of 16 were measured); with SO_REUSEPORT the Linux kernel distributes them. Until a worker listens, the port is only
reserved: connections are refused, so that a proxy turns to another server, and not reset.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Sequence
from typing import Any

import click
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.errors import HaltServer
from gunicorn.glogging import Logger
from uvicorn_worker import UvicornWorker

from tmf_sales.configuration.reloading import Reloading
from tmf_sales.configuration.settings import Settings
from tmf_sales.errors import CannotStart
from tmf_sales.server.lifecycle import NOT_FOR_US, Server
from tmf_sales.server.one_worker import UVICORN, time_to_finish
from tmf_sales.server.ports import reserve
from tmf_sales.server.tls import Tls
from tmf_sales.server.write_progress import limit_unsent
from tmf_sales.telemetry.setup import SPARE_ROWS

SHARED_MEMORY = "/dev/shm"  # noqa: S108 - the file in it is made by tempfile
HANGS_AFTER = 30  # seconds without a heartbeat until the master replaces a worker


class MasterLogger(Logger):  # type: ignore[misc]
    """Lets gunicorn log as everything else does, through the handler of telemetry/log_format.py."""

    def setup(self, cfg: Any) -> None:
        self.error_log.propagate = True
        self.error_log.setLevel(cfg.loglevel.upper())


class Worker(UvicornWorker):  # type: ignore[misc]  # neither it nor gunicorn has types
    """One worker process."""

    CONFIG_KWARGS = UVICORN
    announce: Callable[[], None]
    reloading: Reloading | None
    drain: float
    finish: int
    tls: Tls | None
    number: int | None

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """Undo what UvicornWorker does to uvicorn's loggers: it gives them gunicorn's handlers, and there are none."""
        super().__init__(*arguments, **named)
        for name in ("uvicorn.error", "uvicorn.access"):
            logging.getLogger(name).propagate = True
            logging.getLogger(name).setLevel(logging.NOTSET)

    def init_signals(self) -> None:
        """Ignore the signals that would end the process until the server handles them."""
        super().init_signals()
        for name in (*NOT_FOR_US, "SIGHUP"):
            signal.signal(getattr(signal, name), signal.SIG_IGN)

    async def callback_notify(self) -> None:
        """Send the heartbeat to the master, or end when the master is gone; called periodically."""
        if os.getppid() != self.ppid:
            signal.raise_signal(signal.SIGTERM)
        self.notify()

    async def _serve(self) -> None:
        self.config.app = self.wsgi
        self.config.timeout_graceful_shutdown = self.finish
        self._install_sigquit_handler()
        server = Server(self.config, self.announce, self.reloading, self.drain, self.number, self.tls)
        await server.serve(sockets=self.sockets)


class Master(Arbiter):  # type: ignore[misc]
    """gunicorn's master; once it stops because a worker cannot start, failures of further workers raise nothing.

    `reserved`: bound sockets that do not listen. With them, gunicorn opens none of its own, which would listen without
    accepting.
    """

    stopping = False

    def __init__(self, app: Workers, reserved: Sequence[socket.socket]) -> None:
        super().__init__(app)
        self.LISTENERS = [*reserved]

    def stop(self, graceful: bool = True) -> None:
        self.stopping = True
        super().stop(graceful)

    def handle_hup(self) -> None:
        """Reload, then let the workers reload; gunicorn would replace them by workers with the same settings.

        The master reloads because workers that start later are its copies. What is invalid is logged here, once.
        """
        if self.app.reloading is None or self.app.reloading.reload():
            self.kill_workers(signal.Signals["SIGHUP"])

    def handle_usr2(self) -> None:
        """Do nothing; gunicorn would start a second master."""

    def reap_workers(self) -> None:
        try:
            super().reap_workers()
        except HaltServer:
            if not self.stopping:
                raise


class Workers(BaseApplication):  # type: ignore[misc]
    """gunicorn, configured in code alone: it reads no file, environment variable or argument."""

    def __init__(
        self,
        make_app: Callable[[], Any],
        options: dict[str, Any],
        reserved: Sequence[socket.socket],
        reloading: Reloading | None = None,
    ) -> None:
        self.make_app = make_app
        self.reserved = reserved
        self.reloading = reloading
        self.options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self.options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Create the application once, in the master; each forked worker inherits it and opens the store itself."""
        try:
            app = self.make_app()
        except CannotStart as error:
            click.echo(f"Error: {error}", err=True)
            sys.exit(Arbiter.APP_LOAD_ERROR)
        gc.freeze()  # otherwise the collector would copy the shared memory into each worker
        gc.enable()
        return app

    def run(self) -> None:
        Master(self, self.reserved).run()


def run(
    make_app: Callable[[], Any],
    settings: Settings,
    listeners: Sequence[socket.socket],
    announce: Callable[[], None],
    reloading: Reloading | None = None,
    tls: Tls | None = None,
) -> None:
    places = [(listener.family, listener.getsockname()[:2]) for listener in listeners]
    for listener in listeners:
        listener.close()

    def open_listeners() -> list[socket.socket]:
        backlog = settings.max_concurrent * 2
        opened = [socket.create_server(at, family=family, backlog=backlog, reuse_port=True) for family, at in places]
        for each in opened:
            limit_unsent(each)
        return opened

    announce_once = only_in_the_last_process(announce, settings.workers)

    def give_own_listener(_arbiter: Any, worker: Worker) -> None:
        worker.sockets = open_listeners()
        worker.announce = announce_once
        worker.reloading = reloading
        worker.drain = settings.drain
        worker.tls = tls
        worker.finish = time_to_finish(settings)

    options = {
        **GUNICORN,
        "post_fork": give_own_listener,
        "workers": settings.workers,
        "graceful_timeout": settings.drain + time_to_finish(settings) + 1,
        "worker_tmp_dir": find_heartbeat_directory(),
        "loglevel": settings.log_level,
    }
    reserved = [reserve(family, at, shared=True) for family, at in places]
    Workers(make_app, options, reserved, reloading).run()


def number_worker(arbiter: Any, worker: Worker) -> None:
    """Give a new worker the lowest number that no living one has, so that its metrics continue those of a dead one."""
    taken = {each.number for each in arbiter.WORKERS.values()}
    free = (number for number in range(arbiter.cfg.workers + SPARE_ROWS) if number not in taken)
    worker.number = next(free, None)


GUNICORN = {
    "pre_fork": number_worker,
    "worker_class": Worker,
    "preload_app": True,  # one import serves all workers
    "timeout": HANGS_AFTER,
    "logger_class": MasterLogger,
    "control_socket_disable": True,
}


def find_heartbeat_directory() -> str:
    """Return the first writable directory for the heartbeat files of gunicorn's workers; raise CannotStart without one.

    /dev/shm comes first: the files are touched every few seconds, and it exists even in a container with a read-only
    root file system.
    """
    for directory in (SHARED_MEMORY, None):
        try:
            with tempfile.TemporaryFile(dir=directory):
                return directory or tempfile.gettempdir()
        except OSError:
            continue
    raise CannotStart("several workers need a directory for temporary files; mount one at /tmp, or name one in TMPDIR")


def only_in_the_last_process(announce: Callable[[], None], processes: int) -> Callable[[], None]:
    """Make `announce` run only in the last of the forked processes to call it: each takes one byte from a pipe.

    A process that replaces a dead one later finds the pipe empty and announces nothing.
    """
    tokens, give = os.pipe()
    os.write(give, b"." * (processes - 1) + b"!")
    os.close(give)

    def announce_if_last() -> None:
        if os.read(tokens, 1) == b"!":
            announce()

    return announce_if_last
