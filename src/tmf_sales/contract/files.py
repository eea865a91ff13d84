"""Finds the contracts to serve: the shipped ones, and those in the folders that a setting names.

An API is called by the first word of its file's name, such as `tmf622` for `tmf622-productOrdering-v4.yaml`; a version
other than v4 in its base path is added, such as `tmf622-v5`. A file in a folder replaces the shipped contract with the
same base path and takes its name, so that what is stored for the API stays its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tmf_sales.contract.yaml_source import BrokenContract, BrokenContracts, load_yaml
from tmf_sales.errors import CannotStart

COMMON = "-common-"
POLICY = ".policy"
DEFAULT_VERSION = "v4"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class UnknownApi(CannotStart):
    """Raised when an API is to be served that no contract describes."""


@dataclass(frozen=True, slots=True)
class ContractFile:
    """A contract to serve; `replaces` is the file name of the shipped contract in whose place it stands."""

    path: Path
    name: str
    base_path: str
    document: dict[str, Any]
    replaces: str = ""


def contracts_folder() -> Path:
    """The shipped contracts: beside the sources in a checkout, inside the package when it is installed."""
    packaged = Path(__file__).parents[1] / "openapi"
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "openapi"


def contract_files(folder: Path) -> list[Path]:
    """Every contract in a folder, by file name; files with shared components or with policy rows are none."""
    paths = sorted(path for path in folder.glob("*.yaml") if COMMON not in path.name and not path.stem.endswith(POLICY))
    if not paths:
        raise BrokenContract(str(folder.name), "", "has no contract")
    return paths


def find_contracts(shipped: Path, folders: Sequence[Path] = (), apis: Sequence[str] = ()) -> tuple[ContractFile, ...]:
    """The contracts to serve, the shipped ones first; `apis` names some of them, none stands for all.

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
    """The contracts of a folder; the fault of a file that cannot be read goes to `faults`."""
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
        base_path = _base_path(document)
        found.append(ContractFile(path, name_of_api(path, base_path), base_path, document))
    return found


def _base_path(document: dict[str, Any]) -> str:
    """The path of the first server; empty where there is none, which is reported when the contract is loaded."""
    try:
        url = document["servers"][0]["url"]
    except (LookupError, TypeError):
        return ""
    return url if isinstance(url, str) else ""


def name_of_api(path: Path, base_path: str) -> str:
    word, version = path.stem.partition("-")[0], base_path.rpartition("/")[2]
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
    """A name is a part of what the store calls a resource: it must be one word, and that of one API."""
    known: dict[str, ContractFile] = {}
    for file in files:
        other = known.setdefault(file.name.lower(), file)
        if other is not file:
            rule = f"its API is called {file.name}, as that of {other.path.name} is; rename one of the files"
            yield BrokenContract(file.path.name, "", rule)
        if not _NAME.fullmatch(file.name):
            yield BrokenContract(file.path.name, "", "expected a file name that begins with letters and digits")
