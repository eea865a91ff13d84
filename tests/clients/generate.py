"""Runs openapi-generator, which needs Java, and knows the warnings that it prints for these contracts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

GENERATOR = Path(sys.executable).parent / "openapi-generator-cli"
ONLY_CODE = "apiTests=false,modelTests=false,apiDocs=false,modelDocs=false"
EXPECTED_WARNINGS = {
    "java": {"Ignoring complex example on request body"},  # mock servers and people have a use for it
    "python": {
        "Failed to get the schema name: null",
        "Codegen property is null (e.g. map/dict of undefined type). Default to typing.Any.",
    },
    "typescript-fetch": {
        "Error (model name matches existing language type) cannot be used as a model name. Renamed to ModelError"
    },
    "go": set(),
}


def generate(generator: str, contract: Path, folder: Path, properties: str = "", *options: str) -> None:
    """Generate a client into a folder; AssertionError if the generator prints another warning or fails."""
    done = subprocess.run(
        [
            *(str(GENERATOR), "generate", "--generator-name", generator, *options),
            *("--input-spec", str(contract), "--output", str(folder), "--global-property", ONLY_CODE),
            *("--additional-properties", f"hideGenerationTimestamp=true,{properties}"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    printed = done.stdout + done.stderr
    assert done.returncode == 0, printed
    warnings = {line.partition(" - ")[2].strip() for line in printed.splitlines() if " WARN " in line}
    assert warnings <= EXPECTED_WARNINGS[generator]
    assert " ERROR " not in printed
