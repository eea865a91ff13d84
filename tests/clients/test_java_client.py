"""The clients that openapi-generator makes for Java: no unexpected warning, Maven compiles them, and they work."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.clients.round_trip import ends_well
from tests.service import Service

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(not (shutil.which("java") and shutil.which("mvn")), reason="Java or Maven is missing"),
]

TOOLS = Path(sys.executable).parent
ONLY_CODE = "apiTests=false,modelTests=false,apiDocs=false,modelDocs=false"


@pytest.fixture(scope="module")
def project(bundles: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Maven project with both generated clients and the round trip, compiled; `classpath` names its libraries."""
    folder = tmp_path_factory.mktemp("java")
    for contract in bundles.glob("tmf???-*-v4.client.yaml"):
        generate(contract, folder, package=contract.name.partition("-")[0])
    shutil.copy(Path(__file__).parent / "java" / "RoundTrip.java", folder / "src/main/java")
    goals = ["compile", "dependency:build-classpath", f"-Dmdep.outputFile={folder / 'classpath'}"]
    run("mvn", "--quiet", "--batch-mode", "--file", folder, *goals)
    return folder


def generate(contract: Path, folder: Path, *, package: str) -> None:
    packages = f"invokerPackage={package},apiPackage={package}.api,modelPackage={package}.model"
    said = run(
        *(TOOLS / "openapi-generator-cli", "generate", "--generator-name", "java", "--library", "native"),
        *("--input-spec", contract, "--output", folder, "--global-property", ONLY_CODE),
        *("--additional-properties", f"containerDefaultToNull=true,hideGenerationTimestamp=true,{packages}"),
    )
    # The generator has no use for the example of a body, which mock servers and people have.
    warnings = {line.partition(" - ")[2] for line in said.splitlines() if " WARN " in line}
    assert warnings <= {"Ignoring complex example on request body"}
    assert " ERROR " not in said


def test_generated_java_clients_do_real_work(project: Path, service: Service) -> None:
    classpath = f"{project / 'target/classes'}:{(project / 'classpath').read_text().strip()}"

    assert ends_well("java", "-cp", classpath, "RoundTrip", service.url)


def run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
