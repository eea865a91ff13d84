"""The log of a running service: a line for each request, with its ids, in one form for all workers, without secrets."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.http.conftest import QUOTES, Services
from tests.http.process.test_workers import workers_of
from tests.identity import Provider
from tests.service import Service

PATIENCE = 60.0
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
IDS = {"X-Request-Id": "r-1", "X-Correlation-Id": "c-1", "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
AS_JSON = {"TMF_SALES_LOG_LEVEL": "info", "TMF_SALES_LOG_FORMAT": "json"}


def json_lines(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]


def access_lines(log: Path, count: int) -> list[dict[str, Any]]:
    """The access lines, once there are so many; a line is written just after its response."""
    end = time.monotonic() + PATIENCE
    while len(found := [line for line in json_lines(log) if line["logger"] == "tmf_sales.access"]) < count:
        assert time.monotonic() < end, log.read_text()
    return found


def until_logged(service: Service, holds: Callable[[str], bool]) -> str:
    end = time.monotonic() + PATIENCE
    while not holds(text := service.log.read_text()):
        assert time.monotonic() < end, text
    return text


def test_each_request_has_one_line_with_its_ids(services: Services) -> None:
    with services.at("memory:", **AS_JSON) as service:
        for path in ("/live", "/ready", "/metrics", f"{QUOTES}/quote/none?fields=secret"):
            answer = httpx.get(f"{service.url}{path}", headers=IDS)
        assert answer.headers["x-request-id"] == "r-1"
        httpx.get(f"{service.url}/secret/path")
        created = httpx.post(f"{service.url}{QUOTES}/quote", json={"quoteItem": [{"id": "1", "action": "add"}]})

        missing, unmatched, post = access_lines(service.log, 3)
        text = service.log.read_text()

    assert missing.pop("ms") > 0
    assert missing.pop("bytes") == len(answer.content)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", missing.pop("time"))
    assert missing == {
        "level": "info",
        "logger": "tmf_sales.access",
        "message": "request",
        "method": "GET",
        "path": f"{QUOTES}/quote/{{id}}",
        "status": 404,
        "requestId": "r-1",
        "correlationId": "c-1",
        "traceId": TRACE,
    }
    assert (unmatched["path"], unmatched["status"]) == ("unmatched", 404)
    assert (post["method"], post["path"], post["status"]) == ("POST", f"{QUOTES}/quote", 201)
    assert post["bytes"] == len(created.content)
    assert post["requestId"] != post["correlationId"]
    assert "secret" not in text


def test_the_caller_is_in_the_line_and_its_credential_is_not(services: Services, provider: Provider) -> None:
    with services.at("memory:", **AS_JSON, **provider.environ) as service:
        headers = provider.headers("admin", sub="jo doe")
        httpx.get(f"{service.url}{QUOTES}/quote", headers=headers)
        httpx.get(f"{service.url}{QUOTES}/quote")

        known, unknown = access_lines(service.log, 2)
        text = service.log.read_text()

    assert known["caller"] == "'jo doe'"
    assert "caller" not in unknown
    assert headers["Authorization"].removeprefix("Bearer ") not in text


def test_a_text_line_has_the_same_fields(services: Services) -> None:
    with services.at("memory:", TMF_SALES_LOG_LEVEL="info") as service:
        httpx.get(f"{service.url}{QUOTES}/quote", headers={**IDS, "X-Request-Id": "two words"})
        text = until_logged(service, lambda text: " request " in text)

    line = next(line for line in text.splitlines() if " request " in line)
    expected = (
        rf"\S+Z info request method=GET path={QUOTES}/quote status=200 ms=[0-9.]+ bytes=2"
        rf" requestId=[0-9a-f-]{{36}} correlationId=c-1 traceId={TRACE}"
    )
    assert re.fullmatch(expected, line), line


def test_requests_are_not_logged_below_info(services: Services) -> None:
    with services.at("memory:") as service:
        httpx.get(f"{service.url}{QUOTES}/quote")

        assert " request " not in service.log.read_text()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_all_processes_write_in_one_form(services: Services, tmp_path: Path, workers: str) -> None:
    with services.at(f"sqlite:{tmp_path}/store.sqlite", "--workers", workers, **AS_JSON) as service:
        for _ in range(4):
            httpx.get(f"{service.url}{QUOTES}/quote")
        access_lines(service.log, 4)
        for worker in workers_of(service) if workers == "2" else [service.process.pid]:
            os.kill(worker, signal.SIGHUP)
        until_logged(service, lambda text: "the settings are reloaded" in text)
        lines = [line for line in service.log.read_text().splitlines() if not line.startswith("Webhooks to")]

    loggers = {json.loads(line)["logger"] for line in lines}
    assert loggers >= {"tmf_sales.access", "uvicorn.error", *({"gunicorn.error"} if workers == "2" else ())}


def test_a_failure_of_the_service_has_the_id_of_its_request(services: Services) -> None:
    with services.at("mongodb://127.0.0.1:1/sales?serverSelectionTimeoutMS=100") as service:
        sent = httpx.get(f"{service.url}{QUOTES}/quote", headers=IDS, timeout=PATIENCE)
        without = httpx.get(f"{service.url}{QUOTES}/quote", timeout=PATIENCE)

    assert (sent.status_code, sent.headers["x-request-id"]) == (503, "r-1")
    assert without.status_code == 503
    assert re.fullmatch(r"[0-9a-f-]{36}", without.headers["x-request-id"])
