"""Installs the packages that only contenders need, into build/bench, from separate lock files."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
BUILD = ROOT / "build" / "bench"
VENV = BUILD / "venv"
NODE = BUILD / "node"
LEAST_NODE = int(json.loads((HERE / "package.json").read_text())["engines"]["node"].removeprefix(">="))


class Missing(Exception):
    """Raised, with the reason, when a contender cannot be installed or run on this machine."""


def install_python_packages() -> None:
    lock = HERE / "requirements.lock"
    if _is_done(VENV, lock):
        return
    try:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True, capture_output=True)
        pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--require-hashes", "-r", str(lock)], check=True, capture_output=True)
    except subprocess.CalledProcessError as error:
        raise Missing(f"its packages cannot be installed: {_last_line(error)}") from None
    _mark_done(VENV, lock)


def install_node_packages() -> None:
    refuse_old_node()
    lock = HERE / "package-lock.json"
    if _is_done(NODE, lock):
        return
    NODE.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, NODE)
    try:
        subprocess.run(["npm", "ci", "--silent", "--no-progress"], cwd=NODE, check=True, capture_output=True)
    except subprocess.CalledProcessError as error:
        raise Missing(f"its packages cannot be installed: {_last_line(error)}") from None
    _mark_done(NODE, lock)


def refuse_old_node() -> None:
    """Raise Missing unless the Node.js version that package.json asks for is installed."""
    if not (shutil.which("node") and shutil.which("npm")):
        raise Missing("there is no Node.js")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout.strip()
    major = version.removeprefix("v").partition(".")[0]
    if not major.isdecimal() or int(major) < LEAST_NODE:
        raise Missing(f"Node.js is {version or 'broken'}, needed is {LEAST_NODE} or later")


def copy_fastify_beside_its_packages() -> None:
    install_node_packages()
    shutil.copy(HERE / "fastify.mjs", NODE)


def _digest(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()


def _is_done(folder: Path, lock: Path) -> bool:
    done = folder / ".installed"
    return done.is_file() and done.read_text() == _digest(lock)


def _mark_done(folder: Path, lock: Path) -> None:
    (folder / ".installed").write_text(_digest(lock))


def _last_line(error: subprocess.CalledProcessError) -> str:
    return (error.stderr or error.stdout or b"").decode(errors="replace").strip().rpartition("\n")[2] or str(error)
