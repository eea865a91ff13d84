"""What a kill cannot show: that an answer waits for the disk. Seen in the system calls of a writing process."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.faults import writer_process

ROOT = Path(__file__).resolve().parents[2]
TICKETS = 4
CALLS = "trace=write,pwrite64,fdatasync,fsync"


def strace_works() -> bool:
    if shutil.which("strace") is None:
        return False
    return subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, check=False).returncode == 0


@dataclass
class Seen:
    """What a trace shows: where each write got into the write-ahead log, when it was answered, and the syncs."""

    written: dict[str, int] = field(default_factory=dict)
    answered: dict[str, int] = field(default_factory=dict)
    syncs: list[tuple[int, int]] = field(default_factory=list)

    def is_synced(self, write: str) -> bool:
        """Whether a sync of the log began after the write was in it and was done before the answer."""
        return any(self.written[write] < begun and done < self.answered[write] for begun, done in self.syncs)


def read_trace(trace: Path) -> Seen:
    seen = Seen()
    begun: dict[str, int] = {}
    for number, line in enumerate(trace.read_text(errors="replace").splitlines()):
        process, _, call = line.partition(" ")
        call = call.lstrip()
        if call.startswith("pwrite64(") and "-wal>" in call:
            for write in re.findall(r"w-\d+-\d+@\d+", call):
                seen.written.setdefault(write, number)
        elif call.startswith(("fdatasync(", "fsync(")) and "-wal>" in call:
            begun[process] = number
        elif found := re.match(r'write\(1<.*"ack (\S+) (\d+)\\n"', call):
            seen.answered[f"{found[1]}@{found[2]}"] = number
        if "sync" in call and call.endswith("= 0") and process in begun:
            seen.syncs.append((begun.pop(process), number))
    return seen


@pytest.mark.skipif(not strace_works(), reason="strace is not installed or may not trace here")
def test_no_commit_group_of_sqlite_is_acknowledged_before_its_own_sync(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    trace = tmp_path / "trace"
    strace: list[str | Path] = ["strace", "-f", "-y", "-qq", "-s", "5000", "-e", CALLS, "-o", trace]
    writer = [sys.executable, "-m", writer_process.__name__, f"sqlite:///{tmp_path}/store.sqlite", "w", str(TICKETS)]
    subprocess.run([*strace, *writer], cwd=ROOT, stdout=subprocess.DEVNULL, check=True, timeout=120)

    seen = read_trace(trace)

    lives = [writer_process.LIVES[number % len(writer_process.LIVES)] for number in range(TICKETS)]
    assert len(seen.answered) == writer_process.WRITERS * sum(len(life) for life in lives)
    assert seen.answered.keys() <= seen.written.keys()
    assert [write for write in seen.answered if not seen.is_synced(write)] == []
    figures = f"{len(seen.answered)} writes acknowledged after {len(seen.syncs)} syncs of the write-ahead log"
    record_property("figure", f"power: {figures}")
