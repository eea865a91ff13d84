"""The commands that serve on the reference stack, with the options of those that serve on the service's own."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from tests.service import SERVE

SERVE_REFERENCE = (sys.executable, "-m", "tests.reference_stack.serve", "serve")


def on_reference(command: Sequence[str]) -> Sequence[str]:
    """Other commands than `serve` have an option for it."""
    return SERVE_REFERENCE if tuple(command) == SERVE else (*command, "--stack", "flask")
