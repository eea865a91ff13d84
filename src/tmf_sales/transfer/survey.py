"""Goes through all that a store keeps and tells what the contracts, as they are now, would not let in.

Promise: nothing is changed, and no more than a batch is in memory; resources that come or go meanwhile do no harm.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import NamedTuple

from tmf_sales.storage.protocol import Record, Storage, Version
from tmf_sales.transfer.checking import Check
from tmf_sales.transfer.lines import BadLine
from tmf_sales.transfer.moving import UNITS_READ


class Refused(NamedTuple):
    """A stored resource that could not come in today; `reason` names the place in it."""

    kind: str
    id: str
    reason: str


async def refused(
    store: Storage, kinds: Sequence[str], checks: Mapping[str, Check], seen: Callable[[int], None]
) -> AsyncIterator[Refused]:
    """Each resource that its kind's check refuses; `seen` is told how many have been looked at since."""
    for kind in kinds:
        after = ""
        while records := await store.walk(kind, after, UNITS_READ):
            for record in records:
                try:
                    checks[kind](_copied(record))
                except BadLine as error:
                    yield Refused(kind, record.id, str(error))
            seen(len(records))
            after = records[-1].id


def _copied(record: Record) -> Record:
    """A check may bring documents into form, and these belong to the store."""
    return Record(record.id, record.revision, tuple(Version(each.revision, text=each.text) for each in record.versions))
