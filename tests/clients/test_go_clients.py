"""The clients that oapi-codegen and ogen make for Go: both compile, and they do real work.

`go/go.mod` pins both generators and what the clients import. Without Go, or when they cannot be fetched, the tests are
skipped and say why.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from tests.clients.round_trip import ends_well
from tests.service import Service

pytestmark = [pytest.mark.full, pytest.mark.timeout(1800)]

SOURCES = Path(__file__).parent / "go"


@pytest.fixture(scope="module")
def project(bundles: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Go module with the generated clients of both generators; its round trips are compiled into `bin`."""
    if not shutil.which("go"):
        pytest.skip("Go is missing: install it to test the clients of oapi-codegen and ogen")
    folder = tmp_path_factory.mktemp("go")
    shutil.copytree(SOURCES, folder, dirs_exist_ok=True)
    (folder / "bin").mkdir()
    built = run(folder, "go", "build", "-o", "bin/", "tool")
    if built.returncode:
        pytest.skip(f"oapi-codegen and ogen cannot be built: {built.stderr.strip()[-500:]}")
    for contract in bundles.glob("tmf???-*-v4.client.yaml"):
        generate(folder, contract, package=contract.name.partition("-")[0])
    compiled = run(folder, "go", "build", "-o", "bin/round-trip/", "./oapicodegen", "./ogen")
    assert compiled.returncode == 0, compiled.stdout + compiled.stderr
    return folder


def generate(folder: Path, contract: Path, *, package: str) -> None:
    target = folder / "oapi" / package
    target.mkdir(parents=True)
    said = run(
        *(folder, "bin/oapi-codegen", "-config", "oapi-codegen.yml", "-package", package),
        *("-o", target / "client.go", contract),
    )
    assert (said.returncode, said.stdout, said.stderr) == (0, "", "")
    said = run(
        *(folder, "bin/ogen", "--loglevel", "error", "--config", "ogen.yml"),
        *("--target", folder / "ogen" / package, "--package", package, contract),
    )
    assert (said.returncode, said.stderr) == (0, ""), said.stdout


@pytest.mark.parametrize("generator", ["oapicodegen", "ogen"])
def test_generated_go_clients_do_real_work(generator: str, project: Path, service: Service) -> None:
    assert ends_well(project / "bin/round-trip" / generator, service.url)


def run(folder: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
