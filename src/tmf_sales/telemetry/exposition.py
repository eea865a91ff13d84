"""Writes the metrics in the formats of Prometheus: text, or OpenMetrics if the scraper asks for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector, CollectorRegistry
from prometheus_client.utils import floatToGoString

import tmf_sales
from tmf_sales.telemetry import catalogue
from tmf_sales.telemetry.catalogue import Metric
from tmf_sales.telemetry.metrics import BUCKETS, STATUS_LABELS, Histogram, Metrics, OperationMetrics
from tmf_sales.telemetry.store_gauges import StoreGauges

BOUNDS = (*map(floatToGoString, BUCKETS), "+Inf")


@dataclass(frozen=True, slots=True)
class Exposition(Collector):
    """One scrape. `totals`: the counters of all processes together, by position.

    Operations that nobody has called yet are left out.
    """

    metrics: Metrics
    gauges: StoreGauges
    totals: Sequence[float]

    def collect(self) -> Iterator[Family]:
        operations = [each for each in self._operations() if self._count(each.duration) or any(self._statuses(each))]
        yield self._requests(operations)
        yield self._histograms(catalogue.REQUEST_SECONDS, {(it.api, it.operation): it.duration for it in operations})
        # The scrape is a request itself.
        yield _gauge(catalogue.IN_PROGRESS, {(): max(0.0, self.totals[self.metrics.in_progress] - 1)})
        yield self._counters(catalogue.ERRORS, self.metrics.errors)
        yield self._histograms(catalogue.STORE_SECONDS, {(name,): each for name, each in self.metrics.store.items()})
        yield self._counters(catalogue.ATTEMPTS, self.metrics.attempts)
        yield self._histograms(catalogue.DELIVERY_SECONDS, {(): self.metrics.delivery})
        yield self._counters(catalogue.LENIENCIES, self.metrics.leniencies)
        expiry = self.metrics.certificate_expiry
        yield _gauge(catalogue.CERTIFICATE, {} if expiry is None else {(): expiry})
        yield _gauge(catalogue.BUILD, {(tmf_sales.__version__,): 1.0})
        yield from self._of_store()

    def _of_store(self) -> Iterator[Family]:
        yield _gauge(catalogue.STORE_UP, {(): float(self.gauges.up)})
        for metric, value in (
            (catalogue.PENDING, self.gauges.pending),
            (catalogue.OLDEST_PENDING, self.gauges.oldest_seconds),
        ):
            yield _gauge(metric, {} if value is None else {(): value})
        yield _gauge(catalogue.SUBSCRIPTIONS, {(state,): value for state, value in self.gauges.subscriptions().items()})
        yield _gauge(catalogue.RESOURCES, self.gauges.resources())

    def _operations(self) -> Iterator[OperationMetrics]:
        yield from self.metrics.operations.values()
        yield from self.metrics.pages.values()

    def _statuses(self, operation: OperationMetrics) -> Sequence[float]:
        return self.totals[operation.statuses : operation.statuses + len(STATUS_LABELS)]

    def _count(self, histogram: Histogram) -> float:
        return sum(self.totals[histogram.first : histogram.first + len(BOUNDS)])

    def _requests(self, operations: Sequence[OperationMetrics]) -> Family:
        family = CounterMetricFamily(**_described(catalogue.REQUESTS))
        for operation in operations:
            for status, count in zip(STATUS_LABELS, self._statuses(operation), strict=True):
                if count:
                    family.add_metric([operation.api, operation.operation, str(status)], count)
        return family

    def _counters(self, metric: Metric, positions: dict[str, int]) -> Family:
        family = CounterMetricFamily(**_described(metric))
        for label, position in positions.items():
            family.add_metric([label], self.totals[position])
        return family

    def _histograms(self, metric: Metric, histograms: Mapping[Any, Histogram]) -> Family:
        family = HistogramMetricFamily(**_described(metric))
        for labels, histogram in histograms.items():
            cumulated, buckets = 0.0, []
            for offset, bound in enumerate(BOUNDS):
                cumulated += self.totals[histogram.first + offset]
                buckets.append((bound, cumulated))
            family.add_metric(list(labels), buckets, self.totals[histogram.first + len(BOUNDS)])
        return family


def _described(metric: Metric) -> dict[str, Any]:
    """The arguments of a metric family; it adds the `_total` of counters itself."""
    name = metric.name.removesuffix("_total")
    return {"name": name, "documentation": metric.meaning, "labels": metric.labels}


def _gauge(metric: Metric, values: Mapping[Any, float]) -> Family:
    family = GaugeMetricFamily(**_described(metric))
    for label_values, value in values.items():
        family.add_metric(list(label_values), value)
    return family


def written(scrape: Exposition, accept: str) -> tuple[bytes, str]:
    """The text of a scrape and its media type, as the Accept header asks."""
    encode, media_type = choose_encoder(accept)
    text = encode(cast(CollectorRegistry, scrape))  # it only collects
    return text, media_type
