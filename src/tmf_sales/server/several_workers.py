"""Several workers: gunicorn's master keeps uvicorn processes, each with a listener of its own on the same port.

Promise: they really share the load. From one common listener the first worker that wakes takes all connections that
wait (16 of 16 were measured); with SO_REUSEPORT the Linux kernel deals them out.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from typing import Any

import click
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.errors import HaltServer
from uvicorn_worker import UvicornWorker

from tmf_sales.errors import CannotStart
from tmf_sales.server.lifecycle import NOT_FOR_US, Server
from tmf_sales.server.one_worker import UVICORN, time_to_finish
from tmf_sales.server.write_progress import limit_unsent
from tmf_sales.settings import Settings

SHARED_MEMORY = "/dev/shm"  # noqa: S108 - the file in it is made by tempfile
HANGS_AFTER = 30  # seconds without a sign of life, after which the master replaces a worker


class Worker(UvicornWorker):  # type: ignore[misc]  # neither it nor gunicorn has types
    """One process of the service."""

    CONFIG_KWARGS = UVICORN
    announce: Callable[[], None]
    reload: Callable[[], None]
    drain: float
    finish: int

    def init_signals(self) -> None:
        """Ignore, until the server handles them, the signals that would end the process."""
        super().init_signals()
        for name in (*NOT_FOR_US, "SIGHUP"):
            signal.signal(getattr(signal, name), signal.SIG_IGN)

    async def callback_notify(self) -> None:
        """Now and then: tell the master that this worker is alive, or end when there is no master any more."""
        if os.getppid() != self.ppid:
            signal.raise_signal(signal.SIGTERM)
        self.notify()

    async def _serve(self) -> None:
        self.config.app = self.wsgi
        self.config.timeout_graceful_shutdown = self.finish
        self._install_sigquit_handler()
        await Server(self.config, self.announce, self.reload, self.drain).serve(sockets=self.sockets)


class Master(Arbiter):  # type: ignore[misc]
    """gunicorn's master; when no worker can start, it ends as after the first: not by the exception of the second."""

    stopping = False

    def stop(self, graceful: bool = True) -> None:
        self.stopping = True
        super().stop(graceful)

    def handle_hup(self) -> None:
        """Let the workers reload; gunicorn would replace them by ones with the same settings."""
        self.kill_workers(signal.SIGHUP)

    def handle_usr2(self) -> None:
        """Do nothing; gunicorn would start a second master."""

    def reap_workers(self) -> None:
        try:
            super().reap_workers()
        except HaltServer:
            if not self.stopping:
                raise


class Workers(BaseApplication):  # type: ignore[misc]
    """gunicorn told in code what to do: it reads no file, no variable and no argument."""

    def __init__(self, make_app: Callable[[], Any], options: dict[str, Any]) -> None:
        self.make_app = make_app
        self.options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self.options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Called once, in the master; the workers are forked with what is made here, and open the store themselves."""
        try:
            app = self.make_app()
        except CannotStart as error:
            click.echo(f"Error: {error}", err=True)
            sys.exit(Arbiter.APP_LOAD_ERROR)
        gc.freeze()  # the collector would copy into each worker what all of them share
        gc.enable()
        return app

    def run(self) -> None:
        Master(self).run()


def run(
    make_app: Callable[[], Any],
    settings: Settings,
    listener: socket.socket,
    announce: Callable[[], None],
    reload: Callable[[], None],
) -> None:
    family, address = listener.family, listener.getsockname()[:2]
    listener.close()

    def open_listener() -> socket.socket:
        opened = socket.create_server(address, family=family, backlog=settings.max_concurrent * 2, reuse_port=True)
        limit_unsent(opened)
        return opened

    announce_once = only_in_the_last_process(announce, settings.workers)

    def give_own_listener(_arbiter: Any, worker: Worker) -> None:
        worker.sockets = [open_listener()]
        worker.announce = announce_once
        worker.reload = reload
        worker.drain = settings.drain
        worker.finish = time_to_finish(settings)

    def stop_listening(arbiter: Any) -> None:
        """Nobody accepts from the master's listener: it keeps the port, but must not be dealt any connection."""
        for reserved in arbiter.LISTENERS:
            reserved.sock.shutdown(socket.SHUT_RDWR)

    options = {
        "bind": f"fd://{open_listener().detach()}",
        "when_ready": stop_listening,
        "post_fork": give_own_listener,
        "workers": settings.workers,
        "worker_class": Worker,
        "preload_app": True,  # a start costs one import, however many workers there are
        "graceful_timeout": settings.drain + time_to_finish(settings) + 1,
        "timeout": HANGS_AFTER,
        "worker_tmp_dir": find_heartbeat_directory(),
        "loglevel": settings.log_level,
        "control_socket_disable": True,
    }
    Workers(make_app, options).run()


def find_heartbeat_directory() -> str:
    """Where gunicorn's workers touch a file to show that they are alive: the first directory that can be written to.

    Memory comes first, as the file is touched every few seconds; in a container with a read-only root file system
    /dev/shm is there all the same. Raises CannotStart when there is none.
    """
    for directory in (SHARED_MEMORY, None):
        try:
            with tempfile.TemporaryFile(dir=directory):
                return directory or tempfile.gettempdir()
        except OSError:
            continue
    raise CannotStart("several workers need a directory for temporary files; mount one at /tmp, or name one in TMPDIR")


def only_in_the_last_process(announce: Callable[[], None], processes: int) -> Callable[[], None]:
    """Let the last of so many forked processes do it, whichever that is: each takes a byte out of a pipe.

    One that comes later, in place of one that died, finds the pipe empty.
    """
    tokens, give = os.pipe()
    os.write(give, b"." * (processes - 1) + b"!")
    os.close(give)

    def announce_if_last() -> None:
        if os.read(tokens, 1) == b"!":
            announce()

    return announce_if_last
