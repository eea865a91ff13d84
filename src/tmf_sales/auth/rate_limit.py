"""Limits the requests per second of each caller. Each worker counts separately, in windows of one second."""

from __future__ import annotations

from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter

from tmf_sales.errors import TooManyRequests


class RateLimit:
    def __init__(self, per_second: int) -> None:
        self._item = RateLimitItemPerSecond(per_second)
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    async def reject_too_many(self, subject: str) -> None:
        """Count a request; raise TooManyRequests when the limit is exceeded. Retry-After says when to call again."""
        if not await self._limiter.hit(self._item, subject):
            raise TooManyRequests(f"expected at most {self._item.amount} requests a second", {"Retry-After": "1"})
