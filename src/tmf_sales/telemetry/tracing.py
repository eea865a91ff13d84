"""Traces with OpenTelemetry: spans of requests, of the store and of deliveries, sent by OTLP over HTTP.

Guarantee: without the standard variables (OTEL_EXPORTER_OTLP_ENDPOINT and others) nothing of OpenTelemetry is imported.
Spans are sent in the background; a collector that is away delays no request.
"""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar

from tmf_sales.events.delivery.webhook import Attempt
from tmf_sales.http.fields import FIELDS
from tmf_sales.http.request_ids import SPAN_ID, TRACE_ID, TRACEPARENT, traceparent_of

if TYPE_CHECKING:
    from opentelemetry.trace import Span

P = ParamSpec("P")
T = TypeVar("T")
Scope = MutableMapping[str, Any]

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
SERVICE = "tmf-sales"

log = logging.getLogger(__name__)


class Tracing(Protocol):
    """Makes the spans of one process."""

    def start(self) -> None:
        """Start to send spans; called in each process, after forks."""

    def close(self) -> None:
        """Send what is left; blocks for some seconds at most."""

    def begin_request(self, scope: Scope) -> None: ...

    def end_request(self, scope: Scope, template: str, status: int) -> None: ...

    def in_span(self, name: str, call: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
        """Wrap `call` so that each of its calls within a request or a delivery is a span."""

    async def deliver(self, traceparent: str | None, post: Callable[[str], Awaitable[Attempt]]) -> Attempt:
        """Call `post` with the traceparent to send, in the span of a delivery."""


def create_tracing(environ: Mapping[str, str] = os.environ) -> Tracing | None:
    """Create the tracing that the standard variables ask for; None if they ask for none."""
    off = environ.get("OTEL_SDK_DISABLED", "").lower() == "true" or environ.get("OTEL_TRACES_EXPORTER") == "none"
    if off or not any(environ.get(name) for name in ENDPOINTS):
        return None
    try:
        return OpenTelemetryTracing()
    except ModuleNotFoundError as error:
        log.warning("no traces are sent: they need the package %s: pip install 'tmf-sales[otel]'", error.name)
        return None


class OpenTelemetryTracing:
    """Traces by the SDK of OpenTelemetry, which reads the OTEL_ variables itself."""

    def __init__(self) -> None:
        from opentelemetry import context, trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        named = OTELResourceDetector().detect()
        self._provider = TracerProvider(resource=Resource.create({SERVICE_NAME: SERVICE}).merge(named))
        self._make_processor: Callable[[], Any] = lambda: BatchSpanProcessor(OTLPSpanExporter())
        self._propagator = TraceContextTextMapPropagator()
        self._tracer = self._provider.get_tracer(SERVICE)
        self._trace, self._context = trace, context

    def start(self) -> None:
        # The thread that sends spans does not survive a fork, so each process makes its own.
        self._provider.add_span_processor(self._make_processor())

    def close(self) -> None:
        self._provider.shutdown()

    def begin_request(self, scope: Scope) -> None:
        span = self._tracer.start_span(
            scope["method"], self._parent(traceparent_of(scope)), kind=self._trace.SpanKind.SERVER
        )
        context = span.get_span_context()
        scope[SPAN_ID], scope[TRACE_ID] = f"{context.span_id:016x}", f"{context.trace_id:032x}"
        token = self._context.attach(self._trace.set_span_in_context(span))
        scope[_REQUEST_SPAN] = span, token
        headers = [each for each in scope["headers"] if each[0] != TRACEPARENT]
        scope["headers"] = [*headers, (TRACEPARENT, self._traceparent_in(span).encode())]
        scope.pop(FIELDS, None)

    def end_request(self, scope: Scope, template: str, status: int) -> None:
        span, token = scope.pop(_REQUEST_SPAN)
        self._context.detach(token)
        span.update_name(f"{scope['method']} {template}")
        span.set_attributes(
            {"http.request.method": scope["method"], "http.route": template, "http.response.status_code": status}
        )
        if status >= 500:
            span.set_status(self._trace.StatusCode.ERROR)
        span.end()

    def in_span(self, name: str, call: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
        @functools.wraps(call)
        async def traced(*arguments: P.args, **named: P.kwargs) -> T:
            is_within_a_span = self._trace.get_current_span().get_span_context().is_valid
            if not is_within_a_span:  # in the background, each span would be a trace of its own
                return await call(*arguments, **named)
            # What a store raises is often an answer (a conflict), and its text may quote a document.
            with self._tracer.start_as_current_span(
                name, kind=self._trace.SpanKind.CLIENT, record_exception=False, set_status_on_exception=False
            ):
                return await call(*arguments, **named)

        return traced

    async def deliver(self, traceparent: str | None, post: Callable[[str], Awaitable[Attempt]]) -> Attempt:
        parent = self._parent(traceparent)
        with self._tracer.start_as_current_span("deliver", parent, kind=self._trace.SpanKind.PRODUCER) as span:
            attempt = await post(self._traceparent_in(span))
            if attempt.status is not None:
                span.set_attribute("http.response.status_code", attempt.status)
            if not attempt.succeeded:
                span.set_status(self._trace.StatusCode.ERROR, attempt.error)
            return attempt

    def _parent(self, traceparent: str | None) -> Any:
        """The context of a sent traceparent; an empty one, which begins a new trace, without a valid one."""
        carrier = {} if traceparent is None else {"traceparent": traceparent}
        return self._propagator.extract(carrier, self._context.Context())

    def _traceparent_in(self, span: Span) -> str:
        carrier: dict[str, str] = {}
        self._propagator.inject(carrier, self._trace.set_span_in_context(span))
        return carrier["traceparent"]


_REQUEST_SPAN = "tmf_sales.span"
