"""Clients for TypeScript: tsc compiles them in strict mode, and they do real work.

Types from openapi-typescript are used with openapi-fetch; hey-api and orval generate functions that call `fetch`.
"""

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
SDK_SOURCES = Path(__file__).parent / "typescript_sdk"


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


@pytest.fixture(scope="module")
def compiled_sdks(bundles: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The round trips as JavaScript, compiled with the functions that hey-api and orval generate."""
    tools, folder = node_tools(), tmp_path_factory.mktemp("sdk")
    shutil.copytree(SDK_SOURCES, folder, dirs_exist_ok=True)
    (folder / "node_modules").symlink_to(tools.parent)
    for contract in bundles.glob("tmf???-*-v4.client.yaml"):
        number = contract.name[3:6]
        client = ("--client", "@hey-api/client-fetch", "--no-log-file")
        made = run(tools / "openapi-ts", "--input", contract, "--output", folder / f"heyApi{number}", *client)
        single = ("--client", "fetch", "--mode", "single")
        made += run(tools / "orval", "--input", contract, "--output", folder / f"orval{number}.ts", *single)
        assert "warn" not in made.lower()
    assert run(tools / "tsc", "--project", folder) == ""
    return folder / "compiled"


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("round_trip", ["heyApi.js", "orval.js"])
def test_generated_typescript_functions_do_real_work(round_trip: str, compiled_sdks: Path, service: Service) -> None:
    assert ends_well("node", compiled_sdks / round_trip, service.url)


def run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
