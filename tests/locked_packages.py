"""Packages that only single tests need: installed in a cache folder of their own, exactly as a lock file pins them."""

from __future__ import annotations

import fcntl
import functools
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

PATIENCE = 600


@functools.cache
def locked_packages(lock: Path) -> Path:
    """The folder with the packages of a lock file. Skips the test where they cannot be installed."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = home / "tmf-sales" / f"{lock.stem}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            uv = str(Path(sys.executable).with_name("uv"))
            options = ["--no-config", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
            command = [uv, *options, "--python", sys.executable, "--target", str(folder), "-r", str(lock)]
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
            if done.returncode:
                pytest.skip(f"{lock.stem} cannot be installed: {done.stderr.strip()[-300:]}")
            (folder / "complete").touch()
    return folder
