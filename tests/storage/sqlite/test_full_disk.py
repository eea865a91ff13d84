"""On a full disk the store is not ready until as much as a write needs has found room again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tmf_sales.storage.protocol import StorageUnavailable
from tmf_sales.storage.records import Change, Kind, Version
from tmf_sales.storage.sqlite.store import SqliteStorage

LARGE = "x" * 100_000
NO_LIMIT = 2**30


async def limit_pages(store: SqliteStorage, most: int) -> None:
    """SQLite answers as on a full disk when it would need more pages; a number below those there are is that number."""
    await store._writer.run(lambda connection: connection.execute(f"PRAGMA max_page_count = {most}").fetchall())


async def test_a_full_disk_is_not_ready_until_there_is_room(tmp_path: Path) -> None:
    store = SqliteStorage(tmp_path / "store.sqlite", [Kind("quote")])
    await store.open()
    try:
        await store.ping()
        await limit_pages(store, 1)
        with pytest.raises(StorageUnavailable):
            await store.commit(Change("quote", "1", 0, (Version(1, {"id": "1", "text": LARGE}),)))

        for _ in range(3):
            with pytest.raises(StorageUnavailable):
                await store.ping()

        await limit_pages(store, NO_LIMIT)
        await store.ping()
        await store.commit(Change("quote", "1", 0, (Version(1, {"id": "1", "text": LARGE}),)))
    finally:
        await store.close()
