"""Runs servers as separate processes, pinned to cores, and reads their CPU time and memory from /proc (Linux).

Guarantee: every started process is ended, by its id only.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

STARTS_WITHIN = 60.0
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
FREQUENT = 0.005
PROBE = "/tmf-api/quoteManagement/v4/quote?limit=1"
"""What every server is asked until it answers, as the time until then is compared."""


class NotStarted(Exception):
    """Raised, with the end of its output, when a server does not begin to respond."""


@dataclass(frozen=True, slots=True)
class Running:
    """A server and its workers. `start`: seconds until its first response."""

    process: subprocess.Popen[bytes]
    port: int
    start: float

    def ids(self) -> list[int]:
        return [self.process.pid, *_children(self.process.pid)]

    def processor_time(self) -> float:
        """Seconds of CPU time that the server and its workers have used."""
        return sum(_processor_time(id) for id in self.ids())

    def resident(self) -> int:
        """Resident bytes of the largest of its processes."""
        return max(int(Path(f"/proc/{id}/statm").read_text().split()[1]) * PAGE for id in self.ids())

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)


def _children(id: int) -> list[int]:
    found = Path(f"/proc/{id}/task/{id}/children").read_text().split()
    return [int(child) for child in found]


def _processor_time(id: int) -> float:
    fields = Path(f"/proc/{id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port: int = reserved.getsockname()[1]
        return port


@contextlib.contextmanager
def running(
    command: Sequence[str], environment: Mapping[str, str], port: int, cores: str, log: Path
) -> Iterator[Running]:
    """Run the server within this context; raise NotStarted."""
    started = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["taskset", "--cpu-list", cores, *command],
            env={**os.environ, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_for_answer(process, port, log)
            yield Running(process, port, time.monotonic() - started)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_for_answer(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", PROBE)
            if connection.getresponse().status in (200, 206):
                return
        time.sleep(FREQUENT)
    raise NotStarted(f"it does not start: {log.read_text(errors='replace')[-2000:]}")
