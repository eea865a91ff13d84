"""When a failed delivery is tried again: the schedule of Standard Webhooks 1.0, and when to stop trying.

Promise: pure; time and chance come as parameters. Times are seconds.
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
    """Seconds to wait after the n-th failure in a row (from 1); `chance` is random in [0, 1).

    The last delay repeats until the listener is disabled. What the receiver asks for with Retry-After is kept when it
    is longer than the schedule, up to 10 hours.
    """
    planned = RETRY_DELAYS[min(failures, len(RETRY_DELAYS)) - 1]
    jittered = planned * (1 - JITTER + 2 * JITTER * chance)
    return max(jittered, min(retry_after or 0.0, RETRY_AFTER_LIMIT))


def is_failing_too_long(failing_since: float, now: float) -> bool:
    """Whether a listener that has failed ever since is to be disabled."""
    return now - failing_since >= DISABLE_AFTER


def read_retry_after(value: str | None, now: float) -> float | None:
    """Seconds that Retry-After asks for (RFC 9110, 10.2.3: a number or a date); None when there is nothing to read."""
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
