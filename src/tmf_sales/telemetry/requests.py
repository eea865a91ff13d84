"""Counts, times, traces and logs the requests of this process.

Guarantee: for its metrics, a request only notes its duration in a list. Probes and scrapes are neither counted nor
logged.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, MutableMapping
from typing import Any

from connexion.middleware.abstract import ROUTING_CONTEXT

from tmf_sales.http.responses import ERROR
from tmf_sales.http.routing import Route
from tmf_sales.http.streaming import STREAM_ENDS
from tmf_sales.telemetry.metrics import AUDIT, GONE, NO_REQUESTS, PAGE, UNMATCHED, OperationMetrics
from tmf_sales.telemetry.request_log import log, log_request
from tmf_sales.telemetry.setup import Telemetry

Message = MutableMapping[str, Any]

WORKER = "tmf_sales.worker"
"""In the server's state: the number of this worker process, or None for one beyond the foreseen number."""
REQUESTS = "tmf_sales.requests"
"""In the server's state: the tasks of the requests under way, which the server keeps anyway."""
REJECTED = "tmf_sales.rejected"
"""In the server's state: called with the error code of a request that HTTP/1.1 does not allow."""
NOTHING: Mapping[str, Any] = {}


class RequestTelemetry:
    """Implements RequestObserver. `unobserved`: paths that are not counted; `pages`: paths outside the contracts."""

    def __init__(self, telemetry: Telemetry, unobserved: Collection[str], pages: Collection[str], audit: str) -> None:
        metrics = telemetry.metrics
        self._metrics = metrics
        self._tracing = telemetry.tracing
        self._operations = metrics.operations
        self.request_begins: Callable[[Message], None] | None = None if self._tracing is None else self._trace
        self._unobserved = frozenset(unobserved)
        self._pages = frozenset(pages)
        self._audit = audit

    def process_begins(self, scope: Message) -> None:
        state = scope.setdefault("state", {})
        self._metrics.take_row(state.get(WORKER, 0))
        self._metrics.requests = state.get(REQUESTS, NO_REQUESTS)
        state[REJECTED] = self._metrics.count_error

    def _trace(self, scope: Message) -> None:
        if self._tracing is not None and scope["path"] not in self._unobserved:
            self._tracing.begin_request(scope)

    def request_ends(self, scope: Message, start: Message | None, seconds: float) -> None:
        status = GONE if start is None else start["status"]
        try:
            operation, note = scope["extensions"][ROUTING_CONTEXT].notes[status]
        except (AttributeError, KeyError):  # the first response with its status, an error, or beyond the contracts
            found = self._operation_of(scope, status)
            if found is None:
                return
            operation, note = found, found.noting(status)
            if (error := scope.get("extensions", NOTHING).get(ERROR)) is not None:
                self._metrics.count_error(error.code)
        if STREAM_ENDS in scope:
            operation.note_stream(status)
        else:
            note(seconds)
        if self._tracing is not None:
            self._tracing.end_request(scope, operation.path, status)
        if log.isEnabledFor(logging.INFO):
            path = scope["path"] if operation.operation == PAGE and scope["path"] in self._pages else operation.path
            log_request(scope, path, status, start, seconds)

    def _operation_of(self, scope: Message, status: int) -> OperationMetrics | None:
        """Where a request is counted; None for a probe. The route remembers it, if requests share the route."""
        route = scope.get("extensions", NOTHING).get(ROUTING_CONTEXT, NOTHING)
        name = route.get("api_base_path", ""), route.get("operation_id", "")
        operation = self._operations.get(name)
        if operation is not None:
            if isinstance(route, Route) and status < 400:
                route.notes[status] = operation, operation.noting(status)
            return operation
        path = scope["path"]
        return None if path in self._unobserved else self._outside(path, status)

    def _outside(self, path: str, status: int) -> OperationMetrics:
        """Where a request is counted that reached no operation of a contract."""
        name = AUDIT if path == self._audit else PAGE if path in self._pages or status < 400 else UNMATCHED
        return self._metrics.pages[name]
