"""A MongoDB server in a process of its own, for tests: started, killed, paused and started again on the same port."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import threading
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from tests.mongodb.mongod import Program, find_program

STOP_TIMEOUT = 20
SMALL = ("--wiredTigerCacheSizeGB", "0.25", "--setParameter", "diagnosticDataCollectionEnabled=false")
READY = re.compile(r"Waiting for connections|listening on [\d.]+:\d+")

used: set[str] = set()
"""The names of the servers that this process has started, for the summary of the test run."""


class MongoServer:
    """Started on a port that the system chooses, and on the same one again after a kill.

    While it is away, the system gives its port to nobody else: it stays bound, though nobody listens. `options` are
    mongod's; the stand-in has none of them.
    """

    def __init__(self, data: Path, options: Sequence[str | Path] = ()) -> None:
        self.data = data
        self._options = options
        self._place = socket.socket()
        self._place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # the server sets it, too, and may bind it
        self._place.bind(("127.0.0.1", 0))
        self.port: int = self._place.getsockname()[1]
        self._process: subprocess.Popen[str] | None = None

    @property
    def uri(self) -> str:
        return f"mongodb://127.0.0.1:{self.port}"

    @property
    def is_running(self) -> bool:
        return self._process is not None

    def start(self) -> None:
        program = find_program()
        used.add(program.name)
        self.data.mkdir(parents=True, exist_ok=True)
        self._process = subprocess.Popen(
            self._command(program),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        log = self._process.stdout
        assert log is not None
        seen: deque[str] = deque(maxlen=20)
        for line in log:
            seen.append(line)
            if READY.search(line):
                threading.Thread(target=_drain, args=(log,), daemon=True).start()
                return
        self._end(signal.SIGKILL)
        log.close()
        raise RuntimeError("the server did not start: " + "".join(seen))

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def pause(self) -> None:
        """Return once it stands still: it may answer for a moment after the signal was sent."""
        self._signal(signal.SIGSTOP)
        assert self._process is not None
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def close(self) -> None:
        """End it, and give its port back."""
        self.kill()
        self._place.close()

    def __enter__(self) -> MongoServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _command(self, program: Program) -> Sequence[str | Path]:
        port = ("--port", str(self.port))
        if program.is_mongod:
            quiet = ("--bind_ip", "127.0.0.1", "--nounixsocket", "--quiet")
            return (program.path, *port, *quiet, "--dbpath", self.data, *SMALL, *self._options)
        return (program.path, *port, "--storage-path", self.data, "--log-level", "INFO")

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(number)
        try:
            self._process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


def _drain(log: IO[str]) -> None:
    with contextlib.suppress(ValueError), log:
        for _ in log:
            pass
