"""Traces: the context of a request is kept with its event and sent with the webhook; spans go to an OTLP collector."""

from __future__ import annotations

import gzip
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from tests.http.conftest import QUOTES, Services
from tests.http.inbox import inbox

PATIENCE = 60.0
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"
QUOTE = {"quoteItem": [{"id": "1", "action": "add"}]}
NOT_IMPORTED = """
import sys
from tmf_sales.app import create_app
from tmf_sales.configuration.settings import Settings
create_app(Settings(store="memory:"))
print([name for name in sys.modules if name.partition(".")[0] in ("opentelemetry", "prometheus_client")])
"""


@dataclass
class Collector:
    """Receives spans by OTLP over HTTP. `services` are the names that their resources have."""

    url: str = ""
    services: set[str] = field(default_factory=set)
    received: queue.Queue[Span] = field(default_factory=queue.Queue)
    all: list[Span] = field(default_factory=list)

    def spans_until(self, name: str, trace: str = TRACE) -> dict[str, Span]:
        """The spans of this trace by their names, up to and with this one."""
        found: dict[str, Span] = {}
        while name not in found:
            span = self.received.get(timeout=PATIENCE)
            if span.trace_id.hex() == trace:
                found[span.name] = span
        return found

    def take(self, body: bytes) -> None:
        for of_resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            attributes = {each.key: each.value.string_value for each in of_resource.resource.attributes}
            self.services.add(attributes["service.name"])
            for scope in of_resource.scope_spans:
                for span in scope.spans:
                    self.all.append(span)
                    self.received.put(span)


@contextmanager
def collector() -> Iterator[Collector]:
    made = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.take(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()


def test_a_trace_leads_from_the_request_over_the_store_to_the_webhook(services: Services) -> None:
    with inbox() as box, collector() as to:
        environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": to.url, "OTEL_BSP_SCHEDULE_DELAY": "50"}
        with services.at("memory:", **environ) as service:
            httpx.post(f"{service.url}{QUOTES}/hub", json={"callback": f"{box.url}/here"})
            answer = httpx.post(f"{service.url}{QUOTES}/quote", json=QUOTE, headers={"traceparent": TRACEPARENT})
            assert answer.status_code == 201, answer.text
            [post] = box.take()
            spans = to.spans_until("deliver")
            httpx.get(f"{service.url}/live", headers={"traceparent": f"00-{'a' * 32}-{PARENT}-01"})

    request, commit, deliver = spans[f"POST {QUOTES}/quote"], spans["store.commit"], spans["deliver"]
    assert request.parent_span_id.hex() == PARENT
    assert commit.parent_span_id == request.span_id
    assert deliver.parent_span_id == request.span_id
    assert post.headers["traceparent"] == f"00-{TRACE}-{deliver.span_id.hex()}-01"
    assert post.event["traceparent"] == f"00-{TRACE}-{request.span_id.hex()}-01"
    assert {each.key: each.value.WhichOneof("value") for each in request.attributes} == {
        "http.request.method": "string_value",
        "http.route": "string_value",
        "http.response.status_code": "int_value",
    }
    assert to.services == {"tmf-sales"}
    assert "a" * 32 not in {span.trace_id.hex() for span in to.all}
    assert {span.name.partition(" ")[0] for span in to.all if not span.parent_span_id} == {"POST"}


def test_workers_and_the_name_of_the_service_come_from_the_standard_variables(services: Services) -> None:
    with collector() as to:
        environ = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{to.url}/v1/traces", "OTEL_SERVICE_NAME": "quotes"}
        store = services.new_store("sqlite")
        with services.at(store, "--workers", "2", **environ, OTEL_BSP_SCHEDULE_DELAY="50") as service:
            httpx.get(f"{service.url}{QUOTES}/quote/none", headers={"traceparent": TRACEPARENT})
            spans = to.spans_until(f"GET {QUOTES}/quote/{{id}}")

    assert "store.get" in spans
    assert to.services == {"quotes"}


def test_without_tracing_the_context_of_a_request_reaches_the_webhook(services: Services) -> None:
    with inbox() as box, services.at("memory:") as service:
        httpx.post(f"{service.url}{QUOTES}/hub", json={"callback": f"{box.url}/here"})
        for traceparent in (TRACEPARENT, "not valid"):
            httpx.post(f"{service.url}{QUOTES}/quote", json=QUOTE, headers={"traceparent": traceparent})
        received = box.take(2)  # of two resources, so in either order

    assert {each.headers.get("traceparent") for each in received} == {TRACEPARENT, None}
    assert {each.event.get("traceparent") for each in received} == {TRACEPARENT, None}


def test_nothing_of_opentelemetry_is_imported_when_it_is_off() -> None:
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", NOT_IMPORTED], capture_output=True, text=True)

    assert (done.stdout, done.returncode) == ("[]\n", 0), done.stderr
