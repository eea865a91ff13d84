"""Kinds in a MongoDB store: renames those that format 1 stored under an earlier name, and finds unannounced ones."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pymongo import DeleteOne, ReplaceOne
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import OperationFailure

from tmf_sales.storage.events import QueueKey
from tmf_sales.storage.mongo.compile import NOT_DELETED
from tmf_sales.storage.mongo.events import queue_id
from tmf_sales.storage.protocol import StoreRefused
from tmf_sales.storage.records import Kind

Database = AsyncDatabase[dict[str, Any]]

PREFIX = "resource_"
NAMESPACE_NOT_FOUND = 26
BATCH = 1000


def collection_name(kind: str) -> str:
    return f"{PREFIX}{kind}"


async def take_over_earlier_name(database: Database, kind: Kind) -> None:
    """Move what is stored under the kind's earlier name to its present name.

    May be interrupted and repeated, also by two processes at once. Raises StoreRefused when both names hold resources,
    because an earlier release has written to the store since, and when the server does not rename a collection.
    """
    if not kind.earlier_name:
        return
    old, new = collection_name(kind.earlier_name), collection_name(kind.name)
    names = await _names(database, {"$in": [old, new]})
    if old in names:
        if new in names:
            raise StoreRefused(f"the store holds both {old} and {new}; an earlier release has written to it since")
        try:
            await database[old].rename(new)
        except OperationFailure as failure:
            if failure.code != NAMESPACE_NOT_FOUND:  # else another process has just renamed it
                said = (failure.details or {}).get("codeName", failure.code)
                raise StoreRefused(f"the server does not rename {old} to {new}: {said}") from failure
    await database["event"].update_many({"kind": kind.earlier_name}, {"$set": {"kind": kind.name}})
    await _rename_queues(database, kind)


async def _names(database: Database, wanted: Mapping[str, Any]) -> list[str]:
    """Return the collections with such names that the user may read; listing all would take a right of its own."""
    return await database.list_collection_names(filter={"name": wanted}, authorizedCollections=True)


async def _rename_queues(database: Database, kind: Kind) -> None:
    """A queue's id holds the kind, so each is written under its new id before the old one is removed."""
    while queues := await database["lane"].find({"kind": kind.earlier_name}, limit=BATCH).to_list():
        renamed: list[ReplaceOne[dict[str, Any]] | DeleteOne] = []
        for queue in queues:
            key = QueueKey(queue["listener"], kind.name, queue["resource"])
            document = {**queue, "_id": queue_id(key), "kind": kind.name}
            renamed += [ReplaceOne({"_id": document["_id"]}, document, upsert=True), DeleteOne({"_id": queue["_id"]})]
        await database["lane"].bulk_write(renamed, ordered=True)


async def unknown_kinds(database: Database, known: Collection[str]) -> Mapping[str, int]:
    """Return the kinds of stored resources and waiting events that are not known, with their number of resources."""
    found: dict[str, int] = {}
    for name in await _names(database, {"$regex": f"^{PREFIX}"}):
        kind = name.removeprefix(PREFIX)
        if kind not in known and (count := await database[name].count_documents(NOT_DELETED)):
            found[kind] = count
    others = {"kind": {"$nin": list(known)}}
    for kind in await database["event"].distinct("kind", {"fanned": False, **others}):
        found.setdefault(kind, 0)
    for kind in await database["lane"].distinct("kind", others):
        found.setdefault(kind, 0)
    return dict(sorted(found.items()))
