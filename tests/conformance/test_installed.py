"""The checker works without the service around it, and takes suites of other packages."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.conformance import hostile

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).parent / "uv"
NEEDED = ("httpx", "jsonschema-rs", "pyyaml", "click", "rich")
OTHER_API = """
from dataclasses import replace
from pathlib import Path

from tmf_conformance.apis.tmf699 import TMF699
from tmf_conformance.check import Check
from tmf_conformance.source import advice
from tmf_conformance.suite import Suite

API = replace(
    TMF699, name="tmf701", title="TMF701 Process Flow 4.0", segments=("processFlowManagement",), resource="processFlow",
    type="SalesLead", contract=Path(__file__).parent / "process-flow.yaml",
)


def own_checks():
    yield Check("flow-list", "the list of flows can be read", advice("List", "the list can be read"), list_can_be_read)


def list_can_be_read(session):
    session.search().expect_status(200)


SUITE = Suite(API, own_checks)
"""
CONTRACT = "components: {schemas: {SalesLead: {type: object, properties: {id: {type: string}}}}}\n"


def uv(*arguments: str, cwd: Path) -> None:
    done = subprocess.run([UV, "--quiet", "--no-config", *arguments], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel of this distribution and the five packages that the checker imports."""
    folder = tmp_path_factory.mktemp("installed")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    uv("venv", "--python", sys.executable, str(folder / "venv"), cwd=folder)
    python = str(folder / "venv/bin/python")
    versions = ROOT / "requirements.lock"
    uv("pip", "install", "--python", python, "--constraint", str(versions), *NEEDED, cwd=folder)
    uv("pip", "install", "--python", python, "--no-deps", str(wheel), cwd=folder)
    return folder / "venv"


def conformance(installed: Path, *options: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [str(installed / "bin/tmf-conformance"), *options]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


def listing(handler: hostile.Handler) -> None:
    handler.send(200, b"[]")


@pytest.mark.parametrize("path", ["/tmf-api/quoteManagement/v4", "/tmf-api/salesManagement/v4"])
def test_it_runs_without_the_service_installed_around_it(installed: Path, tmp_path: Path, path: str) -> None:
    with hostile.hostile(listing) as url:
        done = conformance(
            installed, "--url", f"{url}{path}", "--only", "list-answers", "--report", "out", cwd=tmp_path
        )

    assert done.stderr == ""
    report = json.loads((tmp_path / "out/report.json").read_text())
    assert [check["id"] for check in report["checks"]] == ["list-answers-200"]


def test_it_has_only_the_packages_that_it_imports(installed: Path) -> None:
    (packages,) = installed.glob("lib/python*/site-packages")

    assert not (packages / "connexion").exists()


def test_the_wheel_has_every_contract_and_no_released_one(installed: Path) -> None:
    (packages,) = installed.glob("lib/python*/site-packages")
    shipped, written = packages / "tmf_sales/openapi", ROOT / "openapi"

    found = {str(path.relative_to(shipped)) for path in shipped.rglob("*.yaml")}
    assert found == {
        str(path.relative_to(written)) for pattern in ("*.yaml", "examples/*") for path in written.glob(pattern)
    }


def test_a_suite_of_another_package_is_checked(installed: Path, tmp_path: Path) -> None:
    (packages,) = installed.glob("lib/python*/site-packages")
    (packages / "flows.py").write_text(OTHER_API)
    (packages / "process-flow.yaml").write_text(CONTRACT)
    metadata = packages / "flows-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: flows\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[tmf_conformance.apis]\ntmf701 = flows:SUITE\n")

    with hostile.hostile(listing) as url:
        target = f"{url}/tmf-api/processFlowManagement/v4"
        done = conformance(installed, "--url", target, "--only", "flow-", "--only", "list-answers", cwd=tmp_path)

    assert "TMF701 Process Flow 4.0" in done.stdout, done.stderr
    assert "passed        advice    flow-list" in done.stdout
    assert "list-answers-200" in done.stdout


def test_an_entry_point_that_leads_nowhere_is_named(installed: Path, tmp_path: Path) -> None:
    (packages,) = installed.glob("lib/python*/site-packages")
    metadata = packages / "broken-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    entry_points = metadata / "entry_points.txt"
    entry_points.write_text("[tmf_conformance.apis]\ntmf999 = no_such_module:SUITE\n")

    done = conformance(installed, "--url", "http://127.0.0.1:1/quote", cwd=tmp_path)
    entry_points.unlink()

    assert (done.returncode, "no_such_module:SUITE cannot be imported" in done.stderr) == (2, True)
