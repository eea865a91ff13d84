"""Writes log lines, as text or as JSON, in one form for the service, its workers and its server.

Guarantee: every line that is logged while a request is served has the ids of the request. A JSON line is one object; in
a text line, what a client chose is printable and has no line break.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from tmf_sales.http.request_ids import CORRELATION_ID, CURRENT, request_id, sent_id, trace_id

FIELDS = "fields"  # the attribute of a record with the members of an access line
TEXT, JSON = "text", "json"
LOGGERS = ("tmf_sales", "uvicorn", "gunicorn.error")
START_FAILED = "Error: "


def ids_of_request() -> dict[str, str]:
    """The ids of the request that the running task serves; empty if it serves none."""
    scope = CURRENT.get()
    if scope is None:
        return {}
    ids = {"requestId": request_id(scope), "correlationId": sent_id(scope, CORRELATION_ID), "traceId": trace_id(scope)}
    return {name: id for name, id in ids.items() if id is not None}


def fields_of(record: logging.LogRecord) -> Mapping[str, Any]:
    """The members of an access line, or the ids of the current request."""
    fields: Mapping[str, Any] | None = getattr(record, FIELDS, None)
    return ids_of_request() if fields is None else fields


def moment_of(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class TextFormatter(logging.Formatter):
    """`TIME level message name=value ...`; the traceback of an exception follows in lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        message = record.getMessage()
        if record.name == "uvicorn.error" and message.startswith(START_FAILED):
            return message  # why a start failed, in the form that commands have for it
        fields = "".join(f" {name}={value}" for name, value in fields_of(record).items())
        line = f"{moment_of(record)} {record.levelname.lower()} {message}{fields}"
        return line if record.exc_info is None else f"{line}\n{self.formatException(record.exc_info)}"


class JsonFormatter(logging.Formatter):
    """One object for each line; `exception` has the traceback."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": moment_of(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **fields_of(record),
        }
        if record.exc_info is not None:
            line["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str).decode()


FORMATTERS: Mapping[str, type[logging.Formatter]] = {TEXT: TextFormatter, JSON: JsonFormatter}


def configure_logs(level: str, form: str) -> None:
    """Log to standard error from this level on, in this form; libraries only log warnings, which hold no documents."""
    root = logging.getLogger()
    if not root.handlers:
        root.addHandler(logging.StreamHandler())
    for handler in root.handlers:
        handler.setFormatter(FORMATTERS[form]())
    for name in LOGGERS:
        logging.getLogger(name).setLevel(level.upper())
