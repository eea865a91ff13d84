"""The short form of `make soak`; docs/how-to/operate.md says what it checks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from scripts.soak.__main__ import soak
from tests.edge.nginx import needs_nginx

MINUTES = 5.0
RATE = 20.0
"""Requests a second: half of what a machine answers that runs the other long tests, too."""


@pytest.mark.full
@pytest.mark.timeout(1800)
@pytest.mark.usefixtures("_mongod")
@needs_nginx
async def test_restarts_of_everything_lose_nothing(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    report, failures = await soak(tmp_path, MINUTES, RATE)

    record_property("figure", "soak: " + "; ".join(report[:5]))
    assert failures == []
