"""How many requests a second one caller may make: an own count in each worker, forgotten after the second."""

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
        """Raises TooManyRequests; whoever waits for as long as it says may call again."""
        if not await self._limiter.hit(self._item, subject):
            raise TooManyRequests(f"expected at most {self._item.amount} requests a second", {"Retry-After": "1"})
