"""Kinds that format 1 stored under another name, and kinds that nobody announced, on every store that lasts."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import pytest
from tests.storage.tickets import insert, ticket, update

from tmf_sales.storage.events import FanOut
from tmf_sales.storage.factory import open_store
from tmf_sales.storage.protocol import Storage, StoreRefused
from tmf_sales.storage.records import Index, Kind

EARLIER = Kind("ticket", indexes=(Index(((("name",), False),)),))
RENAMED = Kind("tmf1/ticket", EARLIER.indexes, EARLIER.lists, earlier_name="ticket")
OTHER = Kind("other")


@pytest.fixture(params=["sqlite", "mongo"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store.sqlite"
    return str(request.getfixturevalue("mongo_url"))


async def opened(url: str, *kinds: Kind) -> Storage:
    store = open_store(url, kinds)
    await store.open()
    return store


def event(id: str) -> dict[str, str]:
    return {"eventId": id, "eventTime": "2026-01-01T00:00:00.000Z", "eventType": "Made"}


async def with_two_tickets(url: str) -> None:
    """One event is in a delivery queue, the other is new."""
    store = await opened(url, EARLIER)
    await store.commit(insert("1", ticket(), event("e1")))
    await store.events.sweep()
    while not (new := await store.events.not_fanned_out(10)):
        pass  # a sweep leaves to the store's own mover what that is about to move
    [first] = new
    await store.events.fan_out([FanOut(first, ["listener"])], "worker", 0.0, 0.0)
    await store.commit(insert("2", ticket(name="other"), event("e2")))
    await store.events.sweep()
    await store.close()


async def test_what_has_an_earlier_name_is_taken_over_once(url: str) -> None:
    await with_two_tickets(url)
    for _ in range(2):
        store = await opened(url, RENAMED)
        assert [record.id for record in await store.walk("tmf1/ticket", "", 10)] == ["1", "2"]
        assert await store.unknown_kinds() == {}
        assert {each.kind for each in (await store.events.log(None, 0, 10))[0]} == {"tmf1/ticket"}
        await store.close()

    store = await opened(url, RENAMED)
    [queue] = await store.events.claim("worker", 4e9, time.time(), {"listener": 10})
    assert queue.key.kind == "tmf1/ticket"
    assert [each.id for each in await store.events.events_of(queue, 10)] == ["e1"]
    assert [each.id for each in await store.events.not_fanned_out(10)] == ["e2"]
    change = update("1", 1, ticket(name="changed"))
    await store.commit(type(change)("tmf1/ticket", change.id, 1, change.versions))
    await store.close()


async def test_of_two_kinds_with_one_earlier_name_the_first_takes_over(url: str) -> None:
    await with_two_tickets(url)
    store = await opened(url, RENAMED, Kind("tmf2/ticket", earlier_name="ticket"))

    assert len(await store.walk("tmf1/ticket", "", 10)) == 2
    assert await store.walk("tmf2/ticket", "", 10) == []
    await store.close()


async def test_unknown_kinds_are_counted_and_their_events_left_alone(url: str) -> None:
    await with_two_tickets(url)
    store = await opened(url, OTHER)

    assert await store.unknown_kinds() == {"ticket": 2}
    assert await store.events.not_fanned_out(10) == []
    assert await store.events.claim("worker", 4e9, time.time(), {"listener": 10}) == []
    await store.close()
    store = await opened(url, EARLIER)
    assert [each.id for each in await store.events.not_fanned_out(10)] == ["e2"]
    assert len(await store.events.claim("worker", 4e9, time.time(), {"listener": 10})) == 1
    await store.close()


async def test_events_that_wait_are_a_kind_that_is_not_known(url: str) -> None:
    store = await opened(url, EARLIER)
    await store.commit(insert("1", ticket(), event("e1")))
    await store.commit(type(update("1", 1, {}))("ticket", "1", 1, (), (event("e2"),)))
    await store.events.sweep()
    await store.close()
    store = await opened(url, OTHER)

    assert await store.unknown_kinds() == {"ticket": 0}
    await store.close()


async def test_the_store_in_memory_knows_all_that_it_holds() -> None:
    assert await (await opened("memory:", OTHER)).unknown_kinds() == {}


async def test_the_database_of_another_application_is_rejected_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "bookmarks.sqlite"
    for statement in ("CREATE TABLE bookmark (url TEXT)", "PRAGMA application_id = 7"):
        connection = sqlite3.connect(path)
        connection.execute(statement)
        connection.close()
        before = path.read_bytes()

        with pytest.raises(StoreRefused, match=r"bookmarks\.sqlite is the database of another application"):
            await opened(f"sqlite:///{path}", OTHER)

        assert path.read_bytes() == before
        assert not path.with_name("bookmarks.sqlite-wal").exists()


async def test_a_store_of_our_own_is_marked_as_such(tmp_path: Path) -> None:
    store = await opened(f"sqlite:///{tmp_path}/store.sqlite", OTHER)
    await store.close()
    connection = sqlite3.connect(tmp_path / "store.sqlite")

    [(id,)] = connection.execute("PRAGMA application_id")

    connection.close()
    assert id == int.from_bytes(b"TMFS", "big")
