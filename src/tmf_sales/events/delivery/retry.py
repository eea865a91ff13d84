"""Decides when to retry a failed delivery, on the schedule of Standard Webhooks 1.0, and when to give up.

Pure functions: time and randomness are parameters. Times are in seconds.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

MINUTE, HOUR = 60.0, 3600.0
RETRY_DELAYS = (5.0, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 10 * HOUR)
JITTER = 0.2
RETRY_AFTER_LIMIT = 10 * HOUR
DISABLE_AFTER = 120 * HOUR


def delay_after(failures: int, chance: float, retry_after: float | None = None) -> float:
    """Return the seconds to wait after the n-th failure in a row (from 1); `chance` is random in [0, 1).

    The last delay repeats until the subscription is disabled. A Retry-After from the receiver applies when it is longer
    than the schedule, up to 10 hours.
    """
    planned = RETRY_DELAYS[min(failures, len(RETRY_DELAYS)) - 1]
    jittered = planned * (1 - JITTER + 2 * JITTER * chance)
    return max(jittered, min(retry_after or 0.0, RETRY_AFTER_LIMIT))


def is_failing_too_long(failing_since: float, now: float) -> bool:
    """Return whether a subscription that has failed since then must be disabled."""
    return now - failing_since >= DISABLE_AFTER


def read_retry_after(value: str | None, now: float) -> float | None:
    """Return the seconds of a Retry-After (RFC 9110, 10.2.3: a number or a date); None when it is absent or invalid."""
    if value is None:
        return None
    text = value.strip()
    if re.fullmatch("[0-9]{1,9}", text):
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(0.0, (aware - datetime.fromtimestamp(now, UTC)).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None
