"""The programs that check deploy/: helm and promtool, built by Go, and kubernetes-validate from the package index.

Each is installed when it is first asked for. Where it cannot be had, the test is skipped and says why; `.ci/run` says
at its end whether helm and promtool were built.
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.locked_packages import locked_packages

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy/helm/tmf-sales"
LOCK = Path(__file__).with_name("kubernetes-validate.lock")
PATIENCE = 600
KUBERNETES = "1.37.0"


def helm(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return run(built("helm"), *arguments)


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return run(built("promtool"), *arguments)


def kubernetes_validate(manifests: Path) -> subprocess.CompletedProcess[str]:
    """Validate manifests; kinds that are not Kubernetes' own are reported with WARN."""
    command = [sys.executable, "-m", "kubernetes_validate", "--strict", "-k", KUBERNETES, str(manifests)]
    environment = os.environ | {"PYTHONPATH": str(locked_packages(LOCK)), "PYTHONWARNINGS": "ignore"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE)


def run(program: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [str(program), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)


@functools.cache
def built(name: str) -> Path:
    """The program, built by Go."""
    try:
        done = run(ROOT / "scripts/deploy_tools", name)
    except subprocess.TimeoutExpired:
        pytest.skip(f"{name} is not built in time")
    if done.returncode:
        pytest.skip(f"{name} cannot be built: {done.stderr.strip()[-300:]}")
    return Path(done.stdout.strip()) / name
