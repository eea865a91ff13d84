"""`tmf-sales backup`: a SQLite store is copied while others write to it, and the copy can be served from."""

from __future__ import annotations

import asyncio
import errno
import os
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tmf_sales.app.context import stored_kinds
from tmf_sales.cli import main
from tmf_sales.contract.files import contracts_folder
from tmf_sales.contract.loader import load_contracts
from tmf_sales.storage.conditions import Query
from tmf_sales.storage.factory import open_store
from tmf_sales.storage.protocol import Storage
from tmf_sales.storage.records import Change, Version
from tmf_sales.storage.sqlite.bulk import back_up

KINDS = stored_kinds(load_contracts(contracts_folder()))
STORE = "sqlite:here.sqlite"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["backup", *arguments])


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.delenv("TMF_SALES_STORE", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def opened(url: str) -> Storage:
    store = open_store(url, KINDS)
    await store.open()
    return store


async def write(store: Storage, number: int) -> None:
    id = f"{number:04}"
    document = {"id": id, "category": "fibre", "relatedParty": [{"id": "55"}]}
    event = {"eventId": f"e{number}", "eventTime": "2026-01-01T00:00:00.000Z"}
    await store.commit(Change("tmf648/quote", id, 0, (Version(1, document),), (event,)))


async def ids(store: Storage) -> list[str]:
    page = await store.find("tmf648/quote", Query(limit=1000))
    assert page.total == len(page.rows)
    return [row.id for row in page.rows]


async def test_a_copy_has_a_beginning_of_what_was_written_meanwhile(folder: Path) -> None:
    store = await opened(STORE)
    writing = asyncio.gather(*(write(store, number) for number in range(300)))
    await write(store, 999)

    await asyncio.to_thread(back_up, folder / "here.sqlite", folder / "copy.sqlite")
    await writing
    await store.close()

    copy = await opened("sqlite:copy.sqlite")
    assert "0999" in await ids(copy)
    await write(copy, 1000)
    assert (await copy.find("tmf648/quote", Query(limit=0))).total == len(await ids(copy))
    await copy.close()


def test_a_backup_can_be_served_from(folder: Path) -> None:
    async def fill() -> None:
        store = await opened(STORE)
        await asyncio.gather(*(write(store, number) for number in range(5)))
        await store.close()

    async def look() -> list[str]:
        store = await opened("sqlite:copy.sqlite")
        found = await ids(store)
        await store.close()
        return found

    asyncio.run(fill())

    result = run("--store", STORE, "copy.sqlite")

    assert result.exit_code == 0, result.output
    assert result.stderr.startswith("copied ")
    assert stat.S_IMODE((folder / "copy.sqlite").stat().st_mode) == 0o600
    assert sorted(path.name for path in folder.iterdir() if "copy" in path.name) == ["copy.sqlite"]
    assert asyncio.run(look()) == [f"{number:04}" for number in range(5)]


def test_a_backup_leaves_what_an_interrupted_export_has_written(folder: Path) -> None:
    asyncio.run(close_at_once())
    progress = folder / "copy.part"
    progress.write_text("lines of an export that goes on here\n")

    assert run("--store", STORE, "copy").exit_code == 0

    assert progress.read_text() == "lines of an export that goes on here\n"


async def close_at_once() -> None:
    await (await opened(STORE)).close()


def test_a_copy_that_cannot_be_kept_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asyncio.run(close_at_once())

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    result = run("--store", STORE, "copy")

    assert (result.exit_code, len(result.stderr.splitlines())) == (2, 1)
    assert "No space left on device" in result.stderr
    assert not list(folder.glob("copy*"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--store", "mongodb://me:hunter2@db/x", "copy"], "mongodb://***@db/x is not SQLite"),
        (["--store", "memory:", "copy"], "memory: is not SQLite"),
        (["--store", STORE, "copy"], "there is no store here.sqlite"),
        (["--store", "sqlite:broken", "copy"], "cannot copy broken to copy: file is not a database"),
        (["--store", "sqlite:broken", "taken"], "taken exists already"),
        (["--store", "sqlite:broken", "nowhere/copy"], "cannot copy broken to nowhere/copy: No such file or directory"),
    ],
)
def test_what_cannot_be_copied_is_said_in_one_line(folder: Path, arguments: list[str], said: str) -> None:
    (folder / "broken").write_text("this is no database, and it is long enough to be seen as none" * 50)
    (folder / "taken").write_text("mine")

    result = run(*arguments)

    assert (result.exit_code, len(result.stderr.splitlines())) == (2, 1)
    assert said in result.stderr
    assert sorted(path.name for path in folder.iterdir()) == ["broken", "taken"]
    assert (folder / "taken").read_text() == "mine"
