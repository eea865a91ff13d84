"""The Node.js tools of scripts/node/package.json for tests: installed when they are first asked for."""

from __future__ import annotations

import functools
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NO_NPM = 3


@functools.cache
def node_tools() -> Path:
    """The folder with the tools' commands. Skips the test where there is no npm; on CI that is a failure."""
    done = subprocess.run([ROOT / "scripts/node_tools"], capture_output=True, text=True, check=False)
    if done.returncode == NO_NPM and os.environ.get("CI") != "true":
        pytest.skip(done.stdout.strip())
    assert done.returncode == 0, done.stdout + done.stderr
    return ROOT / "node_modules/.bin"
