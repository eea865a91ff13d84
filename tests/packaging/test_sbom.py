"""`make sbom`: the bill of materials has what an installation holds, with licences, and nothing else."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from tests.packaging.installing import ROOT, run

from tmf_sales import __version__

PINNED = re.compile(r"^([\w.-]+)==([^ ;]+)( ;.*?)? \\$", re.MULTILINE)


@pytest.fixture(scope="module")
def bill() -> dict[str, Any]:
    said = run(ROOT / "scripts/sbom", cwd=ROOT)
    assert "build/tmf-sales.cdx.json" in said
    written: dict[str, Any] = json.loads((ROOT / "build/tmf-sales.cdx.json").read_text(encoding="utf-8"))
    return written


@pytest.mark.full
def test_the_bill_is_about_this_version(bill: dict[str, Any]) -> None:
    subject = bill["metadata"]["component"]

    assert bill["bomFormat"] == "CycloneDX"
    assert (subject["name"], subject["version"]) == ("tmf-sales", __version__)


@pytest.mark.full
def test_the_bill_has_the_locked_packages_and_no_tool_of_the_tests(bill: dict[str, Any]) -> None:
    pinned = PINNED.findall((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    listed = {(each["name"].lower().replace("_", "-"), each["version"]) for each in bill["components"]}
    listed.discard(("tmf-sales", __version__))

    assert len(pinned) > 50
    assert {(name, version) for name, version, marker in pinned if not marker} <= listed
    assert listed <= {(name, version) for name, version, _ in pinned}


@pytest.mark.full
def test_every_package_has_a_licence_but_those_that_name_it_in_free_text(bill: dict[str, Any]) -> None:
    """Their metadata says "BSD" and "3-Clause BSD License", which cyclonedx-bom takes for no licence."""
    without = [each["name"] for each in bill["components"] if not each.get("licenses")]

    assert sorted(without) == ["json-merge-patch", "protobuf"]
