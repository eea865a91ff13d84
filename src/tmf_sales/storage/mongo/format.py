"""The format of a MongoDB store, and the migrations from older formats.

Each step may be interrupted and repeated, also by two processes at once; the format is raised when the step is done.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pymongo
from pymongo.asynchronous.database import AsyncDatabase

from tmf_sales.storage.protocol import reject_other_format

Database = AsyncDatabase[dict[str, Any]]

FORMAT = 2
PREPARING_TIMEOUT = 600.0
"""Seconds for what goes through all documents; while the server is away, nobody waits for so long."""


async def _name_kinds_by_api(_: Database) -> None:
    """Kinds get their new names when they are prepared, as soon as a contract announces them; see kinds.py."""


MIGRATIONS: Mapping[int, Callable[[Database], Awaitable[None]]] = {1: _name_kinds_by_api}
"""From which format: what makes the next one of it."""


async def migrate(database: Database) -> None:
    """Record the format of a new store, or migrate an older one. Raises StoreRefused when there is no migration."""
    setting = database["setting"]
    await setting.update_one({"_id": "format"}, {"$setOnInsert": {"value": FORMAT}}, upsert=True)
    found = await setting.find_one({"_id": "format"}) or {"value": FORMAT}
    reject_other_format(found["value"], FORMAT, MIGRATIONS)
    for version in range(found["value"], FORMAT):
        with pymongo.timeout(PREPARING_TIMEOUT):
            await MIGRATIONS[version](database)
        await setting.update_one({"_id": "format", "value": version}, {"$set": {"value": version + 1}})
