"""One process writes at a time, on Windows as well, where msvcrt locks a byte instead of a file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CONTEND = """
import sys
{windows}
from tmf_sales.storage.sqlite.process_lock import ProcessLock

lock = ProcessLock(sys.argv[1])
for _ in range(200):
    with lock.taken():
        with open(sys.argv[2], "r+") as counter:
            number = int(counter.read())
            counter.seek(0)
            counter.write(str(number + 1))
lock.close()
"""
AS_ON_WINDOWS = """
import fcntl, types

def locking(descriptor, mode, size):
    fcntl.lockf(descriptor, fcntl.LOCK_UN if mode == "unlock" else fcntl.LOCK_EX | fcntl.LOCK_NB, size)

sys.modules["msvcrt"] = types.SimpleNamespace(locking=locking, LK_NBLCK="lock", LK_UNLCK="unlock")
import tmf_sales.storage.sqlite
sys.platform = "win32"
"""


@pytest.mark.parametrize("windows", ["", AS_ON_WINDOWS], ids=["posix", "windows"])
def test_processes_take_turns(windows: str, tmp_path: Path) -> None:
    counter = tmp_path / "counter"
    counter.write_text("0")
    command = [sys.executable, "-c", CONTEND.format(windows=windows), str(tmp_path / "store.sqlite"), str(counter)]

    contenders = [subprocess.Popen(command) for _ in range(3)]

    assert [contender.wait(60) for contender in contenders] == [0, 0, 0]
    assert counter.read_text() == "600"
