"""Log lines: the ids of the request that is served, tracebacks, and ids that cannot be forged."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator
from types import TracebackType

import pytest

from tmf_sales.http.request_ids import CURRENT, request_id, sent_id, trace_id
from tmf_sales.telemetry.log_format import JsonFormatter, TextFormatter, configure_logs

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"


def scope(**headers: str) -> dict[str, object]:
    return {"headers": [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]}


@pytest.fixture
def serving() -> Iterator[None]:
    token = CURRENT.set(scope(x_request_id="r-1", x_correlation_id="c-1", traceparent=f"00-{TRACE}-{PARENT}-01"))
    yield
    CURRENT.reset(token)


Raised = tuple[type[BaseException], BaseException, TracebackType | None]


def raised() -> Raised:
    try:
        int("a defect")
    except ValueError as error:
        return type(error), error, error.__traceback__
    raise AssertionError


def record(message: str, name: str = "tmf_sales", error: Raised | None = None) -> logging.LogRecord:
    return logging.LogRecord(name, logging.ERROR, "file.py", 1, message, None, error)


@pytest.mark.usefixtures("serving")
def test_an_error_has_the_ids_of_its_request_and_its_traceback() -> None:
    line = json.loads(JsonFormatter().format(record("unforeseen", error=raised())))

    assert (line["message"], line["level"], line["logger"]) == ("unforeseen", "error", "tmf_sales")
    assert (line["requestId"], line["correlationId"], line["traceId"]) == ("r-1", "c-1", TRACE)
    assert "ValueError: invalid literal" in line["exception"]


@pytest.mark.usefixtures("serving")
def test_a_text_line_is_followed_by_the_traceback() -> None:
    first, *rest = TextFormatter().format(record("unforeseen", error=raised())).splitlines()

    assert first.endswith(f"Z error unforeseen requestId=r-1 correlationId=c-1 traceId={TRACE}")
    assert rest[0].startswith("Traceback")


def test_a_line_beside_requests_has_no_ids() -> None:
    assert TextFormatter().format(record("the store is away")).endswith("Z error the store is away")


def test_why_a_start_failed_is_written_as_commands_write_it() -> None:
    assert TextFormatter().format(record("Error: cannot open x", "uvicorn.error")) == "Error: cannot open x"


def test_a_request_keeps_the_id_that_is_made_for_it() -> None:
    served = scope()

    assert request_id(served) == request_id(served)
    assert request_id(served) != request_id(scope())


@pytest.mark.parametrize("id", ["", "two words", 'a"quote', "line\nbreak", "é", "x" * 129])
def test_an_id_that_would_break_a_line_is_not_taken(id: str) -> None:
    assert sent_id(scope(x_request_id=id), b"x-request-id") is None
    assert request_id(scope(x_request_id=id)) != id


@pytest.mark.parametrize(
    ("traceparent", "expected"),
    [
        (f"00-{TRACE}-{PARENT}-01", TRACE),
        (f"cc-{TRACE}-{PARENT}-01-what-a-later-version-adds", TRACE),
        (f"00-{TRACE.upper()}-{PARENT}-01", None),
        (f"00-{'0' * 32}-{PARENT}-01", None),
        (f"00-{TRACE}-{'0' * 16}-01", None),
        (f"ff-{TRACE}-{PARENT}-01", None),
        (f"00-{TRACE}-{PARENT}", None),
        (f"cc-{TRACE}-{PARENT}-01-{'x' * 500}", None),
        ("", None),
    ],
)
def test_a_trace_id_is_taken_from_a_valid_traceparent_only(traceparent: str, expected: str | None) -> None:
    assert trace_id(scope(traceparent=traceparent)) == expected


def test_level_and_form_can_change(monkeypatch: pytest.MonkeyPatch) -> None:
    root, written = logging.getLogger(), io.StringIO()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(sys, "stderr", written)
    for name in ("tmf_sales", "uvicorn", "gunicorn.error"):
        monkeypatch.setattr(logging.getLogger(name), "level", logging.NOTSET)

    configure_logs("warning", "text")
    logging.getLogger("tmf_sales").info("one")
    configure_logs("info", "json")
    logging.getLogger("tmf_sales").info("two")

    assert [json.loads(line)["message"] for line in written.getvalue().splitlines()] == ["two"]
    assert len(root.handlers) == 1
