"""Several workers run where only a volume and memory can be written to, as in a container with a read-only root."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.service import start_service

from tmf_sales.errors import CannotStart
from tmf_sales.server import several_workers

# The file system a second time, read-only; /dev, /proc and the volume are mounted into it, as a container has them.
ENTER = """
mount --bind / "$1" && mount -o remount,ro,bind "$1" && shift_to="$1" && volume="$2" && shift 2
mount --rbind /dev "$shift_to/dev" && mount -t proc proc "$shift_to/proc" && mount --bind "$volume" "$shift_to$volume"
exec chroot "$shift_to" "$@"
"""


def can_unshare() -> bool:
    probe = ["unshare", "--mount", "sh", "-c", "mount --bind / /mnt && mount -o remount,ro,bind /mnt"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not can_unshare(), reason="needs the right to mount")
def test_two_workers_run_on_a_read_only_root_file_system(tmp_path: Path) -> None:
    root, volume = tmp_path / "root", tmp_path / "volume"
    root.mkdir()
    volume.mkdir()
    # Without coverage, which cannot write its data there.
    serve = ("env", "-u", "COVERAGE_PROCESS_CONFIG", sys.executable, "-m", "tmf_sales", "serve")
    command = ("unshare", "--mount", "sh", "-euc", ENTER, "sh", str(root), str(volume), *serve)

    with start_service(
        tmp_path / "log", "--workers", "2", "--store", f"sqlite:{volume}/store.sqlite", command=command
    ) as service:
        assert urllib.request.urlopen(f"{service.url}/ready").status == 200


def test_no_writable_directory_stops_the_start_with_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing_is_writable(dir: str | None = None) -> Sequence[str]:
        raise FileNotFoundError("No usable temporary directory")

    monkeypatch.setattr(tempfile, "TemporaryFile", nothing_is_writable)

    with pytest.raises(CannotStart, match="mount one at /tmp, or name one in TMPDIR"):
        several_workers.find_heartbeat_directory()
