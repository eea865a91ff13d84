"""docs/how-to/add-an-api.md: its files are written down, installed and run as the page says."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import httpx
import pytest
from tests.packaging.installing import ROOT, UV, run
from tests.service import start_service

PAGE = ROOT / "docs/how-to/add-an-api.md"
BASE_PATH = "/tmf-api/appointment/v4"
MERGE = {"Content-Type": "application/merge-patch+json"}


@pytest.fixture
def folder(environment: Path, tmp_path: Path) -> Path:
    """The files of the page; its package of rules is installed for the time of the test."""
    for title, content in re.findall(r'```\w+ title="([^"]+)"\n(.*?)```', PAGE.read_text(), re.DOTALL):
        path = tmp_path / title
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
    build = (sys.executable, "-m", "hatchling", "build", "-t", "wheel")
    run(*build, "--directory", tmp_path / "dist", cwd=tmp_path / "rules")
    [wheel] = (tmp_path / "dist").glob("*.whl")
    pip = (UV, "--no-config", "pip")
    run(*pip, "install", "--quiet", "--offline", "--no-deps", "--python", environment / "python", wheel)
    return tmp_path


def test_the_files_of_the_page_make_an_api(environment: Path, folder: Path) -> None:
    command = (str(environment / "tmf-sales"), "serve", "--contracts", str(folder / "contracts"))
    try:
        checked = run(environment / "tmf-sales", "check", "--contracts", "contracts", cwd=folder)
        help_text = run(environment / "tmf-sales", "serve", "--help", cwd=folder)
        with (
            start_service(folder / "log", "--store", "memory:", command=command) as service,
            httpx.Client(base_url=service.url + BASE_PATH) as client,
        ):
            refused = client.post("/appointment", json={"category": "repair"})
            made = client.post("/appointment", json={"category": "installation"})
            patched = client.patch(made.json()["href"], json={"status": "confirmed"}, headers=MERGE)
            absent = client.delete(made.json()["href"])
    finally:
        run(UV, "--no-config", "pip", "uninstall", "--quiet", "--python", environment / "python", "appointment-rules")

    assert "tmf646/appointment has the rules tmf646.Appointment" in checked
    assert "BAD" not in checked
    assert "tmf646: no row is about" not in checked
    assert "--described-category" in help_text
    assert "/description: is required for category repair" in refused.json()["message"]
    assert (made.status_code, made.json()["status"]) == (201, "initialized")
    assert patched.json()["status"] == "confirmed"
    assert absent.status_code == 405
