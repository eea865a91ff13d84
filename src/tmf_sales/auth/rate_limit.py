"""Limits the requests per second of each caller. Each worker counts separately, in windows of one second.

Guarantee: every response to a counted request says what is left (draft-ietf-httpapi-ratelimit-headers).
"""

from __future__ import annotations

import math
import time
from collections.abc import MutableMapping
from typing import Any

from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter

from tmf_sales.errors import TooManyRequests
from tmf_sales.http.response_headers import add_headers


class RateLimit:
    def __init__(self, per_second: int) -> None:
        self._item = RateLimitItemPerSecond(per_second)
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._policy = (b"ratelimit-policy", b'"caller";q=%d;w=1' % per_second)

    async def reject_too_many(self, subject: str, scope: MutableMapping[str, Any]) -> None:
        """Count a request; raise TooManyRequests when the limit is exceeded. Retry-After says when to call again."""
        within = await self._limiter.hit(self._item, subject)
        window = await self._limiter.get_window_stats(self._item, subject)
        seconds = max(math.ceil(window.reset_time - time.time()), 0)
        add_headers(scope, [self._policy, (b"ratelimit", b'"caller";r=%d;t=%d' % (window.remaining, seconds))])
        if not within:
            raise TooManyRequests(f"expected at most {self._item.amount} requests a second", {"Retry-After": "1"})
