"""Runs uv and pip as scripts/install does, and a package index of our own making."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")


def run(*command: str | Path, cwd: Path | None = None, environ: dict[str, str] | None = None) -> str:
    """What it printed on either output; AssertionError with that when it failed."""
    done = attempt(*command, cwd=cwd, environ=environ)
    assert done.returncode == 0, done.stdout
    return done.stdout


def attempt(
    *command: str | Path, cwd: Path | None = None, environ: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=os.environ | (environ or {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def make_wheel(folder: Path, name: str, version: str, requires: tuple[str, ...] = (), extra: str = "") -> Path:
    """A wheel with one empty module; `extra` is the name of an extra that it offers and that needs nothing."""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    metadata = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}"]
    metadata += [f"Requires-Dist: {each}" for each in requires]
    metadata += [f"Provides-Extra: {extra}"] if extra else []
    info = f"{name}-{version}.dist-info"
    contents = {
        f"{name}.py": b"",
        f"{info}/METADATA": ("\n".join(metadata) + "\n").encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{file},sha256={_digest(data)},{len(data)}\n" for file, data in contents.items())
    with zipfile.ZipFile(path, "w") as wheel:
        for file, data in contents.items():
            wheel.writestr(file, data)
        wheel.writestr(f"{info}/RECORD", f"{record}{info}/RECORD,,\n")
    return path


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def locked(wheel: Path, extra: str = "") -> str:
    """The line of a lock file that pins a wheel."""
    name, version, *_ = wheel.name.split("-")
    bracket = f"[{extra}]" if extra else ""
    return f"{name}{bracket}=={version} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


def make_index(folder: Path, wheels: list[Path]) -> str:
    """A simple index (PEP 503) in a folder; its URL."""
    for wheel in wheels:
        page = folder / "simple" / wheel.name.split("-")[0]
        page.mkdir(parents=True, exist_ok=True)
        with (page / "index.html").open("a") as listing:
            listing.write(f'<a href="{wheel.as_uri()}">{wheel.name}</a>\n')
    return (folder / "simple").as_uri()
