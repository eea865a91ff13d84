"""Runs Schemathesis against a service that answers, by the command that a person would type, and reads its totals."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
SCHEMATHESIS = str(Path(sys.executable).with_name("schemathesis"))
HOOKS = "tests.fuzz.schemathesis_hooks"
BASE_PATHS = {"sales": "/tmf-api/sales/v4", "quote": "/tmf-api/quoteManagement/v4"}
PHASES = ("examples", "coverage", "fuzzing", "stateful")
# Generated documents nest as deeply as the types do.
ALWAYS = ("--checks", "all", "--workers", "1", "--suppress-health-check", "data_too_large,too_slow", "--no-color")
METHODS = {"get", "post", "patch", "put", "delete", "options"}
REPEATABLE = ("--generation-deterministic",)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run said. `text` is all of it."""

    passed: bool
    operations: int
    cases: int
    text: str

    @property
    def failures(self) -> str:
        return self.text[self.text.find("= ERRORS") :] if "= ERRORS" in self.text else self.text[-20_000:]


def command(url: str, api: str, phases: Sequence[str], *options: str) -> list[str]:
    contract = f"{url}{BASE_PATHS[api]}/openapi.json"
    return [SCHEMATHESIS, "run", contract, "--phases", ",".join(phases), *ALWAYS, *options]


def environment(*, everywhere: bool = False) -> dict[str, str]:
    """`everywhere`: each rule is broken at each place where its type stands, not once."""
    own = {"SCHEMATHESIS_HOOKS": HOOKS, "PYTHONPATH": str(ROOT)} | ({"FUZZ_EVERYWHERE": "1"} if everywhere else {})
    return {name: value for name, value in os.environ.items() if name != "FUZZ_EVERYWHERE"} | own


def run(url: str, api: str, phases: Sequence[str], examples: int, folder: Path) -> Outcome:
    """A run that is the same each time; `folder` is where Schemathesis may leave files."""
    called = command(url, api, phases, "--max-examples", str(examples), *REPEATABLE)
    done = subprocess.run(called, cwd=folder, env=environment(), capture_output=True, text=True, check=False)
    return Outcome(done.returncode == 0, *totals(done.stdout), done.stdout + done.stderr)


def served_operations(api: str) -> int:
    """How many operations the service serves of the contract as it is written: those, and HEAD wherever GET is."""
    (contract,) = (ROOT / "openapi").glob(f"*-{api}-v4.yaml")
    paths = yaml.safe_load(contract.read_text(encoding="utf-8"))["paths"]
    return sum(method in METHODS for path in paths.values() for method in path) + sum(
        "get" in path for path in paths.values()
    )


def totals(text: str) -> tuple[int, int]:
    """Operations tested and cases tried, as the summary of a run says them."""
    operations, cases = re.search(r"Tested: (\d+)", text), re.search(r"([\d,]+) generated", text)
    return (int(operations[1]) if operations else 0, int(cases[1].replace(",", "")) if cases else 0)
