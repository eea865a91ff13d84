"""Every metric once: its name, its labels, its type and what it means; docs/reference/metrics.md has them as a table.

Guarantee: labels only have values that contracts, code or settings name, never ids or input of callers.
"""

from __future__ import annotations

from typing import NamedTuple

COUNTER, GAUGE, HISTOGRAM = "counter", "gauge", "histogram"


class Metric(NamedTuple):
    """One metric; `name` is what queries use, so a counter's ends in `_total`."""

    name: str
    type: str
    labels: tuple[str, ...]
    meaning: str


REQUESTS = Metric(
    "tmf_sales_http_requests_total",
    COUNTER,
    ("api", "operation", "status"),
    "Responses sent. Status 499: the client disconnected before its response",
)
REQUEST_SECONDS = Metric(
    "tmf_sales_http_request_duration_seconds",
    HISTOGRAM,
    ("api", "operation"),
    "Time from the head of a request to the end of its response; without event streams",
)
IN_PROGRESS = Metric(
    "tmf_sales_http_requests_in_progress", GAUGE, (), "Requests that are being handled, open event streams included"
)
ERRORS = Metric("tmf_sales_errors_total", COUNTER, ("code",), "TMF Errors sent, by their code")
STORE_SECONDS = Metric(
    "tmf_sales_store_operation_duration_seconds", HISTOGRAM, ("operation",), "Time that an operation of the store takes"
)
STORE_UP = Metric("tmf_sales_store_up", GAUGE, (), "1 if the store can read and write, else 0")
PENDING = Metric(
    "tmf_sales_events_pending", GAUGE, (), "Events that some subscription has not received yet, or may still get"
)
OLDEST_PENDING = Metric(
    "tmf_sales_events_oldest_pending_seconds", GAUGE, (), "Age of the oldest pending event; 0 if none is pending"
)
ATTEMPTS = Metric(
    "tmf_sales_delivery_attempts_total",
    COUNTER,
    ("result",),
    "Delivery attempts: success (a 2xx response) or failure",
)
DELIVERY_SECONDS = Metric(
    "tmf_sales_delivery_duration_seconds", HISTOGRAM, (), "Time that a delivery attempt takes, successful or not"
)
SUBSCRIPTIONS = Metric(
    "tmf_sales_subscriptions",
    GAUGE,
    ("state",),
    "Subscriptions: active, failing (an event waits for its retry) or disabled",
)
RESOURCES = Metric(
    "tmf_sales_resources",
    GAUGE,
    ("kind", "state"),
    "Stored resources, counted at most once a minute; state is empty for resources without a lifecycle",
)
LENIENCIES = Metric(
    "tmf_sales_leniencies_total", COUNTER, ("rule",), "Requests that were only accepted because of a leniency rule"
)
CERTIFICATE = Metric(
    "tmf_sales_tls_certificate_expiry_timestamp_seconds",
    GAUGE,
    (),
    "When the certificate of the service expires, in seconds since 1970; missing unless the service serves TLS",
)
BUILD = Metric("tmf_sales_build_info", GAUGE, ("version",), "Always 1; the label has the version")

METRICS = (
    REQUESTS,
    REQUEST_SECONDS,
    IN_PROGRESS,
    ERRORS,
    STORE_SECONDS,
    STORE_UP,
    PENDING,
    OLDEST_PENDING,
    ATTEMPTS,
    DELIVERY_SECONDS,
    SUBSCRIPTIONS,
    RESOURCES,
    LENIENCIES,
    CERTIFICATE,
    BUILD,
)
