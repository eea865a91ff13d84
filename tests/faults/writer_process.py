"""A process that writes to a store: `python -m tests.faults.writer_process URL NAME [TICKETS]`.

It goes on until it is killed, or until each of its writers has seen so many tickets through.

Each line on stdout is a try (`try id revision operation`), an answer (`ack id revision`), a write whose outcome is not
known (`lost id`) or one that took longer than a request may (`late id`). A line is written in one piece, so a killed
process leaves at most its last one cut.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys

from tests.storage.tickets import KINDS, event

from tmf_sales.storage.factory import open_store
from tmf_sales.storage.protocol import AlreadyExists, RevisionConflict, Storage, StorageUnavailable
from tmf_sales.storage.records import Change, Version, merged

WRITERS = 16
DEADLINE = 10.0
PAUSE = 0.1
LIVES = (
    (("insert",), ("update",), ("update",)),
    (("insert",),),
    (("insert",), ("update", "update"), ("update",)),
    (("insert",), ("update",), ("delete",)),
)
"""The writes of a ticket one after the other; several operations are written together."""


async def main(url: str, name: str, tickets: str | None = None) -> None:
    store = open_store(url, KINDS)
    await store.open()
    count = int(tickets) if tickets is not None else None
    await asyncio.gather(*(write(store, f"{name}-{number}", count) for number in range(WRITERS)))
    await store.close()


async def write(store: Storage, name: str, count: int | None) -> None:
    """Let one ticket after the other live, until there were so many."""
    for number, life in enumerate(itertools.islice(itertools.cycle(LIVES), count)):
        id = f"{name}-{number}"
        revision = 0
        for operations in life:
            numbered = [*enumerate(operations, start=revision + 1)]
            revision += len(operations)
            say("\n".join(f"try {id} {number} {operation}" for number, operation in numbered))
            try:
                async with asyncio.timeout(DEADLINE):
                    await store.commit(merged([change(id, number, operation) for number, operation in numbered]))
            except (StorageUnavailable, TimeoutError, AlreadyExists, RevisionConflict) as failure:
                # A conflict is the driver's second try of a write whose first answer was lost with the server.
                say(f"{'late' if isinstance(failure, TimeoutError) else 'lost'} {id}")
                await asyncio.sleep(PAUSE)
                break
            say(f"ack {id} {revision}")


def change(id: str, revision: int, operation: str) -> Change:
    versions = () if operation == "delete" else (Version(revision, {"name": id, "revision": revision}),)
    return Change("ticket", id, revision - 1, versions, (event(f"{id}@{revision}"),))


def say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
