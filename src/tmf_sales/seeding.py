"""Puts the resources that the contracts show as examples into a store, so that a first look finds something.

Promise: a kind of which anything is stored is left as it is, so what was deleted comes back only when nothing is left;
several processes may do it at once.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Sequence

from tmf_sales.contract.loader import Contract, ResourceType
from tmf_sales.contract.operations import operation_ids
from tmf_sales.storage.conditions import Query
from tmf_sales.storage.protocol import AlreadyExists, Change, Document, Storage, StorageUnavailable, Version

log = logging.getLogger("tmf_sales")


async def seed(store: Storage, apis: Sequence[Contract]) -> None:
    """Store each example of a retrieved resource under its own id, without an event: nothing happened to it.

    Where there are resources of the kind already, there is nothing to seed.

    A store that does not answer is left unseeded: the service starts without it, too.
    """
    try:
        for api in apis:
            for resource in api.resources.values():
                if (await store.find(resource.kind, Query(limit=1))).rows:
                    continue
                for document in examples(api, resource):
                    with contextlib.suppress(AlreadyExists):
                        await store.commit(Change(resource.kind, document["id"], 0, (Version(1, document),)))
    except StorageUnavailable:
        log.warning("the store does not answer; the examples are not in it")


def examples(api: Contract, resource: ResourceType) -> Iterator[Document]:
    """The documents that the contract shows as answers of the resource's retrieve operation, as they are stored."""
    operation = api.operations.get(operation_ids(resource.name)["retrieve"])
    if operation is None:
        return
    retrieve = api.document["paths"][operation.path][operation.method]
    content = api.resolve(retrieve["responses"]["200"])["content"]["application/json"]
    for example in content.get("examples", {}).values():
        value = api.resolve(example)["value"]
        if "id" in value:
            yield {"id": value["id"], **{name: member for name, member in value.items() if name not in ("id", "href")}}
