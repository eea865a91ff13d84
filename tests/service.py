"""The service as its users have it: a process of its own, on a port that the system chose."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

SERVE = (sys.executable, "-m", "tmf_sales", "serve")
ROOT = Path(__file__).parents[1]
PATIENCE = 180.0


@dataclass(slots=True)
class Service:
    """A process that announced the URL at which it answers; `log` is the file of its standard error."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path
    options: Sequence[str] = field(default=())

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def ask_to_end(self) -> None:
        os.kill(self.process.pid, signal.SIGTERM)

    def exit_code(self) -> int:
        return self.process.wait(PATIENCE)

    def abandon(self) -> None:
        """End it at once, however it is."""
        self.process.kill()
        self.process.wait(PATIENCE)
        if self.process.stdout:
            self.process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is None:
            self.stop()
        else:
            let_go(self.process)

    def stop(self) -> None:
        """End it as an operator does; it must end well and have met no defect of its own. Once stopped, no more."""
        if self.process.stdout is None or self.process.stdout.closed:
            return
        try:
            if self.process.poll() is None:
                self.ask_to_end()
            code = self.exit_code()
        finally:
            self.abandon()  # no effect on one that has ended
        text = self.log.read_text()
        assert code == 0, text
        assert "Traceback" not in text or "flask" in self.options, text


def start_service(
    log: Path, *options: str, command: Sequence[str] = SERVE, environ: Mapping[str, str] | None = None
) -> Service:
    """A service that answers; AssertionError with what it said when it does not come to that."""
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [*command, "--port", "0", *options],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env={**os.environ, **(environ or {})},
        )
    announced = first_line(process)
    url = next((word for word in announced.split() if word.startswith(("http://", "https://"))), None)
    if url is None:
        Service("", process, log).abandon()
        raise AssertionError(f"the service does not start: {announced}{log.read_text()}")
    return Service(url, process, log, options)


def let_go(process: subprocess.Popen[bytes]) -> None:
    """Leave nothing of it behind; one that has ended already is not harmed."""
    process.kill()
    process.wait(PATIENCE)
    if process.stdout is not None:
        process.stdout.close()


def first_line(process: subprocess.Popen[bytes]) -> str:
    """What the process says first; empty when it ends without a word, or stays silent for long."""
    if process.stdout is None or not select.select([process.stdout], [], [], PATIENCE)[0]:
        return ""
    return process.stdout.readline().decode()
