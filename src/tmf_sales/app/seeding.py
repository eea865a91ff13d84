"""Seeds a store with the examples of the contracts, with recent dates, so that a new user has data to try.

Skips a kind that has any stored resource, so a deleted example comes back only when no resource of its kind is left.
Several processes may seed at once.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from tmf_sales.contract.loader import Contract
from tmf_sales.contract.operations import operation_ids
from tmf_sales.contract.resource_type import ResourceType
from tmf_sales.contract.types import ObjectType
from tmf_sales.storage.conditions import Query
from tmf_sales.storage.protocol import AlreadyExists, Storage, StorageUnavailable
from tmf_sales.storage.records import Change, Document, Version
from tmf_sales.values import datetimes
from tmf_sales.values.json_values import own_copy

log = logging.getLogger("tmf_sales")


async def seed(store: Storage, apis: Sequence[Contract], now: datetime) -> None:
    """Store the examples of each resource under their own ids, without events.

    Logs a warning when the store does not answer, because the service also starts without its store.
    """
    try:
        for api in apis:
            for resource in api.resources.values():
                if (await store.find(resource.kind, Query(limit=1))).rows:
                    continue
                for document in examples(api, resource):
                    move_towards(now, document, resource.object_type)
                    with contextlib.suppress(AlreadyExists):
                        await store.commit(Change(resource.kind, document["id"], 0, (Version(1, document),)))
    except StorageUnavailable:
        log.warning("the store does not respond; the examples were not loaded")


def examples(api: Contract, resource: ResourceType) -> Iterator[Document]:
    """The examples of the retrieve operation's 200 response in the contract, as documents to store."""
    operation = api.operations.get(operation_ids(resource.name)["retrieve"])
    if operation is None:
        return
    retrieve = api.document["paths"][operation.path][operation.method]
    content = api.resolve(retrieve["responses"]["200"])["content"]["application/json"]
    for example in content.get("examples", {}).values():
        value = api.resolve(example)["value"]
        if "id" in value:
            stored = {name: member for name, member in value.items() if name not in ("id", "href")}
            yield {"id": value["id"], **own_copy(stored)}


def move_towards(now: datetime, document: Document, object_type: ObjectType) -> None:
    """Move all date-times of a document by the same number of days, in place.

    The latest date-time that the server would set becomes a time in the last 24 hours; all others, such as the end of a
    period, keep their distance to it.
    """
    set_by_server = [document[name] for name in members_set_by_the_clock(object_type) if name in document]
    if set_by_server:
        days = (now - datetime.fromisoformat(max(set_by_server))).days
        _move(document, object_type, timedelta(days=days))


def members_set_by_the_clock(object_type: ObjectType) -> Iterator[str]:
    yield from (name for name, default in object_type.defaults if default == "$now")
    if (member := object_type.lifecycle_member) is not None and member.lifecycle is not None:
        yield from member.lifecycle.set_on.values()


def _move(value: Any, object_type: ObjectType, by: timedelta) -> None:
    for name in object_type.normalized.keys() & value.keys():
        member, found = object_type.normalized[name], value[name]
        if member.is_date_time:
            value[name] = (
                [datetimes.later(text, by) for text in found] if member.is_list else datetimes.later(found, by)
            )
        elif member.object_type is not None:
            for inner in found if member.is_list else [found]:
                _move(inner, member.object_type, by)
