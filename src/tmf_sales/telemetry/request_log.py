"""Writes one access line for each request, at level info; probes and scrapes get none.

Guarantee: nothing of bodies, queries or credentials. The path is the template of the contract, so it has no ids either.
"""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from typing import Any

from tmf_sales.http.context import CALLER
from tmf_sales.http.request_ids import CORRELATION_ID, LOGGED_ID, request_id, sent_id, trace_id
from tmf_sales.http.responses import large_size
from tmf_sales.http.validation import REQUEST
from tmf_sales.telemetry.log_format import FIELDS

Message = MutableMapping[str, Any]

log = logging.getLogger("tmf_sales.access")


def log_request(scope: Message, path: str, status: int, start: Message | None, seconds: float) -> None:
    """Write the line of a request that ended. `path`: the template of its path; `start`: see RequestObserver."""
    request = scope.get(REQUEST)
    made = request.correlation_id if request is not None else ""  # none is made for a read
    correlation = made or sent_id(scope, CORRELATION_ID) or ""
    fields = {
        "method": scope["method"],
        "path": path,
        "status": status,
        "ms": round(seconds * 1000, 2),
        "bytes": 0 if start is None or scope["method"] == "HEAD" else large_size(start),
        "caller": shown_caller(scope),
        "requestId": request_id(scope),
        "correlationId": correlation if LOGGED_ID.fullmatch(correlation) else None,
        "traceId": trace_id(scope),
    }
    log.info("request", extra={FIELDS: {name: value for name, value in fields.items() if value is not None}})


def shown_caller(scope: Message) -> str | None:
    """The subject of the credential; None without authentication."""
    principal = scope.get(CALLER)
    if principal is None:
        return None
    subject = str(principal.subject)
    return subject if subject.isprintable() and " " not in subject else ascii(subject)
