"""Each function that runs is counted for one step of a request."""

from __future__ import annotations

import pytest
from scripts.benchmark.steps import ROUTING, SERVICE, STEPS, step_of


@pytest.mark.parametrize(
    ("file", "step"),
    [
        ("/a/src/tmf_sales/engine/engine.py", "engine"),
        ("/a/src/tmf_sales/engine/normalize.py", "normalization and defaults"),
        ("/a/src/tmf_sales/storage/memory/events.py", "events"),
        ("/a/src/tmf_sales/storage/memory/store.py", "storage"),
        ("/a/site-packages/connexion/middleware/main.py", ROUTING),
        ("/a/asyncio/base_events.py", None),
    ],
)
def test_the_longest_beginning_of_the_module_decides(file: str, step: str | None) -> None:
    assert step_of(file) == step


def test_every_step_has_modules_of_its_own() -> None:
    assert {step_of(f"{SERVICE}{prefix}") for prefixes in STEPS.values() for prefix in prefixes} == set(STEPS)
