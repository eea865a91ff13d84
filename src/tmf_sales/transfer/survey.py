"""Finds stored resources that the current contracts would reject.

It changes nothing and holds at most one batch in memory. Resources may be added or deleted meanwhile.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import NamedTuple

from tmf_sales.storage.protocol import Storage
from tmf_sales.storage.records import Record, Version
from tmf_sales.transfer.checking import Check
from tmf_sales.transfer.lines import BadLine
from tmf_sales.transfer.moving import RECORDS_READ


class Refused(NamedTuple):
    """A stored resource that would be rejected today; `reason` names the place in it."""

    kind: str
    id: str
    reason: str


async def refused(
    store: Storage, kinds: Sequence[str], checks: Mapping[str, Check], seen: Callable[[int], None]
) -> AsyncIterator[Refused]:
    """Yield each resource that its kind's check rejects; `seen` gets the number of resources in each finished batch."""
    for kind in kinds:
        after = ""
        while records := await store.walk(kind, after, RECORDS_READ):
            for record in records:
                try:
                    checks[kind](_copied(record))
                except BadLine as error:
                    yield Refused(kind, record.id, str(error))
            seen(len(records))
            after = records[-1].id


def _copied(record: Record) -> Record:
    """Copy a record, because a check may normalize its documents and these belong to the store."""
    return Record(record.id, record.revision, tuple(Version(each.revision, text=each.text) for each in record.versions))
