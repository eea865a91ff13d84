"""Goes through all that a store keeps and tells what the contracts, as they are now, would not let in.

Promise: nothing is changed, and no more than a batch is in memory; resources that come or go meanwhile do no harm.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import NamedTuple

from tmf_sales.storage.protocol import Storage, Stored, Version
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
        while units := await store.walk(kind, after, UNITS_READ):
            for unit in units:
                try:
                    checks[kind](_copied(unit))
                except BadLine as error:
                    yield Refused(kind, unit.id, str(error))
            seen(len(units))
            after = units[-1].id


def _copied(unit: Stored) -> Stored:
    """A check may bring documents into form, and these belong to the store."""
    return Stored(unit.id, unit.revision, tuple(Version(each.revision, text=each.text) for each in unit.versions))
