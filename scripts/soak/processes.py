"""A service or delivery worker that is restarted, and its memory and descriptors from /proc (Linux)."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from scripts.benchmark.processes import PAGE, Running
from tests.service import ROOT, let_go

PATIENCE = 300.0
"""Seconds for a start or an end: the machine is at half load, and other work may take the rest."""


@dataclass(slots=True)
class Node:
    """One command of tmf-sales. `options` may name the port that it keeps over restarts."""

    name: str
    options: list[str]
    log: Path
    environment: Mapping[str, str]
    workers: int = 1
    port: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None)

    def start(self) -> None:
        command = [sys.executable, "-m", "tmf_sales", *self.options]
        if self.options[0] == "serve":
            command += ["--port", str(self.port), "--workers", str(self.workers)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, **self.environment},
            )
        announced = self._first_line()
        if not announced:
            raise RuntimeError(f"{self.name} does not start: {self.log.read_text()[-2000:]}")
        if self.options[0] == "serve":
            url = next(word for word in announced.split() if word.startswith("http://"))
            self.port = int(url.rpartition(":")[2])

    def _first_line(self) -> str:
        """Wait until it announces that it is ready; empty when it ended before, or says nothing."""
        output = self._running().stdout
        ready = output is not None and select.select([output], [], [], PATIENCE)[0]
        return output.readline().decode() if output is not None and ready else ""

    def stop(self) -> None:
        """End it as an operator does; raise when it does not end with exit code 0."""
        process = self._running()
        process.send_signal(signal.SIGTERM)
        code = process.wait(PATIENCE)
        self.close()
        if code:
            raise RuntimeError(f"{self.name} ended with {code}: {self.log.read_text()[-2000:]}")

    def restart(self) -> None:
        self.stop()
        self.start()

    def restart_workers(self) -> None:
        """End one worker after the other; the master replaces each."""
        for worker in self._ids()[1:]:
            os.kill(worker, signal.SIGTERM)
            deadline = time.monotonic() + PATIENCE
            while worker in (ids := self._ids()) or len(ids) <= self.workers:
                if time.monotonic() > deadline:
                    raise RuntimeError(f"{self.name}: worker {worker} is not replaced")
                time.sleep(0.05)

    def reload(self) -> None:
        self._running().send_signal(signal.SIGHUP)

    def close(self) -> None:
        if self.process is not None:
            let_go(self.process)
            self.process = None

    def memory(self) -> int:
        """Resident bytes of the process and its workers."""
        return sum(int(Path(f"/proc/{id}/statm").read_text().split()[1]) * PAGE for id in self._ids())

    def descriptors(self) -> int:
        return sum(len(list(Path(f"/proc/{id}/fd").iterdir())) for id in self._ids())

    def _ids(self) -> list[int]:
        return Running(self._running(), self.port, 0.0).ids()

    def _running(self) -> subprocess.Popen[bytes]:
        if self.process is None:
            raise RuntimeError(f"{self.name} does not run")
        return self.process

    def log_errors(self) -> list[str]:
        """The log lines of level error and the last lines of tracebacks."""
        lines = self.log.read_text(errors="replace").splitlines()
        return [line for line in lines if " error " in line or line.startswith("Traceback")]
