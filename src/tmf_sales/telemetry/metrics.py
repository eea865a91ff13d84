"""What this process counts and times: each labelled value has a fixed position, found once, at start.

Guarantee: counting a request costs a few list operations. Durations are noted, and counted once a second. See
numbers.py for how the workers' counts become one.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from bisect import bisect_right
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence, Set
from http import HTTPStatus
from typing import Any, NamedTuple, ParamSpec, TypeVar

from tmf_sales.contract.leniency import LENIENCIES as LENIENCY_RULES
from tmf_sales.contract.leniency import leniencies_used
from tmf_sales.contract.loader import Contract
from tmf_sales.errors import TmfError
from tmf_sales.telemetry.numbers import Numbers

P = ParamSpec("P")
T = TypeVar("T")

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
STATUSES = tuple(int(each) for each in HTTPStatus if each >= 200)
GONE = 499  # the client disconnected before its response; nginx uses the same number
STATUS_LABELS = (*STATUSES, GONE)
OFFSETS = {status: offset for offset, status in enumerate(STATUS_LABELS)}
OTHER = "other"
SUCCESS, FAILURE = "success", "failure"
GET = "get"
STORE_OPERATIONS = (GET, "find", "commit")
# Requests that belong to no operation of a contract.
SERVICE = ""
UNMATCHED, PAGE, AUDIT = "unmatched", "page", "audit"
PUBLISH_EVERY = 1.0
NO_REQUESTS: Set[asyncio.Task[None]] = frozenset()


class Histogram:
    """Durations in seconds by bucket. `first`: the position of its first bucket; one beyond the last bucket follows,
    and the sum of all durations.

    `observe` only notes a duration, and `count` sorts all noted ones at once: that costs a request a third of finding
    its bucket.
    """

    __slots__ = ("_noted", "first", "observe")

    def __init__(self, first: int) -> None:
        self.first = first
        self._noted: list[float] = []
        self.observe: Callable[[float], None] = self._noted.append

    def timing(self, call: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
        """Wrap `call` so that each of its calls is observed."""
        observe, clock = self.observe, time.perf_counter

        async def timed(*arguments: P.args, **named: P.kwargs) -> T:
            began = clock()
            try:
                return await call(*arguments, **named)
            finally:
                observe(clock() - began)

        return timed

    def count(self, values: list[float]) -> None:
        """Add what was noted since the last call to the positions of this histogram."""
        self.add(_taken(self._noted), values)

    def add(self, durations: list[float], values: list[float]) -> None:
        """Count these durations, and sort them."""
        if not durations:
            return
        durations.sort()
        below = 0
        for position, bound in enumerate(BUCKETS, self.first):
            reached = bisect_right(durations, bound, below)
            values[position] += reached - below
            below = reached
        values[self.first + len(BUCKETS)] += len(durations) - below
        values[self.first + len(BUCKETS) + 1] += sum(durations)


def _current_task() -> asyncio.Task[None] | None:
    """The task of the request for the metrics, if they are for one."""
    try:
        return asyncio.current_task()
    except RuntimeError:  # no event loop runs
        return None


def _taken(noted: list[float]) -> list[float]:
    durations = noted.copy()
    del noted[: len(durations)]  # another thread may have noted one more
    return durations


class OperationMetrics(NamedTuple):
    """Where the responses of one operation are counted; `statuses` is the first of the positions of STATUS_LABELS.

    `path`: the template of its path; the name for those that belong to no operation. `noted`: by the offset of the
    status, the durations that are not yet counted, as many as responses. `streams`: the number of those without one.
    """

    api: str
    operation: str
    path: str
    statuses: int
    duration: Histogram
    noted: dict[int, list[float]]
    streams: dict[int, int]

    def noting(self, status: int) -> Callable[[float], None]:
        """What notes the duration of a response with this status."""
        return self.noted.setdefault(OFFSETS[status], []).append

    def note_stream(self, status: int) -> None:
        """Note a response that is a stream of events: it lasts as long as its client wants."""
        self.streams[OFFSETS[status]] = self.streams.get(OFFSETS[status], 0) + 1

    def count_noted(self, values: list[float]) -> None:
        """Add what was noted since the last call to the positions of this operation."""
        for offset, noted in self.noted.items():
            durations = _taken(noted)
            values[self.statuses + offset] += len(durations)
            self.duration.add(durations, values)
        for offset, number in self.streams.items():
            values[self.statuses + offset] += number
        self.streams.clear()


class Metrics:
    """The metrics of one process. `workers`: how many processes publish theirs in the same memory."""

    def __init__(self) -> None:
        self.numbers = Numbers()
        self.values = self.numbers.own
        self._histograms: list[Histogram] = []
        self.requests = NO_REQUESTS
        """The tasks of the requests under way, in a set that the server keeps."""
        self.in_progress = self.numbers.reserve()
        self.operations: dict[tuple[str, str], OperationMetrics] = {}
        """By the base path of an API and an operationId."""
        self.store = {name: self._histogram() for name in STORE_OPERATIONS}
        self.delivery = self._histogram()
        self.attempts = {result: self.numbers.reserve() for result in (SUCCESS, FAILURE)}
        self.leniencies = {rule: self.numbers.reserve() for rule in LENIENCY_RULES}
        self.errors: dict[str, int] = {}
        self.certificate_expiry: float | None = None
        """When the certificate expires that the service presents, in seconds since 1970."""
        self._published_leniencies: Mapping[str, int] = dict.fromkeys(LENIENCY_RULES, 0)
        self.pages = {name: self._operation(SERVICE, name, name) for name in (UNMATCHED, PAGE, AUDIT)}

    def _histogram(self) -> Histogram:
        histogram = Histogram(self.numbers.reserve(len(BUCKETS) + 2))
        self._histograms.append(histogram)
        return histogram

    def _operation(self, api: str, operation: str, path: str) -> OperationMetrics:
        statuses = self.numbers.reserve(len(STATUS_LABELS))
        return OperationMetrics(api, operation, path, statuses, self._histogram(), {}, {})

    def know_contracts(self, apis: Sequence[Contract]) -> None:
        """Reserve the positions of each operation of the contracts and of each error code that is known by now."""
        for api in apis:
            self.operations |= {
                (api.base_path, id): self._operation(api.name, id, f"{api.base_path}{operation.path}")
                for id, operation in api.operations.items()
            }
        self.errors = {code: self.numbers.reserve() for code in (*sorted(set(error_codes(TmfError))), OTHER)}

    def share(self, processes: int) -> None:
        """Allocate the memory that the workers share; all positions must be reserved."""
        self.numbers.share(processes)

    def take_row(self, row: int | None) -> None:
        self.numbers.take_row(row)

    def count_error(self, code: str) -> None:
        self.values[self.errors.get(code, self.errors[OTHER])] += 1

    def count_attempt(self, *, succeeded: bool, seconds: float) -> None:
        self.values[self.attempts[SUCCESS if succeeded else FAILURE]] += 1
        self.delivery.observe(seconds)

    def totals(self) -> Sequence[float]:
        """The sums over all processes, by position."""
        self._complete()
        return self.numbers.totals()

    def publish(self) -> None:
        self._complete()
        self.numbers.publish()

    def _complete(self) -> None:
        """Add what was only noted so far to the numbers of this process, and set what only this process knows."""
        # Set, not added to: a dead worker with this row has none any more.
        self.values[self.in_progress] = float(len(self.requests) - (_current_task() in self.requests))
        for operation in (*self.operations.values(), *self.pages.values()):
            operation.count_noted(self.values)
        for histogram in self._histograms:
            histogram.count(self.values)
        self._take_leniencies()

    def _take_leniencies(self) -> None:
        used = leniencies_used()
        for rule, count in used.items():
            self.values[self.leniencies[rule]] += count - self._published_leniencies[rule]
        self._published_leniencies = used

    @contextlib.asynccontextmanager
    async def publishing(self, every: float = PUBLISH_EVERY) -> AsyncIterator[None]:
        """Publish the counters of this process every second, and once more at the end."""
        work = asyncio.create_task(self._publish_repeatedly(every))
        try:
            yield
        finally:
            work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await work
            self.publish()

    async def _publish_repeatedly(self, every: float) -> Any:
        while True:
            self.publish()
            await asyncio.sleep(every)


def error_codes(of: type[TmfError]) -> Iterable[str]:
    for each in of.__subclasses__():
        yield each.code
        yield from error_codes(each)
