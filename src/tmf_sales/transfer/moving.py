"""Exports resources from a store to lines and imports them again, many at a time.

Each resource is moved as a whole or not at all. Running it again after an interruption moves only what is missing and
never changes what exists. Invalid lines are reported with their number and reason, and skipped.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from tmf_sales.storage.protocol import RECORD_LIMIT, Storage
from tmf_sales.storage.records import Record
from tmf_sales.transfer.checking import Check
from tmf_sales.transfer.lines import BadLine, read, written
from tmf_sales.values.json_values import same_json
from tmf_sales.values.messages import shown

RECORDS_READ = 50
RECORDS_LOADED = 500
BYTES_LOADED = 4 * 1024 * 1024
LINE_LIMIT = RECORD_LIMIT + 1024 * 1024


@dataclass(slots=True)
class Tally:
    """The number of lines by outcome. `different`: another resource has the id; it was not changed."""

    added: int = 0
    same: int = 0
    different: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class _Batch:
    kind: str
    records: list[Record]


async def exported(
    store: Storage, kinds: Sequence[str], begun: tuple[str, str] | None = None
) -> AsyncIterator[list[bytes]]:
    """Yield the lines of all resources of these kinds in batches, in the order of kinds and ids.

    `begun`: kind and id of the last resource that an earlier export has written.
    """
    kind_begun, after = begun or (kinds[0], "")
    for kind in kinds[kinds.index(kind_begun) :]:
        while records := await store.walk(kind, after, RECORDS_READ):
            yield [written(kind, record) for record in records]
            after = records[-1].id
        after = ""


class Import:
    """One run over a file. `reject` gets number and reason of each invalid line, `read` the number of bytes read.

    `earlier_names`: the present names of kinds, by their names in exports of an earlier release.
    """

    def __init__(
        self,
        store: Storage,
        checks: Mapping[str, Check],
        reject: Callable[[int, str], None],
        read: Callable[[int], None],
        earlier_names: Mapping[str, str] | None = None,
    ) -> None:
        self.tally = Tally()
        self._store = store
        self._checks = checks
        self._reject = reject
        self._read = read
        self._earlier_names = earlier_names or {}

    async def run(self, source: BinaryIO) -> Tally:
        """Import every line of `source`; raises StorageUnavailable, after which another run continues."""
        # One batch after the other: a writer thread beside a busy one waits for the GIL more than it writes.
        for batch in self._batches(source):
            await self._load(batch)
        return self.tally

    def _batches(self, source: BinaryIO) -> Iterator[_Batch]:
        """Yield batches of one kind: large enough to keep the store busy, small enough to fit in memory."""
        kind, records, size = "", list[Record](), 0
        for number, line in _numbered_lines(source):
            self._read(len(line))
            try:
                found = self._taken(line)
            except BadLine as error:
                self.tally.refused += 1
                self._reject(number, str(error))
                continue
            if found is None:
                continue
            if records and (found[0] != kind or len(records) == RECORDS_LOADED or size > BYTES_LOADED):
                yield _Batch(kind, records)
                records, size = [], 0
            kind = found[0]
            records.append(found[1])
            size += len(line)
        if records:
            yield _Batch(kind, records)

    def _taken(self, line: bytes) -> tuple[str, Record] | None:
        """Return the kind and resource of a valid line, None for a blank one."""
        if len(line) > LINE_LIMIT:
            raise BadLine(f"is longer than {LINE_LIMIT} bytes")
        if not line.strip():
            return None
        kind, record = read(line)
        kind = self._earlier_names.get(kind, kind)
        check = self._checks.get(kind)
        if check is None:
            raise BadLine(f"/kind: {shown(kind)} is not known; expected {' or '.join(sorted(self._checks))}")
        check(record)
        return kind, record

    async def _load(self, batch: _Batch) -> None:
        taken = await self._store.load(batch.kind, batch.records)
        self.tally.added += len(batch.records) - len(taken)
        sent = {record.id: record for record in batch.records}
        for id in taken:
            stored = await self._store.get(batch.kind, id)
            if stored is not None and _are_same(stored, sent[id]):
                self.tally.same += 1
            else:
                self.tally.different += 1


def _are_same(one: Record, other: Record) -> bool:
    return (
        one.revision == other.revision
        and len(one.versions) == len(other.versions)
        and all(
            mine.revision == theirs.revision and same_json(mine.document, theirs.document)
            for mine, theirs in zip(one.versions, other.versions, strict=True)
        )
    )


def _numbered_lines(source: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Number the lines from 1; yield only the beginning of one that is too long, so that no file fills the memory."""
    number = 0
    while line := source.readline(LINE_LIMIT + 1):
        number += 1
        yield number, line
        while len(line) > LINE_LIMIT and not line.endswith(b"\n"):
            line = source.readline(LINE_LIMIT + 1) or b"\n"
