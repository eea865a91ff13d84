"""From a URL to a store; a wrong one is refused in one line that does not show the password."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.storage.tickets import KINDS, index, insert, ticket

from tmf_sales.storage.factory import open_store
from tmf_sales.storage.memory.store import MemoryStorage
from tmf_sales.storage.mongo.store import MongoStorage
from tmf_sales.storage.protocol import StoreRefused
from tmf_sales.storage.records import Kind
from tmf_sales.storage.sqlite.store import SqliteStorage


@pytest.mark.parametrize(
    ("url", "adapter"),
    [
        ("memory:", MemoryStorage),
        ("sqlite:///tmp/x.sqlite", SqliteStorage),
        ("sqlite:x.sqlite", SqliteStorage),
        ("mongodb://host/db", MongoStorage),
        ("mongodb://a:b@host1,host2:27018/db?replicaSet=rs0&w=1", MongoStorage),
        ("mongodb+srv://host.example/db", MongoStorage),
    ],
)
def test_a_url_names_a_store(url: str, adapter: type) -> None:
    assert type(open_store(url, KINDS)) is adapter


@pytest.mark.parametrize(
    "url",
    [
        "",
        "memory",
        "memory:x",
        "postgres://host/db",
        "sqlite:",
        "sqlite:///",
        "sqlite:///directory/",
        "sqlite://host/file",
        "sqlite:///file?mode=ro",
        "sqlite:///file#x",
        "mongodb://",
        "mongodb://us%zzer:secret@host/db",
        "mongodb://user:se/cret@host/db",
        "mongodb://user:secret@host:notaport/db",
        "mongodb://user:secret@host/db?w=0",
    ],
)
def test_a_url_that_names_none_is_refused_in_one_line(url: str) -> None:
    with pytest.raises(ValueError, match="store") as refused:
        open_store(url, KINDS)

    assert "\n" not in str(refused.value)
    assert "secret" not in str(refused.value)


async def test_a_percent_in_a_path_is_decoded(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/a%20b.sqlite", KINDS)
    await store.open()
    await store.close()

    assert (tmp_path / "a b.sqlite").exists()


async def test_a_directory_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreRefused, match="cannot open"):
        await open_store(f"sqlite:///{tmp_path}/missing/store.sqlite", KINDS).open()


async def test_a_file_that_is_no_store_is_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("Dear customer, " * 1000)

    with pytest.raises(StoreRefused, match="not a database"):
        await open_store(f"sqlite:///{file}", KINDS).open()

    assert file.read_text() == "Dear customer, " * 1000


@pytest.mark.parametrize("name", ["", "a b", 'x"; DROP TABLE setting; --', "é"])
def test_the_name_of_a_kind_can_be_the_name_of_a_table(name: str) -> None:
    with pytest.raises(ValueError, match="letters, digits"):
        open_store("sqlite:///x.sqlite", [Kind(name)])


def test_a_compound_index_through_a_list_is_a_defect_of_the_contract() -> None:
    kind = Kind("ticket", (index(("party", "id"), ("name",)),), frozenset({("party",)}))

    with pytest.raises(ValueError, match="goes through a list"):
        open_store("sqlite:///x.sqlite", [kind])


async def test_what_was_stored_is_there_when_the_store_is_opened_again(store_url: str) -> None:
    if store_url == "memory:":
        pytest.skip("memory forgets")
    for revision in range(2):
        store = open_store(store_url, KINDS)
        await store.open()
        if revision == 0:
            await store.commit(insert("1", ticket()))
        stored = await store.get("ticket", "1")
        assert stored is not None
        await store.close()
