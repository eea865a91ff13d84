"""A SQLite store that is gone, damaged, or on a full disk: nothing is confirmed, and /ready says so."""

from __future__ import annotations

import resource
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner
from tests.api import refusal
from tests.service import PATIENCE, Service, start_service

from tmf_sales.cli import main

LEADS = "/tmf-api/sales/v4/salesLead"
PAGE = 4096


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture
def service(tmp_path: Path, folder: Path) -> Iterator[Service]:
    with start_service(tmp_path / "log", "--store", f"sqlite:///{folder}/store.sqlite") as service:
        yield service


def post(service: Service) -> httpx.Response:
    return httpx.post(service.url + LEADS, json={"name": "x"})


def comes_to_be(service: Service, status: int) -> bool:
    """Whether /ready answers so in time; all callers share one look at the store a second."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if httpx.get(f"{service.url}/ready").status_code == status:
            return True
    return False


def remove_all(folder: Path) -> None:
    for file in folder.glob("store.sqlite*"):
        file.unlink()


def remove_the_log(folder: Path) -> None:
    (folder / "store.sqlite-wal").unlink()


def move_the_folder(folder: Path) -> None:
    folder.rename(folder.with_name("elsewhere"))


def replace_the_file(folder: Path) -> None:
    copy = folder / "copy"
    copy.write_bytes((folder / "store.sqlite").read_bytes())
    copy.rename(folder / "store.sqlite")


@pytest.mark.parametrize("lose", [remove_all, remove_the_log, move_the_folder, replace_the_file])
def test_nothing_is_confirmed_that_would_be_lost(service: Service, folder: Path, lose: Callable[[Path], None]) -> None:
    assert post(service).status_code == 201
    assert comes_to_be(service, 200)

    lose(folder)

    message = refusal(post(service), 503, "storageUnavailable")
    assert message == "the store's file was removed, moved or replaced while it was open"
    assert comes_to_be(service, 503)


def test_a_damaged_file_is_not_ready_and_check_names_the_damage(tmp_path: Path, folder: Path) -> None:
    path, log = folder / "store.sqlite", tmp_path / "log"
    with start_service(log, "--store", f"sqlite:///{path}") as intact:
        for number in range(20):
            lead = {"name": f"{number}", "description": "needle" + "x" * 3000}
            assert httpx.post(intact.url + LEADS, json=lead).status_code == 201
    overwrite_pages_with(path, b"needle")

    with start_service(log, "--store", f"sqlite:///{path}") as damaged:
        refusal(httpx.get(damaged.url + LEADS), 503, "storageUnavailable")
        assert comes_to_be(damaged, 503)
        assert httpx.get(f"{damaged.url}/ready").json()["message"] == "the store is damaged"
    checked = CliRunner().invoke(main, ["check", "--store", f"sqlite:///{path}"])

    assert " error the store is damaged: database disk image is malformed; tmf-sales check says" in log.read_text()
    assert checked.exit_code == 1
    assert "is damaged: " in checked.output
    assert "put the last backup in its place, or save what is readable" in checked.output


def overwrite_pages_with(path: Path, text: bytes) -> None:
    """Overwrite every page of a SQLite file that has the text."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = path.read_bytes()
    pages = [content[start : start + PAGE] for start in range(0, len(content), PAGE)]
    path.write_bytes(b"".join(b"\xff" * PAGE if text in page else page for page in pages))


def test_a_folder_that_comes_back_is_the_store_again(service: Service, folder: Path) -> None:
    elsewhere = folder.with_name("elsewhere")
    folder.rename(elsewhere)
    assert post(service).status_code == 503

    elsewhere.rename(folder)

    assert comes_to_be(service, 200)
    assert post(service).status_code == 201


def test_a_full_disk_is_not_ready(tmp_path: Path) -> None:
    service = start_service(tmp_path / "log", "--store", f"sqlite:///{tmp_path}/store.sqlite")
    try:
        assert comes_to_be(service, 200)
        written = (tmp_path / "store.sqlite-wal").stat().st_size
        bound, most = resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE)

        resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (written, most))
        assert post(service).status_code == 503
        assert comes_to_be(service, 503)

        resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (bound, most))
        assert comes_to_be(service, 200)
        assert post(service).status_code == 201
    finally:
        service.abandon()


def test_the_store_is_only_for_its_owner(service: Service, folder: Path) -> None:
    assert post(service).status_code == 201

    assert {file.name: oct(file.stat().st_mode & 0o777) for file in folder.iterdir()} == {
        f"store.sqlite{end}": "0o600" for end in ("", "-wal", "-shm", "-front", "-turn")
    }
