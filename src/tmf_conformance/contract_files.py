"""Finds the contracts that this distribution carries, without importing the service."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path


def contract_path(name: str) -> Path:
    """Return the path: in the wheel, contracts are data of the service's package; in a checkout, beside the sources."""
    service = find_spec("tmf_sales")  # searches the import path, and does not import the package
    packages = list(service.submodule_search_locations or ()) if service else []
    folders = [*(Path(package) / "openapi" for package in packages), Path(__file__).parents[2] / "openapi"]
    return next((folder / name for folder in folders if (folder / name).is_file()), folders[0] / name)
