"""The wheel, built once, and an environment in which it is installed as a user installs it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tests.packaging.installing import ROOT, UV, run


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "hatchling", "build", "--directory", folder, cwd=ROOT)
    return folder


@pytest.fixture(scope="session")
def wheel(built: Path) -> Path:
    return next(built.glob("*.whl"))


@pytest.fixture(scope="session")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel and its locked dependencies; its bin folder."""
    folder = tmp_path_factory.mktemp("installed") / "venv"
    run(UV, "--no-config", "venv", "--quiet", "--python", sys.executable, folder)
    python = folder / "bin/python"
    install = (UV, "--no-config", "pip", "install", "--quiet", "--python", python)
    run(*install, "--require-hashes", "-r", ROOT / "requirements.lock")
    run(*install, "--no-deps", wheel)
    return folder / "bin"
