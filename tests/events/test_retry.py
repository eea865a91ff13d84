"""Promises of tmf_sales.events.delivery.retry: when a failed delivery is tried again, and when no more."""

import pytest

from tmf_sales.events.delivery.retry import DISABLE_AFTER, delay_after, is_failing_too_long, read_retry_after

NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT


def test_delays_follow_the_schedule_of_standard_webhooks() -> None:
    middle = [delay_after(failures, chance=0.5) for failures in range(1, 10)]

    assert middle == pytest.approx([5, 300, 1800, 7200, 18000, 36000, 36000, 36000, 36000])


def test_delays_vary_by_a_fifth() -> None:
    assert delay_after(2, chance=0.0) == pytest.approx(240)
    assert delay_after(2, chance=1.0) == pytest.approx(360)


def test_a_longer_retry_after_is_kept_within_bounds() -> None:
    assert delay_after(1, 0.5, retry_after=60) == 60
    assert delay_after(3, 0.5, retry_after=60) == pytest.approx(1800)
    assert delay_after(1, 0.5, retry_after=10**9) == 36000


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Tue, 14 Nov 2023 22:14:20 GMT", 60.0),
        ("Tue, 14 Nov 2023 22:14:20 -0000", 60.0),
        ("Tue, 14 Nov 2023 22:12:20 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("1e3", None),
        ("9" * 400, None),
        ("Tue, 99 Nov 2023 22:14:20 GMT", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(value: str | None, seconds: float | None) -> None:
    assert read_retry_after(value, NOW) == seconds


def test_five_days_of_failure_are_too_long() -> None:
    assert DISABLE_AFTER == 120 * 3600
    assert not is_failing_too_long(NOW, NOW + DISABLE_AFTER - 1)
    assert is_failing_too_long(NOW, NOW + DISABLE_AFTER)
