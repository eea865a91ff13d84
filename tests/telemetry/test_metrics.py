"""Durations are noted by requests and counted in buckets later."""

from __future__ import annotations

import pytest

from tmf_sales.telemetry.metrics import BUCKETS, OFFSETS, PAGE, Histogram, Metrics


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


def test_responses_are_counted_by_status_with_their_durations_but_a_stream_has_none() -> None:
    metrics = Metrics()
    metrics.share(1)
    metrics.take_row(0)
    page = metrics.pages[PAGE]

    page.noting(200)(0.002)
    page.noting(200)(0.02)
    page.noting(404)(0.002)
    page.note_stream(200)

    for _ in range(2):  # nothing is counted twice
        totals = metrics.totals()
        found = {status: totals[page.statuses + offset] for status, offset in OFFSETS.items()}
        assert {status: count for status, count in found.items() if count} == {200: 3, 404: 1}
        assert sum(totals[page.duration.first : page.duration.first + len(BUCKETS)]) == 3
    with pytest.raises(KeyError):
        page.noting(999)  # a status without a place fails where it happens, not in the background
