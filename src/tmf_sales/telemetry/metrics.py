"""What this process counts and times: each labelled value has a fixed position, found once, at start.

Guarantee: counting a request costs a few list operations. See numbers.py for how the workers' counts become one.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from bisect import bisect_left
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
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
STORE_OPERATIONS = ("get", "find", "commit")
# Requests that belong to no operation of a contract.
SERVICE = ""
UNMATCHED, PAGE, AUDIT = "unmatched", "page", "audit"
PUBLISH_EVERY = 1.0


class Histogram(NamedTuple):
    """The positions of a histogram: one for each bucket, one beyond the last bucket, and one for the sum."""

    values: list[float]
    first: int

    def observe(self, seconds: float) -> None:
        self.values[self.first + bisect_left(BUCKETS, seconds)] += 1
        self.values[self.first + len(BUCKETS) + 1] += seconds

    def timing(self, call: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
        """Wrap `call` so that each of its calls is observed."""
        values, first, total, clock = self.values, self.first, self.first + len(BUCKETS) + 1, time.perf_counter

        async def timed(*arguments: P.args, **named: P.kwargs) -> T:
            began = clock()
            try:
                return await call(*arguments, **named)
            finally:
                seconds = clock() - began
                values[first + bisect_left(BUCKETS, seconds)] += 1
                values[total] += seconds

        return timed


class OperationMetrics(NamedTuple):
    """Where the responses of one operation are counted; `statuses` is the first of the positions of STATUS_LABELS.

    `path`: the template of its path; the name for those that belong to no operation.
    """

    api: str
    operation: str
    path: str
    statuses: int
    duration: Histogram


class Metrics:
    """The metrics of one process. `workers`: how many processes publish theirs in the same memory."""

    def __init__(self) -> None:
        self.numbers = Numbers()
        self.values = self.numbers.own
        self.in_progress = self.numbers.reserve()
        self.operations: dict[str | None, dict[str | None, OperationMetrics]] = {}
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
        return Histogram(self.values, self.numbers.reserve(len(BUCKETS) + 2))

    def _operation(self, api: str, operation: str, path: str) -> OperationMetrics:
        return OperationMetrics(api, operation, path, self.numbers.reserve(len(STATUS_LABELS)), self._histogram())

    def know_contracts(self, apis: Sequence[Contract]) -> None:
        """Reserve the positions of each operation of the contracts and of each error code that is known by now."""
        for api in apis:
            self.operations[api.base_path] = {
                id: self._operation(api.name, id, f"{api.base_path}{operation.path}")
                for id, operation in api.operations.items()
            }
        self.errors = {code: self.numbers.reserve() for code in (*sorted(set(error_codes(TmfError))), OTHER)}

    def share(self, processes: int) -> None:
        """Allocate the memory that the workers share; all positions must be reserved."""
        self.numbers.share(processes)

    def take_row(self, row: int | None) -> None:
        self.numbers.take_row(row)
        self.values[self.in_progress] = 0.0  # those of a dead worker are over

    def count_error(self, code: str) -> None:
        self.values[self.errors.get(code, self.errors[OTHER])] += 1

    def count_attempt(self, *, succeeded: bool, seconds: float) -> None:
        self.values[self.attempts[SUCCESS if succeeded else FAILURE]] += 1
        self.delivery.observe(seconds)

    def totals(self) -> Sequence[float]:
        """The sums over all processes, by position."""
        self._take_leniencies()
        return self.numbers.totals()

    def publish(self) -> None:
        self._take_leniencies()
        self.numbers.publish()

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
