"""A server that speaks MongoDB's protocol, in a process of its own: SecantusDB, a development dependency only."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path
from typing import IO

SERVER = Path(sys.executable).with_name("secantusd-py")
STOP_TIMEOUT = 20


class MongoServer:
    """Started on a port that the system chooses, and on the same one again after a kill.

    While it is away, the system gives its port to nobody else: it stays bound, though nobody listens.
    """

    def __init__(self, data: Path) -> None:
        self._data = data
        self._place = socket.socket()
        self._place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # the server sets it, too, and may bind it
        self._place.bind(("127.0.0.1", 0))
        self._port: int = self._place.getsockname()[1]
        self._process: subprocess.Popen[str] | None = None

    @property
    def uri(self) -> str:
        return f"mongodb://127.0.0.1:{self._port}"

    def start(self) -> None:
        self._process = subprocess.Popen(
            [SERVER, "--port", str(self._port), "--storage-path", self._data, "--log-level", "INFO"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        log = self._process.stderr
        assert log is not None
        seen: deque[str] = deque(maxlen=20)
        for line in log:
            seen.append(line)
            if re.search(r"listening on [\d.]+:\d+", line):
                threading.Thread(target=_drain, args=(log,), daemon=True).start()
                return
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

    def __enter__(self) -> MongoServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._place.close()

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
