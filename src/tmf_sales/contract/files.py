"""Finds the contracts to serve: the shipped ones, and those in the configured folders.

The first word of the file name, in lower case, is the name of the API: `tmf622` for `TMF622-ProductOrdering-v4.yaml`.
A version other than v4 in the base path is appended: `tmf622-v5`. A file in a configured folder replaces the shipped
contract with the same base path and takes over its name, so that the API keeps its stored data.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tmf_sales.contract.conventions import base_path_of
from tmf_sales.contract.yaml_source import JSON, BrokenContract, BrokenContracts, load_yaml
from tmf_sales.errors import CannotStart

COMMON = "-common-"
POLICY = ".policy"
ENDINGS = (".yaml", ".yml", JSON)
DEFAULT_VERSION = "v4"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")


class UnknownApi(CannotStart):
    """Raised when no contract describes an API that is to be served."""


@dataclass(frozen=True, slots=True)
class ContractFile:
    """A contract to serve. `replaces`: the file name of the shipped contract that it replaces, if any."""

    path: Path
    name: str
    base_path: str
    document: dict[str, Any]
    replaces: str = ""


def contracts_folder() -> Path:
    """The folder of the shipped contracts: inside the installed package, or next to `src` in a checkout."""
    packaged = Path(__file__).parents[1] / "openapi"
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "openapi"


def contract_files(folder: Path) -> list[Path]:
    """The contracts in a folder, sorted by file name; skips files with shared components and policy files."""
    found = [path for ending in ENDINGS for path in folder.glob(f"*{ending}")]
    paths = sorted(path for path in found if COMMON not in path.name and not path.stem.endswith(POLICY))
    if not paths:
        raise BrokenContract(str(folder.name), "", "has no contract")
    return paths


def find_contracts(shipped: Path, folders: Sequence[Path] = (), apis: Sequence[str] = ()) -> tuple[ContractFile, ...]:
    """The contracts to serve, the shipped ones first. `apis` selects some by name; an empty one selects all.

    Raises BrokenContracts with the faults of all files, and UnknownApi.
    """
    faults: list[BrokenContract] = []
    further = [file for folder in folders for file in _read_folder(folder, faults)]
    found = _replace_shipped(_read_folder(shipped, faults), further, faults)
    faults += _faults_of_names(found)
    if faults:
        raise BrokenContracts(faults)
    known = [file.name for file in found]
    if unknown := [name for name in apis if name not in known]:
        raise UnknownApi(f"no contract describes {', '.join(unknown)}; expected some of {', '.join(known)}")
    return tuple(file for file in found if not apis or file.name in apis)


def _read_folder(folder: Path, faults: list[BrokenContract]) -> list[ContractFile]:
    """Read the contracts of a folder; adds a fault to `faults` for each file that cannot be read."""
    found: list[ContractFile] = []
    try:
        paths = contract_files(folder)
    except BrokenContract as fault:
        faults.append(fault)
        return found
    for path in paths:
        try:
            document = load_yaml(path)
        except BrokenContract as fault:
            faults.append(fault)
            continue
        base_path = base_path_of(document)  # the loader reports a missing one
        found.append(ContractFile(path, name_of_api(path, base_path), base_path, document))
    return found


def name_of_api(path: Path, base_path: str) -> str:
    word, version = path.stem.partition("-")[0].lower(), base_path.rpartition("/")[2]
    return f"{word}-{version}" if re.fullmatch(r"v\d+", version) and version != DEFAULT_VERSION else word


def _replace_shipped(
    shipped: Sequence[ContractFile], further: Sequence[ContractFile], faults: list[BrokenContract]
) -> list[ContractFile]:
    by_base_path = {file.base_path: file for file in shipped}
    found = dict(by_base_path)
    for file in further:
        original, current = by_base_path.get(file.base_path), found.get(file.base_path)
        if current is not None and current is not original and file.base_path:
            rule = f"{file.base_path} is the base path of {current.path.name}, too"
            faults.append(BrokenContract(file.path.name, "/servers/0/url", rule))
        elif original is not None:
            found[file.base_path] = replace(file, name=original.name, replaces=original.path.name)
        else:
            found[file.base_path or str(file.path)] = file
    return list(found.values())


def _faults_of_names(files: Iterable[ContractFile]) -> Iterator[BrokenContract]:
    """Check that names are single words and unique, because a resource's name in the store begins with them."""
    known: dict[str, ContractFile] = {}
    for file in files:
        other = known.setdefault(file.name, file)
        if other is not file:
            rule = f"its API is called {file.name}, as that of {other.path.name} is; rename one of the files"
            yield BrokenContract(file.path.name, "", rule)
        if not _NAME.fullmatch(file.name):
            yield BrokenContract(file.path.name, "", "expected a file name that begins with letters and digits")
