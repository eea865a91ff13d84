"""Durations are noted by requests and counted in buckets later."""

from __future__ import annotations

import pytest

from tmf_sales.telemetry.metrics import BUCKETS, Histogram, Metrics


def counted(*durations: float) -> list[float]:
    values = [0.0] * (len(BUCKETS) + 2)
    histogram = Histogram(0)
    for duration in durations:
        histogram.observe(duration)
    histogram.count(values)
    histogram.count(values)  # nothing is counted twice
    return values


def test_a_duration_counts_in_the_first_bucket_whose_bound_it_does_not_exceed() -> None:
    *buckets, beyond, total = counted(0.3, 0.001, 20.0, 0.0005, 0.0011, 0.3)

    assert dict(zip(BUCKETS, buckets, strict=True)) == {**dict.fromkeys(BUCKETS, 0), 0.001: 2, 0.0025: 1, 0.5: 2}
    assert beyond == 1
    assert total == pytest.approx(20.6026)


def test_the_totals_have_what_was_only_noted_so_far() -> None:
    metrics = Metrics()
    metrics.share(1)
    metrics.take_row(0)

    metrics.delivery.observe(0.002)
    metrics.delivery.observe(0.02)

    first = metrics.delivery.first
    assert sum(metrics.totals()[first : first + len(BUCKETS)]) == 2
    assert sum(metrics.totals()[first : first + len(BUCKETS)]) == 2
