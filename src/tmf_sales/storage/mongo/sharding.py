"""Spreads the collections of a store over a sharded cluster, by the hash of their ids.

Every write of the store names its document's id, so each goes to one shard and is atomic there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pymongo
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import OperationFailure

from tmf_sales.storage.mongo.client import translated
from tmf_sales.storage.protocol import StoreRefused

ROUTER = "isdbgrid"
"""What a router of a sharded cluster (mongos) says of itself in its answer to `hello`."""

BY_ID = {"_id": "hashed"}
SHARDED_OTHERWISE = 23
SHARD_TIMEOUT = 600.0


async def shard(database: AsyncDatabase[dict[str, Any]], collections: Sequence[str]) -> list[str]:
    """Shard each of these collections; return a line for each.

    Repeating it changes nothing. Raises StoreRefused, before anything is changed, when the server has no shards, and
    when it rejects the command.
    """
    with translated(), pymongo.timeout(SHARD_TIMEOUT):
        if (await database.client.admin.command("hello")).get("msg") != ROUTER:
            raise StoreRefused("the server is not a router of a sharded cluster (mongos); nothing was changed")
        try:
            # Servers before 6.0 require this first.
            await database.client.admin.command("enableSharding", database.name)
            return [await _shard_one(database, name) for name in collections]
        except OperationFailure as failure:
            said = (failure.details or {}).get("codeName", failure.code)
            raise StoreRefused(f"the cluster cannot shard {database.name}: {said}") from failure


async def _shard_one(database: AsyncDatabase[dict[str, Any]], name: str) -> str:
    # MongoDB shards a collection that holds documents only if this index exists.
    await database[name].create_index(list(BY_ID.items()))
    try:
        await database.client.admin.command("shardCollection", f"{database.name}.{name}", key=BY_ID)
    except OperationFailure as failure:
        if failure.code != SHARDED_OTHERWISE:
            raise
        return f"{name} is sharded by another key already and was left as it is"
    return f"{name} is sharded by its hashed id"
