"""The wheel and the sdist: complete, without what only a checkout needs, and working in an empty environment."""

from __future__ import annotations

import json
import sys
import tarfile
import urllib.request
import zipfile
from email.parser import HeaderParser
from pathlib import Path

from tests.packaging.installing import ROOT, UV, attempt, run
from tests.service import start_service

LEFT_OUT = ("pymongo", "joserfc", "limits", "uvloop", "gunicorn", "uvicorn-worker")


def test_the_wheel_holds_the_packages_their_data_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()

    assert {name.partition("/")[0] for name in names} == {
        "tmf_sales",
        "tmf_conformance",
        next(name for name in names if ".dist-info/" in name).partition("/")[0],
    }
    contracts = [f"openapi/{path.name}" for path in (ROOT / "openapi").glob("*.yaml")]
    for needed in ("py.typed", *contracts, "auth/policy.yaml", "apis/prices/example.json"):
        assert f"tmf_sales/{needed}" in names
    assert "tmf_conformance/py.typed" in names
    assert [name for name in names if "released" in name or "test" in name.lower()] == []


def test_the_sdist_builds_the_same_wheel(built: Path, wheel: Path, tmp_path: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        archive.extractall(tmp_path, filter="data")
    [source] = tmp_path.iterdir()

    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "--directory", tmp_path / "dist", cwd=source)

    with zipfile.ZipFile(next((tmp_path / "dist").glob("*.whl"))) as again, zipfile.ZipFile(wheel) as first:
        assert sorted(again.namelist()) == sorted(first.namelist())
    assert not (source / "tests").exists()
    assert not (source / "openapi/released").exists()


def test_the_metadata_is_complete_and_renders(built: Path, wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = HeaderParser().parsestr(archive.read(name).decode())

    assert "PASSED" in run(sys.executable, "-m", "twine", "check", "--strict", *built.glob("tmf_sales-*"))
    for field in (
        "Summary",
        "Author",
        "License-Expression",
        "Keywords",
        "Requires-Python",
        "Project-URL",
        "Classifier",
    ):
        assert metadata[field]
    assert {"auth", "mongodb", "all"} <= set(metadata.get_all("Provides-Extra") or ())


def test_the_installed_package_serves_from_another_folder(environment: Path, tmp_path: Path) -> None:
    command = (str(environment / "tmf-sales"), "serve")
    with (
        start_service(tmp_path / "log", "--store", f"sqlite:{tmp_path}/s.sqlite", "--seed", command=command) as service,
        urllib.request.urlopen(f"{service.url}/tmf-api/sales/v4/salesLead/123") as answer,
    ):
        lead = json.load(answer)

    assert lead["id"] == "123"
    assert lead["@type"] == "SalesLead"


def test_every_command_explains_itself_when_installed(environment: Path, tmp_path: Path) -> None:
    listed = run(environment / "tmf-sales", "--help", cwd=tmp_path)
    commands = [line.split()[0] for line in listed.partition("Commands:")[2].splitlines() if line.startswith("  ")]

    assert "serve" in commands
    for command in commands:
        assert "Usage: tmf-sales" in run(environment / "tmf-sales", command, "--help", cwd=tmp_path)


def test_without_extras_and_uvloop_the_service_runs_and_names_the_extra_that_a_setting_needs(
    wheel: Path, tmp_path: Path
) -> None:
    """Nor are gunicorn and uvloop there on Windows; the lock pins everything else."""
    folder = tmp_path / "venv"
    run(UV, "--no-config", "venv", "--quiet", "--python", sys.executable, folder)
    python, command = folder / "bin/python", folder / "bin/tmf-sales"
    install = (UV, "--no-config", "pip", "install", "--quiet", "--python", python)
    run(*install, "--require-hashes", "-r", ROOT / "requirements.lock")
    run(*install, "--no-deps", wheel)
    run(UV, "--no-config", "pip", "uninstall", "--quiet", "--python", python, *LEFT_OUT)

    with start_service(tmp_path / "log", "--store", "memory:", command=(str(command), "serve")) as service:
        assert urllib.request.urlopen(f"{service.url}/live").status == 200
    mongodb = attempt(command, "serve", "--store", "mongodb://127.0.0.1:1/x", cwd=tmp_path)
    limited = attempt(command, "serve", "--store", "memory:", cwd=tmp_path, environ={"TMF_SALES_RATE_LIMIT": "5"})

    assert "pip install 'tmf-sales[mongodb]'" in mongodb.stdout
    assert "pip install 'tmf-sales[auth]'" in limited.stdout
    assert mongodb.returncode != 0
    assert limited.returncode != 0
