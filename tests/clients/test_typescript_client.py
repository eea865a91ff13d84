"""Types from openapi-typescript, used with openapi-fetch: tsc takes them in strict mode, and they do real work."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from tests.clients.round_trip import ends_well
from tests.node_tools import node_tools
from tests.service import Service

pytestmark = pytest.mark.full

SOURCES = Path(__file__).parent / "typescript"


@pytest.fixture(scope="module")
def compiled(bundles: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The round trips as JavaScript, compiled against the generated types."""
    tools, folder = node_tools(), tmp_path_factory.mktemp("typescript")
    shutil.copytree(SOURCES, folder, dirs_exist_ok=True)
    (folder / "node_modules").symlink_to(tools.parent)
    (folder / "package.json").write_text('{"type": "module"}')
    for contract in bundles.glob("tmf???-*-v4.client.yaml"):
        types = folder / f"{contract.name.partition('-')[0]}.ts"
        made = run(tools / "openapi-typescript", contract, "--output", types)
        assert "warn" not in made.lower()
    assert run(tools / "tsc", "--project", folder) == ""
    return folder / "compiled"


@pytest.mark.parametrize("round_trip", ["salesRoundTrip.js", "quoteRoundTrip.js"])
def test_generated_typescript_types_do_real_work(round_trip: str, compiled: Path, service: Service) -> None:
    assert ends_well("node", compiled / round_trip, service.url)


def run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
