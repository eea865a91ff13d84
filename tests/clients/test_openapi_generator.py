"""The clients that openapi-generator makes for Python, TypeScript, Go and Java: they compile, and they do real work.

Each is generated from the profile `client` of both contracts. A test is skipped where its language is missing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.clients.generate import generate
from tests.clients.round_trip import ends_well
from tests.node_tools import node_tools
from tests.service import Service

pytestmark = [
    pytest.mark.full,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(not shutil.which("java"), reason="Java is missing: openapi-generator needs it"),
]

SOURCES = Path(__file__).parent / "openapi_generator"
PYTHON = Path(sys.executable)


def contracts(bundles: Path) -> list[tuple[str, Path]]:
    """The number of each contract, such as tmf648, and its profile for clients."""
    return [(path.name.partition("-")[0], path) for path in sorted(bundles.glob("tmf???-*-v4.client.yaml"))]


def test_generated_python_clients_do_real_work(bundles: Path, tmp_path: Path, service: Service) -> None:
    for package, contract in contracts(bundles):
        generate("python", contract, tmp_path, f"packageName={package}")
    round_trip = shutil.copy(SOURCES / "python/round_trip.py", tmp_path)

    mypy = (PYTHON, "-m", "mypy", "--cache-dir", tmp_path / "cache", "--ignore-missing-imports")
    run(tmp_path, *mypy, "-p", "tmf648", "-p", "tmf699")
    strict = ("--strict", "--allow-untyped-calls", "--follow-imports=silent")  # the client's read() is untyped
    run(tmp_path, *mypy, *strict, "round_trip.py")
    assert ends_well(PYTHON, round_trip, service.url, PYTHONPATH=str(tmp_path))


def test_generated_clients_for_fetch_do_real_work(bundles: Path, tmp_path: Path, service: Service) -> None:
    tools = node_tools()
    (tmp_path / "node_modules").symlink_to(tools.parent)
    for package, contract in contracts(bundles):
        generate("typescript-fetch", contract, tmp_path / package)
    shutil.copytree(SOURCES / "typescript", tmp_path, dirs_exist_ok=True)

    assert run(tmp_path, tools / "tsc", "--project", tmp_path) == ""
    assert ends_well("node", tmp_path / "compiled/roundTrip.js", service.url)


@pytest.mark.skipif(not shutil.which("go"), reason="Go is missing")
def test_generated_go_clients_do_real_work(bundles: Path, tmp_path: Path, service: Service) -> None:
    shutil.copytree(SOURCES / "go", tmp_path, dirs_exist_ok=True)
    if subprocess.run(["go", "mod", "download"], cwd=tmp_path, capture_output=True, check=False).returncode:
        pytest.skip("what the Go clients import cannot be fetched")
    go = "withGoMod=false,enumClassPrefix=true,disallowAdditionalPropertiesIfNotPresent=false"
    for package, contract in contracts(bundles):
        generate("go", contract, tmp_path / package, f"packageName={package},{go}")

    run(tmp_path, "go", "build", "-o", "round-trip", ".")
    assert ends_well(tmp_path / "round-trip", service.url)


@pytest.mark.skipif(not shutil.which("mvn"), reason="Maven is missing")
def test_generated_java_clients_do_real_work(bundles: Path, tmp_path: Path, service: Service) -> None:
    for package, contract in contracts(bundles):
        packages = f"invokerPackage={package},apiPackage={package}.api,modelPackage={package}.model"
        generate("java", contract, tmp_path, f"containerDefaultToNull=true,{packages}", "--library", "native")
    shutil.copy(SOURCES / "java/RoundTrip.java", tmp_path / "src/main/java")

    goals = ["compile", "dependency:build-classpath", f"-Dmdep.outputFile={tmp_path / 'classpath'}"]
    run(tmp_path, "mvn", "--quiet", "--batch-mode", *goals)
    classpath = f"{tmp_path / 'target/classes'}{os.pathsep}{(tmp_path / 'classpath').read_text().strip()}"
    assert ends_well("java", "-cp", classpath, "RoundTrip", service.url)


def run(folder: Path, *command: str | Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
