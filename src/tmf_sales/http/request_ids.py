"""The ids by which the log lines, events and spans of one request are found: request, correlation and trace id.

Guarantee: an id is printable ASCII of bounded length, whatever a client sends. It is made only if someone needs it.
"""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from contextvars import ContextVar
from typing import Any

from tmf_sales.http.fields import fields_of
from tmf_sales.values.identifiers import new_uuid

Scope = MutableMapping[str, Any]

REQUEST_ID = b"x-request-id"
CORRELATION_ID = b"x-correlation-id"
TRACEPARENT = b"traceparent"
_MADE = "tmf_sales.request_id"
TRACE_ID, SPAN_ID = "tmf_sales.trace_id", "tmf_sales.span_id"
"""In the scope of a request that is traced: the ids of its trace and of its span."""

LOGGED_ID = re.compile(r"[!#-~]{1,128}")  # no quotation mark, so that a line of text needs no escapes
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(?:-[!-~]*)?")

CURRENT: ContextVar[Scope | None] = ContextVar("tmf_sales_request", default=None)
"""The scope of the request that the running task serves."""


def request_id(scope: Scope) -> str:
    """The id of the header X-Request-Id if it has one that can be logged, else a new one for this request."""
    made: str | None = scope.get(_MADE)
    if made is None:
        made = scope[_MADE] = sent_id(scope, REQUEST_ID) or new_uuid()
    return made


def sent_id(scope: Scope, header: bytes) -> str | None:
    """The id in this header; None without one, or if it cannot be logged."""
    text = _header(scope, header)
    return text if text is not None and LOGGED_ID.fullmatch(text) else None


def trace_id(scope: Scope) -> str | None:
    """The id of the trace that the request belongs to (W3C Trace Context, level 1)."""
    traced: str | None = scope.get(TRACE_ID)
    if traced is not None:
        return traced
    traceparent = _header(scope, TRACEPARENT)
    return None if traceparent is None else trace_id_of(traceparent)


def traceparent_of(scope: Scope) -> str | None:
    """The header traceparent, if it is valid."""
    traceparent = _header(scope, TRACEPARENT)
    return traceparent if traceparent is not None and trace_id_of(traceparent) is not None else None


def trace_id_of(traceparent: str) -> str | None:
    """The trace id of a traceparent; None if it is not valid."""
    found = _TRACEPARENT.fullmatch(traceparent) if len(traceparent) <= 512 else None
    if found is None or not found[1].strip("0") or not found[2].strip("0"):
        return None
    return found[1]


def _header(scope: Scope, wanted: bytes) -> str | None:
    value = fields_of(scope).get(wanted)
    return None if value is None else value.decode("latin-1")
