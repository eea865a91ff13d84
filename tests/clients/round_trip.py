"""How the round trips of all languages end."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def ends_well(*command: str | Path, **environ: str) -> bool:
    """Whether the round trip came to its end; AssertionError with its output otherwise."""
    result = subprocess.run(command, capture_output=True, text=True, env=os.environ | environ, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout.endswith("round trip done\n")
