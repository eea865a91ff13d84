"""Counts, times, traces and logs the requests of this process.

Guarantee: a request costs a few list operations. Probes and scrapes are neither counted nor logged.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, MutableMapping
from typing import Any

from connexion.middleware.abstract import ROUTING_CONTEXT

from tmf_sales.http.request_ids import CURRENT
from tmf_sales.http.responses import ERROR
from tmf_sales.http.streaming import STREAM_ENDS
from tmf_sales.telemetry.metrics import AUDIT, GONE, OFFSETS, PAGE, UNMATCHED, OperationMetrics
from tmf_sales.telemetry.request_log import log, log_request
from tmf_sales.telemetry.setup import Telemetry

Message = MutableMapping[str, Any]

WORKER = "tmf_sales.worker"
"""In the server's state: the number of this worker process, or None for one beyond the foreseen number."""
REJECTED = "tmf_sales.rejected"
"""In the server's state: called with the error code of a request that HTTP/1.1 does not allow."""
NOTHING: Mapping[str, Any] = {}


class RequestTelemetry:
    """Implements RequestObserver. `unobserved`: paths that are not counted; `pages`: paths outside the contracts."""

    def __init__(self, telemetry: Telemetry, unobserved: Collection[str], pages: Collection[str], audit: str) -> None:
        metrics = telemetry.metrics
        self._metrics = metrics
        self._tracing = telemetry.tracing
        self._values = metrics.values
        self._in_progress = metrics.in_progress
        self._operations = metrics.operations
        self._unobserved = frozenset(unobserved)
        self._pages = frozenset(pages)
        self._audit = audit

    def process_begins(self, scope: Message) -> None:
        state = scope.setdefault("state", {})
        self._metrics.take_row(state.get(WORKER, 0))
        state[REJECTED] = self._metrics.count_error

    def request_begins(self, scope: Message) -> None:
        self._values[self._in_progress] += 1
        CURRENT.set(scope)
        if self._tracing is not None and scope["path"] not in self._unobserved:
            self._tracing.begin_request(scope)

    def request_ends(self, scope: Message, start: Message | None, seconds: float) -> None:
        values = self._values
        values[self._in_progress] -= 1
        status = GONE if start is None else start["status"]
        try:
            route = scope["extensions"][ROUTING_CONTEXT]
            operation = self._operations[route["api_base_path"], route["operation_id"]]
        except KeyError:
            if scope["path"] in self._unobserved:
                return
            operation = self._outside(scope["path"], status)
        values[operation.statuses + OFFSETS[status]] += 1
        if STREAM_ENDS not in scope:
            operation.duration.observe(seconds)
        if status >= 400 and (error := scope.get("extensions", NOTHING).get(ERROR)) is not None:
            self._metrics.count_error(error.code)
        if self._tracing is not None:
            self._tracing.end_request(scope, operation.path, status)
        if log.isEnabledFor(logging.INFO):
            path = scope["path"] if operation.operation == PAGE and scope["path"] in self._pages else operation.path
            log_request(scope, path, status, start, seconds)

    def _outside(self, path: str, status: int) -> OperationMetrics:
        """Where a request is counted that reached no operation of a contract."""
        name = AUDIT if path == self._audit else PAGE if path in self._pages or status < 400 else UNMATCHED
        return self._metrics.pages[name]
