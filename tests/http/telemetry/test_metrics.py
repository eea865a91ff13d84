"""Metrics as a scraper gets them: names, sums over workers, who may read them, and the management port."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse
from tests.http.conftest import QUOTES, SALES, Services
from tests.http.inbox import inbox
from tests.http.process.test_workers import workers_of
from tests.identity import Provider, bearer
from tests.service import first_line, let_go
from tests.wire import Wire

import tmf_sales
from tmf_sales.telemetry.catalogue import METRICS

PATIENCE = 60.0
Labels = tuple[tuple[str, str], ...]


def labelled(**labels: str) -> Labels:
    return tuple(sorted(labels.items()))


class Scrape(dict[tuple[str, Labels], float]):
    """The value of each series, by its name and labels."""

    def value(self, name: str, **labels: str) -> float:
        return self.get((f"tmf_sales_{name}", labelled(**labels)), 0.0)

    def labels(self, name: str) -> set[str]:
        return {value for (found, labels) in self if found == f"tmf_sales_{name}" for _, value in labels}


def scrape(url: str, **headers: str) -> Scrape:
    answer = httpx.get(f"{url}/metrics", headers=headers, timeout=PATIENCE)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return Scrape(
        {
            (sample.name, labelled(**sample.labels)): sample.value
            for family in parse(answer.text)
            for sample in family.samples
        }
    )


def until(url: str, holds: Callable[[Scrape], bool]) -> Scrape:
    """The first scrape that `holds` accepts: other workers publish what they count once a second."""
    end = time.monotonic() + PATIENCE
    while not holds(found := scrape(url)):
        assert time.monotonic() < end, found
    return found


def management_url(log: Path) -> str:
    found = re.search(r"^Management: (\S+)", log.read_text(), re.MULTILINE)
    assert found is not None
    return found[1]


def test_every_metric_of_the_reference_is_exposed_and_no_other(services: Services) -> None:
    service = services.on("memory")
    httpx.get(f"{service.url}{QUOTES}/quote")

    text = httpx.get(f"{service.url}/metrics").text

    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    assert types == {metric.name: metric.type for metric in METRICS}


def test_requests_are_counted_by_operation_and_status(services: Services) -> None:
    with services.at("memory:") as service:
        for _ in range(3):
            httpx.get(f"{service.url}{QUOTES}/quote")
        httpx.get(f"{service.url}{QUOTES}/quote/none")
        httpx.get(f"{service.url}/no/such/path")
        httpx.get(f"{service.url}/audit?kind=quote")
        httpx.get(f"{service.url}/")
        httpx.get(f"{service.url}/live")

        found = scrape(service.url)

    assert found.value("http_requests_total", api="tmf648", operation="listQuote", status="200") == 3
    assert found.value("http_requests_total", api="tmf648", operation="retrieveQuote", status="404") == 1
    assert found.value("http_requests_total", api="", operation="unmatched", status="404") == 1
    assert found.value("http_requests_total", api="", operation="audit", status="400") == 1
    assert found.value("http_requests_total", api="", operation="page", status="200") == 1
    assert sum(value for (name, _), value in found.items() if name == "tmf_sales_http_requests_total") == 7
    assert found.value("http_request_duration_seconds_count", api="tmf648", operation="listQuote") == 3
    assert found.value("http_request_duration_seconds_sum", api="tmf648", operation="listQuote") > 0
    assert found.value("errors_total", code="notFound") == 1
    assert found.value("errors_total", code="noSuchRoute") == 1
    assert found.value("store_operation_duration_seconds_count", operation="find") >= 3
    assert found.value("http_requests_in_progress") == 0
    assert found.value("build_info", version=tmf_sales.__version__) == 1
    assert found.value("store_up") == 1


def test_a_request_that_is_not_http_is_an_error(services: Services) -> None:
    with services.at("memory:") as service:
        with Wire(service.port) as wire:
            wire.send(b"GET / HTTP/1.1\r\n\r\n")
            assert wire.answer().status_code == 400

        assert scrape(service.url).value("errors_total", code="badRequest") == 1


def test_resources_and_leniencies_are_counted(services: Services) -> None:
    with services.at("memory:") as service:
        quote = {"category": None, "quoteItem": [{"id": "1", "action": "add"}]}
        created = httpx.post(f"{service.url}{QUOTES}/quote", json=quote)
        assert created.status_code == 201, created.text

        found = scrape(service.url)

    assert found.value("leniencies_total", rule="nullAsMissing") == 1
    assert found.value("resources", kind="tmf648/quote", state=created.json()["state"]) == 1
    assert {"tmf648/quote", "tmf699/salesLead"} <= found.labels("resources")


def test_openmetrics_is_for_those_who_ask_for_it(services: Services) -> None:
    accept = "application/openmetrics-text;version=1.0.0;q=0.9,text/plain;q=0.5"
    answer = httpx.get(f"{services.on('memory').url}/metrics", headers={"Accept": accept})

    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    families = parse_openmetrics(answer.text)  # type: ignore[no-untyped-call]
    assert {family.name for family in families} >= {"tmf_sales_store_up", "tmf_sales_errors"}


def test_other_methods_are_rejected(services: Services) -> None:
    url = f"{services.on('memory').url}/metrics"

    assert httpx.post(url).status_code == 405
    head = httpx.head(url)
    assert (head.status_code, head.text) == (200, "")


def test_workers_count_together_and_a_dead_one_takes_nothing_with_it(services: Services, tmp_path: Path) -> None:
    store = f"sqlite:{tmp_path}/store.sqlite"
    with services.at(store, "--workers", "2", "--management-port", "0") as service:
        url = management_url(service.log)

        def listed() -> float:
            return scrape(url).value("http_requests_total", api="tmf699", operation="listSalesLead", status="200")

        for _ in range(20):  # each on a connection of its own, which the system gives to some worker
            httpx.get(f"{service.url}{SALES}/salesLead")
        until(url, lambda _: listed() == 20)

        victim, *_ = workers_of(service)
        os.kill(victim, signal.SIGKILL)
        end = time.monotonic() + PATIENCE
        while victim in workers_of(service) or len(workers_of(service)) < 2:
            assert time.monotonic() < end
        for _ in range(20):
            httpx.get(f"{service.url}{SALES}/salesLead", timeout=PATIENCE)

        # A worker publishes once a second, so a request may be shown as in progress after its response.
        until(url, lambda found: listed() == 40 and found.value("http_requests_in_progress") == 0)


def test_the_management_port_has_probes_and_metrics_alone(services: Services) -> None:
    with services.at("memory:", "--management-port", "0") as service:
        url = management_url(service.log)

        assert [httpx.get(f"{url}{path}").status_code for path in ("/live", "/ready", "/metrics")] == [200, 200, 200]
        assert httpx.get(f"{url}{QUOTES}/quote").json()["code"] == "noSuchRoute"
        assert httpx.get(f"{url}/metrics", headers={"Host": "evil.example"}).json()["code"] == "unservedHost"
        others = [httpx.get(f"{service.url}{path}").status_code for path in ("/live", "/ready", "/metrics")]
        assert others == [200, 200, 404]


def test_with_authentication_metrics_need_a_right_of_their_own(services: Services, provider: Provider) -> None:
    service = services.on("memory", **provider.environ)
    url = f"{service.url}/metrics"

    assert httpx.get(url).status_code == 401
    assert httpx.get(url, headers=bearer(provider.token("reader"))).status_code == 403
    assert scrape(service.url, **bearer(provider.token("monitor"))).value("store_up") == 1
    assert scrape(service.url, **bearer(provider.token("admin"))).value("store_up") == 1


def test_the_management_port_asks_nobody_who_it_is(services: Services, provider: Provider) -> None:
    with services.at("memory:", "--management-port", "0", **provider.environ) as service:
        assert scrape(management_url(service.log)).value("store_up") == 1


def test_a_delivery_worker_shows_its_attempts(services: Services, tmp_path: Path) -> None:
    store = f"sqlite:{tmp_path}/store.sqlite"
    command = [sys.executable, "-m", "tmf_sales", "deliver", "--store", store, "--management-port", "0"]
    log = tmp_path / "deliver.log"
    with inbox() as box, services.at(store, "--no-delivery") as service, log.open("wb") as errors:
        box.answers.append(500)
        for path in ("fails", "works"):
            httpx.post(f"{service.url}{QUOTES}/hub", json={"callback": f"{box.url}/{path}"})
        httpx.post(f"{service.url}{QUOTES}/quote", json={"quoteItem": [{"id": "1", "action": "add"}]})
        before = scrape(service.url)
        assert before.value("events_pending") == 1
        assert before.value("events_oldest_pending_seconds") > 0
        worker = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors)
        try:
            assert "delivers events" in first_line(worker)
            box.take(2)
            url = management_url(log)

            found = until(url, lambda it: it.value("delivery_duration_seconds_count") >= 2)

            assert found.value("delivery_attempts_total", result="success") >= 1
            assert found.value("delivery_attempts_total", result="failure") == 1
            assert found.value("events_pending") == 1  # waits for its retry
            assert httpx.get(f"{url}/ready").status_code == 200
            worker.terminate()
            assert worker.wait(PATIENCE) == 0
        finally:
            let_go(worker)
