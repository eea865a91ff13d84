"""`tmf-sales export` and `tmf-sales import`: files, what is said, exit codes, and going on after an interruption."""

from __future__ import annotations

import asyncio
import stat
from datetime import UTC, datetime
from pathlib import Path

import click
import orjson
import pytest
from click.testing import CliRunner, Result

from tmf_sales.app.context import stored_kinds
from tmf_sales.app.seeding import seed
from tmf_sales.cli import main
from tmf_sales.cli.progress import progress
from tmf_sales.contract.files import contracts_folder
from tmf_sales.contract.loader import load_contracts
from tmf_sales.storage.factory import open_store

CONTRACTS = load_contracts(contracts_folder())
STORE = "sqlite:here.sqlite"
OTHER = "sqlite:there.sqlite"


def run(*arguments: str, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(main, arguments, input=stdin)


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder of its own, with a store that holds the examples."""
    monkeypatch.delenv("TMF_SALES_STORE", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tmf_sales.contract.loader.load_contracts", lambda *_: CONTRACTS)

    async def fill() -> None:
        store = open_store(STORE, stored_kinds(CONTRACTS))
        await store.open()
        await seed(store, CONTRACTS, datetime.now(UTC))
        await store.close()

    asyncio.run(fill())
    return tmp_path


def exported(store: str, *options: str) -> bytes:
    result = run("export", "--store", store, *options, "-")
    assert result.exit_code == 0, result.output
    return result.stdout_bytes


def test_everything_is_exported_to_a_file_that_only_its_owner_reads(folder: Path) -> None:
    result = run("export", "--store", STORE, "all.jsonl")

    file = folder / "all.jsonl"
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "exported 2 resources\n")
    assert [orjson.loads(line)["kind"] for line in file.read_text().splitlines()] == [
        "tmf648/quote",
        "tmf699/salesLead",
    ]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not (folder / "all.jsonl.part").exists()


def test_some_kinds_are_exported() -> None:
    whole = exported(STORE)

    assert exported(STORE, "--kind", "quote") == whole.splitlines(keepends=True)[0]
    assert exported(STORE, "--kind", "salesLead", "--kind", "quote") == whole
    assert exported(STORE, "--kind", "listener") == b""


def test_a_kind_that_is_not_there_is_refused() -> None:
    result = run("export", "--store", STORE, "--kind", "order", "-")

    assert result.exit_code == 2
    assert result.stderr == "Error: --kind is 'order'; expected listener or tmf648/quote or tmf699/salesLead\n"


def test_a_file_that_exists_is_not_written_over(folder: Path) -> None:
    (folder / "all.jsonl").write_text("mine")

    result = run("export", "--store", STORE, "all.jsonl")

    assert (result.exit_code, result.stderr) == (2, "Error: all.jsonl exists already\n")
    assert (folder / "all.jsonl").read_text() == "mine"


def test_a_file_that_cannot_be_written_is_refused_in_one_line() -> None:
    result = run("export", "--store", STORE, "nowhere/all.jsonl")

    assert (result.exit_code, result.stderr) == (
        2,
        "Error: cannot write nowhere/all.jsonl.part: No such file or directory\n",
    )


@pytest.mark.parametrize("cut", [0, 30, -30, None])
def test_an_export_that_was_broken_off_goes_on(folder: Path, cut: int | None) -> None:
    """`cut`: how much of the first line and what follows was written."""
    whole = exported(STORE)
    first = whole.index(b"\n") + 1
    written = whole[: cut if cut is not None and cut >= 0 else first if cut is None else cut]
    (folder / "all.jsonl.part").write_bytes(written)

    result = run("export", "--store", STORE, "all.jsonl")

    assert result.exit_code == 0, result.output
    assert (folder / "all.jsonl").read_bytes() == whole
    assert ("going on behind tmf648/quote 12dd-78hg, line 1" in result.stderr) == (len(written) >= first)


def test_a_part_that_is_something_else_is_left_alone(folder: Path) -> None:
    part = folder / "all.jsonl.part"
    part.write_text("my notes\n")

    result = run("export", "--store", STORE, "all.jsonl")

    assert result.exit_code == 2
    assert "is not an unfinished export: line 1: column 1: expected strict JSON" in result.stderr
    assert part.read_text() == "my notes\n"


def test_a_part_with_other_kinds_is_left_alone(folder: Path) -> None:
    part = folder / "all.jsonl.part"
    part.write_bytes(exported(STORE, "--kind", "quote"))

    result = run("export", "--store", STORE, "--kind", "salesLead", "all.jsonl")

    assert result.exit_code == 2
    assert "all.jsonl.part was begun with kind tmf648/quote" in result.stderr


def test_what_was_exported_can_be_imported_and_imported_again() -> None:
    run("export", "--store", STORE, "all.jsonl")

    first = run("import", "--store", OTHER, "all.jsonl")
    again = run("import", "--store", OTHER, "all.jsonl")

    assert (first.exit_code, first.stderr) == (0, "imported 2 resources; 0 were there already\n")
    assert (again.exit_code, again.stderr) == (0, "imported 0 resources; 2 were there already\n")
    assert exported(OTHER) == exported(STORE)


def test_a_bad_line_is_reported_and_the_others_are_imported() -> None:
    text = exported(STORE)

    result = run("import", "--store", OTHER, "-", stdin=b"nonsense\n" + text)

    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "line 1 is skipped: column 1: expected strict JSON in UTF-8 (RFC 8259): invalid literal",
        "imported 2 resources; 0 were there already; 1 lines skipped",
    ]
    assert exported(OTHER) == text


def test_what_is_stored_differently_is_reported() -> None:
    text = exported(STORE).replace(b'"description":"', b'"description":"another ')

    result = run("import", "--store", STORE, "-", stdin=text)

    assert (result.exit_code, result.stderr) == (
        0,
        "imported 0 resources; 0 were there already; 2 are stored differently and were left as they are\n",
    )


def test_documents_that_the_contract_refuses_need_a_switch() -> None:
    text = exported(STORE, "--kind", "quote").replace(b'"state":"approved"', b'"state":"sold"')

    assert run("import", "--store", OTHER, "-", stdin=text).exit_code == 1
    assert run("import", "--store", OTHER, "--no-check", "-", stdin=text).exit_code == 0
    assert exported(OTHER) == text


def test_a_store_that_forgets_is_no_place_to_import_into() -> None:
    result = run("import", "--store", "memory:", "-", stdin=b"")

    assert (result.exit_code, result.stderr) == (2, "Error: the store memory: is gone when this command ends\n")


def test_a_file_that_cannot_be_read_is_refused_in_one_line(folder: Path) -> None:
    result = run("import", "--store", OTHER, "missing.jsonl")

    assert (result.exit_code, result.stderr) == (2, "Error: cannot read missing.jsonl: No such file or directory\n")


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)

    for total, unit in ((3, "resources"), (0, "bytes")):
        with progress("exporting", total, unit) as bar:
            bar(3)

    assert "exporting" in click.unstyle(capsys.readouterr().err)
