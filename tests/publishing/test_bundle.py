"""The bundle is the contract in one file: the same schemas, the same order, the same bytes each time."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner
from openapi_spec_validator import OpenAPIV30SpecValidator

from tmf_sales.cli import main
from tmf_sales.contract.bundling import bundle
from tmf_sales.contract.files import contract_files
from tmf_sales.contract.yaml_source import load_yaml
from tmf_sales.publishing.bundle import FORMATS, PROFILES, publish_all, published

ROOT = Path(__file__).parents[2]
CONTRACTS = contract_files(ROOT / "openapi")

contracts = pytest.mark.parametrize("contract", CONTRACTS, ids=lambda path: path.name)
profiles = pytest.mark.parametrize("profile", PROFILES)


class SourceFiles:
    """The hand-written files, each read once; follows references between them."""

    def __init__(self, first: Path) -> None:
        self.first = first
        self._read: dict[str, Any] = {}

    def file(self, name: str) -> Any:
        if name not in self._read:
            self._read[name] = load_yaml(self.first.parent / name)
        return self._read[name]

    def followed(self, reference: str, file: str) -> tuple[Any, str]:
        """What a reference of a file points at, and the file that this is in."""
        other, _, pointer = reference.partition("#")
        return at(self.file(other or file), pointer), other or file


def at(document: Any, pointer: str) -> Any:
    for step in pointer.split("/")[1:]:
        document = document[step.replace("~1", "/").replace("~0", "~")]
    return document


def differences(sources: SourceFiles, whole: Any) -> Iterator[str]:
    """Where the bundle says another thing than the sources, every reference followed on both sides."""
    waiting = [(sources.file(sources.first.name), sources.first.name, whole, "")]
    compared: set[tuple[str, str]] = set()
    while waiting:
        written, file, bundled, place = waiting.pop()
        if isinstance(written, dict) and isinstance(written.get("$ref"), str):
            here = (f"{file} {written['$ref']}", bundled["$ref"])
            if here not in compared:
                compared.add(here)
                target, target_file = sources.followed(written["$ref"], file)
                waiting.append((target, target_file, at(whole, bundled["$ref"].removeprefix("#")), written["$ref"]))
        elif isinstance(written, dict):
            # The bundle has more components than the contract's own file, at their ends.
            names = list(bundled)[: len(written)] if place.startswith("/components") else list(bundled)
            if names != list(written):
                yield f"{place}: {names} instead of {list(written)}"
            waiting += [(written[name], file, bundled[name], f"{place}/{name}") for name in written if name in bundled]
        elif isinstance(written, list):
            waiting += [(*pair, f"{place}/{n}") for n, pair in enumerate(triples(written, file, bundled, place))]
        elif written != bundled:
            yield f"{place}: {bundled!r} instead of {written!r}"


def triples(written: list[Any], file: str, bundled: list[Any], place: str) -> list[tuple[Any, str, Any]]:
    assert len(written) == len(bundled), place
    return [(one, file, other) for one, other in zip(written, bundled, strict=True)]


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


@contracts
def test_the_bundle_resolves_to_what_the_sources_say_in_their_order(contract: Path) -> None:
    assert list(differences(SourceFiles(contract), bundle(contract))) == []


@contracts
def test_a_bundle_that_says_something_else_is_noticed(contract: Path) -> None:
    bundled = bundle(contract)
    bundled["components"]["schemas"]["RelatedParty_Create"]["required"][0] = "name"

    [difference] = differences(SourceFiles(contract), bundled)
    assert difference.endswith("/required/0: 'name' instead of 'id'")


@contracts
@profiles
def test_every_reference_stays_inside_and_finds_something(contract: Path, profile: str) -> None:
    document = orjson.loads(published(contract, profile, "json"))

    for reference in set(references(document)):
        assert reference.startswith("#/components/")
        assert at(document, reference.removeprefix("#")) is not None


@contracts
@profiles
def test_it_is_valid_openapi(contract: Path, profile: str) -> None:
    document = orjson.loads(published(contract, profile, "json"))

    assert [error.message for error in OpenAPIV30SpecValidator(document).iter_errors()] == []


@contracts
@profiles
def test_yaml_and_json_say_the_same(contract: Path, profile: str, tmp_path: Path) -> None:
    written = tmp_path / "contract.yaml"
    written.write_bytes(published(contract, profile, "yaml"))

    # Compared as text, so that the order counts.
    assert orjson.dumps(load_yaml(written)) == orjson.dumps(orjson.loads(published(contract, profile, "json")))


def test_the_bytes_are_the_same_whatever_the_process_hashes(tmp_path: Path) -> None:
    made = {}
    for hash_seed in ("1", "2"):
        target = tmp_path / hash_seed
        command = [sys.executable, "-m", "tmf_sales.publishing.bundle", str(ROOT / "openapi"), str(target)]
        environ = {"PYTHONHASHSEED": hash_seed}
        subprocess.run(command, env=environ, check=True, capture_output=True, cwd=ROOT)
        made[hash_seed] = {path.name: path.read_bytes() for path in target.iterdir()}

    assert made["1"] == made["2"]
    assert len(made["1"]) == len(CONTRACTS) * len(PROFILES) * len(FORMATS)


def test_all_files_are_named_after_contract_profile_and_format(tmp_path: Path) -> None:
    written = {path.name for path in publish_all(ROOT / "openapi", tmp_path)}

    assert {"tmf648-quote-v4.yaml", "tmf648-quote-v4.gateway.json"} <= written


@contracts
@profiles
@pytest.mark.parametrize("format", FORMATS)
def test_the_command_prints_the_file(contract: Path, profile: str, format: str) -> None:
    api = contract.name.partition("-")[0]

    result = CliRunner().invoke(main, ["contract", "--api", api, "--profile", profile, "--format", format])

    assert result.exit_code == 0
    assert result.stdout_bytes == published(contract, profile, format)


def test_the_command_refuses_a_profile_that_is_not_there() -> None:
    result = CliRunner().invoke(main, ["contract", "--api", "tmf648", "--profile", "round"])

    assert result.exit_code == 2
    assert "'round' is not one of 'plain', 'client', 'gateway'" in result.output
